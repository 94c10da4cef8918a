/*
 * What a stranger prints: the first two bytes are the size, then come bytes, cut and resized on the way. The screen must
 * stay whole, what is rendered of it must be the same screen, and so must a checkpoint.
 */
#include "term/checkpoint.h"
#include "term/render.h"

#include <stdint.h>
#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(const struct screen *a, const struct screen *b)
{
	_str_ what = STR_INIT;

	if (!screen_equal(a, b, &what)) {
		fprintf(stderr, "%s\n", what.buf);
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct screen *a, *b, *c;
	_str_ out = STR_INIT;
	_str_ text = STR_INIT;

	if (n < 3)
		return 0;
	a = screen_new(2 + data[0] % 20, 2 + data[1] % 40, NULL, NULL);
	b = screen_copy(a);
	screen_feed(a, data + 2, n - 2);
	screen_feed(b, data + 2, data[2] % (n - 2));
	screen_feed(b, data + 2 + data[2] % (n - 2), n - 2 - data[2] % (n - 2));
	check(a, b);
	screen_free(b);
	checkpoint_write(a, &out);
	if (checkpoint_read(out.buf, out.len, NULL, NULL, &b, NULL) < 0)
		abort();
	check(a, b);
	screen_resize(b, 1 + data[2] % 30, 1 + data[1] % 50);
	screen_add_text(b, SCREEN_STYLED, &text);
	screen_feed(b, data + 2, n - 2);
	c = screen_crop(b, 5, 7);
	screen_free(c);
	screen_free(b);
	screen_free(a);
	return 0;
}
