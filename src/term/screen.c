/*
 * A screen as a whole: made, copied, fed; and printing, which is what it does most. The control functions are in
 * screen-edit.c and its neighbours.
 */
#include "term/screen-state.h"

#include "term/unicode.h"

static const struct screen_ops no_ops;

static uint16_t clamp_side(unsigned n)
{
	return (uint16_t)(n < 1 ? 1 : min_u(n, SCREEN_SIDE_MAX));
}

struct screen *screen_new(unsigned rows, unsigned cols, const struct screen_ops *ops, void *data)
{
	static const struct style plain;
	struct screen *s = xcalloc(1, sizeof(*s));

	s->row_count = clamp_side(rows);
	s->col_count = clamp_side(cols);
	screen_set_ops(s, ops, data);
	s->parser = (struct parser)PARSER_INIT;
	s->styles = s->clusters = s->links = (struct intern)INTERN_INIT;
	(void)intern_put(&s->styles, &plain, sizeof(plain));
	(void)intern_put(&s->clusters, "", 0);
	(void)intern_put(&s->links, "", 0);
	s->buffer = &s->main;
	buffer_init(s, &s->main);
	s->tabs = xcalloc(s->col_count, 1);
	s->prompt_status = -1;
	s->cell_height = 16;
	s->cell_width = 8;
	screen_reset(s, true);
	return s;
}

struct screen *screen_free(struct screen *s)
{
	if (s == NULL)
		return NULL;
	parse_release(&s->parser);
	intern_release(&s->styles);
	intern_release(&s->clusters);
	intern_release(&s->links);
	buffer_release(&s->main);
	buffer_release(&s->alternate);
	for (unsigned i = 0; i < s->title_count; i++) {
		free(s->titles[i]);
		free(s->icons[i]);
	}
	free(s->tabs);
	free(s->title);
	free(s->icon);
	free(s->folder);
	free(s->palette);
	free(s->viewer_palette);
	free(s);
	return NULL;
}

static void *copy_bytes(const void *p, size_t n)
{
	return p ? memcpy(xcalloc(1, n + 1), p, n) : NULL;
}

static char *copy_text(const char *z)
{
	return z ? xstrdup(z) : NULL;
}

static void copy_intern(struct intern *to, const struct intern *from)
{
	*to = *from;
	to->bytes = (struct str)STR_INIT;
	str_add(&to->bytes, from->bytes.buf, from->bytes.len);
	to->cap = to->count;
	to->items = copy_bytes(from->items, from->count * sizeof(*from->items));
	to->slots = copy_bytes(from->slots, from->slot_count * sizeof(*from->slots));
}

static void copy_buffer(const struct screen *s, struct buffer *b, const struct buffer *from)
{
	b->rows = NULL;
	b->cells = NULL;
	if (from->rows == NULL)
		return;
	buffer_init((struct screen *)s, b);
	for (unsigned r = 0; r < s->row_count; r++) {
		struct cell *cells = b->rows[r].cells;

		memcpy(cells, from->rows[r].cells, s->col_count * sizeof(*cells));
		b->rows[r] = from->rows[r];
		b->rows[r].cells = cells;
	}
}

struct screen *screen_copy(const struct screen *s)
{
	const size_t palette = SCREEN_COLOUR_COUNT * sizeof(*s->palette);
	struct screen *c = copy_bytes(s, sizeof(*s));

	screen_set_ops(c, NULL, NULL);
	c->parser.string = (struct str)STR_INIT;
	str_add(&c->parser.string, s->parser.string.buf, s->parser.string.len);
	copy_intern(&c->styles, &s->styles);
	copy_intern(&c->clusters, &s->clusters);
	copy_intern(&c->links, &s->links);
	copy_buffer(c, &c->main, &s->main);
	copy_buffer(c, &c->alternate, &s->alternate);
	c->buffer = s->buffer == &s->main ? &c->main : &c->alternate;
	c->tabs = copy_bytes(s->tabs, s->col_count);
	c->title = copy_text(s->title);
	c->icon = copy_text(s->icon);
	c->folder = copy_text(s->folder);
	for (unsigned i = 0; i < s->title_count; i++) {
		c->titles[i] = copy_text(s->titles[i]);
		c->icons[i] = copy_text(s->icons[i]);
	}
	c->palette = copy_bytes(s->palette, palette);
	c->viewer_palette = copy_bytes(s->viewer_palette, palette);
	return c;
}

