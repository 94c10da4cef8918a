#include "term/cast.h"

#include "base/json.h"
#include "base/test.h"

static const struct cast_header header = { .size = { 24, 80 }, .time_ms = 5000, .title = "a \"b\"", .term = "xterm" };

TEST(version_2)
{
	struct cast c = { .version = 2 };
	_str_ out = STR_INIT;

	cast_begin(&c, &header, &out);
	cast_output(&c, 5000, "$ ", 2, &out);
	cast_output(&c, 6234, "a\r\n\033[m\"\\\x7f", 9, &out);
	cast_resize(&c, 7000, (struct term_size){ 30, 100 }, &out);
	cast_input(&c, 7001, "x", 1, &out);
	cast_marker(&c, 7002, "here", &out);
	cast_end(&c, 7002, 3, &out);
	ASSERT_STREQ(out.buf,
	             "{\"version\":2,\"width\":80,\"height\":24,\"timestamp\":5,\"title\":\"a \\\"b\\\"\",\"env\":{\"TERM\":\"xterm\"}}\n"
	             "[0.000, \"o\", \"$ \"]\n"
	             "[1.234, \"o\", \"a\\r\\n\\u001b[m\\\"\\\\\\u007f\"]\n"
	             "[2.000, \"r\", \"100x30\"]\n"
	             "[2.001, \"i\", \"x\"]\n"
	             "[2.002, \"m\", \"here\"]\n");
}

TEST(version_3)
{
	struct cast c = { .version = 3 };
	_str_ out = STR_INIT;

	cast_begin(&c, &header, &out);
	cast_output(&c, 6000, "a", 1, &out);
	cast_output(&c, 6500, "\0", 1, &out);
	cast_end(&c, 6600, 0, &out);
	ASSERT_STREQ(out.buf,
	             "{\"version\":3,\"term\":{\"cols\":80,\"rows\":24,\"type\":\"xterm\"},\"timestamp\":5,\"title\":\"a \\\"b\\\"\"}\n"
	             "[1.000, \"o\", \"a\"]\n[0.500, \"o\", \"\\u0000\"]\n[0.100, \"x\", \"0\"]\n");
}

TEST(pauses_are_cut)
{
	struct cast c = { .version = 2, .idle_max_ms = 1000 };
	_str_ out = STR_INIT;

	cast_begin(&c, &header, &out);
	str_clear(&out);
	cast_output(&c, 5500, "a", 1, &out);
	cast_output(&c, 99000, "b", 1, &out);
	cast_output(&c, 99100, "c", 1, &out);
	ASSERT_STREQ(out.buf, "[0.500, \"o\", \"a\"]\n[1.500, \"o\", \"b\"]\n[1.600, \"o\", \"c\"]\n");
}

static void must_read(const char *bytes, size_t n, const char *wanted)
{
	for (size_t cut = 0; cut <= n; cut++) {           /* wherever it is cut, the text is the same */
		struct cast c = { .version = 2 };
		_str_ out = STR_INIT;
		_str_ text = STR_INIT;

		cast_output(&c, 0, bytes, cut, &out);
		cast_output(&c, 0, bytes + cut, n - cut, &out);
		cast_end(&c, 0, -1, &out);
		for (char *at = out.buf; (at = strstr(at, "\"o\", \"")) != NULL;) {
			at += 6;
			str_add(&text, at, strcspn(at, "\""));
		}
		ASSERT_STREQ(text.buf, wanted);
	}
}

TEST(a_character_is_never_cut)
{
	must_read("a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80z", 11, "a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80z");
}

#define NO "\xEF\xBF\xBD"
TEST(what_is_no_text_is_replaced)
{
	must_read("a\xFFz", 3, "a" NO "z");
	must_read("\xC0\x80", 2, NO NO);
	must_read("\xE2\x82z", 3, NO "z");                /* one for what cannot be gone on with */
	must_read("\xED\xA0\x80", 3, NO NO NO);           /* a surrogate */
	must_read("\xF4\x90\x80\x80", 4, NO NO NO NO);
	must_read("\xF0\x9F\x98", 3, NO);                 /* the end came first */
}

TEST(whatever_is_printed_is_json)
{
	for (int i = 0; i < 500; i++) {
		struct cast c = { .version = 3 };
		_str_ out = STR_INIT;
		_str_ pretty = STR_INIT;
		uint8_t bytes[200];

		for (size_t k = 0; k < sizeof(bytes); k++)
			bytes[k] = (uint8_t)(test_rand_below(3) ? 0x80 + test_rand_below(128) : 1 + test_rand_below(255));
		cast_output(&c, 0, bytes, sizeof(bytes), &out);
		cast_end(&c, 0, -1, &out);
		ASSERT_OK(json_pretty(out.buf, strcspn(out.buf, "\n"), &pretty, NULL));
	}
}
