/*
 * Questions and their answers. Source of fact: ctlseqs; for DECCIR and DECTABSR the VT420 programmer reference.
 */
#include "term/screen-state.h"

#include <ctype.h>

#ifndef PTERM_VERSION
#define PTERM_VERSION "0"
#endif

void reply_f(struct screen *s, const char *fmt, ...)
{
	_str_ out = STR_INIT;
	va_list ap;

	va_start(ap, fmt);
	str_addfv(&out, fmt, ap);
	va_end(ap);
	s->has_answered = true;
	if (s->ops->reply && out.len > 0)
		s->ops->reply(s->data, out.buf, out.len);
}

/* A VT420 with selective erase, windows that scroll sideways, colours, rectangles, and a clipboard to write to. */
void report_attributes(struct screen *s)
{
	reply_f(s, "\033[?64;6;21;22;28;52c");
}

static void da1(struct screen *s, const struct parser *p)
{
	if (parse_param(p, 0, 0) == 0)
		report_attributes(s);
}

/* A VT420; programs take the second number for a version of xterm and decide by it what they may use. */
static void da2(struct screen *s, const struct parser *p)
{
	if (parse_param(p, 0, 0) == 0)
		reply_f(s, "\033[>41;380;0c");
}

static void da3(struct screen *s, const struct parser *p)
{
	if (parse_param(p, 0, 0) == 0)
		reply_f(s, "\033P!|00000000\033\\");
}

static void cursor_position(struct screen *s, const char *mark, const char *page)
{
	const bool is_origin = mode_is_set(s, MODE_ORIGIN);
	const unsigned row = s->cursor.row - (is_origin ? min_u(s->top, s->cursor.row) : 0u);
	const unsigned col = s->cursor.col - (is_origin ? min_u(s->left, s->cursor.col) : 0u);

	reply_f(s, "\033[%s%u;%u%sR", mark, row + 1, col + 1, page);
}

static void dsr(struct screen *s, const struct parser *p)
{
	switch (parse_param(p, 0, 0)) {
	case 5: reply_f(s, "\033[0n"); break;
	case 6: cursor_position(s, "", ""); break;
	}
}

/* By the luminance of the background, as ITU-R BT.709 weighs it. */
static bool is_dark(const struct screen *s)
{
	const uint32_t c = colour_of(s, SCREEN_COLOUR_BACKGROUND);

	return (c >> 16) * 2126 + (c >> 8 & 255) * 7152 + (c & 255) * 722 < 128 * 10000;
}

static void decdsr(struct screen *s, const struct parser *p)
{
	switch (parse_param(p, 0, 0)) {
	case 6: cursor_position(s, "?", ";1"); break;
	case 15: reply_f(s, "\033[?13n"); break;          /* no printer */
	case 25: reply_f(s, "\033[?21n"); break;          /* user defined keys are locked: there are none */
	case 26: reply_f(s, "\033[?27;1;0;0n"); break;    /* a North American keyboard, ready */
	case 53: case 55: reply_f(s, "\033[?53n"); break; /* no locator */
	case 56: reply_f(s, "\033[?57;0n"); break;
	case 62: reply_f(s, "\033[0*{"); break;           /* no space for macros */
	case 63: reply_f(s, "\033P%d!~0000\033\\", parse_param(p, 1, 0)); break;
	case 75: reply_f(s, "\033[?70n"); break;          /* ready, no errors */
	case 85: reply_f(s, "\033[?83n"); break;          /* not configured for several sessions */
	case 996: reply_f(s, "\033[?997;%dn", is_dark(s) ? 1 : 2); break;
	}
}

static void decreqtparm(struct screen *s, const struct parser *p)
{
	const int what = parse_param(p, 0, 0);

	if (what <= 1)
		reply_f(s, "\033[%d;1;1;128;128;1;0x", what + 2);
}

static void xtversion(struct screen *s, const struct parser *p)
{
	if (parse_param(p, 0, 0) == 0)
		reply_f(s, "\033P>|pterm(%s)\033\\", PTERM_VERSION);
}

static void xtsmgraphics(struct screen *s, const struct parser *p)
{
	reply_f(s, "\033[?%d;3;0S", parse_param(p, 0, 0));       /* it has no graphics of its own */
}

static void decrqde(struct screen *s, const struct parser *p)
{
	reply_f(s, "\033[%u;%u;1;1;1\"w", s->row_count, s->col_count);
}

static void decrqupss(struct screen *s, const struct parser *p) { reply_f(s, "\033P0!u%%5\033\\"); }

/* --- windows --- */

static void push_titles(struct screen *s, int what)
{
	if (s->title_count == TITLES_MAX) {       /* the oldest goes */
		free(s->titles[0]);
		free(s->icons[0]);
		memmove(s->titles, s->titles + 1, (TITLES_MAX - 1) * sizeof(*s->titles));
		memmove(s->icons, s->icons + 1, (TITLES_MAX - 1) * sizeof(*s->icons));
		s->title_count--;
	}
	s->titles[s->title_count] = what != 1 ? xstrdup(screen_title(s)) : NULL;
	s->icons[s->title_count] = what != 2 ? xstrdup(s->icon ? s->icon : "") : NULL;
	s->title_count++;
}

