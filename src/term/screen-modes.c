/*
 * Modes: one row each. What a change does besides is in on_change. Source of fact: ctlseqs, DECSET.
 */
#include "term/screen-state.h"

/* Where several rows would set one mode, render takes the last number. */
const struct mode_row mode_table[] = {
	{ 2, false, false, MODE_KEYBOARD_LOCKED }, { 4, false, false, MODE_INSERT }, { 12, false, true, MODE_NO_ECHO },
	{ 20, false, false, MODE_NEWLINE },
	{ 1, true, false, MODE_CURSOR_KEYS }, { 2, true, true, MODE_VT100 }, { 3, true, false, MODE_COLUMNS },
	{ 4, true, false, MODE_SMOOTH }, { 5, true, false, MODE_REVERSE }, { 6, true, false, MODE_ORIGIN },
	{ 7, true, true, MODE_AUTOWRAP }, { 8, true, true, MODE_REPEAT }, { 9, true, false, MODE_MOUSE_X10 },
	{ 12, true, false, MODE_BLINK }, { 25, true, true, MODE_CURSOR }, { 40, true, false, MODE_ALLOW_COLUMNS },
	{ 42, true, false, MODE_NATIONAL }, { 45, true, false, MODE_REVERSE_WRAP }, { 66, true, false, MODE_KEYPAD },
	{ 67, true, false, MODE_BACKSPACE }, { 69, true, false, MODE_MARGINS }, { 95, true, false, MODE_KEEP_COLUMNS },
	{ 1000, true, false, MODE_MOUSE_NORMAL }, { 1001, true, false, MODE_MOUSE_HIGHLIGHT },
	{ 1002, true, false, MODE_MOUSE_BUTTON }, { 1003, true, false, MODE_MOUSE_ANY }, { 1004, true, false, MODE_FOCUS },
	{ 1005, true, false, MODE_MOUSE_UTF8 }, { 1006, true, false, MODE_MOUSE_SGR },
	{ 1007, true, false, MODE_ALTERNATE_SCROLL }, { 1015, true, false, MODE_MOUSE_URXVT },
	{ 1016, true, false, MODE_MOUSE_PIXELS }, { 1034, true, false, MODE_META_EIGHT }, { 1035, true, true, MODE_NUMLOCK },
	{ 1036, true, true, MODE_META_ESCAPE }, { 1039, true, false, MODE_ALT_ESCAPE }, { 1042, true, false, MODE_URGENT },
	{ 1043, true, false, MODE_POP }, { 2004, true, false, MODE_PASTE }, { 2026, true, false, MODE_SYNCHRONIZED },
	{ 2027, true, false, MODE_GRAPHEMES }, { 2031, true, false, MODE_SCHEME }, { 2048, true, false, MODE_RESIZE_REPORTS },
};
const unsigned mode_table_count = array_len(mode_table);

#define BIT(m) (UINT64_C(1) << (m))
static const uint64_t mouse_protocols = BIT(MODE_MOUSE_X10) | BIT(MODE_MOUSE_NORMAL) | BIT(MODE_MOUSE_HIGHLIGHT) |
                                        BIT(MODE_MOUSE_BUTTON) | BIT(MODE_MOUSE_ANY);
static const uint64_t mouse_encodings = BIT(MODE_MOUSE_UTF8) | BIT(MODE_MOUSE_SGR) | BIT(MODE_MOUSE_URXVT) |
                                        BIT(MODE_MOUSE_PIXELS);

uint64_t modes_default(void)
{
	uint64_t modes = 0;

	for (unsigned i = 0; i < mode_table_count; i++)
		if (mode_table[i].is_default)
			modes |= BIT(mode_table[i].mode);
	return modes;
}

static const struct mode_row *find(unsigned number, bool is_private)
{
	for (unsigned i = 0; i < mode_table_count; i++)
		if (mode_table[i].number == number && mode_table[i].is_private == is_private)
			return &mode_table[i];
	return NULL;
}

int screen_mode(const struct screen *s, unsigned number)
{
	const struct mode_row *row = find(number, true);

	if (number == 47 || number == 1047 || number == 1049)
		return screen_is_alternate(s);
	if (number == 1048)
		return s->buffer->saved.is_set;
	return row ? mode_is_set(s, row->mode) : -1;
}

