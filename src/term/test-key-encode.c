#include "base/test.h"
#include "term/key-encode.h"

static const struct { const char *modes, *key, *want; } table[] = {
	{ "", "a", "a" }, { "", "A", "A" }, { "", "shift-a", "A" }, { "", "\xc3\xa4", "\xc3\xa4" }, { "", "ctrl-c", "\003" },
	{ "", "Ctrl-C", "\003" }, { "", "C-c", "\003" }, { "", "alt-x", "\033x" }, { "", "ctrl-alt-d", "\033\004" },
	{ "", "ctrl-[", "\033" }, { "", "ctrl-\\", "\034" }, { "", "ctrl-?", "\177" }, { "", "-", "-" }, { "", "alt--", "\033-" },
	{ "", "enter", "\r" }, { "", "tab", "\t" }, { "", "shift-tab", "\033[Z" }, { "", "escape", "\033" },
	{ "", "backspace", "\177" }, { "", "ctrl-backspace", "\b" }, { "\033[?67h", "backspace", "\b" },
	{ "\033[20h", "enter", "\r\n" },
	{ "", "up", "\033[A" }, { "\033[?1h", "up", "\033OA" }, { "\033[?1h", "ctrl-up", "\033[1;5A" }, { "", "home", "\033[H" },
	{ "", "delete", "\033[3~" }, { "", "shift-delete", "\033[3;2~" }, { "", "f1", "\033OP" }, { "", "shift-f1", "\033[1;2P" },
	{ "", "f5", "\033[15~" }, { "", "ctrl-f12", "\033[24;5~" },
	{ "", "kp5", "5" }, { "\033=", "kp5", "\033Ou" }, { "\033=", "kp-enter", "\033OM" },
	{ "\033[>4;1m", "ctrl-c", "\003" }, { "\033[>4;1m", "ctrl-enter", "\033[27;5;13~" },
	{ "\033[>4;2m", "ctrl-c", "\033[27;5;99~" }, { "\033[>4;2m", "alt-x", "\033[27;3;120~" }, { "\033[>4;2m", "a", "a" },
	{ "\033[>1u", "ctrl-c", "\033[99;5u" }, { "\033[>1u", "escape", "\033[27u" }, { "\033[>1u", "enter", "\r" },
	{ "\033[>1u", "shift-enter", "\033[13;2u" }, { "\033[>1u", "a", "a" }, { "\033[>1u", "A", "A" },
	{ "\033[>1u", "f3", "\033[R" }, { "\033[>1u", "ctrl-f3", "\033[13;5~" },
	{ "\033[>8u", "a", "\033[97u" }, { "\033[>8u", "enter", "\033[13u" }, { "\033[>8u", "A", "\033[97;2u" },
	{ "\033[>24u", "a", "\033[97;;97u" }, { "\033[>24u", "A", "\033[97;2;65u" },
};

TEST(keys_are_encoded_by_the_modes)
{
	for (size_t i = 0; i < array_len(table); i++) {
		_cleanup_(screen_freep) struct screen *s = screen_new(24, 80, NULL, NULL);
		_str_ out = STR_INIT;
		_free_ char *is = NULL, *want = NULL, *shown = NULL, *wanted = visible(table[i].want);

		screen_feed(s, table[i].modes, strlen(table[i].modes));
		ASSERT_OK(key_encode(s, table[i].key, &out, NULL));
		shown = visible(out.buf);
		is = xasprintf("%s: %s", table[i].key, shown);
		want = xasprintf("%s: %s", table[i].key, wanted);
		ASSERT_STREQ(is, want);
	}
}

TEST(a_key_that_is_none_is_refused)
{
	static const char *const none[] = { "", "ctrl-", "f99", "upp", "ctrl-upp", "ab", "\xff" };
	_cleanup_(screen_freep) struct screen *s = screen_new(24, 80, NULL, NULL);

	for (size_t i = 0; i < array_len(none); i++) {
		_str_ out = STR_INIT;
		_err_ err = ERR_INIT;

		ASSERT(key_encode(s, none[i], &out, &err) < 0);
		ASSERT_STREQ(err.code, "bad-key");
		ASSERT_EQ(out.len, 0);
	}
}

TEST(a_paste_cannot_break_out)
{
	static const char text[] = "one\r\ntwo\n\033[201~rm\tx\x03\xc2\x9b";
	_cleanup_(screen_freep) struct screen *s = screen_new(24, 80, NULL, NULL);
	_str_ out = STR_INIT;

	key_paste(s, text, strlen(text), &out);
	ASSERT_STREQ(out.buf, "one\rtwo\r[201~rm\tx");
	str_clear(&out);
	screen_feed(s, "\033[?2004h", 8);
	key_paste(s, text, strlen(text), &out);
	ASSERT_STREQ(out.buf, "\033[200~one\rtwo\r[201~rm\tx\033[201~");
}

/* What is left out must not make a control of what stays: U+009B is C2 9B. */
TEST(a_paste_makes_no_control_of_its_rest)
{
	static const struct { const char *text, *pasted; } cases[] = {
		{ "\xc2\xc2\x9b\x9b" "201~", "\x9b" "201~" },
		{ "\xc2\x1b\x9b", "\x9b" },
		{ "\xc2\x7f\x9b", "\x9b" },
		{ "a\xc2", "a" },
		{ "\xc2\xa0\xc3\xa4", "\xc2\xa0\xc3\xa4" },
	};
	_cleanup_(screen_freep) struct screen *s = screen_new(24, 80, NULL, NULL);

	for (size_t i = 0; i < array_len(cases); i++) {
		_str_ out = STR_INIT;

		key_paste(s, cases[i].text, strlen(cases[i].text), &out);
		ASSERT_STREQ(out.buf, cases[i].pasted);
	}
}
