/*
 * A hostile stream takes no more memory than the size of the screen allows: each kind of endless stream is fed, and what it took
 * counted, in the middle and at the end.
 */
#include "base/test.h"
#include "term/screen.h"

#include <malloc.h>

enum { FEEDS = 4000, MB = 1 << 20 };

static const struct { const char *what, *once, *again; } streams[] = {
	{ "an OSC without end", "\033]0;", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" },
	{ "an APC without end", "\033_", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" },
	{ "a DCS without end", "\033P+q", "6161616161616161616161616161616161616161616161616161616161616161" },
	{ "titles", "", "\033]2;title %u\007\033]1;icon %u\007\033[22t" },
	{ "links", "", "\033]8;;http://example.org/%u\033\\a" },
	{ "links with an id", "", "\033]8;id=%u;http://example.org/%u\033\\a" },
	{ "combining characters", "e", "\xcc\x81\xcc\x88" },
	{ "clusters", "", "e\xcc\x81\xcc\x88\xcc\x81" },
	{ "clusters of their own", "\033[?2027h", "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7\xe2\x80\x8d\xf0\x9f\x91\xa6" },
	{ "colours", "", "\033[38;2;%u;5;6m\033[48;2;%u;7;8mx" },
	{ "looks on a stack", "", "\033[#{\033[%um" },
	{ "keyboard flags", "", "\033[>%uu" },
	{ "alternate screens", "", "\033[?1049hx\033[?1049l" },
	{ "parameters", "\033[", "1;2:3;" },
	{ "repetitions", "", "x\033[65535b" },
	{ "rectangles", "", "\033[65;1;1;999;999$x\033[1;1;999;999;7$t" },
};
static const struct { unsigned rows, cols; } sizes[] = { { 1, 1 }, { 24, 80 }, { 2, 1000 }, { 1000, 2 } };

static size_t used(void)
{
	const struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

static void feed(struct screen *s, const char *format, unsigned n)
{
	_str_ text = STR_INIT;
	const char *at = format, *mark;

	for (; (mark = strstr(at, "%u")) != NULL; at = mark + 2) {
		str_add(&text, at, (size_t)(mark - at));
		str_addf(&text, "%u", n);
	}
	str_adds(&text, at);
	screen_feed(s, text.buf, text.len);
}

static void must_stay_small(const char *what, const char *once, const char *again, unsigned rows, unsigned cols)
{
	const size_t before = used(), cells = (size_t)rows * cols;
	const unsigned feeds = cells > 2000 ? FEEDS / 100 : FEEDS;
	_cleanup_(screen_freep) struct screen *s = screen_new(rows, cols, NULL, NULL);
	/* two screens of cells, a style and a cluster of each, links, titles, a string */
	const size_t most = cells * 2 * (8 + 48 + 96) + 4 * (size_t)MB;

	screen_feed(s, once, strlen(once));
	for (unsigned n = 0; n < feeds; n++) {
		feed(s, again, n);
		if ((n + 1) % (feeds / 2) == 0 && used() > before + most)
			test_fail(__FILE__, __LINE__, "%s on %ux%u: %zu bytes, more than %zu", what, rows, cols, used() - before, most);
	}
}

TEST(a_hostile_stream_takes_little_memory)
{
	for (size_t i = 0; i < array_len(streams); i++)
		for (size_t k = 0; k < array_len(sizes); k++)
			must_stay_small(streams[i].what, streams[i].once, streams[i].again, sizes[k].rows, sizes[k].cols);
}

/* Every cell with a colour and a link of its own, and as large as a screen can be. */
TEST(the_largest_screen_stays_within_its_bounds)
{
	const size_t before = used(), cells = 1000 * 1000;
	_cleanup_(screen_freep) struct screen *s = screen_new(5000, 5000, NULL, NULL);

	ASSERT_EQ(screen_rows(s) * screen_cols(s), cells);
	for (unsigned n = 0; n < 300000; n++)
		feed(s, "\033[38;2;%u;1;1me\xcc\x81", n);
	for (unsigned n = 0; n < 20; n++)
		screen_resize(s, n % 2 ? 1 : 1000, n % 2 ? 1 : 1000);
	ASSERT(used() - before < cells * 2 * (8 + 48 + 96) + 4 * (size_t)MB);
}