static void pop_titles(struct screen *s, int what)
{
	_free_ char *title = NULL, *icon = NULL;

	if (s->title_count == 0)
		return;
	s->title_count--;
	title = s->titles[s->title_count];
	icon = s->icons[s->title_count];
	if (what != 1 && title)
		title_set(s, false, title);
	if (what != 2 && icon)
		title_set(s, true, icon);
}

static void xtwinops(struct screen *s, const struct parser *p)
{
	const unsigned rows = s->row_count, cols = s->col_count;
	const int what = parse_param(p, 1, 0);

	switch (parse_param(p, 0, 0)) {
	case 11: reply_f(s, "\033[1t"); break;
	case 13: reply_f(s, "\033[3;0;0t"); break;
	case 14: reply_f(s, "\033[4;%u;%ut", rows * s->cell_height, cols * s->cell_width); break;
	case 15: reply_f(s, "\033[5;%u;%ut", rows * s->cell_height, cols * s->cell_width); break;
	case 16: reply_f(s, "\033[6;%u;%ut", s->cell_height, s->cell_width); break;
	case 18: reply_f(s, "\033[8;%u;%ut", rows, cols); break;
	case 19: reply_f(s, "\033[9;%u;%ut", rows, cols); break;
	case 20: reply_f(s, "\033]L\033\\"); break;       /* what somebody put into a title shall not be typed into a shell */
	case 21: reply_f(s, "\033]l\033\\"); break;
	case 22:
		if (what <= 2)
			push_titles(s, what);
		break;
	case 23:
		if (what <= 2)
			pop_titles(s, what);
		break;
	}
}

/* --- DECRQPSR --- */

static void report_cursor(struct screen *s)
{
	const struct cursor *c = &s->cursor;
	const unsigned a = c->pen.attributes;
	const struct charsets *cs = &c->charsets;
	_str_ sets = STR_INIT;
	unsigned sizes = 0;
	bool is_96;

	for (unsigned g = 0; g < 4; g++) {
		str_adds(&sets, charset_designator(cs->g[g], &is_96));
		sizes |= (unsigned)is_96 << g;
	}
	reply_f(s, "\033P1$u%u;%u;1;%c;%c;%c;%u;%u;%c;%s\033\\", c->row + 1, c->col + 1,
	        (int)(0x40 | (a & SCREEN_BOLD ? 1 : 0) | (c->pen.underline ? 2 : 0) | (a & SCREEN_BLINK ? 4 : 0) |
	              (a & SCREEN_INVERSE ? 8 : 0)),
	        a & SCREEN_PROTECTED ? 'A' : '@',
	        (int)(0x40 | (mode_is_set(s, MODE_ORIGIN) ? 1 : 0) | (cs->shift == 2 ? 2 : 0) | (cs->shift == 3 ? 4 : 0) |
	              (c->wraps_next ? 8 : 0)),
	        cs->gl, cs->gr, (int)(0x40 | sizes), sets.buf);
}

static void report_tabs(struct screen *s)
{
	_str_ stops = STR_INIT;

	for (unsigned c = 0; c < s->col_count; c++)
		if (s->tabs[c])
			str_addf(&stops, "%s%u", stops.len ? "/" : "", c + 1);
	reply_f(s, "\033P2$u%s\033\\", stops.buf);
}

static void decrqpsr(struct screen *s, const struct parser *p)
{
	switch (parse_param(p, 0, 0)) {
	case 1: report_cursor(s); break;
	case 2: report_tabs(s); break;
	}
}

/* --- SGR kept on a stack --- */

static void xtpushsgr(struct screen *s, const struct parser *p)
{
	if (s->sgr_count < SGR_STACK_MAX)
		s->sgr_stack[s->sgr_count++] = s->cursor.pen;
}

static void xtpopsgr(struct screen *s, const struct parser *p)
{
	const struct style now = s->cursor.pen;

	if (s->sgr_count == 0)
		return;
	s->cursor.pen = s->sgr_stack[--s->sgr_count];
	s->cursor.pen.link = now.link;            /* neither is SGR */
	s->cursor.pen.attributes = (uint16_t)((s->cursor.pen.attributes & ~SCREEN_PROTECTED) | (now.attributes & SCREEN_PROTECTED));
	pen_changed(s);
}

const struct control report_table[] = {
	{ 0, 0, 'c', da1 }, { '>', 0, 'c', da2 }, { '=', 0, 'c', da3 }, { 0, 0, 'n', dsr }, { '?', 0, 'n', decdsr },
	{ 0, 0, 't', xtwinops }, { 0, 0, 'x', decreqtparm }, { '>', 0, 'q', xtversion }, { '?', 0, 'S', xtsmgraphics },
	{ 0, '"', 'v', decrqde }, { 0, '$', 'w', decrqpsr }, { 0, '&', 'u', decrqupss },
	{ 0, '#', '{', xtpushsgr }, { 0, '#', 'p', xtpushsgr }, { 0, '#', '}', xtpopsgr }, { 0, '#', 'q', xtpopsgr },
};
const unsigned report_table_count = array_len(report_table);

