#include "service/screen-json.h"

#include "base/json.h"

#include <stdio.h>

/* --- one row --- */

static void put_colour(struct json_writer *w, const char *key, uint32_t colour)
{
	char text[16];

	if (colour & COLOUR_INDEXED) {
		json_put_int(w, key, colour & 0xFF);
	} else if (colour & COLOUR_RGB) {
		snprintf(text, sizeof(text), "#%06x", colour & COLOUR_VALUE);
		json_put_str(w, key, text);
	}
}

static void put_attributes(struct json_writer *w, unsigned attributes)
{
	static const char *const names[] = { "bold", "faint", "italic", "blink", "inverse", "hidden", "strike", "overline",
	                                     "protected" };

	if (attributes == 0)
		return;
	json_begin(w, "attributes", '[');
	for (unsigned i = 0; i < array_len(names); i++)
		if (attributes >> i & 1)
			json_put_str(w, NULL, names[i]);
	json_end(w, ']');
}

static void put_run(struct json_writer *w, const struct screen_cell *style, unsigned columns, const char *text)
{
	static const char *const underlines[] = { NULL, "single", "double", "curly", "dotted", "dashed" };

	json_begin(w, NULL, '{');
	json_put_str(w, "text", text);
	json_put_int(w, "columns", columns);
	put_attributes(w, style->attributes);
	json_put_str(w, "underline", style->underline < array_len(underlines) ? underlines[style->underline] : NULL);
	put_colour(w, "foreground", style->foreground);
	put_colour(w, "background", style->background);
	put_colour(w, "underline_colour", style->underline_colour);
	json_put_str(w, "link", style->link);
	json_end(w, '}');
}

static bool looks_the_same(const struct screen_cell *a, const struct screen_cell *b)
{
	const bool same_link = a->link == b->link || (a->link != NULL && b->link != NULL && str_eq(a->link, b->link));

	return a->attributes == b->attributes && a->underline == b->underline && a->foreground == b->foreground &&
	       a->background == b->background && a->underline_colour == b->underline_colour && same_link;
}

/* The column behind the last cell that was printed or has a style. */
static unsigned used_columns(const struct screen *s, unsigned row)
{
	static const struct screen_cell plain;
	unsigned n = screen_cols(s);
	struct screen_cell c;

	for (; n > 0; n--) {
		screen_get_cell(s, row, n - 1, &c);
		if (c.text[0] != '\0' || c.columns == 0 || !looks_the_same(&c, &plain))
			break;
	}
	return n;
}

static void put_runs(struct json_writer *w, const struct screen *s, unsigned row)
{
	const unsigned cols = used_columns(s, row);
	struct screen_cell style = { 0 }, c;
	_str_ text = STR_INIT;
	unsigned from = 0;

	for (unsigned col = 0; col < cols; col++) {
		screen_get_cell(s, row, col, &c);
		if (col > from && c.columns > 0 && !looks_the_same(&style, &c)) {
			put_run(w, &style, col - from, text.buf);
			str_clear(&text);
			from = col;
		}
		if (col == from)
			style = c;
		if (c.columns > 0)                       /* the second column of a wide character has no text */
			str_adds(&text, c.text[0] != '\0' ? c.text : " ");
	}
	if (cols > from)
		put_run(w, &style, cols - from, text.buf);
}

void screen_json_row(const struct screen *s, unsigned row, struct str *out)
{
	struct json_writer w = JSON_WRITER(out);

	json_begin(&w, NULL, '{');
	if (screen_row_wraps(s, row))
		json_put_bool(&w, "wraps", true);
	json_begin(&w, "runs", '[');
	put_runs(&w, s, row);
	json_end(&w, ']');
	json_end(&w, '}');
}

/* --- all of it --- */

static void put_cursor(struct json_writer *w, const struct screen *s)
{
	const struct screen_cursor c = screen_cursor(s);

	json_begin(w, "cursor", '{');
	json_put_int(w, "row", c.row);
	json_put_int(w, "col", c.col);
	json_put_bool(w, "visible", c.is_visible);
	json_put_int(w, "style", c.style);
	json_end(w, '}');
}

/* Those that somebody who types, or shows it elsewhere, must know. */
static void put_modes(struct json_writer *w, const struct screen *s)
{
	static const struct { unsigned number; const char *name; } modes[] = {
		{ 1, "application-cursor" }, { 66, "application-keypad" }, { 67, "backspace-is-bs" }, { 2004, "bracketed-paste" },
		{ 1004, "focus" }, { 5, "reverse-video" }, { 6, "origin" }, { 7, "autowrap" }, { 69, "left-right-margins" },
		{ 9, "mouse-x10" }, { 1000, "mouse" }, { 1001, "mouse-highlight" }, { 1002, "mouse-drag" },
		{ 1003, "mouse-motion" }, { 1005, "mouse-utf8" }, { 1006, "mouse-sgr" }, { 1015, "mouse-urxvt" },
		{ 1016, "mouse-pixels" }, { 1007, "alternate-scroll" }, { 2026, "synchronized" }, { 2027, "graphemes" },
		{ 2031, "colour-scheme" }, { 2048, "resize-reports" },
	};

	json_begin(w, "modes", '{');
	json_put_bool(w, "insert", screen_ansi_mode(s, 4));
	json_put_bool(w, "newline", screen_ansi_mode(s, 20));
	for (size_t i = 0; i < array_len(modes); i++)
		json_put_bool(w, modes[i].name, screen_mode(s, modes[i].number) == 1);
	json_put_int(w, "kitty-keyboard", screen_kitty_flags(s));
	json_put_int(w, "modify-other-keys", screen_modify_keys(s));
	json_end(w, '}');
}

static void put_prompt(struct json_writer *w, const struct screen *s)
{
	static const struct { char mark; const char *name; } marks[] = {
		{ 'A', "prompt" }, { 'B', "input" }, { 'C', "output" }, { 'D', "end" },
	};
	int status;
	const char mark = screen_prompt(s, &status);

	if (mark == 0)
		return;
	json_begin(w, "prompt", '{');
	for (size_t i = 0; i < array_len(marks); i++)
		if (marks[i].mark == mark)
			json_put_str(w, "mark", marks[i].name);
	if (status >= 0)
		json_put_int(w, "status", status);
	json_end(w, '}');
}

static void put_rows(struct json_writer *w, const struct screen *s)
{
	json_begin(w, "lines", '[');
	for (unsigned row = 0; row < screen_rows(s); row++) {
		_str_ text = STR_INIT;

		screen_json_row(s, row, &text);
		json_put_raw(w, NULL, text.buf);
	}
	json_end(w, ']');
}

void screen_json(const struct shown *shown, const struct strv *above, struct str *out)
{
	const struct screen *s = shown->screen;
	struct json_writer w = JSON_WRITER(out);

	json_begin(&w, NULL, '{');
	json_put_int(&w, "position", (int64_t)shown->position);
	json_put_bool(&w, "partial", shown->is_partial);
	json_put_int(&w, "rows", screen_rows(s));
	json_put_int(&w, "cols", screen_cols(s));
	put_cursor(&w, s);
	json_put_bool(&w, "alternate", screen_is_alternate(s));
	json_put_str(&w, "title", screen_title(s));
	json_put_str(&w, "folder", screen_folder(s));
	put_prompt(&w, s);
	put_modes(&w, s);
	if (above != NULL) {
		json_begin(&w, "above", '[');
		for (size_t i = 0; i < above->len; i++)
			json_put_raw(&w, NULL, above->items[i]);
		json_end(&w, ']');
	}
	put_rows(&w, s);
	json_end(&w, '}');
}
