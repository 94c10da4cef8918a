#include "term/svg.h"

/*
 * In tenths of a pixel, so that numbers are exact in every locale. A character is six tenths of its font's size wide.
 */
enum { CELL_W = 84, CELL_H = 170, BASELINE = 130, FONT = 14, MARGIN = 100 };
enum { FOREGROUND = 0xD0D0D0, BACKGROUND = 0x181818 };

/* xterm's, as most terminals have them or nearly so. */
static const uint32_t basic[16] = {
	0x000000, 0xCD0000, 0x00CD00, 0xCDCD00, 0x3465E0, 0xCD00CD, 0x00CDCD, 0xE5E5E5,
	0x7F7F7F, 0xFF0000, 0x00FF00, 0xFFFF00, 0x5C5CFF, 0xFF00FF, 0x00FFFF, 0xFFFFFF,
};

static uint32_t palette(unsigned index)
{
	static const uint32_t levels[6] = { 0, 95, 135, 175, 215, 255 };

	if (index < 16)
		return basic[index];
	if (index >= 232)
		return (8 + 10 * (index - 232)) * 0x010101;
	index -= 16;
	return levels[index / 36] << 16 | levels[index / 6 % 6] << 8 | levels[index % 6];
}

static uint32_t rgb(uint32_t colour, uint32_t plain)
{
	if (colour & COLOUR_RGB)
		return colour & COLOUR_VALUE;
	return colour & COLOUR_INDEXED ? palette(colour & 255) : plain;
}

/* How a cell looks: cells that look the same are drawn together. */
struct look { uint32_t ink, paper, line; unsigned attributes, underline; const char *link; };

static struct look look_of(const struct screen *s, const struct screen_cell *c)
{
	struct look l = { rgb(c->foreground, FOREGROUND), rgb(c->background, BACKGROUND), 0, c->attributes, c->underline,
	                  c->link };

	if (((c->attributes & SCREEN_INVERSE) != 0) != (screen_mode(s, 5) == 1)) {        /* DECSCNM: the whole screen */
		const uint32_t ink = l.ink;

		l.ink = l.paper;
		l.paper = ink;
	}
	l.line = rgb(c->underline_colour, l.ink);
	l.attributes &= (unsigned)~(SCREEN_INVERSE | SCREEN_BLINK | SCREEN_PROTECTED);
	return l;
}

static bool is_same_link(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && str_eq(a, b));
}

static bool is_same(const struct look *a, const struct look *b)
{
	return a->ink == b->ink && a->paper == b->paper && a->line == b->line && a->attributes == b->attributes &&
	       a->underline == b->underline && is_same_link(a->link, b->link);
}

static void add_tenths(struct str *out, unsigned n)
{
	str_addf(out, n % 10 ? "%u.%u" : "%u", n / 10, n % 10);
}

static void add_attribute(struct str *out, const char *name, unsigned tenths)
{
	str_addf(out, " %s=\"", name);
	add_tenths(out, tenths);
	str_addc(out, '"');
}

/* XML cannot hold controls, nor U+FFFE and U+FFFF, not even as numbers. */
static void add_escaped(struct str *out, const char *text, size_t n)
{
	for (const char *end = text + n; text < end; text++)
		if (str_starts(text, "\xEF\xBF\xBE") || str_starts(text, "\xEF\xBF\xBF")) {
			str_adds(out, "\xEF\xBF\xBD");
			text += 2;
		} else switch (*text) {
		case '&': str_adds(out, "&amp;"); break;
		case '<': str_adds(out, "&lt;"); break;
		case '>': str_adds(out, "&gt;"); break;
		case '"': str_adds(out, "&quot;"); break;
		default: str_addc(out, (uint8_t)*text < 0x20 ? ' ' : *text);
		}
}

static void add_box(struct str *out, unsigned x, unsigned y, unsigned w, unsigned h, uint32_t colour, const char *more)
{
	str_adds(out, "<rect");
	add_attribute(out, "x", x);
	add_attribute(out, "y", y);
	add_attribute(out, "width", w);
	add_attribute(out, "height", h);
	str_addf(out, " fill=\"#%06x\"%s/>\n", colour, more);
}

/* A line across cells; @style is an underline's. */
static void add_line(struct str *out, unsigned x, unsigned y, unsigned w, uint32_t colour, unsigned style)
{
	str_adds(out, "<path d=\"M");
	add_tenths(out, x);
	str_addc(out, ' ');
	add_tenths(out, y);
	if (style == UNDERLINE_CURLY)
		for (unsigned at = 0; at + CELL_W <= w; at += CELL_W)
			str_adds(out, "q2.1 -3 4.2 0t4.2 0");
	else
		{ str_addc(out, 'h'); add_tenths(out, w); }
	str_addf(out, "\" stroke=\"#%06x\" fill=\"none\"%s/>\n", colour,
	         style == UNDERLINE_DOTTED ? " stroke-dasharray=\"1 2\"" :
	         style == UNDERLINE_DASHED ? " stroke-dasharray=\"5 3\"" : "");
}

/* Cells of a row that look the same, @cols from @col on, and their text. */
struct run { unsigned row, col, cols; struct look look; struct str text; };

