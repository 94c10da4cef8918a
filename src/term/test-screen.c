#include "base/test.h"
#include "term/screen.h"

/* What a program printed, and what is then on a screen of 4 rows and 10 columns; "|" stands for the end of a row. */
static const struct { const char *in, *want; } shown[] = {
	{ "", "" },
	{ "one\r\ntwo", "one|two" },
	{ "0123456789ab", "0123456789|ab" },
	{ "0123456789\rx", "x123456789" },
	{ "\033[?7l0123456789ab", "012345678b" },
	{ "a\tb", "a       b" },
	{ "1\r\n2\r\n3\r\n4\r\n5", "2|3|4|5" },
	{ "abc\b\bX", "aXc" },
	/* UTF-8, wide and combining */
	{ "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
	{ "\xe4\xb8\xad\xe6\x96\x87", "\xe4\xb8\xad\xe6\x96\x87" },
	{ "012345678\xe4\xb8\xad", "012345678|\xe4\xb8\xad" },
	{ "\xe4\xb8\xad\033[2Gx", " x" },
	{ "\xe4\xb8\xad\rx", "x" },
	{ "e\xcc\x81x", "e\xcc\x81x" },
	{ "a\xff" "b", "a\xef\xbf\xbd" "b" },
	{ "\xe2\x82" "A", "\xef\xbf\xbd" "A" },
	{ "\xc2\x9b" "3Cx", "   x" },
	/* cursor and editing */
	{ "\033[2;3Hx\033[A\033[Dy", "  y|  x" },
	{ "abcdef\033[3G\033[2P", "abef" },
	{ "abcdef\033[3G\033[2@", "ab  cdef" },
	{ "abcdef\033[3G\033[2X", "ab  ef" },
	{ "abcdef\033[3G\033[K", "ab" },
	{ "abcdef\033[3G\033[1K", "   def" },
	{ "1\r\n2\r\n3\033[2;1H\033[L", "1||2|3" },
	{ "1\r\n2\r\n3\033[2;1H\033[M", "1|3" },
	{ "1\r\n2\r\n3\033[S", "2|3" },
	{ "1\r\n2\r\n3\033[T", "|1|2|3" },
	{ "1\r\n2\r\n3\r\n4\033[2;3r\033[3;1H\nx", "1|3|x|4" },
	{ "ab\033[3b", "abbbb" },
	{ "\033[4habc\033[1Gx", "xabc" },
	{ "\033(0qx\033(Bq\016q", "\xe2\x94\x80\xe2\x94\x82qq" },
	{ "\033#8", "EEEEEEEEEE|EEEEEEEEEE|EEEEEEEEEE|EEEEEEEEEE" },
	{ "\033[?69h\033[3;6s\033[1;3Habcdef", "  abcd|  ef" },
	{ "\033[65;1;1;2;3$x", "AAA|AAA" },
	{ "abc\r\ndef\033[1;1;2;2;1;1;5;1$v", "abc ab|def de" },
	{ "main\033[?1049halt\033[?1049l!", "main!" },
	{ "main\033[?1049h\033[Halt", "alt" },
	{ "\033]0;title\007x\033P1;2;3qsixel\033\\y\033_apc\033\\z", "xyz" },
	{ "\033[?2027h\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7\033[3Gx", "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7x" },
	{ "\033[?2027h\xf0\x9f\x87\xa9\xf0\x9f\x87\xaa\033[3Gx", "\xf0\x9f\x87\xa9\xf0\x9f\x87\xaax" },
};

static void add_shown(const struct screen *s, struct str *out)
{
	screen_add_text(s, SCREEN_PLAIN, out);
	if (out->len > 0)
		out->buf[--out->len] = '\0';
	for (size_t i = 0; i < out->len; i++)
		if (out->buf[i] == '\n')
			out->buf[i] = '|';
}

TEST(screen_shows)
{
	for (size_t i = 0; i < array_len(shown); i++) {
		_cleanup_(screen_freep) struct screen *s = screen_new(4, 10, NULL, NULL);
		_str_ out = STR_INIT;

		screen_feed(s, shown[i].in, strlen(shown[i].in));
		add_shown(s, &out);
		ASSERT_STREQ(out.buf, shown[i].want);
	}
}
