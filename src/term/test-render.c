/*
 * Properties of a screen on streams by the thousand: where a stream is cut, what is rendered, what is saved, make
 * no difference.
 */
#include "term/checkpoint.h"
#include "term/render.h"
#include "term/screen-state.h"
#include "term/test-stream.h"

#include <errno.h>

enum { STREAMS = 1500 };

static struct screen *random_screen(unsigned rows, unsigned cols, struct str *stream)
{
	struct screen *s = screen_new(rows, cols, NULL, NULL);

	stream_random(stream, 1 + (unsigned)test_rand_below(80));
	screen_feed(s, stream->buf, stream->len);
	return s;
}

static void must_equal(const struct screen *a, const struct screen *b, const struct str *stream, const struct str *rendered)
{
	_str_ what = STR_INIT;
	_str_ shown = STR_INIT;

	if (screen_equal(a, b, &what))
		return;
	str_add_visible(&shown, stream->buf, stream->len);
	str_adds(&shown, "\nrendered: ");
	if (rendered)
		str_add_visible(&shown, rendered->buf, rendered->len);
	test_fail(__FILE__, __LINE__, "%ux%u %s\nafter: %s", screen_rows(a), screen_cols(a), what.buf, shown.buf);
}

static unsigned some_side(void) { return 2 + (unsigned)test_rand_below(9); }

TEST(a_cut_makes_no_difference)
{
	for (int i = 0; i < STREAMS; i++) {
		_str_ stream = STR_INIT;
		const unsigned rows = some_side(), cols = some_side();
		_cleanup_(screen_freep) struct screen *a = random_screen(rows, cols, &stream), *b = screen_new(rows, cols, NULL, NULL);

		for (size_t at = 0, n; at < stream.len; at += n) {
			n = min_size(1 + test_rand_below(7), stream.len - at);
			screen_feed(b, stream.buf + at, n);
		}
		must_equal(a, b, &stream, NULL);
	}
}

TEST(what_is_rendered_is_the_same)
{
	for (int i = 0; i < STREAMS; i++) {
		_str_ stream = STR_INIT;
		_str_ out = STR_INIT;
		const unsigned rows = some_side(), cols = some_side();
		_cleanup_(screen_freep) struct screen *a = random_screen(rows, cols, &stream), *b = screen_new(rows, cols, NULL, NULL);

		render_full(a, &out);
		screen_feed(b, out.buf, out.len);
		must_equal(a, b, &stream, &out);
	}
}

TEST(a_difference_leads_from_one_to_the_other)
{
	for (int i = 0; i < STREAMS; i++) {
		_str_ stream = STR_INIT;
		_str_ more = STR_INIT;
		_str_ out = STR_INIT;
		_cleanup_(screen_freep) struct screen *a = random_screen(some_side(), some_side(), &stream), *b = screen_copy(a);

		stream_random(&more, 20);
		screen_feed(b, more.buf, more.len);
		str_addf(&stream, "\nand: ");
		str_add(&stream, more.buf, more.len);
		(void)render_difference(a, b, &out);
		screen_feed(a, out.buf, out.len);
		must_equal(a, b, &stream, &out);
	}
}

TEST(what_is_saved_is_loaded)
{
	for (int i = 0; i < STREAMS; i++) {
		_str_ stream = STR_INIT;
		_str_ bytes = STR_INIT;
		_cleanup_(screen_freep) struct screen *a = random_screen(some_side(), some_side(), &stream), *b = NULL, *c = NULL;

		checkpoint_write(a, &bytes);
		ASSERT_OK(checkpoint_read(bytes.buf, bytes.len, NULL, NULL, &b, NULL));
		must_equal(a, b, &stream, &bytes);
		bytes.buf[test_rand_below(bytes.len)] ^= (char)(1 + test_rand_below(255));
		ASSERT_EQ(checkpoint_read(bytes.buf, bytes.len, NULL, NULL, &c, NULL), -EINVAL);
		ASSERT_EQ(checkpoint_read(bytes.buf, test_rand_below(bytes.len), NULL, NULL, &c, NULL), -EINVAL);
	}
}

