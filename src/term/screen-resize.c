/*
 * Another size. On the main screen the lines that were wrapped are put together and wrapped anew, with cursor and
 * saved cursor where they
 * were in the text; on the alternate screen rows are cut or extended.
 */
#include "term/screen-state.h"

#include "base/list.h"
#include "term/render.h"

/* A place that must be found again: in the old rows, then in the new ones. */
struct place { unsigned row, col; bool is_behind; bool is_found; };
enum { PLACES = 2 };

/* The new rows while they come to be; rows of the old size are borrowed from. */
struct rewrap {
	struct screen *s;                        /* of the new size already */
	const struct row *old;
	unsigned old_rows, old_cols;
	VEC(struct row) rows;
	struct place from[PLACES], to[PLACES];
};

static struct row *add_row(struct rewrap *w)
{
	struct row row = { .cells = xcalloc(w->s->col_count, sizeof(struct cell)) };

	vec_push(&w->rows, row);
	return &w->rows.items[w->rows.len - 1];
}

static unsigned used(const struct row *row, unsigned cols)
{
	while (cols > 0 && row->cells[cols - 1].text == 0 && row->cells[cols - 1].style == 0)
		cols--;
	return cols;
}

/* How much of a row belongs to its line: a wide character that did not fit left a blank at the end. */
static unsigned part_of(const struct rewrap *w, unsigned r)
{
	const struct row *row = &w->old[r];

	if (!row->is_wrapped)
		return used(row, w->old_cols);
	if (r + 1 < w->old_rows && w->old_cols > 1 && row->cells[w->old_cols - 1].text == 0 && w->old[r + 1].cells[0].text & CELL_WIDE)
		return w->old_cols - 1;
	return w->old_cols;
}

static void set_place(struct rewrap *w, unsigned i, unsigned row, unsigned col)
{
	w->to[i] = (struct place){ .row = row, .col = col, .is_found = true };
}

/* One old row of a line, appended to the new row that is not full yet; *col is where. */
static void append_row(struct rewrap *w, unsigned r, unsigned *col)
{
	const unsigned cols = w->s->col_count, n = part_of(w, r);
	const struct cell *cells = w->old[r].cells;
	struct row *row = &w->rows.items[w->rows.len - 1];

	row->marks |= w->old[r].marks;
	for (unsigned c = 0; c < n; c++) {
		const bool is_wide = cells[c].text & CELL_WIDE;
		struct cell cell = cells[c];

		if (cols == 1 && (is_wide || cell.text == CELL_TAIL))
			cell.text = ' ';                 /* there is no room for it */
		if (*col + (is_wide && cols > 1 ? 2 : 1) > cols) {
			row->is_wrapped = true;
			row = add_row(w);
			*col = 0;
		}
		for (unsigned i = 0; i < PLACES; i++)
			if (w->from[i].row == r && w->from[i].col == c && !w->from[i].is_behind)
				set_place(w, i, (unsigned)w->rows.len - 1, *col);
		row->cells[(*col)++] = cell;
	}
	for (unsigned i = 0; i < PLACES; i++) {
		const struct place *p = &w->from[i];
		const unsigned beyond = p->col >= n ? p->col - n : 0;

		if (p->row != r || w->to[i].is_found || (p->is_behind ? p->col + 1 < n : p->col < n))
			continue;
		if (p->is_behind || w->old[r].is_wrapped) {      /* behind the text, wherever that ends now */
			set_place(w, i, (unsigned)w->rows.len - 1, *col);
			w->to[i].is_behind = true;
		} else {
			set_place(w, i, (unsigned)w->rows.len - 1, min_u(*col + beyond, cols - 1));
			w->to[i].is_behind = *col == cols && beyond == 0;
		}
	}
}

static void copy_cut(struct rewrap *w, unsigned r)
{
	struct row *row = add_row(w);
	const unsigned n = min_u(w->old_cols, w->s->col_count);

	memcpy(row->cells, w->old[r].cells, n * sizeof(*row->cells));
	if (row->cells[n - 1].text & CELL_WIDE)
		row->cells[n - 1].text = ' ';
	row->size = w->old[r].size;
	row->marks = w->old[r].marks;
	for (unsigned i = 0; i < PLACES; i++)
		if (w->from[i].row == r) {
			set_place(w, i, (unsigned)w->rows.len - 1, min_u(w->from[i].col, w->s->col_count - 1u));
			w->to[i].is_behind = w->from[i].is_behind && w->old_cols == w->s->col_count;
		}
}

