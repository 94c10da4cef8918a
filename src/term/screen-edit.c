/*
 * Control functions that move the cursor and edit what is shown: C0, escape sequences, and control sequences without
 * a
 * private marker. A function is one row in a table at the end. Source of fact: ctlseqs; DEC STD 070 where that is
 * silent.
 */
#include "term/screen-state.h"

/* --- the cursor --- */

void cursor_to(struct screen *s, unsigned row, unsigned col)
{
	s->cursor.row = (uint16_t)min_u(row, s->row_count - 1u);
	s->cursor.col = (uint16_t)min_u(col, row_cols(s, s->cursor.row) - 1u);
	s->cursor.wraps_next = false;
}

void cursor_settle(struct screen *s)
{
	s->cursor.col = (uint16_t)min_u(s->cursor.col, row_cols(s, s->cursor.row) - 1u);
	s->cursor.wraps_next = s->cursor.wraps_next && s->cursor.col + 1u == print_limit(s);
}

/* As a program names places: from the margins on, and not out of them, when origin mode is set. */
static void address(struct screen *s, unsigned row, unsigned col)
{
	if (mode_is_set(s, MODE_ORIGIN)) {
		row = min_u(row + s->top, s->bottom);
		col = min_u(col + s->left, s->right);
	}
	cursor_to(s, row, col);
}

void screen_home(struct screen *s)
{
	address(s, 0, 0);
}

static unsigned addressed_row(const struct screen *s)
{
	const unsigned top = mode_is_set(s, MODE_ORIGIN) ? s->top : 0;

	return s->cursor.row > top ? s->cursor.row - top : 0;
}

static unsigned addressed_col(const struct screen *s)
{
	const unsigned left = mode_is_set(s, MODE_ORIGIN) ? s->left : 0;

	return s->cursor.col > left ? s->cursor.col - left : 0;
}

static void up(struct screen *s, unsigned n)
{
	const unsigned stop = s->cursor.row >= s->top ? s->top : 0;

	cursor_to(s, s->cursor.row > stop + n ? s->cursor.row - n : stop, s->cursor.col);
}

static void down(struct screen *s, unsigned n)
{
	const unsigned stop = s->cursor.row <= s->bottom ? s->bottom : s->row_count - 1u;

	cursor_to(s, min_u(s->cursor.row + n, stop), s->cursor.col);
}

static void right(struct screen *s, unsigned n)
{
	const unsigned stop = s->cursor.col <= s->right ? s->right : s->col_count - 1u;

	cursor_to(s, s->cursor.row, min_u(s->cursor.col + n, stop));
}

static bool is_inside(const struct screen *s)
{
	return s->cursor.row >= s->top && s->cursor.row <= s->bottom && s->cursor.col >= s->left && s->cursor.col <= s->right;
}

/* Backwards over the left edge, when mode 45 allows it: onto lines that were wrapped. */
static void left(struct screen *s, unsigned n)
{
	const bool wraps = mode_is_set(s, MODE_REVERSE_WRAP) && mode_is_set(s, MODE_AUTOWRAP);
	unsigned stop = s->cursor.col >= s->left ? s->left : 0, col = s->cursor.col, row = s->cursor.row;

	if (wraps && s->cursor.wraps_next)
		n--;
	for (n = min_u(n, (unsigned)s->row_count * s->col_count); n > 0; n--) {
		if (col > stop) {
			col--;
		} else if (wraps && row > s->top && row_at(s, row - 1)->is_wrapped) {
			row--;
			col = s->right;
			stop = s->left;
		} else {
			break;
		}
	}
	cursor_to(s, row, col);
}

void cursor_index(struct screen *s)
{
	const bool is_between = s->cursor.col >= s->left && s->cursor.col <= s->right;

	s->cursor.wraps_next = false;
	if (s->cursor.row != s->bottom) {
		if (s->cursor.row + 1u < s->row_count)
			cursor_to(s, s->cursor.row + 1u, s->cursor.col);
	} else if (is_between) {
		scroll_screen(s, 1);
	}
}