bool screen_ansi_mode(const struct screen *s, unsigned number)
{
	const struct mode_row *row = find(number, false);

	return row && mode_is_set(s, row->mode);
}

void buffer_switch(struct screen *s, bool to_alternate)
{
	if (to_alternate == screen_is_alternate(s))
		return;
	if (to_alternate && s->alternate.rows == NULL)
		buffer_init(s, &s->alternate);
	s->buffer = to_alternate ? &s->alternate : &s->main;
	cursor_settle(s);
}

/* DECCOLM: the size belongs to who looks on, so only the rest of it is done: erase, no margins, home. */
static void change_columns(struct screen *s, bool on)
{
	if (!mode_is_set(s, MODE_ALLOW_COLUMNS))
		return;
	mode_put(s, MODE_COLUMNS, on);
	mode_put(s, MODE_MARGINS, false);
	margins_reset(s);
	if (!mode_is_set(s, MODE_KEEP_COLUMNS))
		erase_screen(s);
	cursor_to(s, 0, 0);
}

/* 47, 1047, 1048, 1049. */
static bool change_buffer(struct screen *s, unsigned number, bool on)
{
	switch (number) {
	case 47:
		buffer_switch(s, on);
		return true;
	case 1047:
		buffer_switch(s, on);
		if (!on)
			buffer_release(&s->alternate);
		return true;
	case 1048:
		(on ? cursor_save : cursor_restore)(s);
		return true;
	case 1049:
		if (on)
			cursor_save(s);
		buffer_switch(s, on);
		if (on) {
			erase_screen(s);
		} else {
			buffer_release(&s->alternate);       /* the next to come finds it erased in any case */
			cursor_restore(s);
		}
		return true;
	}
	return false;
}

void report_size(struct screen *s)
{
	reply_f(s, "\033[48;%u;%u;%u;%ut", s->row_count, s->col_count, s->row_count * s->cell_height,
	        s->col_count * s->cell_width);
	s->has_answered = false;                  /* the mode itself must reach everybody */
}

static void change_mode(struct screen *s, enum mode m, bool on)
{
	if (BIT(m) & mouse_protocols)
		s->modes &= ~mouse_protocols;
	if (BIT(m) & mouse_encodings)
		s->modes &= ~mouse_encodings;
	mode_put(s, m, on);
	switch (m) {
	case MODE_ORIGIN: screen_home(s); break;
	case MODE_MARGINS:
		if (!on) {
			s->left = 0;
			s->right = s->col_count - 1;
		}
		for (unsigned r = 0; r < s->row_count && on; r++) {      /* on both screens: else one could not be shown again */
			s->main.rows[r].size = ROW_SINGLE;
			if (s->alternate.rows != NULL)
				s->alternate.rows[r].size = ROW_SINGLE;
		}
		cursor_settle(s);
		break;
	case MODE_RESIZE_REPORTS:
		if (on)
			report_size(s);
		break;
	default: break;
	}
}

static void set_private(struct screen *s, unsigned number, bool on)
{
	const struct mode_row *row = find(number, true);

	if (number == 3)
		change_columns(s, on);
	else if (!change_buffer(s, number, on) && row != NULL)
		change_mode(s, row->mode, on);
}

static void set_modes(struct screen *s, const struct parser *p, bool on)
{
	for (unsigned i = 0; i < p->count; i++) {
		const int number = parse_param(p, i, 0);
		const struct mode_row *row;

		if (p->marker == '?') {
			set_private(s, (unsigned)number, on);
		} else {
			row = find((unsigned)number, false);
			if (row)
				change_mode(s, row->mode, on);
		}
	}
}

static void sm(struct screen *s, const struct parser *p) { set_modes(s, p, true); }
static void rm(struct screen *s, const struct parser *p) { set_modes(s, p, false); }

static void xtsave(struct screen *s, const struct parser *p)
{
	for (unsigned i = 0; i < p->count; i++) {
		const struct mode_row *row = find((unsigned)parse_param(p, i, 0), true);

		if (row)
			s->saved_modes = (s->saved_modes & ~BIT(row->mode)) | (s->modes & BIT(row->mode));
	}
}

static void xtrestore(struct screen *s, const struct parser *p)
{
	for (unsigned i = 0; i < p->count; i++) {
		const struct mode_row *row = find((unsigned)parse_param(p, i, 0), true);

		if (row && (s->saved_modes ^ s->modes) & BIT(row->mode))
			set_private(s, row->number, s->saved_modes >> row->mode & 1);
	}
}

