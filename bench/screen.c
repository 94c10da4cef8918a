/*
 * screen [SECONDS]: how fast the screen takes what a session prints, beside libvterm where it was built with it: one
 * line each with the
 * kind of output, who, and MB/s (the best of five rounds, one core, 80 by 24). The output is made here, the same for
 * both. Everything is printed, in pieces of 4 KiB; but in a "flood", pieces of 64 KiB as a supervisor gathers them, what
 * scrolls away at once is not.
 */
#include "base/units.h"
#include "term/checkpoint.h"
#include "term/render.h"
#include "term/screen.h"

#include <stdio.h>
#ifdef HAVE_VTERM
#include <vterm.h>
#endif

enum { BYTES = 8 * 1024 * 1024, CHUNK = 4096, FLOOD_CHUNK = 64 * 1024, ROUNDS = 5 };

static void plain(struct str *out)
{
	while (out->len < BYTES)
		str_addf(out, "%08zu the quick brown fox jumps over the lazy dog, again and again\r\n", out->len);
}

static void long_lines(struct str *out)
{
	while (out->len < BYTES)
		str_adds(out, "text without an end that is wrapped at the edge of the window wherever that happens to be ");
}

static void colourful(struct str *out)
{
	for (unsigned i = 0; out->len < BYTES; i++)
		str_addf(out, "\033[%u;%um%04u\033[0m \033[38;5;%umword\033[m \033[1mbold\033[22m plain text%s", i % 2, 31 + i % 7, i,
		         i % 256, i % 4 == 3 ? "\r\n" : " ");
}

static void true_colour(struct str *out)
{
	for (unsigned i = 0; out->len < BYTES; i++)
		str_addf(out, "\033[38;2;%u;%u;%um\xe2\x96\x80", i % 256, i / 3 % 256, i / 7 % 256);
}

static void utf8(struct str *out)
{
	while (out->len < BYTES)
		str_adds(out, "gr\xc3\xbc\xc3\x9f gott \xe4\xb8\xad\xe6\x96\x87 \xd0\xbf\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82 \xe2\x94\x80\xe2\x94\x80\r\n");
}

static void full_screen(struct str *out)
{
	for (unsigned i = 0; out->len < BYTES; i++)
		str_addf(out, "\033[%u;%uH\033[7m%3u%%\033[27m\033[K\033[%u;1H%c[%u]", 1 + i % 24, 1 + i * 7 % 70, i % 100, 1 + i * 5 % 24,
		         'a' + (char)(i % 26), i % 1000);
}

static void on_scrolled_off(void *data, const struct screen *s) { }

static double ours(const struct str *in, size_t chunk)
{
	static const struct screen_ops told = { .scrolled_off = on_scrolled_off };
	struct screen *s = screen_new(24, 80, chunk == CHUNK ? &told : NULL, NULL);
	const uint64_t began = time_mono_ns();
	double took;

	for (size_t at = 0; at < in->len; at += chunk)
		screen_feed(s, in->buf + at, min_size(chunk, in->len - at));
	took = (double)(time_mono_ns() - began);
	screen_free(s);
	return (double)in->len * 1e3 / took;
}

#ifdef HAVE_VTERM
static double theirs(const struct str *in)
{
	VTerm *vt = vterm_new(24, 80);
	uint64_t began;
	double took;

	vterm_set_utf8(vt, 1);
	vterm_screen_reset(vterm_obtain_screen(vt), 1);
	began = time_mono_ns();
	for (size_t at = 0; at < in->len; at += CHUNK)
		vterm_input_write(vt, in->buf + at, min_size(CHUNK, in->len - at));
	took = (double)(time_mono_ns() - began);
	vterm_free(vt);
	return (double)in->len * 1e3 / took;
}
#endif

/* How long it takes to say a whole screen, and how much that is. */
static void rendering(const struct str *in)
{
	struct screen *s = screen_new(24, 80, NULL, NULL);
	_str_ out = STR_INIT;
	uint64_t began;

	screen_feed(s, in->buf, 100000);
	began = time_mono_ns();
	for (int i = 0; i < 100; i++) {
		str_clear(&out);
		render_full(s, &out);
	}
	printf("render          %zu bytes in %.0f us\n", out.len, (double)(time_mono_ns() - began) / 1e5);
	began = time_mono_ns();
	for (int i = 0; i < 100; i++) {
		str_clear(&out);
		checkpoint_write(s, &out);
	}
	printf("checkpoint      %zu bytes in %.0f us\n", out.len, (double)(time_mono_ns() - began) / 1e5);
	screen_free(s);
}

int main(void)
{
	static const struct { const char *name; void (*make)(struct str *out); size_t chunk; } kinds[] = {
		{ "plain", plain, CHUNK }, { "long-lines", long_lines, CHUNK }, { "colourful", colourful, CHUNK },
		{ "true-colour", true_colour, CHUNK }, { "utf8", utf8, CHUNK }, { "full-screen", full_screen, CHUNK },
		{ "plain-flood", plain, FLOOD_CHUNK }, { "colourful-flood", colourful, FLOOD_CHUNK },
		{ "utf8-flood", utf8, FLOOD_CHUNK },
	};

	for (size_t k = 0; k < array_len(kinds); k++) {
		_str_ in = STR_INIT;
		double a = 0, b = 0;

		kinds[k].make(&in);
		for (int i = 0; i < ROUNDS; i++) {
			const double x = ours(&in, kinds[k].chunk);
#ifdef HAVE_VTERM
			const double y = i < 2 ? theirs(&in) : 0;

			b = y > b ? y : b;
#endif
			a = x > a ? x : a;
		}
		printf("%-15s pterm %.1f MB/s, libvterm %.1f MB/s\n", kinds[k].name, a, b);
		if (k == 2)
			rendering(&in);
	}
	return 0;
}
