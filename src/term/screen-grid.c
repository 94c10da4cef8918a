/*
 * Rows and cells: clearing, shifting, scrolling, resizing. A wide character that an operation cuts in two is
 * blanked, both
 * halves, as xterm does.
 */
#include "term/screen-state.h"

void buffer_init(struct screen *s, struct buffer *b)
{
	b->cells = xcalloc((size_t)s->row_count * s->col_count, sizeof(*b->cells));
	b->rows = xcalloc(s->row_count, sizeof(*b->rows));
	for (unsigned r = 0; r < s->row_count; r++)
		b->rows[r].cells = b->cells + (size_t)r * s->col_count;
}

void buffer_release(struct buffer *b)
{
	free(b->rows);
	free(b->cells);
	b->rows = NULL;
	b->cells = NULL;
}

bool buffer_is_blank(const struct screen *s, const struct buffer *b)
{
	const size_t n = (size_t)s->row_count * s->col_count;

	if (b->rows == NULL)
		return true;
	for (size_t i = 0; i < n; i++)
		if (b->cells[i].text != 0 || b->cells[i].style != 0)
			return false;
	for (unsigned r = 0; r < s->row_count; r++)
		if (b->rows[r].is_wrapped || b->rows[r].size != ROW_SINGLE || b->rows[r].marks != 0)
			return false;
	return true;
}

static inline void blank_cells(struct cell *cells, unsigned n, uint32_t style)
{
	for (unsigned i = 0; i < n; i++)
		cells[i] = (struct cell){ 0, style };
}

static inline uint32_t blank_style(struct screen *s)
{
	if (s->pen_is_stale)
		pen_refresh(s);
	return s->blank;
}

void row_clear(struct screen *s, struct row *row, uint32_t style)
{
	blank_cells(row->cells, s->col_count, style);
	row->is_wrapped = false;
	row->size = ROW_SINGLE;
	row->marks = 0;
}

void row_cut(const struct screen *s, struct row *row, unsigned col)
{
	if (col < s->col_count && row->cells[col].text == CELL_TAIL) {
		row->cells[col].text = ' ';
		if (col > 0)
			row->cells[col - 1].text = ' ';
	}
}

void row_settle(const struct screen *s, struct row *row)
{
	if (row->size != ROW_SINGLE && s->col_count > 1)
		row_cut(s, row, s->col_count / 2u);
}

void row_erase(struct screen *s, struct row *row, unsigned from, unsigned to, bool is_selective)
{
	const uint32_t style = blank_style(s);

	to = min_u(to, s->col_count);
	if (from >= to)
		return;
	row_cut(s, row, from);
	row_cut(s, row, to);
	if (to == s->col_count)
		row->is_wrapped = false;
	if (!is_selective) {
		blank_cells(row->cells + from, to - from, style);
		return;
	}
	for (unsigned c = from; c < to; c++)
		if (!(style_get(s, row->cells[c].style)->attributes & SCREEN_PROTECTED))
			row->cells[c] = (struct cell){ 0, style };
}

void row_insert(struct screen *s, struct row *row, unsigned from, unsigned to, unsigned n)
{
	const uint32_t style = blank_style(s);

	if (from >= to)
		return;
	n = min_u(n, to - from);
	row_cut(s, row, from);
	row_cut(s, row, to);
	row_cut(s, row, to - n);
	memmove(row->cells + from + n, row->cells + from, (to - from - n) * sizeof(*row->cells));
	blank_cells(row->cells + from, n, style);
	row_settle(s, row);
	if (to == s->col_count)
		row->is_wrapped = false;
}

void row_delete(struct screen *s, struct row *row, unsigned from, unsigned to, unsigned n)
{
	const uint32_t style = blank_style(s);

	if (from >= to)
		return;
	n = min_u(n, to - from);
	row_cut(s, row, from);
	row_cut(s, row, from + n);
	row_cut(s, row, to);
	memmove(row->cells + from, row->cells + from + n, (to - from - n) * sizeof(*row->cells));
	blank_cells(row->cells + to - n, n, style);
	row_settle(s, row);
	if (to == s->col_count)
		row->is_wrapped = false;
}

struct area margins(const struct screen *s)
{
	return (struct area){ .top = s->top, .bottom = s->bottom, .left = s->left, .right = s->right };
}

