#include "base/test.h"
#include "term/plain.h"

static void plain(const char *in, size_t n, struct str *out)
{
	struct plain p = PLAIN_INIT;

	plain_feed(&p, in, n, out);
	plain_finish(&p, out);
}

#define OSC8 "\033]8;;http://example.org\033\\"
#define FFFD "\xEF\xBF\xBD"

static const struct { const char *in, *want; } table[] = {
	/* lines */
	{ "", "" },
	{ "one\ntwo\n", "one\ntwo\n" },
	{ "one\r\ntwo", "one\ntwo" },
	{ "one\r\r\n", "one\n" },
	{ "\n\n", "\n\n" },
	{ "a\tb", "a\tb" },
	/* UTF-8 */
	{ "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80\n", "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80\n" },
	{ "a\xff""b", "a" FFFD "b" },
	{ "\xe2\x82", FFFD FFFD },
	{ "\xe2\x82""A", FFFD FFFD "A" },
	{ "\xe2\xc3\xa4", FFFD "\xc3\xa4" },
	{ "\xe2\033[1mA", FFFD "A" },
	{ "\xc0\xaf", FFFD FFFD },
	{ "\xed\xa0\x80", FFFD FFFD FFFD },
	{ "\x80", FFFD },
	/* sequences */
	{ "\033[31mred\033[0m", "red" },
	{ "\033[38;2;1;2;3mx\033[38:5:1my\033[?2004hz\033[>4;2m!\033[0 q.", "xyz!." },
	{ "\033]0;title\007a\033]2;title\033\\b", "ab" },
	{ OSC8 "link" OSC8, "link" },
	{ "\033]0;gr\xc3\xbc\xc3\x9c\007x", "x" },
	{ "a\033P1$r0m\033\\b\033_app\033\\c\033^pm\033\\d\033Xsos\033\\e", "abcde" },
	{ "\033Pbell\007 is part\033\\x", "x" },
	{ "\033(B\033)0\0337\0338\033=\033>\033c\033#8x", "x" },
	{ "\xc2\x9b""31mred\xc2\x9d""0;title\xc2\x9cx\xc2\x85y", "redxy" },
	{ "a\033[3\0301m", "a1m" },
	{ "a\033]0;x\032y", "ay" },
	{ "a\033]0;x\033[1my", "ay" },
	{ "\033]0;\xc2\033\\a\033]0;\xc2\030b", "ab" },
	{ "a\033[3\033[31mb", "ab" },
	{ "\033[3\xc3\xa4", "\xc3\xa4" },
	{ "a\033[1\nmb", "a\nb" },
	{ "a\007\v\f\016\017\177\001b", "ab" },
	{ "cut\033", "cut" },
	{ "cut\033[12", "cut" },
	{ "cut\033]0;title", "cut" },
	/* overwriting */
	{ " 10%\r 20%\r100%\n", "100%\n" },
	{ "abcdef\rxy\n", "xycdef\n" },
	{ "abc\b\bX\n", "aXc\n" },
	{ "ls\b \b\b \bpwd\n", "pwd\n" },
	{ "\b\b\ba", "a" },
	{ "\xc3\xa4\xc3\xb6\xc3\xbc\b\bo\n", "\xc3\xa4o\xc3\xbc\n" },
	{ "aou\r\xc3\xa4\n", "\xc3\xa4ou\n" },
	{ "\xe2\x82\xac\xe2\x82\xac\rab", "ab" },
	{ "abc\rd\n", "dbc\n" },
	{ "abcdefghijk\r\tX", "abcdefghXjk" },
	/* editing within the line */
	{ "a long line\rshort\033[K\n", "short\n" },
	{ "abcdef\033[3D\033[Kx", "abcx" },
	{ "abc\033[2K\rx", "x" },
	{ "abc\033[2Kx", "   x" },
	{ "abc\r\033[1Kx", "xbc" },
	{ "abc\033[2Dx", "axc" },
	{ "abc\r\033[Cx", "axc" },
	{ "a\033[3Cx", "a   x" },
	{ "a\033[3C\033[2Dx", "a x" },
	{ "a\033[3C\n", "a\n" },
	{ "a\033[10Gx", "a        x" },
	{ "abc\033[Gx", "xbc" },
	{ "abcd\r\033[2Px", "xd" },
	{ "abcd\r\033[@x", "xabcd" },
	{ "abcd\r\033[3@x", "x  abcd" },
	{ "\xc3\xa4\xc3\xb6\xc3\xbc\r\033[P", "\xc3\xb6\xc3\xbc" },
	{ "abc\r\033[Jx", "x" },
	{ "abc\033[2Jd", "abcd" },
	{ "abc\033[?Kd\033[!Ke", "abcde" },
	{ "ab\033[1;5Dx", "ax" },
};