static void reverse_index(struct screen *s)
{
	const bool is_between = s->cursor.col >= s->left && s->cursor.col <= s->right;

	s->cursor.wraps_next = false;
	if (s->cursor.row != s->top) {
		if (s->cursor.row > 0)
			cursor_to(s, s->cursor.row - 1u, s->cursor.col);
	} else if (is_between) {
		scroll_down(s, margins(s), 1);
	}
}

static void carriage_return(struct screen *s)
{
	cursor_to(s, s->cursor.row, mode_is_set(s, MODE_ORIGIN) || s->cursor.col >= s->left ? s->left : 0);
}

static void line_feed(struct screen *s)
{
	cursor_index(s);
	if (mode_is_set(s, MODE_NEWLINE))
		carriage_return(s);
}

static void tab_forward(struct screen *s, unsigned n)
{
	const unsigned stop = s->cursor.col <= s->right ? s->right : s->col_count - 1u;
	unsigned col = s->cursor.col;

	for (; n > 0 && col < stop; n--)
		do
			col++;
		while (col < stop && !s->tabs[col]);
	cursor_to(s, s->cursor.row, col);
}

static void tab_back(struct screen *s, unsigned n)
{
	const unsigned stop = mode_is_set(s, MODE_ORIGIN) ? s->left : 0;
	unsigned col = s->cursor.col;

	for (; n > 0 && col > stop; n--)
		do
			col--;
		while (col > stop && !s->tabs[col]);
	cursor_to(s, s->cursor.row, col);
}

void tabs_reset(struct screen *s)
{
	for (unsigned c = 0; c < s->col_count; c++)
		s->tabs[c] = c > 0 && c % 8 == 0;
}

void cursor_save(struct screen *s)
{
	s->buffer->saved = (struct saved_cursor){
		.is_set = true, .is_origin = mode_is_set(s, MODE_ORIGIN), .cursor = s->cursor,
	};
}

void cursor_restore(struct screen *s)
{
	const struct saved_cursor *saved = &s->buffer->saved;
	const struct cursor *c = &saved->cursor;

	if (!saved->is_set) {
		mode_put(s, MODE_ORIGIN, false);
		s->cursor.pen = (struct style){ 0 };
		s->cursor.charsets = (struct charsets){ .gr = 2 };
		cursor_to(s, 0, 0);
	} else {
		mode_put(s, MODE_ORIGIN, saved->is_origin);
		s->cursor.pen = c->pen;
		s->cursor.charsets = c->charsets;
		if (saved->is_origin)
			cursor_to(s, min_u(max_u(c->row, s->top), s->bottom), min_u(max_u(c->col, s->left), s->right));
		else
			cursor_to(s, c->row, c->col);
		s->cursor.wraps_next = c->wraps_next && s->cursor.col == c->col && s->cursor.col + 1u == print_limit(s);
	}
	pen_changed(s);
}

static void cuu(struct screen *s, const struct parser *p) { up(s, count_param(p, 0)); }
static void cud(struct screen *s, const struct parser *p) { down(s, count_param(p, 0)); }
static void cuf(struct screen *s, const struct parser *p) { right(s, count_param(p, 0)); }
static void cub(struct screen *s, const struct parser *p) { left(s, count_param(p, 0)); }

static void cnl(struct screen *s, const struct parser *p)
{
	down(s, count_param(p, 0));
	carriage_return(s);
}

static void cpl(struct screen *s, const struct parser *p)
{
	up(s, count_param(p, 0));
	carriage_return(s);
}

static void cha(struct screen *s, const struct parser *p) { address(s, addressed_row(s), count_param(p, 0) - 1); }
static void vpa(struct screen *s, const struct parser *p) { address(s, count_param(p, 0) - 1, addressed_col(s)); }
static void hpr(struct screen *s, const struct parser *p)
{
	address(s, addressed_row(s), addressed_col(s) + count_param(p, 0));
}
static void vpr(struct screen *s, const struct parser *p)
{
	address(s, addressed_row(s) + count_param(p, 0), addressed_col(s));
}
static void cup(struct screen *s, const struct parser *p) { address(s, count_param(p, 0) - 1, count_param(p, 1) - 1); }
static void cht(struct screen *s, const struct parser *p) { tab_forward(s, count_param(p, 0)); }
static void cbt(struct screen *s, const struct parser *p) { tab_back(s, count_param(p, 0)); }

