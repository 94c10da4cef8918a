#include "base/str.h"
#include "base/test.h"

TEST(grows_and_keeps_bytes)
{
	_str_ s = STR_INIT;

	for (int i = 0; i < 1000; i++)
		str_addf(&s, "%d,", i);
	ASSERT_EQ(s.len, 3890);
	ASSERT_EQ(strlen(s.buf), s.len);
	str_clear(&s);
	str_add(&s, "a\0b", 3);
	ASSERT_EQ(s.len, 3);
	ASSERT_MEMEQ(s.buf, "a\0b\0", 4);
}

TEST(foreign_text_is_made_visible)
{
	static const struct { const char *in, *want; } t[] = {
		{ "plain äöü €", "plain äöü €" },
		{ "\033[31mred\007", "\\e[31mred\\x07" },
		{ "two\nlines\r\t", "two\\nlines\\r\\t" },
		{ "\xff\xc0\xaf", "\\xff\\xc0\\xaf" },
		{ "c1 \xc2\x9b""2J", "c1 \\xc2\\x9b2J" },
		{ "surrogate \xed\xa0\x80", "surrogate \\xed\\xa0\\x80" },
		{ "\x7f", "\\x7f" },
	};

	for (size_t i = 0; i < array_len(t); i++) {
		_free_ char *got = visible(t[i].in);

		ASSERT_STREQ(got, t[i].want);
	}
}

TEST(environment_lists)
{
	_strv_ env = { 0 };

	strv_push(&env, "A=1");
	strv_set_env(&env, "AB", "2");
	strv_set_env(&env, "A", "3");
	ASSERT_EQ(env.len, 2);
	ASSERT_STREQ(env.items[0], "A=3");
	ASSERT_STREQ(env.items[1], "AB=2");
}