static bool is_whole_width(const struct screen *s, struct area a)
{
	return a.left == 0 && a.right == s->col_count - 1u;
}

static void copy_part(struct screen *s, struct area a, unsigned to, unsigned from)
{
	struct row *t = row_at(s, to), *f = row_at(s, from);

	row_cut(s, t, a.left);
	row_cut(s, t, a.right + 1);
	memcpy(t->cells + a.left, f->cells + a.left, (a.right - a.left + 1) * sizeof(*t->cells));
	row_settle(s, t);
}

/* Wide characters across the left or right edge of the area are no more. */
static void cut_edges(struct screen *s, struct area a)
{
	for (unsigned r = a.top; r <= a.bottom; r++) {
		row_cut(s, row_at(s, r), a.left);
		row_cut(s, row_at(s, r), a.right + 1);
	}
}

void tell_scrolled_off(struct screen *s, unsigned n)
{
	struct row *rows = s->buffer->rows;

	for (unsigned i = 0; i < n && s->ops->scrolled_off && s->buffer == &s->main; i++) {
		const struct row first = rows[0];

		rows[0] = rows[i];                /* what is told is always row 0 */
		s->ops->scrolled_off(s->data, s);
		rows[0] = first;
	}
}

/* The rows @top to @bottom, turned so that row @top + @n comes first. */
static void rotate(struct row *rows, unsigned top, unsigned bottom, unsigned n)
{
	struct row few[16];
	_free_ struct row *many = n <= array_len(few) ? NULL : xcalloc(n, sizeof(*many));
	struct row *const first = many ? many : few;

	memcpy(first, rows + top, n * sizeof(*rows));
	memmove(rows + top, rows + top + n, (bottom + 1 - top - n) * sizeof(*rows));
	memcpy(rows + bottom + 1 - n, first, n * sizeof(*rows));
}

/* The line above goes on in a row that is no longer there. */
static void part_above(struct screen *s, struct area a)
{
	if (a.top > 0)
		row_at(s, a.top - 1)->is_wrapped = false;
}

void scroll_up(struct screen *s, struct area a, unsigned n)
{
	const uint32_t style = blank_style(s);
	const unsigned height = a.bottom - a.top + 1;

	n = min_u(n, height);
	if (n == 0)
		return;
	if (is_whole_width(s, a)) {
		rotate(s->buffer->rows, a.top, a.bottom, n);
		if (n <= a.bottom - a.top)
			row_at(s, a.bottom - n)->is_wrapped = false;
		part_above(s, a);
		for (unsigned r = a.bottom + 1 - n; r <= a.bottom; r++)
			row_clear(s, row_at(s, r), style);
		cursor_settle(s);
		return;
	}
	cut_edges(s, a);
	for (unsigned r = a.top; r + n <= a.bottom; r++)
		copy_part(s, a, r, r + n);
	for (unsigned r = a.bottom + 1 - n; r <= a.bottom; r++)
		row_erase(s, row_at(s, r), a.left, a.right + 1, false);
}

void scroll_down(struct screen *s, struct area a, unsigned n)
{
	const uint32_t style = blank_style(s);
	const unsigned height = a.bottom - a.top + 1;

	n = min_u(n, height);
	if (n == 0)
		return;
	if (is_whole_width(s, a)) {
		if (n < height)
			rotate(s->buffer->rows, a.top, a.bottom, height - n);
		row_at(s, a.bottom)->is_wrapped = false;
		part_above(s, a);
		for (unsigned r = a.top; r < a.top + n; r++)
			row_clear(s, row_at(s, r), style);
		cursor_settle(s);
		return;
	}
	cut_edges(s, a);
	for (unsigned r = a.bottom; r >= a.top + n; r--)
		copy_part(s, a, r, r - n);
	for (unsigned r = a.top; r < a.top + n; r++)
		row_erase(s, row_at(s, r), a.left, a.right + 1, false);
}

void scroll_screen(struct screen *s, unsigned n)
{
	const struct area a = margins(s);

	if (a.top == 0 && is_whole_width(s, a))
		tell_scrolled_off(s, min_u(n, a.bottom + 1));
	scroll_up(s, a, n);
}
