/* Questions: what is answered, and what is left of them for others. */
#include "base/test.h"
#include "term/screen.h"

static const struct { const char *in, *answer; } table[] = {
	{ "\033[c", "\033[?64;6;21;22;28;52c" }, { "\033[>c", "\033[>41;380;0c" }, { "\033[=c", "\033P!|00000000\033\\" },
	{ "\033Z", "\033[?64;6;21;22;28;52c" },
	{ "\033[5n", "\033[0n" }, { "ab\033[6n", "\033[1;3R" }, { "ab\033[?6n", "\033[?1;3;1R" },
	{ "\033[2;3r\033[?6h\033[2;2H\033[6n", "\033[2;2R" }, { "\033[?15n", "\033[?13n" }, { "\033[?996n", "\033[?997;1n" },
	{ "\033[4$p", "\033[4;2$y" }, { "\033[4h\033[4$p", "\033[4;1$y" }, { "\033[?7$p", "\033[?7;1$y" },
	{ "\033[?2026$p", "\033[?2026;2$y" }, { "\033[?12345$p", "\033[?12345;0$y" }, { "\033[?1049h\033[?1049$p", "\033[?1049;1$y" },
	{ "\033P$qm\033\\", "\033P1$r0m\033\\" }, { "\033[1;4:3;38;5;200m\033P$qm\033\\", "\033P1$r0;1;4:3;38;5;200m\033\\" },
	{ "\033P$qr\033\\", "\033P1$r1;4r\033\\" }, { "\033[4 q\033P$q q\033\\", "\033P1$r4 q\033\\" },
	{ "\033P$q\"p\033\\", "\033P1$r64;1\"p\033\\" }, { "\033P$qx\033\\", "\033P0$r\033\\" },
	{ "abc\033[7;1;1;1;1;3*y", "\033P7!~FEDA\033\\" },
	{ "\033[18t", "\033[8;4;10t" }, { "\033[14t", "\033[4;64;80t" }, { "\033]2;rm -rf /\007\033[21t", "\033]l\033\\" },
	{ "\033P+q544e\033\\", "\033P1+r544e=787465726D2D323536636F6C6F72\033\\" }, { "\033P+q5858\033\\", "\033P0+r5858\033\\" },
	{ "\033]4;1;?\007", "\033]4;1;rgb:cdcd/0000/0000\033\\" }, { "\033]11;?\007", "\033]11;rgb:0000/0000/0000\033\\" },
	{ "\033]11;#123456\007\033]11;?\033\\", "\033]11;rgb:1212/3434/5656\033\\" },
	{ "\033[?u", "\033[?0u" }, { "\033[>5u\033[?u", "\033[?5u" }, { "\033[>5u\033[<u\033[?u", "\033[?0u" },
	{ "\033[?4m", "\033[>4;0m" }, { "\033[>4;2m\033[?4m", "\033[>4;2m" },
	{ "\033[2$w", "\033P2$u9\033\\" }, { "\033[1$w", "\033P1$u1;1;1;@;@;@;0;2;@;BBBB\033\\" },
	{ "\033[x", "\033[2;1;1;128;128;1;0x" }, { "\033]52;c;?\007", "\033]52;c;\033\\" }, { "\033[?2048h", "\033[48;4;10;64;80t" },
	{ "\005", "" }, { "\033[1m", "" }, { "\033]0;t\007", "" }, { "\033[c\033[c", "\033[?64;6;21;22;28;52c\033[?64;6;21;22;28;52c" },
};

static void on_reply(void *data, const char *bytes, size_t n) { str_add(data, bytes, n); }
static const struct screen_ops ops = { .reply = on_reply };

TEST(questions_are_answered)
{
	for (size_t i = 0; i < array_len(table); i++) {
		_str_ answer = STR_INIT;
		_cleanup_(screen_freep) struct screen *s = screen_new(4, 10, &ops, &answer);
		_free_ char *is = NULL, *want = NULL;

		screen_feed(s, table[i].in, strlen(table[i].in));
		is = visible(answer.buf);
		want = visible(table[i].answer);
		ASSERT_STREQ(is, want);
	}
}