static void add_lines(const struct run *r, unsigned x, unsigned y, unsigned w, struct str *out)
{
	if (r->look.underline == UNDERLINE_DOUBLE)
		add_line(out, x, y + BASELINE + 15, w, r->look.line, UNDERLINE_SINGLE);
	if (r->look.underline != UNDERLINE_NONE)
		add_line(out, x, y + BASELINE + (r->look.underline == UNDERLINE_DOUBLE ? 35 : 25), w, r->look.line,
		         r->look.underline);
	if (r->look.attributes & SCREEN_STRIKE)
		add_line(out, x, y + BASELINE - 45, w, r->look.ink, UNDERLINE_SINGLE);
	if (r->look.attributes & SCREEN_OVERLINE)
		add_line(out, x, y + 5, w, r->look.ink, UNDERLINE_SINGLE);
}

/* A link is only what cannot run anything in whoever looks at the picture. */
static bool is_harmless(const char *link)
{
	static const char *const schemes[] = { "http://", "https://", "ftp://", "mailto:" };

	for (size_t i = 0; link != NULL && i < array_len(schemes); i++)
		if (str_starts(link, schemes[i]) && link[strcspn(link, "\x7f")] == '\0')
			return true;
	return false;
}

static void add_text(const struct run *r, unsigned x, unsigned y, unsigned w, struct str *out)
{
	const unsigned a = r->look.attributes;
	size_t len = r->text.len;

	for (; len > 0 && r->text.buf[len - 1] == ' '; len--)    /* behind plain characters only, of one column each */
		w -= CELL_W;
	if ((a & SCREEN_HIDDEN) || len == 0)
		return;
	str_adds(out, "<text");
	add_attribute(out, "x", x);
	add_attribute(out, "y", y + BASELINE);
	add_attribute(out, "textLength", w);
	str_addf(out, " fill=\"#%06x\"%s%s%s>", r->look.ink, a & SCREEN_BOLD ? " font-weight=\"bold\"" : "",
	         a & SCREEN_ITALIC ? " font-style=\"italic\"" : "", a & SCREEN_FAINT ? " fill-opacity=\"0.5\"" : "");
	add_escaped(out, r->text.buf, len);
	str_adds(out, "</text>\n");
}

static void add_run(const struct run *r, struct str *out)
{
	const unsigned x = MARGIN + r->col * CELL_W, y = MARGIN + r->row * CELL_H, w = r->cols * CELL_W;
	const bool has_link = is_harmless(r->look.link);

	if (r->look.paper != BACKGROUND)
		add_box(out, x, y, w, CELL_H, r->look.paper, " shape-rendering=\"crispEdges\"");
	if (has_link) {
		str_adds(out, "<a href=\"");
		add_escaped(out, r->look.link, strlen(r->look.link));
		str_adds(out, "\">");
	}
	add_text(r, x, y, w, out);
	add_lines(r, x, y, w, out);
	if (has_link)
		str_adds(out, "</a>\n");
}

/* What is not one plain column a character stands alone, so that it begins where it should in any font. */
static bool stands_alone(const struct screen_cell *c)
{
	return c->columns != 1 || (uint8_t)c->text[0] >= 0x80;
}

static void add_row(const struct screen *s, unsigned row, struct str *out)
{
	struct run r = { .row = row, .text = STR_INIT };
	bool is_alone = false;

	for (unsigned col = 0; col < screen_cols(s); col++) {
		struct screen_cell c;
		struct look l;

		screen_get_cell(s, row, col, &c);
		l = look_of(s, &c);
		if (c.columns == 0 && r.cols > 0) {              /* the second half of a wide one */
			r.cols++;
			continue;
		}
		if (r.cols > 0 && (is_alone || stands_alone(&c) || !is_same(&l, &r.look))) {
			add_run(&r, out);
			str_clear(&r.text);
			r.cols = 0;
		}
		if (r.cols++ == 0) {
			r.col = col;
			r.look = l;
		}
		is_alone = stands_alone(&c);
		str_adds(&r.text, c.text[0] ? c.text : " ");
	}
	add_run(&r, out);
	str_release(&r.text);
}

static void add_cursor(const struct screen *s, struct str *out)
{
	const struct screen_cursor c = screen_cursor(s);
	const unsigned x = MARGIN + c.col * CELL_W, y = MARGIN + c.row * CELL_H;

	if (!c.is_visible)
		return;
	if (c.style == 3 || c.style == 4)
		add_box(out, x, y + CELL_H - 20, CELL_W, 20, FOREGROUND, " class=\"cursor\"");
	else if (c.style >= 5)
		add_box(out, x, y, 15, CELL_H, FOREGROUND, " class=\"cursor\"");
	else
		add_box(out, x, y, CELL_W, CELL_H, FOREGROUND, " fill-opacity=\"0.6\" class=\"cursor\"");
}

void svg_add(const struct screen *s, const char *title, struct str *out)
{
	const unsigned w = screen_cols(s) * CELL_W + 2 * MARGIN, h = screen_rows(s) * CELL_H + 2 * MARGIN;

	str_adds(out, "<svg xmlns=\"http://www.w3.org/2000/svg\"");
	add_attribute(out, "width", w);
	add_attribute(out, "height", h);
	str_addf(out, " font-family=\"ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace\""
	         " font-size=\"%d\">\n", FONT);
	if (title != NULL && title[0] != '\0') {
		str_adds(out, "<title>");
		add_escaped(out, title, strlen(title));
		str_adds(out, "</title>\n");
	}
	str_adds(out, "<style>text { white-space: pre }</style>\n");
	str_addf(out, "<rect width=\"100%%\" height=\"100%%\" rx=\"6\" fill=\"#%06x\"/>\n", BACKGROUND);
	for (unsigned row = 0; row < screen_rows(s); row++)
		add_row(s, row, out);
	add_cursor(s, out);
	str_adds(out, "</svg>\n");
}
