#include "term/render-state.h"

void render_put(struct render *r, const void *data, size_t n)
{
	str_add(r->out, data, n);
	screen_feed(r->now, data, n);
}

void render_f(struct render *r, const char *fmt, ...)
{
	_str_ text = STR_INIT;
	va_list ap;

	va_start(ap, fmt);
	str_addfv(&text, fmt, ap);
	va_end(ap);
	render_put(r, text.buf, text.len);
}

static const struct mode_row *mode_row(enum mode m)
{
	const struct mode_row *row = NULL;

	for (unsigned i = 0; i < mode_table_count; i++)
		if (mode_table[i].mode == m)
			row = &mode_table[i];
	return row;
}

void render_mode(struct render *r, enum mode m, bool on)
{
	const struct mode_row *row = mode_row(m);

	if (mode_is_set(r->now, m) == on)
		return;
	if (m == MODE_KEYPAD)
		render_put(r, on ? "\033=" : "\033>", 2);
	else
		render_f(r, "\033[%s%u%c", row->is_private ? "?" : "", row->number, on ? 'h' : 'l');
}

void render_at(struct render *r, unsigned row, unsigned col)
{
	const struct cursor *c = &r->now->cursor;
	const bool is_origin = mode_is_set(r->now, MODE_ORIGIN);

	if (c->row == row && c->col == col && !c->wraps_next)
		return;
	if (c->row + 1u == row && col == c->col && !is_origin && !c->wraps_next && c->row != r->now->bottom)
		render_put(r, "\n", 1);
	else if (c->row == row && col == 0 && r->now->left == 0 && !is_origin)
		render_put(r, "\r", 1);
	else if (c->row == row && col > c->col && !c->wraps_next && col <= r->now->right && !is_origin)
		render_f(r, col - c->col > 1 ? "\033[%uC" : "\033[C", col - c->col);
	else {
		const unsigned y = row - (is_origin ? min_u(row, r->now->top) : 0), x = col - (is_origin ? min_u(col, r->now->left) : 0);

		if (x > 0)
			render_f(r, "\033[%u;%uH", y + 1, x + 1);
		else if (y > 0)
			render_f(r, "\033[%uH", y + 1);
		else
			render_put(r, "\033[H", 3);
	}
	if (r->now->cursor.row != row || r->now->cursor.col != col || r->now->cursor.wraps_next)
		render_f(r, "\033[%u;%uH", row + 1, col + 1);
}

/* --- the pen --- */

static void sgr_difference(const struct style *from, const struct style *to, struct str *out);

void render_pen(struct render *r, const struct style *style)
{
	const struct style *now = &r->now->cursor.pen;
	_str_ sgr = STR_INIT;
	const char *id, *uri;
	size_t len;

	if (styles_equal(r->now, now, r->to, style))
		return;
	sgr_difference(now, style, &sgr);
	render_put(r, sgr.buf, sgr.len);
	if ((now->attributes ^ style->attributes) & SCREEN_PROTECTED) {
		if (r->now->is_iso_protected)
			render_put(r, style->attributes & SCREEN_PROTECTED ? "\033V" : "\033W", 2);
		else
			render_f(r, "\033[%u\"q", style->attributes & SCREEN_PROTECTED ? 1 : 0);
	}
	if (styles_equal(r->now, now, r->to, style))
		return;
	uri = link_uri(r->to, style->link, &id, &len);
	if (uri == NULL)
		render_f(r, "\033]8;;\033\\");
	else
		render_f(r, "\033]8;%s%.*s;%s\033\\", len ? "id=" : "", (int)len, id, uri);
}

