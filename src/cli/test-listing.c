#include "cli/listing.h"

#include "base/test.h"

#include <locale.h>

static void two_rows(struct listing *l)
{
	listing_begin(l, "NAME|ID|WHAT");
	listing_cell(l, "web");
	listing_cellf(l, "%d", 7);
	listing_cell(l, "a shell");
	listing_cell(l, "build-server");
	listing_cell(l, "");
	listing_cell(l, NULL);
}

TEST(columns_are_aligned_and_lines_end_without_spaces)
{
	_str_ out = STR_INIT;
	struct listing l;

	two_rows(&l);
	listing_end_at(&l, &out, 0);
	ASSERT_STREQ(out.buf, "NAME          ID  WHAT\n"
	                      "web           7   a shell\n"
	                      "build-server  -   -\n");
}

TEST(a_header_alone_is_a_table)
{
	_str_ out = STR_INIT;
	struct listing l;

	listing_begin(&l, "NAME|ID");
	listing_end_at(&l, &out, 0);
	ASSERT_STREQ(out.buf, "NAME  ID\n");
}

TEST(a_narrow_terminal_cuts_lines)
{
	_str_ out = STR_INIT;
	struct listing l;

	if (setlocale(LC_CTYPE, "C.UTF-8") == NULL)
		test_skip("no C.UTF-8 here");
	two_rows(&l);
	listing_end_at(&l, &out, 22);
	ASSERT_STREQ(out.buf, "NAME          ID  WHAT\n"
	                      "web           7   a s…\n"
	                      "build-server  -   -\n");
}

TEST(wide_characters_are_counted_as_they_are_shown)
{
	_str_ out = STR_INIT;
	struct listing l;

	if (setlocale(LC_CTYPE, "C.UTF-8") == NULL)
		test_skip("no C.UTF-8 here");
	listing_begin(&l, "A|B");
	listing_cell(&l, "漢字");
	listing_cell(&l, "x");
	listing_cell(&l, "ä");
	listing_cell(&l, "y");
	listing_end_at(&l, &out, 0);
	ASSERT_STREQ(out.buf, "A     B\n漢字  x\nä     y\n");
}

TEST(a_name_cannot_act_on_the_terminal)
{
	_str_ out = STR_INIT;
	struct listing l;

	listing_begin(&l, "NAME");
	listing_cell(&l, "a\033[2J\nb\x7f\xc2\x9b\xff");
	listing_end_at(&l, &out, 0);
	ASSERT_STREQ(out.buf, "NAME\na\\e[2J\\nb\\x7f\\xc2\\x9b\\xff\n");
}

TEST(json_keeps_no_control_character)
{
	_str_ out = STR_INIT;

	listing_add_json(&out, "{\"a\":\"x\x7fy\xc2\x9bzä\"}");
	ASSERT_STREQ(out.buf, "{\"a\":\"x\\u007fy\\u009bzä\"}");
}
