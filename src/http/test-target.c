#include "http/target.h"

#include "base/test.h"

#include <errno.h>

/* What it was taken apart into, as "a|b?k=v&k=v". */
static char *taken_apart(const char *text)
{
	_cleanup_(target_release) struct target t = { 0 };
	_str_ out = STR_INIT;
	_err_ err = ERR_INIT;

	if (target_parse(text, &t, &err) < 0) {
		ASSERT_STREQ(err.code, "bad-target");
		return xstrdup("refused");
	}
	for (size_t i = 0; i < t.segments.len; i++)
		str_addf(&out, "%s%s", i ? "|" : "", t.segments.items[i]);
	for (size_t i = 0; i < t.keys.len; i++)
		str_addf(&out, "%c%s=%s", i ? '&' : '?', t.keys.items[i], t.values.items[i]);
	return str_take(&out);
}

TEST(targets_are_decoded_once_and_split_before)
{
	static const struct { const char *in, *want; } t[] = {
		{ "/", "" },
		{ "/a/b", "a|b" },
		{ "/a%20b/%C3%A4", "a b|\xc3\xa4" },
		{ "/a%252Fb", "a%2Fb" },                 /* once: what comes out is not decoded again */
		{ "/a+b?c=d+e&f=%2B", "a+b?c=d e&f=+" },
		{ "/a?", "a" },
		{ "/a?b", "a?b=" },
		{ "/a?b=/c?d", "a?b=/c?d" },
		{ "/a?&&b=1&", "a?b=1" },
	};
	static const char *const refused[] = {
		"", "a", "*", "http://x/a", "//", "//a", "/a//b", "/a/", "/.", "/..", "/a/../b", "/%2e%2e/b", "/a%2Fb", "/a%2f", "/a%00b", "/a%",
		"/a%4", "/a%zz", "/a%0ab", "/a\x01", "/%ff", "/a?b=1&b=2", "/a?b=%00", "/a?b=%c3", "/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7",
	};

	for (size_t i = 0; i < array_len(t); i++) {
		_free_ char *got = taken_apart(t[i].in);

		ASSERT_STREQ(got, t[i].want);
	}
	for (size_t i = 0; i < array_len(refused); i++) {
		_free_ char *got = taken_apart(refused[i]);

		if (!str_eq(got, "refused"))
			test_fail(__FILE__, __LINE__, "'%s' was taken: %s", refused[i], got);
	}
}

TEST(parameters_have_a_most)
{
	_cleanup_(target_release) struct target t = { 0 };
	_str_ text = STR_INIT;

	str_adds(&text, "/?");
	for (int i = 0; i <= TARGET_QUERY_MAX; i++)
		str_addf(&text, "k%d=&", i);
	ASSERT_EQ(target_parse(text.buf, &t, NULL), -EINVAL);
}
