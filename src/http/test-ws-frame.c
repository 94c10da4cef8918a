#include "http/ws-frame.h"

#include "base/list.h"
#include "base/test.h"

/* A frame as a client writes it. */
static void add_frame(struct str *out, unsigned first, const void *data, size_t n)
{
	const uint8_t mask[4] = { 0x11, 0xa2, 0x33, 0xf4 };
	uint8_t head[WS_HEADER_MAX];
	const size_t len = ws_header(head, WS_BINARY, n);

	head[0] = (uint8_t)first;
	head[1] |= 0x80;
	str_add(out, head, len);
	str_add(out, mask, 4);
	for (size_t i = 0; i < n; i++)
		str_addc(out, (char)(((const uint8_t *)data)[i] ^ mask[i & 3]));
}

/* All that comes of @in, fed in pieces of at most @piece bytes: "opcode:data;…", and the code it ended with. */
static char *read_all(const struct str *in, size_t piece)
{
	struct ws_reader r = WS_READER_INIT;
	struct ws_message m;
	_str_ out = STR_INIT;
	int rc = 0;

	for (size_t at = 0; at < in->len && rc >= 0; at += piece) {
		ws_feed(&r, in->buf + at, min_size(piece, in->len - at));
		while ((rc = ws_next(&r, &m)) == 1) {
			str_addf(&out, "%d:", m.opcode);
			str_add(&out, m.data, min_size(m.len, 20));
			str_addf(&out, ";");
		}
	}
	str_addf(&out, "%d", rc);
	ws_reader_release(&r);
	return str_take(&out);
}

struct piece { unsigned first; const char *data; };

TEST(frames_are_read_in_any_pieces)
{
	static const struct { struct piece frames[6]; const char *want; } t[] = {
		{ { { 0x82, "abc" } }, "2:abc;0" },
		{ { { 0x82, "" }, { 0x81, "\xc3\xa4" } }, "2:;1:\xc3\xa4;0" },
		{ { { 0x02, "ab" }, { 0x00, "cd" }, { 0x80, "ef" } }, "2:abcdef;0" },
		{ { { 0x02, "ab" }, { 0x89, "ping" }, { 0x80, "cd" } }, "9:ping;2:abcd;0" },    /* control frames come between */
		{ { { 0x01, "\xc3" }, { 0x80, "\xa4" } }, "1:\xc3\xa4;0" },      /* a character cut in two is whole in the end */
		{ { { 0x82, "a" }, { 0x88, "\x03\xe8" } }, "2:a;8:\x03\xe8;0" },
		{ { { 0x80, "a" } }, "-1002" },                          /* nothing to go on with */
		{ { { 0x02, "a" }, { 0x82, "b" } }, "-1002" },           /* a message within a message */
		{ { { 0xc2, "a" } }, "-1002" }, { { { 0x83, "a" } }, "-1002" }, { { { 0x8b, "a" } }, "-1002" },
		{ { { 0x09, "a" } }, "-1002" },                          /* control frames are whole */
		{ { { 0x81, "\xff" } }, "-1007" },
		{ { { 0x88, "\x03\xe8\xff" } }, "-1007" },
	};

	for (size_t i = 0; i < array_len(t); i++) {
		_str_ in = STR_INIT;

		for (const struct piece *p = t[i].frames; p->data != NULL; p++)
			add_frame(&in, p->first, p->data, strlen(p->data));
		for (size_t piece = 1; piece <= in.len; piece++) {
			_free_ char *got = read_all(&in, piece);

			ASSERT_STREQ(got, t[i].want);
		}
	}
}

