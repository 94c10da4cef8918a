#include "term/record-states.h"

#include "base/fd.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { HEADS_MAX = 100 * 1000 };         /* one in 64 KiB makes this 6 GB of log: more is no file of ours */

static uint64_t size_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
}

/* The head at @at, if there is a whole one whose state lies within @size bytes. */
static bool head_at(int fd, uint64_t at, uint64_t base, uint64_t size, struct record_state *ret)
{
	struct record_state h;

	if (at > size || size - at < sizeof(h) || pread(fd, &h, sizeof(h), (off_t)at) != sizeof(h))
		return false;
	if (le32toh(h.check) != record_check(&h, sizeof(h)))
		return false;
	*ret = (struct record_state){ le64toh(h.position), le64toh(h.time_ms), le64toh(h.offset), le64toh(h.entries),
	                              le32toh(h.size), le32toh(h.state_check), 0, 0 };
	return ret->size <= RECORD_STATE_MAX && ret->size <= size - at - sizeof(h) && ret->position >= base &&
	       ret->position < RECORD_POSITION_MAX && ret->position - base >= ret->offset;
}

/* Append the state of the head @h at @at. False: it is not what was written with that head. */
static bool read_state(int fd, uint64_t at, const struct record_state *h, struct str *out)
{
	str_grow(out, h->size);
	if (pread(fd, out->buf + out->len, h->size, (off_t)(at + sizeof(*h))) != (ssize_t)h->size ||
	    record_hash(out->buf + out->len, h->size) != h->state_check)
		return false;
	out->len += h->size;
	out->buf[out->len] = '\0';
	return true;
}

bool states_belong(int fd, uint64_t base)
{
	struct record_header h;

	return pread(fd, &h, sizeof(h), 0) == sizeof(h) && record_header_is(&h, RECORD_STATES_MAGIC) &&
	       h.version == RECORD_VERSION && h.base == base;
}

/* One more has been found, or was written. */
static void count(struct states *s, uint64_t at, const struct record_state *h)
{
	if (at != s->last_at)                            /* else it took the place of the last */
		s->kept_offset = s->last_offset;
	s->count += at == s->last_at ? 0 : 1;
	s->last_at = at;
	s->last_size = h->size;
	s->last_offset = h->offset;
	s->last_position = h->position;
	s->end = at + sizeof(*h) + h->size;
}

static void scan(struct states *s, uint64_t base, uint64_t log_size, uint64_t end)
{
	const uint64_t size = size_of(s->fd);
	_str_ state = STR_INIT;
	struct record_state h;

	while (s->count < HEADS_MAX && head_at(s->fd, s->end, base, size, &h) && h.offset <= log_size &&
	       h.position <= end && h.offset >= s->last_offset) {
		str_clear(&state);
		if (!read_state(s->fd, s->end, &h, &state))
			break;
		count(s, s->end, &h);
	}
}

int states_open(struct states *s, int fd, uint64_t base, uint64_t log_size, uint64_t end)
{
	const struct record_header h = record_header_of(RECORD_STATES_MAGIC, base, 0);

	*s = (struct states){ .fd = fd, .end = sizeof(h) };
	if (states_belong(fd, base))
		scan(s, base, log_size, end);
	else if (ftruncate(fd, 0) < 0 || pwrite(fd, &h, sizeof(h), 0) != sizeof(h))
		goto fail;
	if (ftruncate(fd, (off_t)s->end) == 0)
		return 0;
fail:
	s->fd = fd_close(fd);
	return -EIO;
}

/* Need the last one not stay? */
static bool is_provisional(const struct states *s)
{
	const uint64_t spacing = s->last_size * 8 > STATES_SPACING ? s->last_size * 8 : STATES_SPACING;

	return s->count > 1 && s->last_offset - s->kept_offset < spacing;
}

int states_add(struct states *s, const struct record_state *head, const void *state, size_t n)
{
	const uint64_t at = is_provisional(s) ? s->last_at : s->end;
	const struct record_state plain = { head->position, head->time_ms, head->offset, head->entries,
	                                    (uint32_t)n, 0, 0, 0 };
	struct record_state h = { htole64(head->position), htole64(head->time_ms), htole64(head->offset),
	                          htole64(head->entries), htole32((uint32_t)n), htole32(record_hash(state, n)), 0, 0 };
	const struct iovec all[] = { { &h, sizeof(h) }, { (void *)state, n } };
	ssize_t w;

	h.check = htole32(record_check(&h, sizeof(h)));
	do
		w = pwritev(s->fd, all, array_len(all), (off_t)at);
	while (w < 0 && errno == EINTR);
	if (w != (ssize_t)(sizeof(h) + n)) {
		const int e = w < 0 ? -errno : -ENOSPC;

		if (at == s->last_at && w > 0) {                 /* the one before is all that is left */
			s->count--;
			s->end = at;
			s->last_at = 0;
			s->last_offset = s->kept_offset;
		}
		(void)ftruncate(s->fd, (off_t)s->end);
		return e;
	}
	count(s, at, &plain);
	(void)ftruncate(s->fd, (off_t)s->end);                   /* the one that it replaced may have been longer */
	return 0;
}

void states_close(struct states *s)
{
	fd_close(s->fd);
	*s = (struct states){ .fd = -1 };
}

bool states_find(int fd, uint64_t base, uint64_t position, uint64_t time_ms, struct record_state *ret,
                 struct str *ret_state)
{
	const uint64_t size = size_of(fd);
	_free_ uint64_t *places = NULL;
	uint64_t at = sizeof(struct record_header);
	size_t len = 0, cap = 0;
	struct record_state h;

	while (len < HEADS_MAX && head_at(fd, at, base, size, &h) && h.position <= position && h.time_ms <= time_ms) {
		if (len == cap)
			places = xrealloc(places, (cap = cap * 2 + 64) * sizeof(*places));
		places[len++] = at;
		at += sizeof(h) + h.size;
	}
	while (len > 0)
		if (head_at(fd, places[--len], base, size, &h) && h.position <= position && h.time_ms <= time_ms &&
		    read_state(fd, places[len], &h, ret_state)) {
			*ret = h;
			return true;
		}
	return false;
}