TEST(what_is_answered_is_as_if_it_never_was)
{
	for (int i = 0; i < STREAMS; i++) {
		_str_ stream = STR_INIT;
		const unsigned rows = some_side(), cols = some_side();
		_cleanup_(screen_freep) struct screen *a = screen_new(rows, cols, NULL, NULL), *b = screen_new(rows, cols, NULL, NULL);

		stream_random(&stream, 80);
		for (size_t at = 0, n; at < stream.len; at += n) {
			n = min_size(1 + test_rand_below(9), stream.len - at);
			screen_feed_answering(a, stream.buf + at, n);
			screen_feed(b, stream.buf + at, n);
		}
		must_equal(a, b, &stream, NULL);
	}
}

TEST(any_size_can_follow)
{
	for (int i = 0; i < STREAMS; i++) {
		_str_ stream = STR_INIT;
		_str_ out = STR_INIT;
		_cleanup_(screen_freep) struct screen *a = random_screen(some_side(), some_side(), &stream), *b = NULL;
		_cleanup_(screen_freep) struct screen *cropped = screen_crop(a, some_side(), some_side()), *c = NULL;

		screen_resize(a, 1 + (unsigned)test_rand_below(12), 1 + (unsigned)test_rand_below(12));
		b = screen_new(screen_rows(a), screen_cols(a), NULL, NULL);
		if (screen_cols(a) > 1) {
			render_full(a, &out);
			screen_feed(b, out.buf, out.len);
			must_equal(a, b, &stream, &out);
		}
		c = screen_new(screen_rows(cropped), screen_cols(cropped), NULL, NULL);
		str_clear(&out);
		render_full(cropped, &out);
		screen_feed(c, out.buf, out.len);
		must_equal(cropped, c, &stream, &out);
		str_clear(&stream);
		stream_random(&stream, 20);
		screen_feed(a, stream.buf, stream.len);
		screen_feed(cropped, stream.buf, stream.len);
	}
}

/* What scrolls: lines, most of them of text that only prints, with a piece of anything now and then. */
static void add_lines(struct str *out, unsigned lines)
{
	static const char *const pens[] = { "\033[m", "\033[0m", "\033[1;31m", "\033[32m", "\033[4:3m", "\033[K", "\033[48;5;7m", "\033[0;7m", "\t" };
	static const char *const ends[] = { "\r\n", "\r\n", "\r\n", "\r\n", "\n", "\n\r", "\r", "\r\n\n" };

	for (; lines > 0; lines--) {
		for (uint64_t n = test_rand_below(4); n > 0; n--) {
			stream_add_text(out);
			if (test_rand_below(3) == 0)
				str_adds(out, pens[test_rand_below(array_len(pens))]);
		}
		if (test_rand_below(60) == 0)
			stream_add_any(out);
		str_adds(out, ends[test_rand_below(array_len(ends))]);
	}
}

static void on_scrolled_off(void *data, const struct screen *s) { }

TEST(what_scrolls_away_need_not_be_printed)
{
	static const struct screen_ops told = { .scrolled_off = on_scrolled_off };     /* then everything is printed */
	unsigned skips = 0;

	for (int i = 0; i < STREAMS; i++) {
		_str_ stream = STR_INIT;
		const unsigned rows = 1 + (unsigned)test_rand_below(6), cols = some_side();
		_cleanup_(screen_freep) struct screen *a = random_screen(rows, cols, &stream), *b = screen_new(rows, cols, &told, NULL);

		screen_feed(b, stream.buf, stream.len);
		if (i % 2) {                      /* the other half goes on with whatever modes and margins there are */
			str_adds(&stream, "\033\\\033c");
			screen_feed(a, "\033\\\033c", 4);
			screen_feed(b, "\033\\\033c", 4);
		}
		for (int pieces = 0; pieces < 4; pieces++) {
			const size_t begin = stream.len;

			add_lines(&stream, 1 + (unsigned)test_rand_below(40));
			if (test_rand_below(3) == 0)     /* cut it within the last line */
				stream.len -= test_rand_below(stream.len - begin);
			for (size_t at = begin, n; at < stream.len; at += n) {
				_cleanup_(screen_freep) struct screen *copy = screen_copy(a);

				n = min_size(1 + test_rand_below(300), stream.len - at);
				skips += screen_skip(copy, (const uint8_t *)stream.buf + at, n) > 0;
				screen_feed(a, stream.buf + at, n);
				screen_feed(b, stream.buf + at, n);
				must_equal(a, b, &(struct str){ .buf = stream.buf, .len = at + n }, NULL);
			}
		}
	}
	ASSERT(skips > STREAMS);
}