/* What SGR can add to @from, or all anew: whichever is shorter. */
static void sgr_difference(const struct style *from, const struct style *to, struct str *out)
{
	struct style rest = *to, added = *to, a = *from;
	_str_ whole = STR_INIT;
	const uint16_t shown = (uint16_t)~SCREEN_PROTECTED;

	a.attributes &= shown;
	rest.attributes &= shown;
	a.link = rest.link = added.link = 0;
	if (memcmp(&a, &rest, sizeof(a)) == 0)
		return;
	if (rest.attributes == 0 && rest.underline == 0 && rest.foreground == 0 && rest.background == 0 && rest.underline_colour == 0) {
		str_adds(out, "\033[m");
		return;
	}
	style_add_sgr(&rest, &whole);
	/* what is set stays set: only additions can do without the 0 in front */
	if ((a.attributes & ~rest.attributes) == 0 && (a.underline == UNDERLINE_NONE || a.underline == rest.underline) &&
	    (a.foreground == 0 || rest.foreground != 0) && (a.background == 0 || rest.background != 0) &&
	    (a.underline_colour == 0 || rest.underline_colour != 0)) {
		_str_ part = STR_INIT;

		added.attributes = rest.attributes & (uint16_t)~a.attributes;
		added.underline = a.underline == rest.underline ? UNDERLINE_NONE : rest.underline;
		added.foreground = a.foreground == rest.foreground ? COLOUR_DEFAULT : rest.foreground;
		added.background = a.background == rest.background ? COLOUR_DEFAULT : rest.background;
		added.underline_colour = a.underline_colour == rest.underline_colour ? COLOUR_DEFAULT : rest.underline_colour;
		style_add_sgr(&added, &part);
		str_addf(out, "\033[%sm", part.buf + 2);
		return;
	}
	str_addf(out, "\033[%sm", str_starts(whole.buf, "0;") ? whole.buf + 1 : whole.buf);
}

/* --- all but the rows --- */

static void titles(struct render *r)
{
	const struct screen *to = r->to;
	struct screen *now = r->now;
	unsigned same = 0;

	while (same < now->title_count && same < to->title_count &&
	       str_eq(now->titles[same] ? now->titles[same] : "\n", to->titles[same] ? to->titles[same] : "\n") &&
	       str_eq(now->icons[same] ? now->icons[same] : "\n", to->icons[same] ? to->icons[same] : "\n"))
		same++;
	while (now->title_count > same)
		render_f(r, "\033[23t");
	for (unsigned i = same; i < to->title_count; i++) {
		if (to->titles[i] && !str_eq(screen_title(now), to->titles[i]))
			render_f(r, "\033]2;%s\033\\", to->titles[i]);
		if (to->icons[i] && !str_eq(now->icon ? now->icon : "", to->icons[i]))
			render_f(r, "\033]1;%s\033\\", to->icons[i]);
		render_f(r, "\033[22;%dt", !to->titles[i] ? 1 : !to->icons[i] ? 2 : 0);
	}
	if (!str_eq(screen_title(now), screen_title(to)))
		render_f(r, "\033]%d;%s\033\\", str_eq(screen_title(to), to->icon ? to->icon : "") ? 0 : 2, screen_title(to));
	if (!str_eq(now->icon ? now->icon : "", to->icon ? to->icon : ""))
		render_f(r, "\033]1;%s\033\\", to->icon ? to->icon : "");
	if (!str_eq(screen_folder(now), screen_folder(to)))
		render_f(r, "\033]7;%s\033\\", screen_folder(to));
}

static uint32_t set_colour(const struct screen *s, unsigned i) { return s->palette ? s->palette[i] : 0; }

static void colours(struct render *r)
{
	for (unsigned i = 0; i < SCREEN_COLOUR_COUNT; i++) {
		const uint32_t c = set_colour(r->to, i);

		if (c == set_colour(r->now, i))
			continue;
		if (c == 0)
			render_f(r, i < 256 ? "\033]104;%u\033\\" : "\033]%u\033\\", i < 256 ? i : i - 256 + 110);
		else
			render_f(r, i < 256 ? "\033]4;%u;rgb:%02x/%02x/%02x\033\\" : "\033]%u;rgb:%02x/%02x/%02x\033\\",
			         i < 256 ? i : i - 256 + 10, c >> 16 & 255, c >> 8 & 255, c & 255);
	}
}

static void pens(struct render *r)
{
	unsigned same = 0;

	while (same < r->now->sgr_count && same < r->to->sgr_count &&
	       styles_equal(r->now, &r->now->sgr_stack[same], r->to, &r->to->sgr_stack[same]))
		same++;
	while (r->now->sgr_count > same)
		render_f(r, "\033[#}");
	for (; same < r->to->sgr_count; same++) {
		render_pen(r, &r->to->sgr_stack[same]);
		render_f(r, "\033[#{");
	}
}

static void tabs(struct render *r)
{
	for (unsigned c = 0; c < r->to->col_count; c++) {
		if (r->now->tabs[c] == r->to->tabs[c])
			continue;
		render_at(r, r->now->cursor.row, c);
		render_f(r, r->to->tabs[c] ? "\033H" : "\033[g");
	}
}