void screen_set_ops(struct screen *s, const struct screen_ops *ops, void *data)
{
	s->ops = ops ? ops : &no_ops;
	s->data = data;
}

/* --- printing --- */

static void wrap(struct screen *s)
{
	/* text that fills a part of the lines is no line that could be wrapped anew */
	const bool is_line = s->left == 0 && s->right == s->col_count - 1u &&
	                     (s->cursor.row == s->bottom || s->cursor.row + 1u < s->row_count);

	row_at(s, s->cursor.row)->is_wrapped = is_line;
	cursor_index(s);
	if (is_line && s->cursor.row > 0)         /* scrolling put a row after it that is not its own, as far as it knew */
		row_at(s, s->cursor.row - 1u)->is_wrapped = true;
	s->cursor.col = s->left;
	s->cursor.wraps_next = false;
}

static inline void settle_wrap(struct screen *s)
{
	if (s->cursor.wraps_next) {
		s->cursor.wraps_next = false;
		if (mode_is_set(s, MODE_AUTOWRAP))
			wrap(s);
	}
}

static inline void advance(struct screen *s, unsigned n, unsigned limit)
{
	const unsigned col = s->cursor.col + n;

	s->cursor.wraps_next = col >= limit;
	s->cursor.col = (uint16_t)(col >= limit ? limit - 1 : col);
}

/* Insert mode: like ICH, to the right margin. */
static void push_right(struct screen *s, struct row *row, unsigned n)
{
	if (mode_is_set(s, MODE_INSERT) && s->cursor.col >= s->left && s->cursor.col <= s->right)
		row_insert(s, row, s->cursor.col, s->right + 1u, n);
}

/* One character of @width columns; false when there is no room for it. */
static bool print(struct screen *s, uint32_t text, unsigned width)
{
	unsigned limit;
	struct row *row;

	if (s->pen_is_stale)
		pen_refresh(s);
	settle_wrap(s);
	limit = print_limit(s);
	row = row_at(s, s->cursor.row);
	if (s->cursor.col + width > limit) {
		if (!mode_is_set(s, MODE_AUTOWRAP) || limit < 2)
			return false;
		wrap(s);                          /* what is in the last column stays, as in xterm */
		limit = print_limit(s);
		row = row_at(s, s->cursor.row);
		if (s->cursor.col + width > limit)
			return false;
	}
	push_right(s, row, width);
	row_cut(s, row, s->cursor.col);
	row_cut(s, row, s->cursor.col + width);
	row->cells[s->cursor.col] = (struct cell){ text | (width == 2 ? CELL_WIDE : 0), s->pen };
	if (width == 2)
		row->cells[s->cursor.col + 1] = (struct cell){ CELL_TAIL, s->pen };
	advance(s, width, limit);
	return true;
}

/* The cell before the cursor, to which what combines is added. NULL: there is none. */
static struct cell *cell_before(const struct screen *s, unsigned *ret_col)
{
	const struct row *row = row_at(s, s->cursor.row);
	unsigned col = s->cursor.col;

	if (!s->cursor.wraps_next && col-- == 0)
		return NULL;
	if (row->cells[col].text == CELL_TAIL && col > 0)
		col--;
	*ret_col = col;
	return row->cells[col].text == 0 ? NULL : &row->cells[col];
}

static bool can_widen(const struct screen *s, const struct cell *cell, unsigned col)
{
	return !(cell->text & CELL_WIDE) && col + 1 == s->cursor.col && !s->cursor.wraps_next && col + 2 <= print_limit(s);
}

/* A cell of one column becomes one of two, if there is room behind it. */
static void widen(struct screen *s, struct cell *cell, unsigned col)
{
	struct row *row = row_at(s, s->cursor.row);
	const unsigned limit = print_limit(s);

	if (!can_widen(s, cell, col))
		return;
	push_right(s, row, 1);
	row_cut(s, row, col + 2);
	cell->text |= CELL_WIDE;
	row->cells[col + 1] = (struct cell){ CELL_TAIL, cell->style };
	advance(s, 1, limit);
}

enum { EMOJI_STYLE = 0xFE0F };

