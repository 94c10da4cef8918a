/*
 * Rows: what differs is printed or erased. Origin mode, margins, insert mode and character sets are out of the way
 * here.
 */
#include "term/render-state.h"

#include "term/unicode.h"

static const struct cell *cells_of(const struct screen *s, unsigned row) { return row_at(s, row)->cells; }

/* Under mode 2027 only do characters with a width of their own join, and narrow ones become wide. */
static bool needs_clustering(const struct screen *s, struct cell cell)
{
	uint32_t points[SCREEN_CLUSTER_MAX];
	const unsigned n = cell_points(s, cell.text, points);

	if (n == 0)
		return false;
	for (unsigned i = 1; i < n; i++)
		if (unicode_width(points[i]) != 0)
			return true;
	return (unicode_width(points[0]) == 2) != ((cell.text & CELL_WIDE) != 0);
}

void render_cell(struct render *r, struct cell cell)
{
	char text[SCREEN_CLUSTER_MAX * 4 + 1];

	render_pen(r, style_get(r->to, cell.style));
	if (cell.text == 0)
		render_put(r, " ", 1);
	else
		render_put(r, text, cell_add_text(r->to, cell.text, text));
}

void render_blank(struct render *r, unsigned row, unsigned col, struct cell cell)
{
	const bool is_origin = mode_is_set(r->now, MODE_ORIGIN);
	const unsigned y = row + 1 - (is_origin ? r->now->top : 0), x = col + 1 - (is_origin ? r->now->left : 0);

	render_pen(r, style_get(r->to, cell.style));
	render_f(r, "\033[%u;%u;%u;%u$z", y, x, y, x);
}

/* The cell at which a character covers @col. */
static unsigned head_of(const struct cell *cells, unsigned col)
{
	return cells[col].text == CELL_TAIL && col > 0 ? col - 1 : col;
}

void render_limit(struct render *r, unsigned row, unsigned col)
{
	render_at(r, row, col);
	if (print_limit(r->now) == col + 1)
		return;
	if (col + 1 == r->now->col_count / 2u) {
		render_f(r, "\033#6");
	} else if (col > 0 && !mode_is_set(r->now, MODE_MARGINS)) {
		render_mode(r, MODE_MARGINS, true);
		render_f(r, "\033[1;%us", col + 1);
	}
}

void render_pending(struct render *r, unsigned row, unsigned col)
{
	const struct cell *cells = r->rows[row].cells;
	const unsigned head = head_of(cells, col);

	render_mode(r, MODE_GRAPHEMES, needs_clustering(r->to, cells[head]));
	render_at(r, row, head);
	render_cell(r, cells[head]);
	if (cells[head].text == 0)
		render_blank(r, row, col, cells[head]);
}

/* How many cells from @col on are blank in one background. */
static unsigned blank_run(const struct render *r, const struct cell *cells, unsigned col)
{
	unsigned n = 0;

	while (col + n < r->to->col_count && cells[col + n].text == 0 && cells[col + n].style == cells[col].style)
		n++;
	return n;
}

static bool differ(const struct render *r, unsigned row, const struct cell *cells, unsigned from, unsigned n)
{
	for (unsigned c = from; c < from + n; c++)
		if (!cells_equal(r->now, cells_of(r->now, row)[c], r->to, cells[c]))
			return true;
	return false;
}

/* Erase a run, or the rest of a row. */
static void erase_run(struct render *r, unsigned row, const struct cell *cells, unsigned col, unsigned n)
{
	render_at(r, row, col);
	render_pen(r, style_get(r->to, cells[col].style));
	if (col + n == r->to->col_count)
		render_f(r, "\033[K");
	else
		render_f(r, n > 1 ? "\033[%uX" : "\033[X", n);
}

static void row_cells(struct render *r, unsigned row, const struct cell *cells)
{
	for (unsigned c = 0; c < r->to->col_count;) {
		const unsigned blanks = blank_run(r, cells, c);
		const unsigned n = blanks > 0 ? blanks : cells[c].text & CELL_WIDE ? 2 : 1;

		if (!differ(r, row, cells, c, n)) {
			c += n;
			continue;
		}
		if (blanks > 0) {
			while (!differ(r, row, cells, c, 1))
				c++;
			erase_run(r, row, cells, c, blank_run(r, cells, c));
			c += blank_run(r, cells, c);
			continue;
		}
		c = head_of(cells, c);
		render_at(r, row, c);
		if (needs_clustering(r->to, cells[c])) {
			render_mode(r, MODE_GRAPHEMES, true);
			render_cell(r, cells[c]);
			render_mode(r, MODE_GRAPHEMES, false);
		} else {
			render_cell(r, cells[c]);
		}
		c += cells[c].text & CELL_WIDE ? 2 : 1;
	}
}