static void tbc(struct screen *s, const struct parser *p)
{
	const int what = parse_param(p, 0, 0);

	if (what == 0)
		s->tabs[s->cursor.col] = 0;
	else if (what == 3)
		memset(s->tabs, 0, s->col_count);
}

static void decst8c(struct screen *s, const struct parser *p)
{
	if (parse_param(p, 0, 0) == 5)
		tabs_reset(s);
}

/* --- erasing, inserting, deleting --- */

static void erase_rows(struct screen *s, unsigned from, unsigned to, bool is_selective)
{
	if (s->pen_is_stale)
		pen_refresh(s);
	for (unsigned r = from; r < to; r++) {
		if (is_selective)
			row_erase(s, row_at(s, r), 0, s->col_count, true);
		else
			row_clear(s, row_at(s, r), s->blank);
	}
	cursor_settle(s);
}

void erase_screen(struct screen *s)
{
	erase_rows(s, 0, s->row_count, false);
}

static void erase_in_line(struct screen *s, int what, bool is_selective)
{
	const unsigned from = what == 0 ? s->cursor.col : 0, to = what == 1 ? s->cursor.col + 1u : s->col_count;

	if (what > 2)
		return;
	row_erase(s, row_at(s, s->cursor.row), from, to, is_selective);
	if (what != 1)
		s->cursor.wraps_next = false;
}

static void erase_in_display(struct screen *s, int what, bool is_selective)
{
	switch (what) {
	case 0:
		if (s->cursor.col == 0) {
			erase_rows(s, s->cursor.row, s->row_count, is_selective);
			s->cursor.wraps_next = false;
		} else {
			erase_in_line(s, 0, is_selective);
			erase_rows(s, s->cursor.row + 1u, s->row_count, is_selective);
		}
		break;
	case 1:
		erase_rows(s, 0, s->cursor.row, is_selective);
		erase_in_line(s, 1, is_selective);
		break;
	case 2:
		erase_rows(s, 0, s->row_count, is_selective);
		break;
	}
}

static void ed(struct screen *s, const struct parser *p) { erase_in_display(s, parse_param(p, 0, 0), s->is_iso_protected); }
static void el(struct screen *s, const struct parser *p) { erase_in_line(s, parse_param(p, 0, 0), s->is_iso_protected); }
static void decsed(struct screen *s, const struct parser *p) { erase_in_display(s, parse_param(p, 0, 0), true); }
static void decsel(struct screen *s, const struct parser *p) { erase_in_line(s, parse_param(p, 0, 0), true); }

static void ech(struct screen *s, const struct parser *p)
{
	row_erase(s, row_at(s, s->cursor.row), s->cursor.col, s->cursor.col + count_param(p, 0), s->is_iso_protected);
	s->cursor.wraps_next = false;
}

/* Where what is inserted pushes to; nothing happens outside of the margins. */
static bool can_edit_line(const struct screen *s)
{
	return s->cursor.col >= s->left && s->cursor.col <= s->right;
}

static void ich(struct screen *s, const struct parser *p)
{
	if (can_edit_line(s))
		row_insert(s, row_at(s, s->cursor.row), s->cursor.col, s->right + 1u, count_param(p, 0));
	s->cursor.wraps_next = false;
}

static void dch(struct screen *s, const struct parser *p)
{
	if (can_edit_line(s))
		row_delete(s, row_at(s, s->cursor.row), s->cursor.col, s->right + 1u, count_param(p, 0));
	s->cursor.wraps_next = false;
}

static struct area below_cursor(const struct screen *s)
{
	struct area a = margins(s);

	a.top = s->cursor.row;
	return a;
}

static void il(struct screen *s, const struct parser *p)
{
	if (!is_inside(s))
		return;
	scroll_down(s, below_cursor(s), count_param(p, 0));
	cursor_to(s, s->cursor.row, s->left);
}

static void dl(struct screen *s, const struct parser *p)
{
	struct area a = below_cursor(s);

	if (!is_inside(s))
		return;
	scroll_up(s, a, count_param(p, 0));
	cursor_to(s, s->cursor.row, s->left);
}

static void su(struct screen *s, const struct parser *p) { scroll_screen(s, count_param(p, 0)); }

static void sd(struct screen *s, const struct parser *p)
{
	scroll_down(s, margins(s), count_param(p, 0));
}

