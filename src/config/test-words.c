#include "config/words.h"

#include "base/test.h"

TEST(a_line_becomes_words)
{
	static const struct { const char *line, *want; } t[] = {
		{ "", "" }, { "htop", "htop|" }, { "  a  b\t\nc ", "a|b|c|" },
		{ "sh -c 'echo \"$HOME\" a'", "sh|-c|echo \"$HOME\" a|" },
		{ "\"a b\"c 'd'\"e\"", "a bc|de|" }, { "a\\ b \\' \\\\", "a b|'|\\|" },
		{ "\"a\\\"b\\\\c\\d\"", "a\"b\\c\\d|" },
		{ "'' \"\"", "||" }, { "echo ${A:-b c} d", "echo|${A:-b c}|d|" }, { "'${A:-x y} z'", "${A:-x y} z|" },
		{ "${A:-${B:-c d}} e", "${A:-${B:-c d}}|e|" }, { "a;b|c>d*&", "a;b|c>d*&|" }, { "${A b", "${A|b|" },
	};

	for (size_t i = 0; i < array_len(t); i++) {
		_strv_ v = { 0 };
		_str_ out = STR_INIT;

		ASSERT_EQ(words_split(t[i].line, &v, NULL), 0);
		for (size_t k = 0; k < v.len; k++)
			str_addf(&out, "%s|", v.items[k]);
		ASSERT_STREQ(out.buf, t[i].want);
	}
}

TEST(what_has_no_end_is_refused)
{
	static const struct { const char *line, *want; } t[] = {
		{ "'a", "a ' has no end" }, { "a \"b 'c'", "a \" has no end" },
		{ "a\\", "after the last backslash a character is missing" },
	};

	for (size_t i = 0; i < array_len(t); i++) {
		_strv_ v = { 0 };
		_err_ err = ERR_INIT;

		ASSERT(words_split(t[i].line, &v, &err) < 0);
		ASSERT_STREQ(err_msg(&err), t[i].want);
	}
}