static void combine(struct screen *s, struct cell *cell, unsigned col, uint32_t c)
{
	uint32_t points[SCREEN_CLUSTER_MAX];
	const unsigned n = cell_points(s, cell->text, points);
	const bool is_clustering = mode_is_set(s, MODE_GRAPHEMES);

	if (n == SCREEN_CLUSTER_MAX)
		return;
	points[n] = c;
	cell->text = cell_text(s, points, n + 1, cell->text & CELL_WIDE);
	if (is_clustering && ((c == EMOJI_STYLE && unicode_grapheme(points[0]) == GRAPHEME_PICTOGRAPH) ||
	                      unicode_grapheme(c) == GRAPHEME_REGIONAL || unicode_width(c) == 2))
		widen(s, cell, col);
}

/* Under mode 2027 a character goes into the cell before it when it belongs to what was printed just now. */
static bool joins(const struct screen *s, const struct cell *cell, unsigned col, uint32_t c)
{
	const bool needs_room = unicode_width(c) == 2 || unicode_grapheme(c) == GRAPHEME_REGIONAL;
	uint32_t points[SCREEN_CLUSTER_MAX];

	if (needs_room && !(cell->text & CELL_WIDE) && !can_widen(s, cell, col))
		return false;
	return mode_is_set(s, MODE_GRAPHEMES) && s->last_character != 0 &&
	       unicode_joins(points, cell_points(s, cell->text, points), c);
}

static void on_character(void *data, uint32_t c)
{
	struct screen *s = data;
	const unsigned width = unicode_width(c);
	unsigned col;
	struct cell *cell;

	s->cursor.charsets.shift = SINGLE_SHIFT_NONE;
	if (width == 0 || mode_is_set(s, MODE_GRAPHEMES)) {
		cell = cell_before(s, &col);
		if (cell != NULL && (width == 0 || joins(s, cell, col, c))) {
			combine(s, cell, col, c);
			return;
		}
		if (width == 0)
			return;
	}
	s->last_character = print(s, c, width) ? c : 0;
}

/* Text that is not simply text: another character set, or the mode that inserts. */
static void print_mapped(struct screen *s, const uint8_t *text, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const uint32_t c = charset_map(s, text[i]);
		const bool is_shifted = s->cursor.charsets.shift != SINGLE_SHIFT_NONE;

		s->cursor.charsets.shift = SINGLE_SHIFT_NONE;
		s->last_character = print(s, c, unicode_width(c)) && !is_shifted ? c : 0;
	}
}

static void put_run(struct cell *cells, const uint8_t *text, size_t n, uint32_t style)
{
	const uint64_t high = (uint64_t)style << 32;

	for (size_t i = 0; i < n; i++) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
		const uint64_t cell = high | text[i];

		memcpy(&cells[i], &cell, sizeof(cell));
#else
		cells[i] = (struct cell){ text[i], (uint32_t)(high >> 32) };
#endif
	}
}

static void on_text(void *data, const uint8_t *text, size_t n)
{
	struct screen *s = data;
	const struct charsets *c = &s->cursor.charsets;

	if (c->g[c->gl] != 0 || c->shift != SINGLE_SHIFT_NONE || mode_is_set(s, MODE_INSERT)) {
		print_mapped(s, text, n);
		return;
	}
	if (s->pen_is_stale)
		pen_refresh(s);
	s->last_character = text[n - 1];
	while (n > 0) {
		unsigned limit, col, run;
		struct row *row;

		settle_wrap(s);
		row = row_at(s, s->cursor.row);
		limit = print_limit(s);
		col = s->cursor.col;
		run = (unsigned)min_size(n, limit - col);
		row_cut(s, row, col);
		row_cut(s, row, col + run);
		put_run(row->cells + col, text, run, s->pen);
		advance(s, run, limit);
		text += run;
		n -= run;
	}
}

/* --- what the parser found --- */

static bool has_answered(struct screen *s)
{
	const bool answered = s->has_answered;

	s->has_answered = false;
	return answered;
}

static bool on_control(void *data, uint8_t c)
{
	struct screen *s = data;

	if (c == 0x1A) {                          /* SUB: something was broken off here */
		on_character(s, UNICODE_REPLACEMENT);
		return false;
	}
	edit_control(s, c);
	if (c != 0x05)                            /* ENQ is cancelled by a NUL, which has no effect either */
		s->last_character = 0;
	return has_answered(s);
}

