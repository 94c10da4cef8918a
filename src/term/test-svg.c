#include "term/svg.h"

#include "base/test.h"

static void draw(const char *stream, struct str *out)
{
	struct screen *s = screen_new(3, 20, NULL, NULL);

	screen_feed(s, stream, strlen(stream));
	svg_add(s, "a <title>", out);
	screen_free(s);
}

static void must_have(const char *stream, const char *what)
{
	_str_ out = STR_INIT;

	draw(stream, &out);
	if (strstr(out.buf, what) == NULL)
		test_fail(__FILE__, __LINE__, "no %s in %s", what, out.buf);
}

static void must_not_have(const char *stream, const char *what)
{
	_str_ out = STR_INIT;

	draw(stream, &out);
	if (strstr(out.buf, what) != NULL)
		test_fail(__FILE__, __LINE__, "%s in %s", what, out.buf);
}

TEST(text_is_escaped)
{
	must_have("a<b>&\"c\"", ">a&lt;b&gt;&amp;&quot;c&quot;");
	must_have("", "<title>a &lt;title&gt;</title>");
	must_have("\xEF\xBF\xBE", "\xEF\xBF\xBD");
}

TEST(colours_and_attributes_are_seen)
{
	must_have("\033[31mred", "fill=\"#cd0000\">red");
	must_have("\033[1;3;38;2;1;2;3mx", "fill=\"#010203\" font-weight=\"bold\" font-style=\"italic\">x");
	must_have("\033[48;5;196m  ", "width=\"16.8\" height=\"17\" fill=\"#ff0000\"");
	must_have("\033[38;5;232mx", "#080808");
	must_have("\033[7mx", "fill=\"#181818\">x");
	must_have("\033[4:3mabc", "q2.1 -3 4.2 0t4.2 0q2.1 -3 4.2 0t4.2 0q");
	must_not_have("\033[8msecret", "secret");
}

TEST(wide_characters_have_two_columns)
{
	must_have("a\xE6\xBC\xA2" "b", "textLength=\"16.8\" fill=\"#d0d0d0\">\xE6\xBC\xA2</text>");
	must_have("a\xE6\xBC\xA2" "b", "x=\"35.2\" y=\"23\" textLength");
}

TEST(a_link_must_be_harmless)
{
	must_have("\033]8;;https://example.org/?a&b\033\\x\033]8;;\033\\", "<a href=\"https://example.org/?a&amp;b\"><text");
	must_not_have("\033]8;;javascript:alert(1)\033\\x\033]8;;\033\\", "javascript");
}

TEST(the_cursor_is_where_it_is)
{
	must_have("ab", "<rect x=\"26.8\" y=\"10\" width=\"8.4\" height=\"17\" fill=\"#d0d0d0\" fill-opacity");
	must_not_have("ab\033[?25l", "class=\"cursor\"");
}