static void row_size(struct render *r, unsigned row, unsigned size)
{
	static const char sizes[] = { [ROW_SINGLE] = '5', [ROW_WIDE] = '6', [ROW_TOP] = '3', [ROW_BOTTOM] = '4' };

	if (row_at(r->now, row)->size == size)
		return;
	render_at(r, row, 0);
	render_f(r, "\033#%c", sizes[size]);
}

/* A row that is wrapped is one whose last cell was printed, and then the first of the next. */
static void wrap_row(struct render *r, unsigned row, const struct cell *next)
{
	row_size(r, row, ROW_SINGLE);
	row_size(r, row + 1, ROW_SINGLE);
	render_pending(r, row, r->to->col_count - 1u);
	render_mode(r, MODE_GRAPHEMES, false);
	render_mode(r, MODE_MARGINS, false);
	if (!r->now->cursor.wraps_next)
		return;
	if (needs_clustering(r->to, next[0]))
		render_mode(r, MODE_GRAPHEMES, true);
	render_cell(r, next[0]);
	render_mode(r, MODE_GRAPHEMES, false);
	if (next[0].text == 0)
		render_blank(r, row + 1, 0, next[0]);
}

/* A row is emptied, with its marks: deleted, and a new one inserted. */
static void renew_row(struct render *r, unsigned row)
{
	render_at(r, row, 0);
	render_f(r, "\033[M\033[L");
}

static void put_mark(struct render *r, unsigned row, char mark)
{
	render_at(r, row, 0);
	if (mark == 'D' && r->to->prompt_status >= 0)
		render_f(r, "\033]133;D;%d\033\\", r->to->prompt_status);
	else
		render_f(r, "\033]133;%c\033\\", mark);
}

/* @mark was the last to come: said of no row, which others may take for one. */
static void last_mark(struct render *r, char mark)
{
	if (mark == 'D' && r->to->prompt_status >= 0)
		render_f(r, "\033]133;D;%d;restored\033\\", r->to->prompt_status);
	else
		render_f(r, "\033]133;%c;restored\033\\", mark);
}

static void marks(struct render *r, const struct buffer *b)
{
	const struct screen *to = r->to;

	for (unsigned row = 0; row < to->row_count; row++) {
		if (row_at(r->now, row)->marks & ~b->rows[row].marks)
			renew_row(r, row);
		for (unsigned i = 0; i < 4; i++)
			if (b->rows[row].marks & ~row_at(r->now, row)->marks & 1 << i)
				put_mark(r, row, (char)('A' + i));
	}
	if (b != to->buffer || to->prompt == 0)
		return;
	if (to->prompt_status != r->now->prompt_status)
		last_mark(r, 'D');
	if (to->prompt != r->now->prompt)
		last_mark(r, to->prompt);
}

void render_rows(struct render *r, const struct buffer *b)
{
	const unsigned rows = r->to->row_count;

	marks(r, b);
	for (unsigned row = 0; row < rows; row++) {
		const struct cell *cells = b->rows[row].cells;
		const bool is_unwrapped = row_at(r->now, row)->is_wrapped && !b->rows[row].is_wrapped;

		if (is_unwrapped || differ(r, row, cells, 0, r->to->col_count))
			row_size(r, row, ROW_SINGLE);     /* so that all of it can be reached */
		if (is_unwrapped) {
			render_at(r, row, r->to->col_count - 1u);
			render_f(r, "\033[X");
		}
		row_cells(r, row, cells);
	}
	for (unsigned row = 0; row + 1 < rows; row++)
		if (b->rows[row].is_wrapped && !row_at(r->now, row)->is_wrapped)
			wrap_row(r, row, b->rows[row + 1].cells);
	for (unsigned row = 0; row < rows; row++)
		row_size(r, row, b->rows[row].size);
}
