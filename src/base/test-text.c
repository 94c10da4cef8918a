#include "base/test.h"
#include "base/text.h"

#include <locale.h>

TEST(words_are_set_into_lines)
{
	static const struct { const char *in; size_t at, indent, columns; const char *want; } t[] = {
		{ "one two three", 0, 0, 80, "one two three\n" },
		{ "one two three", 0, 2, 7, "one two\n  three\n" },
		{ "one two three", 4, 4, 8, "one\n    two\n    three\n" },
		{ "  one \n two ", 0, 0, 80, "one two\n" },
		{ "a-word-longer-than-a-line b", 0, 1, 5, "a-word-longer-than-a-line\n b\n" },
		{ "", 0, 0, 80, "\n" },
	};

	for (size_t i = 0; i < array_len(t); i++) {
		_str_ out = STR_INIT;

		text_wrap(&out, t[i].in, t[i].at, t[i].indent, t[i].columns);
		ASSERT_STREQ(out.buf, t[i].want);
	}
}

TEST(no_line_is_longer_than_asked)
{
	for (int run = 0; run < 300; run++) {
		const size_t columns = 20 + test_rand_below(80);
		_str_ in = STR_INIT, out = STR_INIT;
		size_t letters = 0, kept = 0, line = 0;

		for (size_t w = test_rand_below(60); w > 0; w--, str_addc(&in, ' '))
			for (size_t n = 1 + test_rand_below(12); n > 0; n--, letters++)
				str_addc(&in, 'x');
		text_wrap(&out, in.buf, 0, 4, columns);
		for (size_t i = 0; i < out.len; i++) {
			kept += out.buf[i] == 'x';
			line = out.buf[i] == '\n' ? 0 : line + 1;
			ASSERT(line <= columns);
		}
		ASSERT_EQ(kept, letters);
	}
}

TEST(text_is_cut_between_characters)
{
	if (setlocale(LC_CTYPE, "C.UTF-8") == NULL)
		test_skip("no C.UTF-8 here");
	ASSERT_EQ(text_fit("abc", 2), 2);
	ASSERT_EQ(text_fit("abc", 9), 3);
	ASSERT_EQ(text_fit("aäö", 2), 3);
	ASSERT_EQ(text_fit("漢字", 3), 3);               /* each takes two columns */
	ASSERT_EQ(text_fit("", 3), 0);
}
