#include "base/json-tree.h"

#include "base/json.h"
#include "base/test.h"

static void assert_fails(const char *text, const char *want)
{
	_err_ err = ERR_INIT;
	struct json_node *n = json_tree_parse(text, strlen(text), "f", &err);

	ASSERT(n == NULL);
	ASSERT_STREQ(err_msg(&err), want);
}

TEST(errors_name_line_and_column)
{
	static const struct { const char *text, *want; } t[] = {
		{ "", "f:1:1: a value is expected here, not the end of the file" },
		{ "{\n  \"a\": 1,\n  \"b\" 2\n}", "f:3:7: ':' is expected here, not '2'" },
		{ "{\"a\": 1,}", "f:1:9: after the last ',' something is missing" },
		{ "[1 2]", "f:1:4: ',' or ']' is expected here, not '2'" },
		{ "{\"ä\": x}", "f:1:7: a value is expected here, not 'x'" },
		{ "{a: 1}", "f:1:2: a key in quotes is expected here, not 'a'" },
		{ "{\n\t\"a\": \"b\n", "f:2:7: this text has no end: its closing '\"' is missing" },
		{ "\"\\q\"", "f:1:3: there is no such escape: a backslash in a text is written \\\\" },
		{ "\"\\u12x4\"", "f:1:6: \\u needs four hexadecimal digits" },
		{ "\"\\u00\0204\"", "f:1:6: \\u needs four hexadecimal digits" },
		{ "\"\\ud800x\"", "f:1:4: \\u names half a character here" },
		{ "\"\\ud800\\u0041\"", "f:1:4: \\u names half a character here" },
		{ "\"\\u0000\"", "f:1:4: a text cannot hold the character NUL" },
		{ "\"a\tb\"", "f:1:3: a control character in a text is written as \\n, \\t or \\u00XX" },
		{ "\"a\xff\"", "f:1:3: this is no valid UTF-8" },
		{ "{\n\"a\":1,\n \"a\":2}", "f:3:2: 'a' stands here a second time: the first is in line 2" },
		{ "01", "f:1:3: a number does not begin with 0" },
		{ "-", "f:1:2: a digit is expected after '-'" },
		{ "1.", "f:1:3: a digit is expected here, not the end of the file" },
		{ "1e999", "f:1:1: this number is too large" },
		{ "99999999999999999999", "f:1:1: this number is too large" },
		{ "1 1", "f:1:3: the end of the file is expected here, not '1'" },
		{ "\033", "f:1:1: a value is expected here, not '\\e'" },
		{ "\xef\xbb\xbf{}", "f:1:1: it begins with a byte order mark: save it as UTF-8 without one" },
	};

	for (size_t i = 0; i < array_len(t); i++)
		assert_fails(t[i].text, t[i].want);
}

TEST(nul_depth_and_size_are_refused)
{
	_str_ deep = STR_INIT, large = STR_INIT;
	_err_ err = ERR_INIT;

	ASSERT(json_tree_parse("[1,\0]", 5, "f", &err) == NULL);
	for (int i = 0; i < 100000; i++)
		str_addc(&deep, '[');
	ASSERT(json_tree_parse(deep.buf, deep.len, "f", &err) == NULL);
	ASSERT_STREQ(err_msg(&err), "f:1:65: this is nested more than 64 deep");
	while (large.len <= JSON_TEXT_MAX)
		str_adds(&large, "                ");
	ASSERT(json_tree_parse(large.buf, large.len, "f", &err) == NULL);
	ASSERT_STREQ(err_msg(&err), "f: it is larger than 1024 KiB");
	str_clear(&large);
	str_addc(&large, '{');
	for (int i = 0; i <= JSON_KEYS_MAX; i++)
		str_addf(&large, "%s\"%d\":1", i > 0 ? "," : "", i);
	ASSERT(json_tree_parse(large.buf, large.len, "f", &err) == NULL);
	ASSERT(strstr(err_msg(&err), "more than 4096 keys") != NULL);
}

TEST(values_and_where_they_stand)
{
	static const char text[] = "{ \"s\": \"\\u00e4\\ud83d\\ude00\\n/\",\n  \"n\": [-1, 2.5e1, true, null],\n\t\"o\": {} }";
	_json_tree_ *root = json_tree_parse(text, sizeof(text) - 1, "f", NULL);
	const struct json_node *s = json_tree_get(root, "s"), *n = json_tree_get(root, "n"),
	                       *o = json_tree_get(root, "o");
	_str_ out = STR_INIT;

	ASSERT_STREQ(s->text, "ä😀\n/");
	ASSERT_EQ(s->at.column, 8);
	ASSERT_EQ(n->items.items[0]->number, -1);
	ASSERT(n->items.items[1]->real == 25);
	ASSERT(n->items.items[2]->truth);
	ASSERT_EQ(n->items.items[3]->kind, NODE_NULL);
	ASSERT_EQ(n->items.items[3]->at.line, 2);
	ASSERT_EQ(n->items.items[3]->at.column, 26);
	ASSERT_EQ(o->key_at.line, 3);
	ASSERT_EQ(o->key_at.column, 2);
	json_tree_write(root, &out);
	ASSERT_STREQ(out.buf, "{\"s\":\"ä😀\\n/\",\"n\":[-1,25,true,null],\"o\":{}}");
}

TEST(a_copy_is_whole_and_taking_leaves_the_rest)
{
	static const char text[] = "{\"a\":1,\"b\":[\"x\",{\"c\":2}],\"d\":3}";
	_json_tree_ *root = json_tree_parse(text, sizeof(text) - 1, "f", NULL), *copy = json_tree_copy(root);
	_json_tree_ *taken = json_tree_take(root, "b");
	_str_ first = STR_INIT, second = STR_INIT, third = STR_INIT;

	json_tree_write(root, &first);
	ASSERT_STREQ(first.buf, "{\"a\":1,\"d\":3}");
	json_tree_write(taken, &second);
	ASSERT_STREQ(second.buf, "[\"x\",{\"c\":2}]");
	json_tree_write(copy, &third);
	ASSERT_STREQ(third.buf, text);
	ASSERT(json_tree_take(root, "nosuch") == NULL);
}

/* What the JSON library takes we take, and what it refuses we refuse, but for what json-tree.h says. */
TEST(as_the_library_reads_it)
{
	static const char bytes[] = "{}[]\",:1-.eE0truefalsn\\u \n\"\"{[";

	for (int i = 0; i < 200000; i++) {
		char text[16];
		const size_t n = 1 + test_rand_below(sizeof(text) - 1);
		_str_ pretty = STR_INIT;
		_err_ err = ERR_INIT;
		struct json_node *mine;

		for (size_t k = 0; k < n; k++)
			text[k] = bytes[test_rand_below(sizeof(bytes) - 1)];
		mine = json_tree_parse(text, n, "f", &err);
		if ((mine != NULL) != (json_pretty(text, n, &pretty, NULL) == 0) &&
		    strstr(err_msg(&err), "second") == NULL)
			test_fail(__FILE__, __LINE__, "'%.*s' is %s by us and not by the library", (int)n, text,
			          mine ? "taken" : "refused");
		json_tree_free(mine);
	}
}