static void decrqm(struct screen *s, const struct parser *p)
{
	const unsigned number = (unsigned)parse_param(p, 0, 0);
	const struct mode_row *row = find(number, false);
	const bool is_private = p->marker == '?';
	const int set = is_private ? screen_mode(s, number) : row ? mode_is_set(s, row->mode) : -1;

	reply_f(s, "\033[%s%u;%d$y", is_private ? "?" : "", number, set < 0 ? 0 : set ? 1 : 2);
}

/* --- the kitty keyboard protocol (sw.kovidgoyal.net/kitty/keyboard-protocol) and XTMODKEYS --- */

enum { KITTY_FLAGS = 31 };

unsigned key_flags(const struct screen *s)
{
	return s->buffer->kitty_count > 0 ? s->buffer->kitty[s->buffer->kitty_count - 1] : 0;
}

static void kitty_push(struct screen *s, const struct parser *p)
{
	struct buffer *b = s->buffer;

	if (b->kitty_count == 0) {                /* what holds without a push is below the first one */
		b->kitty[b->kitty_count++] = 0;
	} else if (b->kitty_count >= KITTY_MAX) {
		memmove(b->kitty, b->kitty + 1, KITTY_MAX - 1);
		b->kitty_count = KITTY_MAX - 1;
	}
	b->kitty[b->kitty_count++] = (uint8_t)(parse_param(p, 0, 0) & KITTY_FLAGS);
}

static void kitty_pop(struct screen *s, const struct parser *p)
{
	s->buffer->kitty_count = (uint8_t)(s->buffer->kitty_count - min_u(count_param(p, 0), s->buffer->kitty_count));
}

static void kitty_set(struct screen *s, const struct parser *p)
{
	struct buffer *b = s->buffer;
	const unsigned flags = (unsigned)parse_param(p, 0, 0) & KITTY_FLAGS, now = key_flags(s);
	const int how = parse_param(p, 1, 1);

	if (b->kitty_count == 0)
		b->kitty[b->kitty_count++] = 0;
	b->kitty[b->kitty_count - 1] = (uint8_t)(how == 1 ? flags : how == 2 ? now | flags : how == 3 ? now & ~flags : now);
}

static void kitty_query(struct screen *s, const struct parser *p) { reply_f(s, "\033[?%uu", key_flags(s)); }

/* -1: as the terminal likes it. */
static void set_resource(struct screen *s, unsigned resource, int value)
{
	if (resource < KEY_RESOURCES)
		s->key_resources[resource] = (int8_t)(value > 9 ? 9 : value);
}

static void xtmodkeys(struct screen *s, const struct parser *p)
{
	const int resource = parse_param(p, 0, -1);

	if (resource < 0)
		memset(s->key_resources, -1, sizeof(s->key_resources));
	else
		set_resource(s, (unsigned)resource, parse_param(p, 1, -1));
}

static void xtmodkeys_off(struct screen *s, const struct parser *p)
{
	set_resource(s, (unsigned)parse_param(p, 0, 2), 0);
}

static void xtqmodkeys(struct screen *s, const struct parser *p)
{
	const int resource = parse_param(p, 0, 0);

	if (resource < KEY_RESOURCES)
		reply_f(s, "\033[>%d;%dm", resource, s->key_resources[resource] < 0 ? (resource == 1 || resource == 2) * 2 :
		        s->key_resources[resource]);
}

const struct control mode_control_table[] = {
	{ 0, 0, 'h', sm }, { 0, 0, 'l', rm }, { '?', 0, 'h', sm }, { '?', 0, 'l', rm },
	{ '?', 0, 's', xtsave }, { '?', 0, 'r', xtrestore }, { 0, '$', 'p', decrqm }, { '?', '$', 'p', decrqm },
	{ '>', 0, 'u', kitty_push }, { '<', 0, 'u', kitty_pop }, { '=', 0, 'u', kitty_set }, { '?', 0, 'u', kitty_query },
	{ '>', 0, 'm', xtmodkeys }, { '>', 0, 'n', xtmodkeys_off }, { '?', 0, 'm', xtqmodkeys },
};
const unsigned mode_control_table_count = array_len(mode_control_table);
