#include "config/interpolate.h"

#include "base/test.h"

static const char *get(void *data, const char *name, struct err *err)
{
	static const struct { const char *name, *value; } t[] = {
		{ "A", "one" }, { "EMPTY", "" }, { "TRICKY", "${A} $(touch x) `y` }" }, { "session.id", "0123" },
	};

	for (size_t i = 0; i < array_len(t); i++)
		if (str_eq(t[i].name, name))
			return t[i].value;
	if (str_starts(name, "session."))
		err_set(err, 22, "x", "there is no '%s'", name);
	return NULL;
}

TEST(what_becomes_of_texts)
{
	static const struct { const char *in, *want; } t[] = {
		{ "", "" }, { "plain", "plain" }, { "${A}", "one" }, { "x${A}y${A}", "xoneyone" },
		{ "${NO:-two}", "two" }, { "${EMPTY:-two}", "two" }, { "${EMPTY}", "" }, { "${A:-two}", "one" },
		{ "${NO:-}", "" }, { "${NO:-${A}}", "one" }, { "${NO:-a${NO:-b${A}}c}", "abonec" },
		{ "${A:?needed}", "one" },
		{ "$HOME $(x) `y` $ $$", "$HOME $(x) `y` $ $$" }, { "$${A}", "${A}" }, { "$$${A}", "$${A}" },
		{ "${TRICKY}", "${A} $(touch x) `y` }" }, { "${session.id}", "0123" }, { "{}", "{}" },
		{ "a}b", "a}b" },
		{ "${NO:-a:-b:?c}", "a:-b:?c" }, { "${NO:-ä}", "ä" },
	};

	for (size_t i = 0; i < array_len(t); i++) {
		_str_ out = STR_INIT;
		_err_ err = ERR_INIT;

		if (interpolate(t[i].in, get, NULL, &out, &err) < 0)
			test_fail(__FILE__, __LINE__, "'%s': %s", t[i].in, err_msg(&err));
		ASSERT_STREQ(out.buf, t[i].want);
	}
}

TEST(what_is_wrong_is_told)
{
	static const struct { const char *in, *want; } t[] = {
		{ "${NO}", "the parameter 'NO' has no value" },
		{ "${NO:?say which ${A}}", "the parameter 'NO' is needed: say which one" },
		{ "${EMPTY:?it}", "the parameter 'EMPTY' is needed: it" },
		{ "${NO:?}", "is needed: it has no value" },
		{ "${A", "no '}'" }, { "${", "no '}'" }, { "${}", "'${}' is no parameter" },
		{ "${1A}", "'${1A}' is no parameter" },
		{ "${A-b}", "'${A-b}' is no parameter" }, { "${A:}", "'${A:}' is no parameter" },
		{ "${A:+x}", "'${A:+x}' is no" },
		{ "${A B}", "'${A B}' is no parameter" }, { "${session.x}", "there is no 'session.x'" },
		{ "${NO:-${A}", "no '}'" }, { "${A\033}", "'${A\\e}' is no parameter" },
	};

	for (size_t i = 0; i < array_len(t); i++) {
		_str_ out = STR_INIT;
		_err_ err = ERR_INIT;

		ASSERT(interpolate(t[i].in, get, NULL, &out, &err) < 0);
		if (strstr(err_msg(&err), t[i].want) == NULL)
			test_fail(__FILE__, __LINE__, "'%s': '%s' is not in '%s'", t[i].in, t[i].want, err_msg(&err));
	}
}

static const char *large(void *data, const char *name, struct err *err)
{
	return data;
}

TEST(neither_depth_nor_size_is_without_end)
{
	_str_ deep = STR_INIT, many = STR_INIT, out = STR_INIT, value = STR_INIT;
	_err_ err = ERR_INIT;

	for (int i = 0; i < 1000; i++)
		str_adds(&deep, "${NO:-");
	for (int i = 0; i < 1000; i++)
		str_addc(&deep, '}');
	ASSERT(interpolate(deep.buf, get, NULL, &out, &err) < 0);
	ASSERT(strstr(err_msg(&err), "more than 16 deep") != NULL);
	for (int i = 0; i < 10000; i++)
		str_addc(&value, 'x');
	for (int i = 0; i < 10000; i++)
		str_adds(&many, "${A}");
	ASSERT_EQ(interpolate(many.buf, large, value.buf, &out, &err), -7);
	ASSERT(out.len < 2 * INTERPOLATED_MAX);
}

TEST(names_are_each_told_once)
{
	_strv_ names = { 0 };
	_err_ err = ERR_INIT;

	ASSERT_EQ(interpolate_names("${B:-${A:-${C}}} ${A} $${D} ${B:?x ${E}}", &names, &err), 0);
	ASSERT_EQ(names.len, 4);
	ASSERT_STREQ(names.items[0], "B");
	ASSERT_STREQ(names.items[3], "E");
	ASSERT(interpolate_names("${A", &names, &err) < 0);
}
