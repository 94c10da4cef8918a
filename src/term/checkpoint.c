#include "term/checkpoint.h"

#include "term/render.h"
#include "term/screen-state.h"

#include <errno.h>

enum { MAGIC = 0x43535450, VERSION = 1, FLAG_TAIL = 1 };         /* "PTSC" */

/* CRC-32C, bit by bit: a checkpoint is some kilobytes, and written once a megabyte of output. */
static uint32_t checksum(uint32_t crc, const uint8_t *p, size_t n)
{
	for (crc = ~crc; n > 0; n--) {
		crc ^= *p++;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82F63B78 : 0);
	}
	return ~crc;
}

static void put(uint8_t *p, uint64_t v, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

static uint32_t get(const uint8_t *p, unsigned n)
{
	uint32_t v = 0;

	for (unsigned i = 0; i < n; i++)
		v |= (uint32_t)p[i] << 8 * i;
	return v;
}

/* Of all but the checksum itself, which is the last of the head. */
static uint32_t checksum_of(const uint8_t *bytes, size_t n)
{
	return checksum(checksum(0, bytes, CHECKPOINT_HEAD - 4), bytes + CHECKPOINT_HEAD, n - CHECKPOINT_HEAD);
}

void checkpoint_write(const struct screen *s, struct str *out)
{
	struct screen *fresh = screen_new(s->row_count, s->col_count, NULL, NULL);
	const size_t begin = out->len;
	uint8_t head[CHECKPOINT_HEAD] = { 0 };
	uint8_t *all;

	str_add(out, head, sizeof(head));
	(void)render_difference(fresh, s, out);
	screen_free(fresh);
	all = (uint8_t *)out->buf + begin;
	put(all, MAGIC, 4);
	put(all + 4, VERSION, 2);
	put(all + 6, s->parser.state == PARSE_TAIL ? FLAG_TAIL : 0, 2);
	put(all + 8, s->row_count, 4);
	put(all + 12, s->col_count, 4);
	put(all + 16, out->len - begin - CHECKPOINT_HEAD, 4);
	put(all + 20, checksum_of(all, out->len - begin), 4);
}

static int refuse(struct err *err, const char *why)
{
	return err_set(err, EINVAL, "bad-checkpoint", "cannot use a checkpoint of the screen: %s", why);
}

int checkpoint_read(const void *bytes, size_t n, const struct screen_ops *ops, void *data, struct screen **ret, struct err *err)
{
	const uint8_t *p = bytes;
	uint32_t rows, cols;
	struct screen *s;

	if (n < CHECKPOINT_HEAD || n > CHECKPOINT_MAX || get(p, 4) != MAGIC || get(p + 16, 4) != n - CHECKPOINT_HEAD)
		return refuse(err, "it is cut short or none");
	if (get(p + 4, 2) != VERSION)
		return refuse(err, "it is of another version");
	rows = get(p + 8, 4);
	cols = get(p + 12, 4);
	if (get(p + 20, 4) != checksum_of(p, n) || rows < 1 || cols < 1 || rows > SCREEN_SIDE_MAX || cols > SCREEN_SIDE_MAX)
		return refuse(err, "it is damaged");
	s = screen_new(rows, cols, NULL, NULL);
	screen_feed(s, p + CHECKPOINT_HEAD, n - CHECKPOINT_HEAD);
	if (get(p + 6, 2) & FLAG_TAIL && parse_is_idle(&s->parser))
		s->parser.state = PARSE_TAIL;
	screen_set_ops(s, ops, data);
	*ret = s;
	return 0;
}
