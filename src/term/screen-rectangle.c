/*
 * Rectangles of a VT420: copy, fill, erase, change attributes, checksum. Coordinates are as the cursor's: from the
 * margins on in origin mode. Source of fact: VT420 programmer reference, chapter 9; ctlseqs.
 */
#include "term/screen-state.h"

/* Four parameters from @first on; false when they are no rectangle. */
static bool rectangle(const struct screen *s, const struct parser *p, unsigned first, struct area *ret)
{
	const bool is_origin = mode_is_set(s, MODE_ORIGIN);
	const struct area all = { 0, s->row_count - 1u, 0, s->col_count - 1u }, in = is_origin ? margins(s) : all;
	const unsigned rows = in.bottom - in.top + 1, cols = in.right - in.left + 1;
	const int bottom = parse_param(p, first + 2, 0), right = parse_param(p, first + 3, 0);

	ret->top = count_param(p, first) - 1;
	ret->left = count_param(p, first + 1) - 1;
	ret->bottom = bottom > 0 ? min_u((unsigned)bottom, rows) - 1 : rows - 1;
	ret->right = right > 0 ? min_u((unsigned)right, cols) - 1 : cols - 1;
	if (ret->top > ret->bottom || ret->left > ret->right)
		return false;
	ret->top += in.top;
	ret->bottom += in.top;
	ret->left += in.left;
	ret->right += in.left;
	return true;
}

static void deccra(struct screen *s, const struct parser *p)
{
	struct area from, to;
	unsigned height, width;
	_free_ struct cell *copy = NULL;

	if (!rectangle(s, p, 0, &from))
		return;
	/* the target's right and bottom edges are those of the page */
	to = mode_is_set(s, MODE_ORIGIN) ? margins(s) : (struct area){ 0, s->row_count - 1u, 0, s->col_count - 1u };
	to.top += count_param(p, 5) - 1;
	to.left += count_param(p, 6) - 1;
	if (to.top > to.bottom || to.left > to.right)
		return;
	height = min_u(from.bottom - from.top, to.bottom - to.top) + 1;
	width = min_u(from.right - from.left, to.right - to.left) + 1;
	copy = xcalloc((size_t)height * width, sizeof(*copy));
	for (unsigned r = 0; r < height; r++) {
		struct cell *c = copy + (size_t)r * width;

		memcpy(c, row_at(s, from.top + r)->cells + from.left, width * sizeof(*c));
		if (c[0].text == CELL_TAIL)
			c[0].text = ' ';
		if (c[width - 1].text & CELL_WIDE)
			c[width - 1].text = ' ';
	}
	for (unsigned r = 0; r < height; r++) {
		struct row *row = row_at(s, to.top + r);

		row_cut(s, row, to.left);
		row_cut(s, row, to.left + width);
		memcpy(row->cells + to.left, copy + (size_t)r * width, width * sizeof(*copy));
		row_settle(s, row);
	}
}

static void fill(struct screen *s, const struct area *a, struct cell with, bool is_selective)
{
	for (unsigned r = a->top; r <= a->bottom; r++) {
		struct row *row = row_at(s, r);

		row_cut(s, row, a->left);
		row_cut(s, row, a->right + 1);
		for (unsigned c = a->left; c <= a->right; c++) {
			if (is_selective && style_get(s, row->cells[c].style)->attributes & SCREEN_PROTECTED)
				continue;
			row->cells[c] = with;
		}
	}
}

static void decfra(struct screen *s, const struct parser *p)
{
	const int c = parse_param(p, 0, 0);
	struct area a;

	if (!((c >= 32 && c <= 126) || (c >= 160 && c <= 255)) || !rectangle(s, p, 1, &a))
		return;
	if (s->pen_is_stale)
		pen_refresh(s);
	fill(s, &a, (struct cell){ c < 0x80 ? charset_map(s, (uint32_t)c) : (uint32_t)c, s->pen }, false);
}

static void erase(struct screen *s, const struct parser *p, bool is_selective)
{
	struct area a;

	if (!rectangle(s, p, 0, &a))
		return;
	if (s->pen_is_stale)
		pen_refresh(s);
	fill(s, &a, (struct cell){ 0, s->blank }, is_selective);
}

static void decera(struct screen *s, const struct parser *p) { erase(s, p, false); }
static void decsera(struct screen *s, const struct parser *p) { erase(s, p, true); }

static void decsace(struct screen *s, const struct parser *p)
{
	const int what = parse_param(p, 0, 0);

	if (what <= 2)
		s->attribute_extent = (uint8_t)what;
}

