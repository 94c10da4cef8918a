#include "service/match.h"

#include "base/test.h"

static bool stream_finds(const char *text, const char *regex, const char *const *pieces, char **ret)
{
	_strv_ texts = { 0 };
	_strv_ patterns = { 0 };
	struct match_stream st = MATCH_STREAM_INIT;
	struct found found = { 0 };
	struct match m;
	bool is_found = false;

	if (text != NULL)
		strv_push(&texts, text);
	if (regex != NULL)
		strv_push(&patterns, regex);
	ASSERT_OK(match_init(&m, &texts, &patterns, NULL));
	for (size_t i = 0; pieces[i] != NULL && !is_found; i++)
		is_found = match_stream(&st, &m, pieces[i], strlen(pieces[i]), &found);
	match_stream_release(&st);
	match_release(&m);
	*ret = found.text;
	return is_found;
}

TEST(what_is_printed_is_found_wherever_it_is_cut)
{
	static const struct { const char *text, *regex; const char *pieces[4], *want; } t[] = {
		{ "hello", NULL, { "he", "llo" }, "hello" },
		{ "hello", NULL, { "\033[1mhe\033[", "0mllo" }, "hello" },
		{ "a\nb", NULL, { "xa\r\n", "b" }, "a\nb" },
		{ "password: ", NULL, { "pass", "word: " }, "password: " },
		{ NULL, "^[0-9]+ tests$", { "12", " tests", "\r\n" }, "12 tests" },
		{ NULL, "^b", { "ab\r\nab" }, NULL },
		{ "hello", NULL, { "hell", "\r\no" }, NULL },
	};

	for (size_t i = 0; i < array_len(t); i++) {
		_free_ char *text = NULL;

		ASSERT(stream_finds(t[i].text, t[i].regex, t[i].pieces, &text) == (t[i].want != NULL));
		if (t[i].want != NULL)
			ASSERT_STREQ(text, t[i].want);
	}
}

TEST(lines_that_were_wrapped_are_one)
{
	_cleanup_(screen_freep) struct screen *s = screen_new(3, 5, NULL, NULL);
	_str_ out = STR_INIT;

	screen_feed(s, "abc  def\r\nx", 11);
	match_screen_text(s, &out);
	ASSERT_STREQ(out.buf, "abc  def\nx\n");
}

TEST(a_bad_expression_is_named)
{
	_strv_ texts = { 0 };
	_strv_ patterns = { 0 };
	_err_ err = ERR_INIT;
	struct match m;

	strv_push(&patterns, "fine");
	strv_push(&patterns, "a(b");
	ASSERT(match_init(&m, &texts, &patterns, &err) < 0);
	ASSERT(strstr(err_msg(&err), "'a(b' is no regular expression") != NULL);
}