TEST(lengths_are_written_and_read_in_each_form)
{
	static const size_t lengths[] = { 0, 1, 125, 126, 127, 65535, 65536, WS_MESSAGE_MAX };

	for (size_t i = 0; i < array_len(lengths); i++) {
		struct ws_reader r = WS_READER_INIT;
		struct ws_message m;
		_str_ data = STR_INIT, in = STR_INIT;

		for (size_t k = 0; k < lengths[i]; k++)
			str_addc(&data, (char)test_rand_below(256));
		add_frame(&in, 0x82, data.buf, data.len);
		ws_feed(&r, in.buf, in.len);
		ASSERT_EQ(ws_next(&r, &m), 1);
		ASSERT_EQ(m.len, lengths[i]);
		ASSERT_MEMEQ(m.data, data.buf, m.len);
		ASSERT_EQ(ws_next(&r, &m), 0);
		ws_reader_release(&r);
	}
}

static int code_of(const void *bytes, size_t n)
{
	struct ws_reader r = WS_READER_INIT;
	struct ws_message m;
	int rc;

	ws_feed(&r, bytes, n);
	rc = ws_next(&r, &m);
	ws_reader_release(&r);
	return rc;
}

TEST(what_cannot_be_right_is_refused_before_it_is_all_there)
{
	static const uint8_t unmasked[] = { 0x82, 0x01 }, long_ping[] = { 0x89, 0xfe, 0, 126 }, not_shortest[] = { 0x82, 0xfe, 0, 5 },
	                     not_shortest_64[] = { 0x82, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff },
	                     negative[] = { 0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0 },
	                     too_large[] = { 0x82, 0xff, 0, 0, 0, 0, 0, 0x10, 0, 1 };

	ASSERT_EQ(code_of(unmasked, sizeof(unmasked)), -WS_CLOSE_PROTOCOL);
	ASSERT_EQ(code_of(long_ping, sizeof(long_ping)), -WS_CLOSE_PROTOCOL);
	ASSERT_EQ(code_of(not_shortest, sizeof(not_shortest)), -WS_CLOSE_PROTOCOL);
	ASSERT_EQ(code_of(not_shortest_64, sizeof(not_shortest_64)), -WS_CLOSE_PROTOCOL);
	ASSERT_EQ(code_of(negative, sizeof(negative)), -WS_CLOSE_PROTOCOL);
	ASSERT_EQ(code_of(too_large, sizeof(too_large)), -WS_CLOSE_TOO_LARGE);
}

/* Not by one frame and not by many. */
TEST(a_message_in_pieces_has_a_most)
{
	struct ws_reader r = WS_READER_INIT;
	_str_ half = STR_INIT;
	struct ws_message m;
	int rc = 0;

	str_grow(&half, WS_MESSAGE_MAX / 2);
	memset(half.buf, 'x', WS_MESSAGE_MAX / 2);
	half.len = WS_MESSAGE_MAX / 2;
	for (int i = 0; i < 3 && rc == 0; i++) {
		_str_ in = STR_INIT;

		add_frame(&in, i == 0 ? 0x02 : 0x00, half.buf, half.len);
		ws_feed(&r, in.buf, in.len);
		rc = ws_next(&r, &m);
		ASSERT_EQ(rc, i < 2 ? 0 : -WS_CLOSE_TOO_LARGE);
	}
	ws_reader_release(&r);
}

TEST(codes_of_a_close)
{
	static const struct { const char *data; size_t len; int want; } t[] = {
		{ "", 0, WS_CLOSE_NO_STATUS }, { "\x03", 1, -WS_CLOSE_PROTOCOL }, { "\x03\xe8", 2, 1000 }, { "\x03\xe8 ok", 5, 1000 },
		{ "\x03\xed", 2, -WS_CLOSE_PROTOCOL }, { "\x0b\xb8", 2, 3000 }, { "\x13\x87", 2, 4999 }, { "\x13\x88", 2, -WS_CLOSE_PROTOCOL },
		{ "\0\0", 2, -WS_CLOSE_PROTOCOL }, { "\x03\xec", 2, -WS_CLOSE_PROTOCOL },
	};

	for (size_t i = 0; i < array_len(t); i++) {
		const struct ws_message m = { WS_CLOSE, t[i].data, t[i].len };

		ASSERT_EQ(ws_close_code(&m), t[i].want);
	}
}
