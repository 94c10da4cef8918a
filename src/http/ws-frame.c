#include "http/ws-frame.h"

#include <endian.h>

struct head { bool is_last; enum ws_opcode opcode; size_t header, len; uint8_t mask[4]; };

void ws_feed(struct ws_reader *r, const void *data, size_t n)
{
	str_add(&r->in, data, n);
}

void ws_reader_release(struct ws_reader *r)
{
	str_release(&r->in);
	str_release(&r->message);
}

static bool is_control(enum ws_opcode opcode)
{
	return opcode & 8;
}

static bool is_utf8(const char *p, size_t n)
{
	for (size_t i = 0, len; i < n; i += len) {
		len = utf8_len(p + i, n - i);
		if (len == 0)
			return false;
	}
	return true;
}

/* What can be known before the whole frame is there: 0, or the code to close with, negative. */
static int check(const struct ws_reader *r, const struct head *h, uint8_t first, uint64_t len, bool is_masked)
{
	const enum ws_opcode o = h->opcode;

	if ((first & 0x70) != 0 || !is_masked)           /* no extension was agreed on; a client masks */
		return -WS_CLOSE_PROTOCOL;
	if (o > WS_PONG || (o > WS_BINARY && o < WS_CLOSE))
		return -WS_CLOSE_PROTOCOL;
	if (is_control(o) && (!h->is_last || len > WS_CONTROL_MAX))
		return -WS_CLOSE_PROTOCOL;
	if (!is_control(o) && (o == WS_CONTINUATION) != r->is_in_message)
		return -WS_CLOSE_PROTOCOL;
	if (!is_control(o) && len > WS_MESSAGE_MAX - (r->is_in_message ? r->message.len : 0))
		return -WS_CLOSE_TOO_LARGE;
	return 0;
}

/* 1: *ret is whole in its header, which fits the message so far; 0: more is needed; negative as above. */
static int read_head(const struct ws_reader *r, struct head *ret)
{
	const uint8_t *p = (const uint8_t *)r->in.buf + r->at;
	const size_t n = r->in.len - r->at;
	uint64_t len;
	size_t size = 2;
	int rc;

	if (n < 2)
		return 0;
	*ret = (struct head){ .is_last = p[0] & 0x80, .opcode = p[0] & 0x0f };
	len = p[1] & 0x7f;
	size += len == 126 ? 2 : len == 127 ? 8 : 0;
	if (n < size)
		return 0;
	if (size == 4) {
		len = (uint64_t)p[2] << 8 | p[3];
	} else if (size == 10) {
		memcpy(&len, p + 2, 8);
		len = be64toh(len);
	}
	/* the shortest form alone is right */
	if ((size == 4 && len < 126) || (size == 10 && (len < 65536 || len >> 63 != 0)))
		return -WS_CLOSE_PROTOCOL;
	rc = check(r, ret, p[0], len, p[1] & 0x80);
	if (rc < 0)
		return rc;
	ret->header = size + 4;
	ret->len = (size_t)len;
	if (n < ret->header)
		return 0;
	memcpy(ret->mask, p + size, 4);
	return 1;
}

static void unmask(char *p, size_t n, const uint8_t mask[4])
{
	for (size_t i = 0; i < n; i++)
		p[i] = (char)((uint8_t)p[i] ^ mask[i & 3]);
}

/* Forget what was handed out. */
static void forget(struct ws_reader *r)
{
	r->at += r->returned;
	r->returned = 0;
	if (!r->is_in_message)
		str_clear(&r->message);
	if (r->at == r->in.len) {
		str_clear(&r->in);
		r->at = 0;
	} else if (r->at > 64 * 1024) {
		memmove(r->in.buf, r->in.buf + r->at, r->in.len - r->at);
		r->in.len -= r->at;
		r->at = 0;
	}
}

/* A piece of a data message. 1: with it the message is whole; 0. */
static int add_piece(struct ws_reader *r, const struct head *h, const char *data, struct ws_message *ret)
{
	const bool is_alone = h->opcode != WS_CONTINUATION && h->is_last;

	if (h->opcode != WS_CONTINUATION)
		r->opcode = h->opcode;
	r->is_in_message = !h->is_last;
	if (!is_alone)
		str_add(&r->message, data, h->len);
	if (!h->is_last)
		return 0;
	*ret = is_alone ? (struct ws_message){ r->opcode, data, h->len }
	                : (struct ws_message){ r->opcode, r->message.buf, r->message.len };
	return 1;
}

int ws_next(struct ws_reader *r, struct ws_message *ret)
{
	for (;;) {
		struct head h;
		char *data;
		int rc;

		forget(r);
		rc = read_head(r, &h);
		if (rc <= 0)
			return rc;
		if (r->in.len - r->at - h.header < h.len)
			return 0;
		data = r->in.buf + r->at + h.header;
		unmask(data, h.len, h.mask);
		r->returned = h.header + h.len;
		if (is_control(h.opcode)) {
			*ret = (struct ws_message){ h.opcode, data, h.len };
			if (h.opcode == WS_CLOSE && h.len > 2 && !is_utf8(data + 2, h.len - 2))
				return -WS_CLOSE_BAD_DATA;
			return 1;
		}
		if (add_piece(r, &h, data, ret) == 0)
			continue;
		return ret->opcode == WS_TEXT && !is_utf8(ret->data, ret->len) ? -WS_CLOSE_BAD_DATA : 1;
	}
}

size_t ws_header(uint8_t out[WS_HEADER_MAX], enum ws_opcode opcode, size_t len)
{
	const uint64_t be = htobe64(len);

	out[0] = (uint8_t)(0x80 | opcode);
	if (len < 126) {
		out[1] = (uint8_t)len;
		return 2;
	}
	out[1] = len < 65536 ? 126 : 127;
	if (len >= 65536) {
		memcpy(out + 2, &be, 8);
		return 10;
	}
	out[2] = (uint8_t)(len >> 8);
	out[3] = (uint8_t)len;
	return 4;
}

int ws_close_code(const struct ws_message *m)
{
	int code;

	if (m->len == 0)
		return WS_CLOSE_NO_STATUS;
	if (m->len == 1)
		return -WS_CLOSE_PROTOCOL;
	code = (uint8_t)m->data[0] << 8 | (uint8_t)m->data[1];
	if ((code >= 3000 && code <= 4999) ||
	    (code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006))
		return code;
	return -WS_CLOSE_PROTOCOL;
}