static bool on_escape(void *data, const struct parser *p, uint8_t final)
{
	struct screen *s = data;

	s->last_character = 0;
	edit_escape(s, p, final);
	return has_answered(s);
}

static bool on_csi(void *data, const struct parser *p, uint8_t final)
{
	struct screen *s = data;

	if (final == 'm' && p->marker == 0 && p->intermediate_count == 0) {
		s->last_character = 0;
		sgr_run(s, p);
		return false;
	}
	if (final != 'b' || p->marker != 0 || p->intermediate_count != 0) {
		s->last_character = 0;
	} else {
		screen_repeat(s, count_param(p, 0));
		return false;
	}
	(void)edit_csi(s, p, final);
	return has_answered(s);
}

static bool on_dcs_begin(void *data, const struct parser *p, uint8_t final)
{
	return dcs_is_wanted(p, final);
}

static bool on_dcs(void *data, const struct parser *p)
{
	struct screen *s = data;

	s->last_character = 0;
	dcs_run(s, p);
	return has_answered(s);
}

static bool on_osc(void *data, const struct parser *p)
{
	struct screen *s = data;

	s->last_character = 0;
	(void)osc_run(s, p);
	return has_answered(s);
}

static void on_cancel(void *data, size_t offset, uint8_t with)
{
	struct screen *s = data;

	if (s->answering)
		s->answering[offset] = with;
	if (s->ops->cancel)
		s->ops->cancel(s->data, offset, with);
}

static const struct parse_ops ops = {
	.text = on_text, .character = on_character, .control = on_control, .escape = on_escape, .csi = on_csi,
	.dcs_begin = on_dcs_begin, .dcs = on_dcs, .osc = on_osc, .cancel = on_cancel,
};

void screen_feed(struct screen *s, const void *data, size_t n)
{
	const size_t skipped = screen_skip(s, data, n);

	parse_feed(&s->parser, (const uint8_t *)data + skipped, n - skipped, &ops, s);
}

void screen_feed_answering(struct screen *s, void *data, size_t n)
{
	const size_t skipped = screen_skip(s, data, n);

	s->answering = (uint8_t *)data + skipped;
	parse_feed(&s->parser, s->answering, n - skipped, &ops, s);
	s->answering = NULL;
}

/* REP: at most to where it began, a screenful later, as in xterm. */
void screen_repeat(struct screen *s, unsigned n)
{
	const uint32_t c = s->last_character;

	if (c != 0)
		for (n = min_u(n, (unsigned)s->row_count * s->col_count - 1u); n > 0; n--)
			(void)print(s, c, unicode_width(c));
	s->last_character = 0;
}

/* --- questions of our own --- */

unsigned screen_rows(const struct screen *s) { return s->row_count; }
unsigned screen_cols(const struct screen *s) { return s->col_count; }
bool screen_is_alternate(const struct screen *s) { return s->buffer == &s->alternate; }
const char *screen_title(const struct screen *s) { return s->title ? s->title : ""; }
const char *screen_folder(const struct screen *s) { return s->folder ? s->folder : ""; }
unsigned screen_kitty_flags(const struct screen *s) { return key_flags(s); }
int screen_modify_keys(const struct screen *s) { return s->key_resources[4] > 0 ? s->key_resources[4] : 0; }

struct screen_cursor screen_cursor(const struct screen *s)
{
	return (struct screen_cursor){
		.row = s->cursor.row, .col = s->cursor.col, .is_visible = mode_is_set(s, MODE_CURSOR),
		.wraps_next = s->cursor.wraps_next, .style = s->cursor_style,
	};
}

char screen_prompt(const struct screen *s, int *ret_status)
{
	if (ret_status)
		*ret_status = s->prompt_status;
	return s->prompt;
}

void screen_set_viewer_colour(struct screen *s, unsigned index, uint32_t rgb)
{
	if (index >= SCREEN_COLOUR_COUNT)
		return;
	if (s->viewer_palette == NULL)
		s->viewer_palette = xcalloc(SCREEN_COLOUR_COUNT, sizeof(*s->viewer_palette));
	s->viewer_palette[index] = COLOUR_RGB | (rgb & COLOUR_VALUE);
}

void screen_set_cell_pixels(struct screen *s, unsigned height, unsigned width)
{
	s->cell_height = (uint16_t)min_u(height, UINT16_MAX);
	s->cell_width = (uint16_t)min_u(width, UINT16_MAX);
}