/* "|" is where one feed ends and the next begins, on both sides; "@" stands for NUL. */
static const struct { const char *in, *left; } cancelled[] = {
	{ "a\033[6nb", "a\033[6\030b" }, { "\033[|6|n", "\033[|6|\030" }, { "\033]11;?\007b", "\033]11;?\030b" },
	{ "\033]11;?\033\\b", "\033]11;?\030@b" }, { "\033]11;?\033|\\b", "\033]11;?\030|@b" }, { "\033]11;?|\033|b", "\033]11;?|\030|b" },
	{ "\033]11;?\302\234b", "\033]11;?\302\030b" }, { "\033]11;?\302|\234b", "\033]11;?\302|\030b" },
	{ "\033P$qm\033\\", "\033P$qm\030@" }, { "\302\2336n", "\302\2336\030" }, { "\005", "@" }, { "\033[c|\033[c", "\033[\030|\033[\030" },
	/* what is no question, or sets something as well, goes on */
	{ "\033]4;1;?;2;#fff\007", "\033]4;1;?;2;#fff\007" }, { "\033[?2048h", "\033[?2048h" }, { "\033]2;t\033\\", "\033]2;t\033\\" },
	{ "\033P1q~\033\\", "\033P1q~\033\\" }, { "\033_Gi=1\033\\", "\033_Gi=1\033\\" },
};

TEST(what_is_answered_is_cancelled)
{
	for (size_t i = 0; i < array_len(cancelled); i++) {
		_cleanup_(screen_freep) struct screen *s = screen_new(4, 10, NULL, NULL);
		_free_ char *in = xstrdup(cancelled[i].in), *is = NULL, *want = NULL;

		for (char *at = in;;) {
			const size_t n = strcspn(at, "|");

			screen_feed_answering(s, at, n);
			for (char *c = at; c < at + n; c++)
				*c = *c ? *c : '@';
			if (at[n] == '\0')
				break;
			at += n + 1;
		}
		is = visible(in);
		want = visible(cancelled[i].left);
		ASSERT_STREQ(is, want);
	}
}

static unsigned lines;
static void on_line(void *data, const struct screen *s)
{
	lines++;
	screen_add_row(s, 0, SCREEN_PLAIN, data);
	str_addc(data, screen_row_wraps(s, 0) ? '+' : '|');
}

TEST(lines_that_leave_are_told)
{
	static const struct screen_ops told = { .scrolled_off = on_line };
	_str_ text = STR_INIT;
	_cleanup_(screen_freep) struct screen *s = screen_new(2, 4, &told, &text);

	screen_feed(s, "1\r\n2\r\n345678\r\n9", 16);
	ASSERT_STREQ(text.buf, "1|2|3456+");
	screen_feed(s, "\033[?1049h\n\n\n\033[?1049l\033[M", 19);
	ASSERT_STREQ(text.buf, "1|2|3456+");
	screen_resize(s, 1, 4);
	ASSERT_STREQ(text.buf, "1|2|3456+78|");
}

TEST(wrapped_lines_are_wrapped_anew)
{
	static const struct { unsigned cols; const char *want; } t[] = {
		{ 6, "012345|6789ab|ccc" }, { 12, "0123456789ab|ccc" }, { 4, "0123|4567|89ab|ccc" }, { 10, "0123456789|ab|ccc" },
	};
	_cleanup_(screen_freep) struct screen *s = screen_new(5, 10, NULL, NULL);

	screen_feed(s, "0123456789ab\r\nccc", 17);
	for (size_t i = 0; i < array_len(t); i++) {
		_str_ out = STR_INIT;

		screen_resize(s, 5, t[i].cols);
		screen_add_text(s, SCREEN_PLAIN, &out);
		out.buf[--out.len] = '\0';
		for (char *c = out.buf; *c; c++)
			*c = *c == '\n' ? '|' : *c;
		ASSERT_STREQ(out.buf, t[i].want);
		ASSERT_EQ(screen_cursor(s).col, 3);
	}
}

TEST(a_row_stands_for_itself)
{
	_str_ out = STR_INIT;
	_cleanup_(screen_freep) struct screen *s = screen_new(2, 20, NULL, NULL);
	static const char in[] = "a\033[1;31mb\033[0m \033]8;;http://x\033\\c\033]8;;\033\\";

	screen_feed(s, in, strlen(in));
	screen_add_row(s, 0, SCREEN_STYLED, &out);
	ASSERT_STREQ(out.buf, "a\033[0;1;31mb\033[0m \033]8;;http://x\033\\c\033]8;;\033\\");
}