/* With five parameters it is highlight mouse tracking, and so it is with a 0. */
static void sd_or_track(struct screen *s, const struct parser *p)
{
	if (p->count <= 1 && parse_param(p, 0, 1) != 0)
		sd(s, p);
}

static void shift_columns(struct screen *s, unsigned from, unsigned n, bool is_insert)
{
	for (unsigned r = s->top; r <= s->bottom; r++)
		(is_insert ? row_insert : row_delete)(s, row_at(s, r), from, s->right + 1u, n);
}

static void decic(struct screen *s, const struct parser *p)
{
	if (is_inside(s))
		shift_columns(s, s->cursor.col, count_param(p, 0), true);
}

static void decdc(struct screen *s, const struct parser *p)
{
	if (is_inside(s))
		shift_columns(s, s->cursor.col, count_param(p, 0), false);
}

static void sl(struct screen *s, const struct parser *p)
{
	if (is_inside(s))
		shift_columns(s, s->left, count_param(p, 0), false);
}

static void sr(struct screen *s, const struct parser *p)
{
	if (is_inside(s))
		shift_columns(s, s->left, count_param(p, 0), true);
}

static void decbi(struct screen *s)
{
	if (s->cursor.col == s->left && is_inside(s))
		shift_columns(s, s->left, 1, true);
	else if (s->cursor.col > 0)
		cursor_to(s, s->cursor.row, s->cursor.col - 1u);
}

static void decfi(struct screen *s)
{
	if (s->cursor.col == s->right && is_inside(s))
		shift_columns(s, s->left, 1, false);
	else
		cursor_to(s, s->cursor.row, s->cursor.col + 1u);
}

static void decaln(struct screen *s)
{
	margins_reset(s);
	mode_put(s, MODE_ORIGIN, false);
	cursor_to(s, 0, 0);
	for (unsigned r = 0; r < s->row_count; r++) {
		row_clear(s, row_at(s, r), 0);
		for (unsigned c = 0; c < s->col_count; c++)
			row_at(s, r)->cells[c].text = 'E';
	}
}

/* DECDWL, DECDHL: what stands behind the middle cannot be reached and is not seen; xterm keeps it as well. */
static void set_row_size(struct screen *s, enum row_size size)
{
	struct row *row = row_at(s, s->cursor.row);

	if (mode_is_set(s, MODE_MARGINS) || s->col_count < 2)
		return;
	row->size = size;
	row_settle(s, row);
	cursor_to(s, s->cursor.row, s->cursor.col);
}

/* --- margins --- */

void margins_reset(struct screen *s)
{
	s->top = s->left = 0;
	s->bottom = s->row_count - 1;
	s->right = s->col_count - 1;
}

static void decstbm(struct screen *s, const struct parser *p)
{
	const unsigned top = count_param(p, 0), last = s->row_count;
	const int given = parse_param(p, 1, 0);
	const unsigned bottom = given > 0 ? min_u((unsigned)given, last) : last;

	if (top >= bottom && last > 1)
		return;
	s->top = (uint16_t)(min_u(top, last) - 1);
	s->bottom = (uint16_t)(bottom - 1);
	screen_home(s);
}

/* DECSLRM, which is SCOSC unless mode 69 is set. */
static void decslrm(struct screen *s, const struct parser *p)
{
	const unsigned first = count_param(p, 0), last = s->col_count;
	const int given = parse_param(p, 1, 0);
	const unsigned end = given > 0 ? min_u((unsigned)given, last) : last;

	if (!mode_is_set(s, MODE_MARGINS)) {
		cursor_save(s);
		return;
	}
	if (first >= end && last > 1)
		return;
	s->left = (uint16_t)(min_u(first, last) - 1);
	s->right = (uint16_t)(end - 1);
	screen_home(s);
}

static void scorc(struct screen *s, const struct parser *p) { cursor_restore(s); }

/* --- resets --- */

static void free_titles(struct screen *s)
{
	for (unsigned i = 0; i < s->title_count; i++) {
		free(s->titles[i]);
		free(s->icons[i]);
	}
	s->title_count = 0;
}

