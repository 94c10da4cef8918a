#include "base/args.h"
#include "base/test.h"

#include <errno.h>

struct out { bool flag; const char *text; struct strv many; uint64_t count, size, span; int choice, open; const char *rest; };
static const char *const choices[] = { "table", "json", NULL };
static const struct arg_option options[] = {
	{ 'f', "flag", NULL, "a flag", ARG_FLAG, offsetof(struct out, flag) },
	{ 't', "text", "TEXT", "a text", ARG_STR, offsetof(struct out, text) },
	{ 'm', "many", "TEXT", "many", ARG_STRV, offsetof(struct out, many) },
	{ 0, "count", "N", "a count", ARG_UINT, offsetof(struct out, count), .min = 1, .max = 9 },
	{ 0, "size", "SIZE", "a size", ARG_SIZE, offsetof(struct out, size) },
	{ 0, "span", "SPAN", "a span", ARG_SPAN, offsetof(struct out, span) },
	{ 'o', "output", "FORM", "a choice", ARG_CHOICE, offsetof(struct out, choice), .choices = choices },
	{ 0, "open", "FORM", "a choice that more may follow", ARG_CHOICE, offsetof(struct out, open), .choices = choices,
	  .rest = offsetof(struct out, rest) },
};

static int parse(size_t stop_after, struct out *out, struct arg_words *words, struct err *err, char **argv)
{
	const struct arg_parser p = { options, array_len(options), stop_after };
	int argc = 0;

	while (argv[argc] != NULL)
		argc++;
	return args_parse(&p, argc, argv, out, words, err);
}
#define ARGV(...) ((char **)(const char *[]){ "x", __VA_ARGS__, NULL })

TEST(every_form_of_an_option)
{
	struct out o = { 0 };
	struct arg_words w;
	_err_ err = ERR_INIT;

	ASSERT_OK(parse(0, &o, &w, &err, ARGV("a", "-ft", "one", "-mx", "--many", "y", "--count=7", "b", "--size=1k",
	                                      "--span", "2s", "-ojson", "--", "-c", "--d")));
	ASSERT(o.flag);
	ASSERT_STREQ(o.text, "one");
	ASSERT_EQ(o.many.len, 2);
	ASSERT_EQ(o.count, 7);
	ASSERT_EQ(o.size, 1024);
	ASSERT_EQ(o.span, 2000);
	ASSERT_EQ(o.choice, 1);
	ASSERT_EQ(w.len, 4);
	ASSERT_EQ(w.before_dashes, 2);
	ASSERT(w.has_dashes);
	ASSERT_STREQ(w.items[2], "-c");
	strv_release(&o.many);
	arg_words_release(&w);
}

TEST(the_rest_can_be_a_command)
{
	struct out o = { 0 };
	struct arg_words w;
	_err_ err = ERR_INIT;

	ASSERT_OK(parse(1, &o, &w, &err, ARGV("-f", "name", "ls", "-f", "--what")));
	ASSERT_EQ(w.len, 4);
	ASSERT_STREQ(w.items[3], "--what");
	arg_words_release(&w);
	ASSERT_OK(parse(1, &o, &w, &err, ARGV("name", "--", "ls", "--", "x")));
	ASSERT_EQ(w.len, 4);
	ASSERT_STREQ(w.items[2], "--");
	arg_words_release(&w);
}

TEST(more_may_follow_a_choice)
{
	static const struct { const char *argv[4]; int want; const char *rest; } t[] = {
		{ { "x", "--open=table" }, 0, NULL }, { { "x", "--open=json:a:b" }, 1, "a:b" }, { { "x", "--open", "json:" }, 1, "" },
	};

	for (size_t i = 0; i < array_len(t); i++) {
		struct out o = { .open = -1, .rest = "before" };
		struct arg_words w;
		_err_ err = ERR_INIT;

		ASSERT_OK(parse(0, &o, &w, &err, (char **)t[i].argv));
		ASSERT_EQ(o.open, t[i].want);
		if (t[i].rest == NULL)
			ASSERT_EQ(o.rest, NULL);
		else
			ASSERT_STREQ(o.rest, t[i].rest);
		arg_words_release(&w);
	}
}

TEST(faults_are_named)
{
	static const struct { const char *argv[4], *want; } t[] = {
		{ { "x", "--nope=1" }, "unknown option '--nope': see --help" },
		{ { "x", "-fz" }, "unknown option '-fz': see --help" },
		{ { "x", "--flag=1" }, "--flag takes no value" },
		{ { "x", "--text" }, "--text needs a value: --text TEXT" },
		{ { "x", "--count", "10" }, "--count: 10 is not between 1 and 9" },
		{ { "x", "--count", "-1" }, "--count: '-1' is not a whole number" },
		{ { "x", "-o", "json:x" }, "--output: 'json:x' is not one of table, json" },
		{ { "x", "--open", "jsonx" }, "--open: 'jsonx' is not one of table, json" },
		{ { "x", "-o", "xml" }, "--output: 'xml' is not one of table, json" },
		{ { "x", "--size", "\033[2J" }, "--size: '\\e[2J' is not a size such as 512m or 2g" },
	};

	for (size_t i = 0; i < array_len(t); i++) {
		struct out o = { 0 };
		struct arg_words w;
		_err_ err = ERR_INIT;

		ASSERT_EQ(parse(0, &o, &w, &err, (char **)t[i].argv), -EINVAL);
		ASSERT_STREQ(err_msg(&err), t[i].want);
	}
}

TEST(words_and_options_in_the_order_they_came)
{
	static const struct { const char *name, *value; } want[] = {
		{ NULL, "a" }, { "many", "x" }, { NULL, "b" }, { "flag", NULL }, { "many", "y" }, { NULL, "--" }, { NULL, "-f" },
	};
	struct out o = { 0 };
	struct arg_words w;
	_err_ err = ERR_INIT;

	ASSERT_OK(parse(0, &o, &w, &err, ARGV("a", "-mx", "b", "-fm", "y", "--", "--", "-f")));
	ASSERT_EQ(w.given_len, array_len(want));
	for (size_t i = 0; i < array_len(want); i++) {
		ASSERT((w.given[i].option == NULL) == (want[i].name == NULL));
		if (want[i].name != NULL)
			ASSERT_STREQ(w.given[i].option->name, want[i].name);
		ASSERT((w.given[i].value == NULL) == (want[i].value == NULL));
		if (want[i].value != NULL)
			ASSERT_STREQ(w.given[i].value, want[i].value);
	}
	strv_release(&o.many);
	arg_words_release(&w);
}