/* DECRARA: the attributes named are turned round; 0 all four. */
static void reverse_attributes(struct style *style, const struct parser *p)
{
	for (unsigned i = 4; i < max_u(p->count, 5); i++) {
		const int v = parse_param(p, i, 0);

		if (v == 0 || v == 1)
			style->attributes ^= SCREEN_BOLD;
		if (v == 0 || v == 4)
			style->underline = style->underline ? UNDERLINE_NONE : UNDERLINE_SINGLE;
		if (v == 0 || v == 5)
			style->attributes ^= SCREEN_BLINK;
		if (v == 0 || v == 7)
			style->attributes ^= SCREEN_INVERSE;
		if (v == 0 || v == 8)
			style->attributes ^= v == 8 ? SCREEN_HIDDEN : 0;
	}
}

static void change(struct screen *s, unsigned r, unsigned from, unsigned to, const struct parser *p, bool is_reverse)
{
	struct cell *cells = row_at(s, r)->cells;

	for (unsigned c = from; c <= to; c++) {
		struct style style = *style_get(s, cells[c].style);

		if (is_reverse)
			reverse_attributes(&style, p);
		else if (p->count > 4)
			sgr_apply(&style, p, 4);
		else
			style = (struct style){ .link = style.link, .attributes = style.attributes & SCREEN_PROTECTED };
		cells[c].style = style_put(s, &style);
		if (cells[c].text == 0)
			cells[c].text = ' ';             /* what nobody printed has a background and nothing else */
	}
	for (unsigned c = max_u(from, 1); c <= to + 1 && c < s->col_count; c++)
		if (cells[c].text == CELL_TAIL)
			cells[c].style = cells[c - 1].style;
}

/* DECSACE chooses: a stream of characters from the first place to the last (the default), or the rectangle. */
static void change_area(struct screen *s, const struct parser *p, bool is_reverse)
{
	const unsigned first = mode_is_set(s, MODE_ORIGIN) ? s->left : 0;
	const unsigned last = mode_is_set(s, MODE_ORIGIN) ? s->right : s->col_count - 1u;
	const bool is_stream = s->attribute_extent != 2;
	struct area a;

	pen_refresh(s);                           /* the place to sweep: below we hold what a sweep would move */
	if (!rectangle(s, p, 0, &a))
		return;
	for (unsigned r = a.top; r <= a.bottom; r++)
		change(s, r, is_stream && r > a.top ? first : a.left, is_stream && r < a.bottom ? last : a.right, p, is_reverse);
}

static void deccara(struct screen *s, const struct parser *p) { change_area(s, p, false); }
static void decrara(struct screen *s, const struct parser *p) { change_area(s, p, true); }

static unsigned checksum_of(const struct screen *s, const struct cell *cell)
{
	const struct style *style = style_get(s, cell->style);
	uint32_t points[SCREEN_CLUSTER_MAX];
	const unsigned c = cell_points(s, cell->text, points) ? points[0] & 0xFF : ' ';

	return c + (style->attributes & SCREEN_PROTECTED ? 0x04 : 0) + (style->attributes & SCREEN_HIDDEN ? 0x08 : 0) +
	       (style->underline ? 0x10 : 0) + (style->attributes & SCREEN_INVERSE ? 0x20 : 0) +
	       (style->attributes & SCREEN_BLINK ? 0x40 : 0) + (style->attributes & SCREEN_BOLD ? 0x80 : 0);
}

/* DECRQCRA, with xterm's defaults (XTCHECKSUM 0): negated, attributes in, blanks out. */
static void decrqcra(struct screen *s, const struct parser *p)
{
	struct area a;
	unsigned sum = 0;

	if (rectangle(s, p, 2, &a))
		for (unsigned r = a.top; r <= a.bottom; r++)
			for (unsigned c = a.left; c <= a.right; c++) {
				const unsigned v = checksum_of(s, &row_at(s, r)->cells[c]);

				sum += v == ' ' ? 0 : v;
			}
	reply_f(s, "\033P%d!~%04X\033\\", parse_param(p, 0, 0), -sum & 0xFFFF);
}

const struct control rectangle_table[] = {
	{ 0, '$', 'v', deccra }, { 0, '$', 'x', decfra }, { 0, '$', 'z', decera }, { 0, '$', '{', decsera },
	{ 0, '$', 'r', deccara }, { 0, '$', 't', decrara }, { 0, '*', 'x', decsace }, { 0, '*', 'y', decrqcra },
};
const unsigned rectangle_table_count = array_len(rectangle_table);