/* DECCOLM can be changed only where it is allowed, and erases unless it is told not to. */
static void columns_mode(struct render *r, bool on)
{
	if (mode_is_set(r->now, MODE_COLUMNS) == on)
		return;
	render_mode(r, MODE_ALLOW_COLUMNS, true);
	render_mode(r, MODE_KEEP_COLUMNS, true);
	render_f(r, "\033[?3%c", on ? 'h' : 'l');
}

static void saved_modes(struct render *r)
{
	for (unsigned i = 0; i < mode_table_count; i++) {
		const struct mode_row *row = &mode_table[i];
		const bool on = r->to->saved_modes >> row->mode & 1;

		if (!row->is_private || (r->now->saved_modes >> row->mode & 1) == on)
			continue;
		if (row->mode == MODE_COLUMNS)
			columns_mode(r, on);
		else
			render_mode(r, row->mode, on);
		render_f(r, "\033[?%us", row->number);
	}
}

/* Nothing stands in the way of painting: whole screen, ASCII, no origin mode, wrapping. */
static void prepare(struct render *r)
{
	struct screen *now = r->now;

	render_mode(r, MODE_ORIGIN, false);
	render_mode(r, MODE_MARGINS, false);
	render_mode(r, MODE_INSERT, false);
	render_mode(r, MODE_AUTOWRAP, true);
	render_mode(r, MODE_GRAPHEMES, false);
	render_mode(r, MODE_NEWLINE, false);
	if (now->is_iso_protected)                /* erasing would spare what is protected */
		render_f(r, "\033[0\"q");
	if (now->top != 0 || now->bottom != now->row_count - 1)
		render_f(r, "\033[r");
	if (now->cursor.charsets.g[0] != 0)
		render_f(r, "\033(B");
	if (now->cursor.charsets.gl != 0)
		render_f(r, "\017");
	if (now->cursor.charsets.shift != SINGLE_SHIFT_NONE) {
		render_at(r, now->row_count - 1u, 0);
		render_f(r, " ");                 /* a single shift is over with the next character only; painted over below */
	}
}

static void charsets(struct render *r, const struct charsets *to)
{
	static const char *const shifts[] = { "\017", "\016", "\033n", "\033o" };
	static const char *const right_shifts[] = { "", "\033~", "\033}", "\033|" };
	const struct charsets *now = &r->now->cursor.charsets;

	for (unsigned g = 0; g < 4; g++) {
		bool is_96;
		const char *designator = charset_designator(to->g[g], &is_96);

		if (now->g[g] != to->g[g])
			render_f(r, "\033%c%s", is_96 ? ",-./"[g] : "()*+"[g], designator);
	}
	if (now->gl != to->gl)
		render_f(r, "%s", shifts[to->gl]);
	if (now->gr != to->gr)
		render_f(r, "%s", right_shifts[to->gr]);
	if (now->shift != to->shift)
		render_f(r, to->shift == 2 ? "\033N" : "\033O");
}

static bool same_saved(struct render *r, const struct saved_cursor *x, const struct saved_cursor *y)
{
	return x->is_set == y->is_set &&
	       (!x->is_set || (x->is_origin == y->is_origin && x->cursor.row == y->cursor.row && x->cursor.col == y->cursor.col &&
	                       x->cursor.wraps_next == y->cursor.wraps_next &&
	                       memcmp(&x->cursor.charsets, &y->cursor.charsets, sizeof(x->cursor.charsets)) == 0 &&
	                       styles_equal(r->now, &x->cursor.pen, r->to, &y->cursor.pen)));
}

static void saved_cursor(struct render *r, const struct buffer *b)
{
	const struct cursor *c = &b->saved.cursor;

	if (same_saved(r, &r->now->buffer->saved, &b->saved) || !b->saved.is_set)
		return;
	render_mode(r, MODE_ORIGIN, b->saved.is_origin);
	if (c->col >= row_cols(r->now, c->row)) { /* the line was of single width then */
		render_at(r, c->row, 0);
		render_f(r, "\033#5");
	}
	if (c->wraps_next) {
		render_limit(r, c->row, c->col);
		render_at(r, c->row, c->col);
		render_f(r, " ");                /* the rows come later */
	} else {
		render_at(r, c->row, c->col);
	}
	render_pen(r, &c->pen);
	charsets(r, &c->charsets);
	render_f(r, "\0337");
	prepare(r);
}

