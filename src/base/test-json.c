#include "base/json.h"
#include "base/list.h"
#include "base/test.h"

#include <errno.h>

struct point { int64_t x, y; };
struct shape { char *name; bool open; struct strv tags; struct point centre; VEC(struct point) points; int kind; };

static const char *const kinds[] = { "line", "ring", NULL };
static const struct json_field point_fields[] = {
	{ "x", FIELD_INT, offsetof(struct point, x), .required = true, .min = -10, .max = 10 },
	{ "y", FIELD_INT, offsetof(struct point, y) },
};
static const struct json_object point_object = JSON_OBJECT("a point", struct point, point_fields, true);
static const struct json_field shape_fields[] = {
	{ "name", FIELD_STR, offsetof(struct shape, name) },
	{ "open", FIELD_BOOL, offsetof(struct shape, open) },
	{ "tags", FIELD_STRV, offsetof(struct shape, tags) },
	{ "centre", FIELD_OBJ, offsetof(struct shape, centre), .object = &point_object },
	{ "points", FIELD_OBJV, offsetof(struct shape, points), .object = &point_object },
	{ "kind", FIELD_ENUM, offsetof(struct shape, kind), .names = kinds },
};
static const struct json_object shape_object = JSON_OBJECT("a shape", struct shape, shape_fields, true);

TEST(what_was_written_is_read_again)
{
	static const char text[] = "{\"name\":\"a\\\"\\n\\u001b\xc3\xa4\",\"open\":true,\"tags\":[\"t\",\"\"],"
	                           "\"centre\":{\"x\":-3,\"y\":9007199254740993},\"points\":[{\"x\":1,\"y\":2},"
	                           "{\"x\":3,\"y\":4}],\"kind\":\"ring\"}";
	struct shape s = { 0 };
	_err_ err = ERR_INIT;
	_str_ out = STR_INIT;

	ASSERT_OK(json_decode(text, strlen(text), &shape_object, &s, &err));
	ASSERT_EQ(s.points.len, 2);
	ASSERT_EQ(s.points.items[1].x, 3);
	ASSERT_EQ(s.centre.y, 9007199254740993);
	json_encode(&out, &shape_object, &s);
	ASSERT_STREQ(out.buf, text);
	json_release(&shape_object, &s);
}

TEST(faults_are_named)
{
	static const struct { const char *in, *want; } t[] = {
		{ "{", "a shape is not JSON: line 1, column 1" },
		{ "[]", "a shape must be an object" },
		{ "{\"nam\":1}", "a shape: unknown key 'nam'" },
		{ "{\"name\":1}", "a shape: 'name' must be a string" },
		{ "{\"centre\":{\"y\":1}}", "a point: 'x' is missing" },
		{ "{\"points\":[{\"x\":11}]}", "a point: 'x' must be between -10 and 10" },
		{ "{\"points\":{}}", "a shape: 'points' must be a list of objects" },
		{ "{\"kind\":\"dot\"}", "a shape: 'kind' must be one of line, ring" },
		{ "{\"tags\":[1]}", "a shape: 'tags' must be a list of strings" },
		{ "{\"name\":\"a\\u0000b\"}", "a shape is not JSON: line 1, column 1" },
	};

	for (size_t i = 0; i < array_len(t); i++) {
		struct shape s = { 0 };
		_err_ err = ERR_INIT;

		ASSERT_EQ(json_decode(t[i].in, strlen(t[i].in), &shape_object, &s, &err), -EINVAL);
		if (strstr(t[i].want, "not JSON") != NULL)      /* the rest is the library's, and differs by version */
			ASSERT_MEMEQ(err_msg(&err), t[i].want, strlen(t[i].want));
		else
			ASSERT_STREQ(err_msg(&err), t[i].want);
		json_release(&shape_object, &s);
	}
}

TEST(writer_mends_bad_utf8)
{
	_str_ out = STR_INIT;
	struct json_writer w = JSON_WRITER(&out);

	json_begin(&w, NULL, '{');
	json_put_str(&w, "bad", "a\xff""b");
	json_put_str(&w, "none", NULL);
	json_begin(&w, "list", '[');
	json_put_int(&w, NULL, -1);
	json_put_bool(&w, NULL, false);
	json_end(&w, ']');
	json_put_raw(&w, "raw", "null");
	json_end(&w, '}');
	ASSERT_STREQ(out.buf, "{\"bad\":\"a\xef\xbf\xbd""b\",\"list\":[-1,false],\"raw\":null}");
}

TEST(a_row_is_an_array_by_its_places)
{
	struct row { double time; struct str text; int64_t n; };
	static const struct json_field fields[] = {
		{ "time", FIELD_REAL, offsetof(struct row, time) }, { "text", FIELD_TEXT, offsetof(struct row, text) },
		{ "n", FIELD_INT, offsetof(struct row, n), .min = 0, .max = 9 },
	};
	static const struct json_object object = JSON_OBJECT("a row", struct row, fields, false);
	static const char *const bad[] = { "[1, \"a\"]", "{}", "[1, 2, 3]", "[1, \"a\", 10]", "[1, \"a\"", "" };
	static const char good[] = "[1.5, \"a\\u0000b\", 3, \"more\"]";
	struct row row = { .text = STR_INIT };
	_str_ again = STR_INIT;

	for (int i = 0; i < 2; i++) {            /* one struct reads many */
		ASSERT_OK(json_decode_row(good, strlen(good), &object, &row, NULL));
		ASSERT(row.time == 1.5 && row.n == 3 && row.text.len == 3 && memcmp(row.text.buf, "a\0b", 3) == 0);
	}
	json_encode(&again, &object, &row);
	ASSERT_STREQ(again.buf, "{\"time\":1.5,\"text\":\"a\\u0000b\",\"n\":3}");
	for (size_t i = 0; i < array_len(bad); i++)
		ASSERT_EQ(json_decode_row(bad[i], strlen(bad[i]), &object, &row, NULL), -EINVAL);
	json_release(&object, &row);
}
