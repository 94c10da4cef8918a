/*
 * SGR: what the next characters look like. Colours with semicolons or colons, underlines with styles (4:3).
 */
#include "term/screen-state.h"

static bool is_sub(const struct parser *p, unsigned i)
{
	return i < p->count && p->subs >> i & 1;
}

static bool is_byte(int v) { return v >= 0 && v <= 255; }

static void put_indexed(uint32_t *colour, int index)
{
	if (is_byte(index))
		*colour = COLOUR_INDEXED | (uint32_t)index;
}

static void put_rgb(uint32_t *colour, int r, int g, int b)
{
	if (is_byte(r) && is_byte(g) && is_byte(b))
		*colour = COLOUR_RGB | (uint32_t)r << 16 | (uint32_t)g << 8 | (uint32_t)b;
}

/* 38:5:N, 38:2:R:G:B, 38:2:SPACE:R:G:B. */
static void colour_by_colons(const struct parser *p, unsigned at, unsigned subs, uint32_t *colour)
{
	const int what = parse_param(p, at + 1, 0);
	const unsigned rgb = subs >= 5 ? at + 3 : at + 2;

	if (what == 5 && subs >= 2)
		put_indexed(colour, parse_param(p, at + 2, 0));
	else if (what == 2 && subs >= 4)
		put_rgb(colour, parse_param(p, rgb, 0), parse_param(p, rgb + 1, 0), parse_param(p, rgb + 2, 0));
}

/* 38;5;N, 38;2;R;G;B: how many parameters belong to it. */
static unsigned colour_by_semicolons(const struct parser *p, unsigned at, uint32_t *colour)
{
	const int what = parse_param(p, at + 1, 0);

	if (what == 5) {
		if (at + 2 < p->count)
			put_indexed(colour, parse_param(p, at + 2, 0));
		return 2;
	}
	if (what == 2) {
		if (at + 4 < p->count)
			put_rgb(colour, parse_param(p, at + 2, 0), parse_param(p, at + 3, 0), parse_param(p, at + 4, 0));
		return 4;
	}
	return 1;
}

/* The rest, a parameter by itself. */
static void attribute(struct style *pen, int v)
{
	static const uint16_t on[10] = {
		[1] = SCREEN_BOLD, [2] = SCREEN_FAINT, [3] = SCREEN_ITALIC, [5] = SCREEN_BLINK, [6] = SCREEN_BLINK,
		[7] = SCREEN_INVERSE, [8] = SCREEN_HIDDEN, [9] = SCREEN_STRIKE,
	};
	static const uint16_t off[30] = {
		[22] = SCREEN_BOLD | SCREEN_FAINT, [23] = SCREEN_ITALIC, [25] = SCREEN_BLINK, [27] = SCREEN_INVERSE,
		[28] = SCREEN_HIDDEN, [29] = SCREEN_STRIKE,
	};

	if (v >= 30 && v <= 37)
		pen->foreground = COLOUR_INDEXED | (uint32_t)(v - 30);
	else if (v >= 40 && v <= 47)
		pen->background = COLOUR_INDEXED | (uint32_t)(v - 40);
	else if (v >= 90 && v <= 97)
		pen->foreground = COLOUR_INDEXED | (uint32_t)(v - 90 + 8);
	else if (v >= 100 && v <= 107)
		pen->background = COLOUR_INDEXED | (uint32_t)(v - 100 + 8);
	else if (v == 0)
		*pen = (struct style){ .link = pen->link, .attributes = pen->attributes & SCREEN_PROTECTED };
	else if (v == 4 || v == 21)
		pen->underline = v == 4 ? UNDERLINE_SINGLE : UNDERLINE_DOUBLE;
	else if (v == 24)
		pen->underline = UNDERLINE_NONE;
	else if (v < 10)
		pen->attributes |= on[v];
	else if (v >= 22 && v < 30)
		pen->attributes &= (uint16_t)~off[v];
	else if (v == 39)
		pen->foreground = COLOUR_DEFAULT;
	else if (v == 49)
		pen->background = COLOUR_DEFAULT;
	else if (v == 53)
		pen->attributes |= SCREEN_OVERLINE;
	else if (v == 55)
		pen->attributes &= (uint16_t)~SCREEN_OVERLINE;
	else if (v == 59)
		pen->underline_colour = COLOUR_DEFAULT;
}

static uint32_t *coloured_by(struct style *pen, int v)
{
	return v == 38 ? &pen->foreground : v == 48 ? &pen->background : v == 58 ? &pen->underline_colour : NULL;
}

void sgr_apply(struct style *pen, const struct parser *p, unsigned from)
{
	for (unsigned i = from; i < p->count; i++) {
		const int v = parse_param(p, i, 0);
		uint32_t *const colour = coloured_by(pen, v);
		unsigned subs = 0;

		while (is_sub(p, i + 1 + subs))
			subs++;
		if (colour != NULL && subs > 0)
			colour_by_colons(p, i, subs, colour);
		else if (colour != NULL)
			i += colour_by_semicolons(p, i, colour);
		else if (v == 4 && subs == 1 && parse_param(p, i + 1, 0) <= UNDERLINE_DASHED)
			pen->underline = (uint16_t)parse_param(p, i + 1, 0);
		else if (subs == 0)
			attribute(pen, v);
		i += subs;
	}
}

void sgr_run(struct screen *s, const struct parser *p)
{
	sgr_apply(&s->cursor.pen, p, 0);
	pen_changed(s);
}

static void add_colour(uint32_t colour, unsigned base, struct str *out)
{
	const unsigned v = colour & COLOUR_VALUE;

	if (colour & COLOUR_RGB)
		str_addf(out, ";%u%s2%s%u%s%u%s%u", base + 8, base == 50 ? ":" : ";", base == 50 ? "::" : ";", v >> 16,
		         base == 50 ? ":" : ";", v >> 8 & 255, base == 50 ? ":" : ";", v & 255);
	else if (colour & COLOUR_INDEXED && (v >= 16 || base == 50))
		str_addf(out, base == 50 ? ";%u:5:%u" : ";%u;5;%u", base + 8, v);
	else if (colour & COLOUR_INDEXED)
		str_addf(out, ";%u", v < 8 ? base + v : base + 60 + v - 8);
}

void style_add_sgr(const struct style *style, struct str *out)
{
	static const struct { uint16_t attribute; const char *sgr; } names[] = {
		{ SCREEN_BOLD, ";1" }, { SCREEN_FAINT, ";2" }, { SCREEN_ITALIC, ";3" }, { SCREEN_BLINK, ";5" },
		{ SCREEN_INVERSE, ";7" }, { SCREEN_HIDDEN, ";8" }, { SCREEN_STRIKE, ";9" }, { SCREEN_OVERLINE, ";53" },
	};

	str_addc(out, '0');
	for (size_t i = 0; i < array_len(names); i++)
		if (style->attributes & names[i].attribute)
			str_adds(out, names[i].sgr);
	if (style->underline == UNDERLINE_SINGLE)
		str_adds(out, ";4");
	else if (style->underline != UNDERLINE_NONE)
		str_addf(out, ";4:%u", style->underline);
	add_colour(style->foreground, 30, out);
	add_colour(style->background, 40, out);
	add_colour(style->underline_colour, 50, out);
}