TEST(what_people_see)
{
	for (size_t i = 0; i < array_len(table); i++) {
		_str_ out = STR_INIT;

		plain(table[i].in, strlen(table[i].in), &out);
		if (strcmp(out.buf, table[i].want) != 0) {
			_free_ char *in = visible(table[i].in), *got = visible(out.buf);

			test_fail(__FILE__, __LINE__, "\"%s\" became \"%s\"", in, got);
		}
	}
}

/* Pieces of the table, in any order, with noise between them: the bulk of what the machine can meet. */
static void random_input(struct str *in)
{
	for (int i = 0; i < 30; i++) {
		const char *piece = table[test_rand_below(array_len(table))].in;

		str_add(in, piece, test_rand_below(strlen(piece) + 1));
		if (test_rand_below(4) == 0)
			str_addc(in, (char)test_rand());
	}
}

static void check_clean(const struct str *s)
{
	for (size_t i = 0; i < s->len; ) {
		const size_t n = utf8_len(s->buf + i, s->len - i);
		const unsigned char c = (unsigned char)s->buf[i];

		ASSERT(n > 0);
		ASSERT(n > 1 || c == '\n' || c == '\t' || (c >= 0x20 && c != 0x7F));
		ASSERT(!(c == 0xC2 && (unsigned char)s->buf[i + 1] < 0xA0));
		i += n;
	}
}

TEST(it_does_not_matter_where_the_input_is_cut)
{
	for (int run = 0; run < 3000; run++) {
		struct plain p = PLAIN_INIT;
		_str_ in = STR_INIT, whole = STR_INIT, pieces = STR_INIT;
		const size_t most = 1 + test_rand_below(20);

		random_input(&in);
		plain(in.buf, in.len, &whole);
		for (size_t at = 0, n; at < in.len; at += n) {
			n = min_size(test_rand_below(most + 1), in.len - at);
			plain_feed(&p, in.buf + at, n, &pieces);
		}
		plain_finish(&p, &pieces);
		ASSERT_EQ(pieces.len, whole.len);
		ASSERT_MEMEQ(pieces.buf, whole.buf, whole.len);
		check_clean(&whole);
	}
}

TEST(long_lines_are_broken)
{
	struct plain p = PLAIN_INIT;
	_str_ in = STR_INIT, out = STR_INIT;
	size_t longest = 0, bytes = 0;

	for (int i = 0; i < 100000; i++)
		str_adds(&in, "a\xe2\x82\xac");
	plain_feed(&p, in.buf, 200000, &out);
	ASSERT(p.line.len <= PLAIN_LINE_MAX);
	plain_feed(&p, in.buf + 200000, in.len - 200000, &out);
	plain_finish(&p, &out);
	for (char *line = out.buf, *end; *line != '\0'; line = *end ? end + 1 : end) {
		end = line + strcspn(line, "\n");
		longest = max_size(longest, (size_t)(end - line));
		bytes += (size_t)(end - line);
	}
	ASSERT(longest <= PLAIN_LINE_MAX && longest > PLAIN_LINE_MAX - 4);
	ASSERT_EQ(bytes, 400000);
	check_clean(&out);
}

TEST(a_full_line_can_be_written_over)
{
	_str_ in = STR_INIT, out = STR_INIT;

	for (int i = 0; i < PLAIN_LINE_MAX; i++)
		str_addc(&in, 'a');
	str_adds(&in, "\r\033[99999@\xe2\x82\xac\033[1000Cx\033[2K\033[999Cy");
	plain(in.buf, in.len, &out);
	check_clean(&out);
	for (size_t at = 0, n; at < out.len; at += n + 1) {
		n = strcspn(out.buf + at, "\n");
		ASSERT(n <= PLAIN_LINE_MAX);
	}
}