static void wrap_anew(struct rewrap *w)
{
	for (unsigned r = 0; r < w->old_rows; r++) {
		unsigned col = 0;

		if (w->old[r].size != ROW_SINGLE || w->s->col_count == w->old_cols) {
			copy_cut(w, r);
			w->rows.items[w->rows.len - 1].is_wrapped = w->s->col_count == w->old_cols && w->old[r].is_wrapped;
			continue;
		}
		(void)add_row(w);
		for (;; r++) {
			append_row(w, r, &col);
			if (!w->old[r].is_wrapped || r + 1 == w->old_rows || w->old[r + 1].size != ROW_SINGLE)
				break;
		}
	}
}

static void cut_only(struct rewrap *w)
{
	for (unsigned r = 0; r < w->old_rows; r++) {
		copy_cut(w, r);
		if (w->s->col_count == w->old_cols)
			w->rows.items[w->rows.len - 1].is_wrapped = w->old[r].is_wrapped;
	}
}

static bool is_empty(const struct row *row, unsigned cols)
{
	return used(row, cols) == 0 && !row->is_wrapped && row->marks == 0;
}

/* Move the rows into the buffer: the empty ones at the end go first, then those at the top. */
static void settle(struct rewrap *w, struct buffer *b, bool is_main)
{
	struct screen *s = w->s;
	unsigned count = (unsigned)w->rows.len, first = 0;
	struct buffer *const shown = s->buffer;

	while (count > s->row_count && count - 1 > w->to[0].row &&
	       (!is_main || is_empty(&w->rows.items[count - 1], s->col_count)))
		count--;
	if (count > s->row_count)
		first = count - s->row_count;
	buffer_init(s, b);
	s->buffer = b;
	for (unsigned r = 0; r < count; r++) {
		struct row *row = &b->rows[r < first ? 0 : r - first];
		const struct row *from = &w->rows.items[r];

		memcpy(row->cells, from->cells, s->col_count * sizeof(*row->cells));
		row->is_wrapped = from->is_wrapped && r + 1 < count;
		row->size = s->col_count > 1 ? from->size : ROW_SINGLE;
		row->marks = from->marks;
		row_settle(s, row);
		if (r < first && is_main)
			tell_scrolled_off(s, 1);
	}
	s->buffer = shown;
	for (unsigned i = 0; i < PLACES; i++)
		w->to[i].row = w->to[i].row > first ? w->to[i].row - first : 0;
	for (size_t r = 0; r < w->rows.len; r++)
		free(w->rows.items[r].cells);
	vec_release(&w->rows);
}

static void move_cursor(struct screen *s, struct cursor *c, const struct buffer *b, const struct place *to)
{
	unsigned cols;

	c->row = (uint16_t)min_u(to->row, s->row_count - 1u);
	cols = b->rows[c->row].size == ROW_SINGLE ? s->col_count : max_u(s->col_count / 2u, 1);
	c->wraps_next = to->is_behind && to->col + 1 >= cols;
	c->col = (uint16_t)min_u(to->col, cols - 1);
}

static void resize_buffer(struct screen *s, struct buffer *b, unsigned old_rows, unsigned old_cols)
{
	struct cursor *const saved = &b->saved.cursor, *const main = b == s->buffer ? &s->cursor : saved;
	struct buffer old = *b;
	struct rewrap w = {
		.s = s, .old = old.rows, .old_rows = old_rows, .old_cols = old_cols,
		.from = { { main->row, main->col, main->wraps_next, false }, { saved->row, saved->col, saved->wraps_next, false } },
	};

	if (b->rows == NULL) {
		const struct place at = { .row = saved->row, .col = saved->col };

		saved->row = (uint16_t)min_u(at.row, s->row_count - 1u);
		saved->col = (uint16_t)min_u(at.col, s->col_count - 1u);
		saved->wraps_next = saved->wraps_next && saved->col == at.col;
		return;
	}
	if (b == &s->main)
		wrap_anew(&w);
	else
		cut_only(&w);
	settle(&w, b, b == &s->main);
	move_cursor(s, saved, b, &w.to[1]);
	move_cursor(s, main, b, &w.to[0]);
	buffer_release(&old);
}