/* RIS, and what a screen begins with. */
static void reset_hard(struct screen *s)
{
	s->buffer = &s->main;
	buffer_release(&s->alternate);
	s->main.saved = s->alternate.saved = (struct saved_cursor){ 0 };
	s->main.kitty_count = s->alternate.kitty_count = 0;
	erase_screen(s);
	tabs_reset(s);
	free_titles(s);
	free(s->palette);
	s->palette = NULL;
	s->sgr_count = 0;
	s->saved_modes = modes_default();
	s->modes = modes_default();
	s->cursor_style = 0;
	s->level = 64;
	cursor_to(s, 0, 0);
}

void screen_reset(struct screen *s, bool is_hard)
{
	static const enum mode off[] = {
		MODE_INSERT, MODE_ORIGIN, MODE_KEYPAD, MODE_CURSOR_KEYS, MODE_KEYBOARD_LOCKED, MODE_MARGINS, MODE_REVERSE_WRAP,
		MODE_NATIONAL,
	};

	s->cursor.pen = (struct style){ 0 };
	s->cursor.charsets = (struct charsets){ .gr = 2 };
	s->cursor.wraps_next = false;
	s->is_iso_protected = false;
	s->attribute_extent = 0;
	memset(s->key_resources, -1, sizeof(s->key_resources));
	pen_changed(s);
	if (is_hard) {
		reset_hard(s);
	} else {
		s->buffer->saved = (struct saved_cursor){ 0 };
		s->buffer->kitty_count = 0;
	}
	for (unsigned i = 0; i < array_len(off); i++)
		mode_put(s, off[i], false);
	mode_put(s, MODE_CURSOR, true);
	mode_put(s, MODE_AUTOWRAP, true);
	margins_reset(s);
}

static void decstr(struct screen *s, const struct parser *p) { screen_reset(s, false); }

static void decscl(struct screen *s, const struct parser *p)
{
	const int level = parse_param(p, 0, 64);

	if (level < 61 || level > 65)
		return;
	screen_reset(s, false);
	s->level = (uint8_t)level;
}

/* --- the rest --- */

static void decscusr(struct screen *s, const struct parser *p)
{
	const int style = parse_param(p, 0, 0);

	if (style > 6)
		return;
	s->cursor_style = (uint8_t)style;
	mode_put(s, MODE_BLINK, style % 2 == 1);
}

static void decsca(struct screen *s, const struct parser *p)
{
	const int what = parse_param(p, 0, 0);

	if (what > 2)
		return;
	s->cursor.pen.attributes &= (uint16_t)~SCREEN_PROTECTED;
	s->cursor.pen.attributes |= what == 1 ? SCREEN_PROTECTED : 0;
	s->is_iso_protected = false;
	pen_changed(s);
}

/* SPA, EPA: protected from every erasing. */
static void iso_protect(struct screen *s, bool on)
{
	s->cursor.pen.attributes &= (uint16_t)~SCREEN_PROTECTED;
	s->cursor.pen.attributes |= on ? SCREEN_PROTECTED : 0;
	s->is_iso_protected = true;
	pen_changed(s);
}

void edit_control(struct screen *s, uint8_t c)
{
	switch (c) {
	case 0x05: reply_f(s, "%s", ""); break;          /* ENQ: the answerback is empty */
	case 0x07:
		if (s->ops->bell)
			s->ops->bell(s->data);
		break;
	case 0x08: left(s, 1); break;
	case 0x09: tab_forward(s, 1); break;
	case 0x0A: case 0x0B: case 0x0C: line_feed(s); break;
	case 0x0D: carriage_return(s); break;
	case 0x0E: s->cursor.charsets.gl = 1; break;
	case 0x0F: s->cursor.charsets.gl = 0; break;
	}
}

static void next_line(struct screen *s)
{
	cursor_index(s);
	carriage_return(s);
}