/* --- device control strings: DECRQSS, XTGETTCAP, DECRSTS of tab stops --- */

static void decrqss(struct screen *s, const char *what)
{
	_str_ out = STR_INIT;
	const unsigned style = s->cursor_style;

	if (str_eq(what, "m"))
		style_add_sgr(&s->cursor.pen, &out);
	else if (str_eq(what, "r"))
		str_addf(&out, "%u;%u", s->top + 1, s->bottom + 1);
	else if (str_eq(what, "s"))
		str_addf(&out, "%u;%u", s->left + 1, s->right + 1);
	else if (str_eq(what, " q"))
		str_addf(&out, "%u", style);
	else if (str_eq(what, "\"q"))
		str_addf(&out, "%d", s->cursor.pen.attributes & SCREEN_PROTECTED ? 1 : 0);
	else if (str_eq(what, "\"p"))
		str_addf(&out, "%u;1", s->level);
	else if (str_eq(what, "t") || str_eq(what, "*|"))
		str_addf(&out, "%u", s->row_count);
	else if (str_eq(what, "$|"))
		str_addf(&out, "%u", s->col_count);
	else if (str_eq(what, "*x"))
		str_addf(&out, "%u", s->attribute_extent);
	else {
		reply_f(s, "\033P0$r\033\\");
		return;
	}
	reply_f(s, "\033P1$r%s%s\033\\", out.buf, what);
}

static void add_hex(struct str *out, const char *z)
{
	for (; *z; z++)
		str_addf(out, "%02X", (unsigned char)*z);
}

static bool unhex(const char *hex, size_t n, char *out, size_t size)
{
	if (n == 0 || n % 2 != 0 || n / 2 >= size)
		return false;
	for (size_t i = 0; i < n; i += 2) {
		const char digits[3] = { hex[i], hex[i + 1], '\0' };

		if (!isxdigit((unsigned char)digits[0]) || !isxdigit((unsigned char)digits[1]))
			return false;
		out[i / 2] = (char)strtoul(digits, NULL, 16);
	}
	out[n / 2] = '\0';
	return strlen(out) == n / 2;
}

static void answer_capability(struct screen *s, const char *hex, size_t n)
{
	static const struct { const char *name, *value; } table[] = {
		{ "TN", "xterm-256color" }, { "name", "xterm-256color" }, { "Co", "256" }, { "colors", "256" },
		{ "RGB", "8/8/8" }, { "Smulx", "\033[4:%p1%dm" }, { "Ss", "\033[%p1%d q" }, { "Se", "\033[2 q" },
		{ "Ms", "\033]52;%p1%s;%p2%s\007" }, { "Sync", "\033[?2026%?%p1%{1}%-%tl%eh%;" },
	};
	char name[32];
	_str_ value = STR_INIT;

	if (unhex(hex, n, name, sizeof(name)))
		for (size_t i = 0; i < array_len(table); i++)
			if (str_eq(name, table[i].name))
				add_hex(&value, table[i].value);
	reply_f(s, "\033P%d+r%.*s%s%s\033\\", value.len > 0, (int)n, hex, value.len ? "=" : "", value.buf);
}

static void xtgettcap(struct screen *s, const char *list)
{
	for (;;) {
		const size_t n = strcspn(list, ";");

		if (strspn(list, "0123456789abcdefABCDEF") < n) {
			reply_f(s, "\033P0+r\033\\");
			return;
		}
		answer_capability(s, list, n);
		if (list[n] == '\0')
			return;
		list += n + 1;
	}
}

/* DECRSPS 2: what DECTABSR reported. */
static void restore_tabs(struct screen *s, const char *list)
{
	memset(s->tabs, 0, s->col_count);
	for (;;) {
		char *end;
		const unsigned long col = strtoul(list, &end, 10);

		if (end != list && col >= 1 && col <= s->col_count)
			s->tabs[col - 1] = 1;
		if (*end != '/')
			return;
		list = end + 1;
	}
}

bool dcs_is_wanted(const struct parser *p, uint8_t final)
{
	const uint8_t i = parse_intermediate(p);

	return p->marker == 0 && ((final == 'q' && (i == '$' || i == '+')) || (final == 't' && i == '$'));
}

void dcs_run(struct screen *s, const struct parser *p)
{
	if (p->final == 't') {
		if (parse_param(p, 0, 0) == 2)
			restore_tabs(s, p->string.buf);
	} else if (parse_intermediate(p) == '$') {
		decrqss(s, p->string.buf);
	} else {
		xtgettcap(s, p->string.buf);
	}
}