void screen_resize(struct screen *s, unsigned rows, unsigned cols)
{
	const unsigned old_rows = s->row_count, old_cols = s->col_count;

	rows = max_u(1, min_u(rows, SCREEN_SIDE_MAX));
	cols = max_u(1, min_u(cols, SCREEN_SIDE_MAX));
	if (rows == old_rows && cols == old_cols)
		return;
	s->row_count = (uint16_t)rows;
	s->col_count = (uint16_t)cols;
	resize_buffer(s, &s->main, old_rows, old_cols);
	resize_buffer(s, &s->alternate, old_rows, old_cols);
	s->tabs = xrealloc(s->tabs, cols);
	for (unsigned c = old_cols; c < cols; c++)
		s->tabs[c] = c % 8 == 0;
	margins_reset(s);
	s->last_character = 0;
	if (mode_is_set(s, MODE_RESIZE_REPORTS))
		report_size(s);
}

/* --- a part of it, for a window of another size --- */

/* The first row or column that is shown, so that the place @at is. */
static unsigned window_start(unsigned at, unsigned shown, unsigned all)
{
	return shown >= all || at < shown ? 0 : min_u(at + 1 - shown, all - shown);
}

static void crop_buffer(struct screen *s, struct buffer *b, const struct screen *from, const struct buffer *old, unsigned top,
                        unsigned left)
{
	const unsigned rows = min_u(s->row_count, from->row_count), cols = min_u(s->col_count, from->col_count);

	b->rows = NULL;
	b->cells = NULL;
	if (old->rows == NULL)
		return;
	buffer_init(s, b);
	for (unsigned r = 0; r < rows; r++) {
		const struct row *o = &old->rows[r + top];
		struct row *row = &b->rows[r];

		memcpy(row->cells, o->cells + left, cols * sizeof(*row->cells));
		if (row->cells[0].text == CELL_TAIL)
			row->cells[0].text = ' ';
		if (row->cells[cols - 1].text & CELL_WIDE)
			row->cells[cols - 1].text = ' ';
		row->marks = o->marks;
		row->is_wrapped = o->is_wrapped && s->col_count == from->col_count && r + 1u < rows;
	}
}

static void crop_cursor(const struct screen *s, struct cursor *c, unsigned top, unsigned left)
{
	const unsigned row = c->row > top ? c->row - top : 0, col = c->col > left ? c->col - left : 0;

	c->wraps_next = c->wraps_next && col + 1 == s->col_count;
	c->row = (uint16_t)min_u(row, s->row_count - 1u);
	c->col = (uint16_t)min_u(col, s->col_count - 1u);
}

struct screen *screen_crop(const struct screen *s, unsigned rows, unsigned cols)
{
	struct screen *c = screen_copy(s);
	const unsigned top = window_start(s->cursor.row, rows, s->row_count), left = window_start(s->cursor.col, cols, s->col_count);

	buffer_release(&c->main);
	buffer_release(&c->alternate);
	c->row_count = (uint16_t)max_u(1, min_u(rows, SCREEN_SIDE_MAX));
	c->col_count = (uint16_t)max_u(1, min_u(cols, SCREEN_SIDE_MAX));
	crop_buffer(c, &c->main, s, &s->main, top, left);
	crop_buffer(c, &c->alternate, s, &s->alternate, top, left);
	crop_cursor(c, &c->cursor, top, left);
	crop_cursor(c, &c->main.saved.cursor, top, left);
	crop_cursor(c, &c->alternate.saved.cursor, top, left);
	c->tabs = xrealloc(c->tabs, c->col_count);
	for (unsigned i = 0; i < c->col_count; i++)
		c->tabs[i] = i + left < s->col_count ? s->tabs[i + left] : 0;
	mode_put(c, MODE_ORIGIN, false);
	mode_put(c, MODE_MARGINS, false);
	margins_reset(c);
	c->last_character = 0;
	parse_release(&c->parser);
	return c;
}