static void keyboard(struct render *r, const struct buffer *b)
{
	const struct buffer *now = r->now->buffer;

	if (now->kitty_count == b->kitty_count && memcmp(now->kitty, b->kitty, b->kitty_count) == 0)
		return;
	if (now->kitty_count > 0)
		render_f(r, "\033[<%uu", KITTY_MAX);
	for (unsigned i = 0; i < b->kitty_count; i++)
		render_f(r, i == 0 ? "\033[=%uu" : "\033[>%uu", b->kitty[i]);
}

static bool buffers_differ(struct render *r, const struct buffer *x, const struct buffer *y)
{
	if (!same_saved(r, &x->saved, &y->saved) || x->kitty_count != y->kitty_count ||
	    memcmp(x->kitty, y->kitty, x->kitty_count) != 0)
		return true;
	if (x->rows == NULL || y->rows == NULL)
		return !(buffer_is_blank(r->now, x) && buffer_is_blank(r->to, y));
	for (unsigned i = 0; i < r->to->row_count; i++) {
		const struct row *p = &x->rows[i], *q = &y->rows[i];

		if (p->is_wrapped != q->is_wrapped || p->size != q->size || p->marks != q->marks)
			return true;
		for (unsigned c = 0; c < r->to->col_count; c++)
			if (!cells_equal(r->now, p->cells[c], r->to, q->cells[c]))
				return true;
	}
	return false;
}

static bool same_prompt(const struct render *r)
{
	return r->now->prompt == r->to->prompt && r->now->prompt_status == r->to->prompt_status;
}

static void buffer(struct render *r, bool is_alternate)
{
	const struct buffer *to = is_alternate ? &r->to->alternate : &r->to->main;
	const struct buffer *now = is_alternate ? &r->now->alternate : &r->now->main;

	if (!buffers_differ(r, now, to) && (to != r->to->buffer || same_prompt(r)))
		return;
	if (screen_is_alternate(r->now) != is_alternate)
		render_f(r, "\033[?47%c", is_alternate ? 'h' : 'l');
	if (now->saved.is_set && !to->saved.is_set)
		render_f(r, "\033[!p");
	prepare(r);
	r->rows = to->rows;
	saved_cursor(r, to);                      /* first: it may have to print where it waited for a wrap */
	if (to->rows == NULL)
		render_f(r, "\033[m\033[2J");
	else
		render_rows(r, to);
	keyboard(r, to);
}

static void margins_of(struct render *r)
{
	const struct screen *to = r->to, *now = r->now;

	render_mode(r, MODE_MARGINS, mode_is_set(to, MODE_MARGINS));
	if (now->top != to->top || now->bottom != to->bottom)
		render_f(r, "\033[%u;%ur", to->top + 1, to->bottom + 1);
	if (now->left != to->left || now->right != to->right)
		render_f(r, "\033[%u;%us", to->left + 1, to->right + 1);
	render_mode(r, MODE_ORIGIN, mode_is_set(to, MODE_ORIGIN));
}

static void settings(struct render *r)
{
	const struct screen *to = r->to, *now = r->now;

	if (now->cursor_style != to->cursor_style)
		render_f(r, "\033[%u q", to->cursor_style);
	if (now->attribute_extent != to->attribute_extent)
		render_f(r, "\033[%u*x", to->attribute_extent);
	for (unsigned i = 0; i < KEY_RESOURCES; i++)
		if (now->key_resources[i] != to->key_resources[i])
			render_f(r, to->key_resources[i] < 0 ? "\033[>%um" : "\033[>%u;%dm", i, to->key_resources[i]);
	/* turning one mouse mode off turns off all of them */
	for (int on = 0; on <= 1; on++)
		for (unsigned i = 0; i < mode_table_count; i++)
			if (mode_is_set(to, mode_table[i].mode) == on)
				render_mode(r, mode_table[i].mode, on);
}

/* The last thing printed can be repeated: it is printed last here as well. */
static void last_character(struct render *r)
{
	const struct cursor *c = &r->to->cursor;
	const struct cell *cells = row_at(r->to, c->row)->cells;
	unsigned col = c->col;
	uint32_t points[SCREEN_CLUSTER_MAX];

	if (r->to->last_character == 0 || (!c->wraps_next && col-- == 0))
		return;
	if (cells[col].text == CELL_TAIL && col > 0)
		col--;
	if (cell_points(r->to, cells[col].text, points) == 0 || points[0] != r->to->last_character)
		return;
	render_at(r, c->row, col);
	if (points[0] < 0x80 && charset_map(r->now, points[0]) != points[0])
		return;
	if (mode_is_set(r->now, MODE_INSERT))
		render_f(r, "\033[%uP", cells[col].text & CELL_WIDE ? 2 : 1);
	render_cell(r, cells[col]);
}

