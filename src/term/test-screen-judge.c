/*
 * libvterm as a judge: the same streams into both, the same text and cursor out. What libvterm 0.1.4 does otherwise
 * than xterm is left
 * out of the streams, and listed in docs/terminal.md.
 */
#include "term/screen.h"
#include "term/test-stream.h"

#include <vterm.h>

enum { ROWS = 12, COLS = 40, STREAMS = 1000 };

static void add_judged_row(VTermScreen *vs, int row, struct str *out)
{
	size_t end = out->len;

	for (int col = 0; col < COLS; col++) {
		VTermScreenCell cell;
		char utf8[8];

		vterm_screen_get_cell(vs, (VTermPos){ row, col }, &cell);
		for (int i = 0; i < VTERM_MAX_CHARS_PER_CELL && cell.chars[i]; i++) {
			const uint32_t c = cell.chars[i];
			size_t n = 0;

			if (c < 0x80) {
				utf8[n++] = (char)c;
			} else if (c < 0x800) {
				utf8[n++] = (char)(0xC0 | c >> 6);
				utf8[n++] = (char)(0x80 | (c & 0x3F));
			} else {
				utf8[n++] = (char)(0xE0 | c >> 12);
				utf8[n++] = (char)(0x80 | (c >> 6 & 0x3F));
				utf8[n++] = (char)(0x80 | (c & 0x3F));
			}
			str_add(out, utf8, n);
		}
		if (cell.chars[0] == 0)
			str_addc(out, ' ');
		else if (cell.chars[0] != ' ')
			end = out->len;
	}
	out->len = end;
	str_addc(out, '\n');
}

/*
 * What ordinary programs print. Margins do not come together with CUU and CUD, for libvterm moves over the margins
 * where xterm stops there; nor with ICH and DCH, which libvterm ignores above and below them. A wrap that is pending is
 * settled by a backspace before line feeds and edits, over which libvterm keeps it. Left out are what combines (in the
 * last column libvterm wraps it) and wide characters (one that is half overwritten stays half).
 */
static void add_ordinary(struct str *out, bool has_margins)
{
	static const char *const texts[] = { "a", "bc", "hello world ", "\xc3\xa4", "0123456789" };
	static const char all[] = "ABP@CDGHHHJKLMSTXdm";
	const char *const finals = has_margins ? all + 4 : all;
	static const char *const others[] = { "\b\033M", "\033E", "\b\033D", "\033(0lqqk\033(B", "\0337", "\0338", "\033[m", "\033[1;31m" };
	const char final = finals[test_rand_below(strlen(finals))];

	switch (test_rand_below(8)) {
	case 0: str_adds(out, "\r\n"); break;
	case 1: str_adds(out, test_rand_below(2) ? "\b\n" : "\r"); break;
	case 2: str_adds(out, others[test_rand_below(array_len(others))]); break;
	case 3:
		if (!has_margins)
			break;
		str_addf(out, "\033[%u;%ur\033[H", 1 + (unsigned)test_rand_below(5), 6 + (unsigned)test_rand_below(7));
		break;
	case 4: case 5:
		if (final == 'H')
			str_addf(out, "\033[%u;%uH", 1 + (unsigned)test_rand_below(ROWS), 1 + (unsigned)test_rand_below(COLS));
		else if (final == 'J' || final == 'K')
			str_addf(out, "\b\033[%u%c", (unsigned)test_rand_below(3), final);
		else
			str_addf(out, "\b\033[%u%c%s", 1 + (unsigned)test_rand_below(9), final, strchr("LM", final) ? "\r" : "");
		break;
	default: str_adds(out, texts[test_rand_below(array_len(texts))]); break;
	}
}

TEST(libvterm_shows_the_same)
{
	for (int i = 0; i < STREAMS; i++) {
		_str_ stream = STR_INIT;
		_str_ ours = STR_INIT;
		_str_ theirs = STR_INIT;
		_str_ shown = STR_INIT;
		_cleanup_(screen_freep) struct screen *s = screen_new(ROWS, COLS, NULL, NULL);
		VTerm *vt = vterm_new(ROWS, COLS);
		VTermScreen *vs = vterm_obtain_screen(vt);

		for (int n = 0; n < 40; n++)
			add_ordinary(&stream, i % 2);
		vterm_set_utf8(vt, 1);
		vterm_screen_reset(vs, 1);
		vterm_input_write(vt, stream.buf, stream.len);
		screen_feed(s, stream.buf, stream.len);
		for (int row = 0; row < ROWS; row++) {
			screen_add_row(s, (unsigned)row, SCREEN_PLAIN, &ours);
			str_addc(&ours, '\n');
			add_judged_row(vs, row, &theirs);
		}
		vterm_free(vt);
		str_add_visible(&shown, stream.buf, stream.len);
		theirs.buf[theirs.len] = '\0';
		if (!str_eq(ours.buf, theirs.buf))
			test_fail(__FILE__, __LINE__, "ours:\n%s\ntheirs:\n%s\nafter %s", ours.buf, theirs.buf, shown.buf);
	}
}
