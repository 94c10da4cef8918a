/*
 * From a state back to bytes: the first two bytes are the size, then come two streams. What is rendered of the first must lead to the
 * same screen, and so must the difference between the two, where it says so.
 */
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
	struct screen *a, *b;
	_str_ out = STR_INIT;
	size_t cut;

	if (n < 4)
		return 0;
	cut = 3 + data[2] % (n - 3);
	a = screen_new(2 + data[0] % 20, 2 + data[1] % 40, NULL, NULL);
	b = screen_new(screen_rows(a), screen_cols(a), NULL, NULL);
	screen_feed(a, data + 3, cut - 3);
	render_full(a, &out);
	screen_feed(b, out.buf, out.len);
	check(a, b);
	screen_feed(b, data + cut, n - cut);
	str_clear(&out);
	if (render_difference(a, b, &out)) {
		screen_feed(a, out.buf, out.len);
		check(a, b);
	}
	screen_free(b);
	screen_free(a);
	return 0;
}