static void finish(struct render *r)
{
	const struct screen *to = r->to;
	const struct cursor *now = &r->now->cursor;
	_str_ unfinished = STR_INIT;

	r->rows = to->buffer->rows;
	margins_of(r);
	if (!to->cursor.wraps_next)
		render_at(r, to->cursor.row, to->cursor.col);
	else if (!now->wraps_next || now->row != to->cursor.row || now->col != to->cursor.col)
		render_pending(r, to->cursor.row, to->cursor.col);
	render_pen(r, &to->cursor.pen);
	if (r->now->is_iso_protected != to->is_iso_protected) {
		if (to->is_iso_protected)
			render_f(r, to->cursor.pen.attributes & SCREEN_PROTECTED ? "\033V" : "\033W");
		else
			render_f(r, "\033[%u\"q", to->cursor.pen.attributes & SCREEN_PROTECTED ? 1 : 0);
	}
	settings(r);
	charsets(r, &to->cursor.charsets);
	last_character(r);
	if (to->last_character == 0 && r->now->last_character != 0)
		render_put(r, "\033\\", 2);    /* it does nothing, but REP has nothing to repeat after it */
	parse_add_unfinished(&to->parser, &unfinished);
	render_put(r, unfinished.buf, unfinished.len);
}

static void drive(struct render *r)
{
	const bool is_alternate = screen_is_alternate(r->to);

	if (!parse_is_idle(&r->now->parser))
		render_put(r, "\030", 1);
	if (r->now->level != r->to->level)
		render_f(r, "\033[%u\"p", r->to->level);
	titles(r);
	colours(r);
	pens(r);
	saved_modes(r);
	columns_mode(r, mode_is_set(r->to, MODE_COLUMNS));
	if (r->now->cursor.charsets.shift != SINGLE_SHIFT_NONE)
		prepare(r);
	if (memcmp(r->now->tabs, r->to->tabs, r->to->col_count) != 0) {
		prepare(r);
		if (row_at(r->now, r->now->cursor.row)->size != ROW_SINGLE)
			render_f(r, "\033#5");        /* so that every column can be reached; painted over below */
		tabs(r);
	}
	buffer(r, !is_alternate);
	buffer(r, is_alternate);
	if (screen_is_alternate(r->now) != is_alternate)
		render_f(r, "\033[?47%c", is_alternate ? 'h' : 'l');
	finish(r);
}

bool render_difference(const struct screen *from, const struct screen *to, struct str *out)
{
	struct render r = { .to = to, .out = out };
	bool is_same;

	if (from->row_count != to->row_count || from->col_count != to->col_count)
		return false;
	r.now = screen_copy(from);
	drive(&r);
	is_same = screen_equal(r.now, to, NULL);
	screen_free(r.now);
	return is_same;
}

static const char resets[] =
	"\030\033[!p\033[?47h\033[!p\033[?2026h\033[<16u\033[m\033[2J\033[?1047l\033[<16u"
	"\033[2;4;20l\033[12h\033[?1;5;6;9;12;45;66;69;95;1000;1004;1006;2004;2027;2031;2048l\033[?4;40;42;67;1007;1034;1039;1042;1043l"
	"\033[?7;8;25;1035;1036h\033[>m\033[0 q\033[0\"q\033[0*x\033]104\033\\";

void render_leave(struct str *out)
{
	str_adds(out, "\030\033[!p\033[<16u\033[?1049l\033[!p\033[<16u\033[?1;5;6;9;45;66;69;1000;1004;1006;2004;2026;2027;2031;2048l"
	              "\033[?7;25h\033[4;20l\033[>m\033[0 q\033]104\033\\\033[m\033(B\017");
}

void render_full(const struct screen *s, struct str *out)
{
	struct screen *fresh = screen_new(s->row_count, s->col_count, NULL, NULL);
	const unsigned last = SCREEN_COLOUR_COUNT - 256 + 110;

	str_adds(out, resets);
	for (unsigned i = 110; i < last; i++)
		str_addf(out, "\033]%u\033\\", i);
	str_adds(out, "\033[H\033[2J\033[3g");
	for (unsigned c = 8; c < s->col_count; c += 8)
		str_addf(out, "\033[%uG\033H", c + 1);
	str_adds(out, "\033[H\033[?2026l");
	(void)render_difference(fresh, s, out);
	screen_free(fresh);
}