static void plain_escape(struct screen *s, uint8_t final)
{
	struct charsets *c = &s->cursor.charsets;

	switch (final) {
	case '6': decbi(s); break;
	case '7': cursor_save(s); break;
	case '8': cursor_restore(s); break;
	case '9': decfi(s); break;
	case '=': mode_put(s, MODE_KEYPAD, true); break;
	case '>': mode_put(s, MODE_KEYPAD, false); break;
	case 'D': cursor_index(s); break;
	case 'E': next_line(s); break;
	case 'H': s->tabs[s->cursor.col] = 1; break;
	case 'M': reverse_index(s); break;
	case 'N': c->shift = 2; break;
	case 'O': c->shift = 3; break;
	case 'V': iso_protect(s, true); break;
	case 'W': iso_protect(s, false); break;
	case 'Z': report_attributes(s); break;
	case 'c': screen_reset(s, true); break;
	case 'n': c->gl = 2; break;
	case 'o': c->gl = 3; break;
	case '|': c->gr = 3; break;
	case '}': c->gr = 2; break;
	case '~': c->gr = 1; break;
	}
}

static void sharp_escape(struct screen *s, uint8_t final)
{
	switch (final) {
	case '3': set_row_size(s, ROW_TOP); break;
	case '4': set_row_size(s, ROW_BOTTOM); break;
	case '5': set_row_size(s, ROW_SINGLE); break;
	case '6': set_row_size(s, ROW_WIDE); break;
	case '8': decaln(s); break;
	}
}

void edit_escape(struct screen *s, const struct parser *p, uint8_t final)
{
	static const char designators[] = "()*+-./";     /* 94 characters: G0 to G3; 96: G1 to G3 */
	const uint8_t first = p->intermediate_count ? p->intermediates[0] : 0;
	const char *at = first ? strchr(designators, first) : NULL;

	if (p->intermediate_count == 0) {
		plain_escape(s, final);
	} else if (first == '#' && p->intermediate_count == 1) {
		sharp_escape(s, final);
	} else if (at != NULL && p->intermediate_count <= 2) {
		const unsigned g = (unsigned)(at - designators);

		charset_designate(s, g < 4 ? g : g - 3, g >= 4, p->intermediate_count == 2 ? p->intermediates[1] : 0, final);
	}
}

/* Without marker and intermediates, by final byte. */
static control_fn *const plain_table[64] = {
#define ROW(final, fn) [(final) - 0x40] = fn
	ROW('@', ich), ROW('A', cuu), ROW('B', cud), ROW('C', cuf), ROW('D', cub), ROW('E', cnl), ROW('F', cpl),
	ROW('G', cha), ROW('H', cup), ROW('I', cht), ROW('J', ed), ROW('K', el), ROW('L', il), ROW('M', dl), ROW('P', dch),
	ROW('S', su), ROW('T', sd_or_track), ROW('X', ech), ROW('Z', cbt), ROW('^', sd), ROW('`', cha), ROW('a', hpr), ROW('d', vpa),
	ROW('e', vpr), ROW('f', cup), ROW('g', tbc), ROW('r', decstbm), ROW('s', decslrm), ROW('u', scorc),
#undef ROW
};

static const struct control edit_table[] = {
	{ '?', 0, 'J', decsed }, { '?', 0, 'K', decsel }, { '?', 0, 'W', decst8c },
	{ 0, ' ', '@', sl }, { 0, ' ', 'A', sr }, { 0, ' ', 'q', decscusr },
	{ 0, '!', 'p', decstr }, { 0, '"', 'p', decscl }, { 0, '"', 'q', decsca },
	{ 0, '\'', '}', decic }, { 0, '\'', '~', decdc },
};

static bool run_from(struct screen *s, const struct control *rows, unsigned n, const struct parser *p, uint8_t final)
{
	const uint8_t intermediate = parse_intermediate(p);

	for (unsigned i = 0; i < n; i++) {
		const struct control *c = &rows[i];

		if ((uint8_t)c->final == final && (uint8_t)c->marker == p->marker && (uint8_t)c->intermediate == intermediate) {
			c->run(s, p);
			return true;
		}
	}
	return false;
}

bool edit_csi(struct screen *s, const struct parser *p, uint8_t final)
{
	if (p->marker == 0 && p->intermediate_count == 0 && plain_table[final - 0x40] != NULL) {
		plain_table[final - 0x40](s, p);
		return true;
	}
	return run_from(s, edit_table, array_len(edit_table), p, final) ||
	       run_from(s, mode_control_table, mode_control_table_count, p, final) ||
	       run_from(s, report_table, report_table_count, p, final) ||
	       run_from(s, rectangle_table, rectangle_table_count, p, final);
}
