/*
 * Operating system commands: titles, colours, links, the folder, the clipboard, marks of a shell's prompt. Source of
 * fact:
 * ctlseqs; for OSC 8 gist.github.com/egmontkob/eb114294efbcd5adb1944c9f3cb5feda; for OSC 133 FinalTerm's marks.
 */
#include "term/screen-state.h"

#include <ctype.h>
#include <stdio.h>

/* Valid UTF-8 without controls, at most @max bytes; the caller frees. */
static char *clean(const char *z, size_t max)
{
	_str_ out = STR_INIT;

	for (size_t left = strlen(z); left > 0 && out.len + 4 <= max;) {
		const size_t n = utf8_len(z, left);

		if (n == 0)
			str_adds(&out, "\xEF\xBF\xBD");
		else if ((unsigned char)z[0] >= 0x20 && z[0] != 0x7F && !((unsigned char)z[0] == 0xC2 && (unsigned char)z[1] < 0xA0))
			str_add(&out, z, n);
		z += n ? n : 1;
		left -= n ? n : 1;
	}
	return str_take(&out);
}

static void replace(char **to, char *with)
{
	free(*to);
	*to = with;
}

char **title_slot(struct screen *s, bool is_icon) { return is_icon ? &s->icon : &s->title; }

void title_set(struct screen *s, bool is_icon, const char *text)
{
	replace(title_slot(s, is_icon), clean(text, TITLE_MAX));
	if (!is_icon && s->ops->titled)
		s->ops->titled(s->data, screen_title(s));
}

static bool set_titles(struct screen *s, int number, char *text)
{
	if (number == 0 || number == 1)
		title_set(s, true, text);
	if (number == 0 || number == 2)
		title_set(s, false, text);
	return true;
}

static bool set_folder(struct screen *s, int number, char *text)
{
	replace(&s->folder, clean(text, FOLDER_MAX));
	return true;
}

/* --- colours --- */

/*
 * One component of 1 to 4 hexadecimal digits as 8 bits; *at is moved behind it. -1: it is none. With @is_sharp the digits are the
 * highest, else they are scaled: so XParseColor.
 */
static int component(const char **at, bool is_sharp)
{
	unsigned v = 0, n = 0, max;

	for (; n < 4 && isxdigit((unsigned char)**at); n++, (*at)++)
		v = v * 16 + (unsigned)(isdigit((unsigned char)**at) ? **at - '0' : (**at | 32) - 'a' + 10);
	if (n > 0 && is_sharp)
		return (int)(n == 1 ? v << 4 : v >> (4 * n - 8));
	max = (1u << 4 * n) - 1;
	return n == 0 ? -1 : (int)((v * 255 + max / 2) / max);
}

/* "rgb:R/G/B" or "#RGB" with as many digits each: 0xRRGGBB, or -1. Names of colours are not known. */
static int64_t parse_colour(const char *z)
{
	const bool is_sharp = z[0] == '#';
	const size_t len = strlen(z);
	int c[3];

	if (is_sharp && len != 4 && len != 7 && len != 10 && len != 13)
		return -1;
	if (!is_sharp && !str_starts(z, "rgb:"))
		return -1;
	z += is_sharp ? 1 : 4;
	for (unsigned i = 0; i < 3; i++) {
		char part[8] = "";
		const char *at = part;
		const size_t n = is_sharp ? (len - 1) / 3 : strcspn(z, "/");

		if (n == 0 || n > 4)
			return -1;
		memcpy(part, z, n);
		c[i] = component(&at, is_sharp);
		if (c[i] < 0 || *at != '\0')
			return -1;
		z += n;
		if (!is_sharp && i < 2 && *z++ != '/')
			return -1;
	}
	return *z == '\0' ? (int64_t)c[0] << 16 | c[1] << 8 | c[2] : -1;
}

/* The palette that xterm is compiled with: 16 colours, a cube, grays. */
static uint32_t default_colour(unsigned i)
{
	static const uint32_t basic[16] = {
		0x000000, 0xCD0000, 0x00CD00, 0xCDCD00, 0x0000EE, 0xCD00CD, 0x00CDCD, 0xE5E5E5,
		0x7F7F7F, 0xFF0000, 0x00FF00, 0xFFFF00, 0x5C5CFF, 0xFF00FF, 0x00FFFF, 0xFFFFFF,
	};
	static const uint8_t steps[6] = { 0, 95, 135, 175, 215, 255 };

	if (i < 16)
		return basic[i];
	if (i < 232) {
		i -= 16;
		return (uint32_t)steps[i / 36] << 16 | (uint32_t)steps[i / 6 % 6] << 8 | steps[i % 6];
	}
	if (i < 256)
		return (8 + (i - 232) * 10) * 0x010101;
	return i == SCREEN_COLOUR_BACKGROUND ? 0x000000 : 0xE5E5E5;
}

uint32_t colour_of(const struct screen *s, unsigned index)
{
	if (s->palette != NULL && s->palette[index] != 0)
		return s->palette[index] & COLOUR_VALUE;
	if (s->viewer_palette != NULL && s->viewer_palette[index] != 0)
		return s->viewer_palette[index] & COLOUR_VALUE;
	return default_colour(index);
}

static void put_colour(struct screen *s, unsigned index, uint32_t colour)
{
	if (s->palette == NULL && colour == 0)
		return;
	if (s->palette == NULL)
		s->palette = xcalloc(SCREEN_COLOUR_COUNT, sizeof(*s->palette));
	s->palette[index] = colour;
}

static void set_colour(struct screen *s, unsigned index, const char *spec)
{
	const int64_t rgb = parse_colour(spec);

	if (rgb >= 0)
		put_colour(s, index, COLOUR_RGB | (uint32_t)rgb);
}

static void answer_colour(struct screen *s, const char *before, unsigned index)
{
	const uint32_t c = colour_of(s, index);
	const unsigned r = c >> 16, g = c >> 8 & 255, b = c & 255;

	reply_f(s, "\033]%srgb:%04x/%04x/%04x\033\\", before, r * 257, g * 257, b * 257);
}

/* The next part of a list with semicolons; NULL at its end. */
static char *next_part(char **rest)
{
	return *rest ? strsep(rest, ";") : NULL;
}

/* OSC 4: pairs of index and colour. Only questions are kept from others: who sets a colour wants it seen. */
static bool palette(struct screen *s, int number, char *text)
{
	bool sets = false;
	char *part, *spec, before[32];

	while ((part = next_part(&text)) != NULL && (spec = next_part(&text)) != NULL) {
		const unsigned long index = strtoul(part, NULL, 10);

		if (!isdigit((unsigned char)part[0]) || index > 255)
			continue;
		if (!str_eq(spec, "?")) {
			set_colour(s, (unsigned)index, spec);
			sets = true;
			continue;
		}
		snprintf(before, sizeof(before), "4;%lu;", index);
		answer_colour(s, before, (unsigned)index);
	}
	if (sets)
		s->has_answered = false;
	return true;
}

/* OSC 10 to 19: from the one named on. */
static bool dynamic(struct screen *s, int number, char *text)
{
	bool sets = false;
	char *spec, before[32];

	for (; number <= 19 && (spec = next_part(&text)) != NULL; number++) {
		const unsigned index = SCREEN_COLOUR_FOREGROUND + (unsigned)number - 10;

		if (!str_eq(spec, "?")) {
			set_colour(s, index, spec);
			sets = true;
			continue;
		}
		snprintf(before, sizeof(before), "%d;", number);
		answer_colour(s, before, index);
	}
	if (sets)
		s->has_answered = false;
	return true;
}

static bool reset_palette(struct screen *s, int number, char *text)
{
	char *part;
	bool some = false;

	while ((part = next_part(&text)) != NULL) {
		const unsigned long index = strtoul(part, NULL, 10);

		if (isdigit((unsigned char)part[0]) && index <= 255) {
			put_colour(s, (unsigned)index, 0);
			some = true;
		}
	}
	for (unsigned i = 0; i < 256 && !some; i++)
		put_colour(s, i, 0);
	return true;
}

static bool reset_dynamic(struct screen *s, int number, char *text)
{
	put_colour(s, SCREEN_COLOUR_FOREGROUND + (unsigned)number - 110, 0);
	return true;
}

/* --- links, clipboard, marks --- */

static bool link_command(struct screen *s, int number, char *text)
{
	char *uri = strchr(text, ';'), *part;
	const char *id = "";

	if (uri == NULL)
		return true;
	*uri++ = '\0';
	while ((part = strsep(&text, ":")) != NULL)
		if (str_starts(part, "id="))
			id = part + 3;
	for (const char *c = uri; *c; c++)
		if (*c < 0x20 || *c > 0x7E)       /* as the specification wants: anything else is encoded by who sends it */
			return true;
	s->cursor.pen.link = 0;
	if (*uri != '\0')
		s->cursor.pen.link = link_put(s, id, strlen(id), uri);
	pen_changed(s);
	return true;
}

static bool clipboard(struct screen *s, int number, char *text)
{
	char *data = strchr(text, ';');

	if (data == NULL)
		return true;
	*data++ = '\0';
	if (str_eq(data, "?"))
		reply_f(s, "\033]52;%.*s;\033\\", (int)strspn(text, "cpqs01234567"), text);
	else if (s->ops->copied)
		s->ops->copied(s->data, text, data);
	return true;
}

static bool prompt(struct screen *s, int number, char *text)
{
	static const char marks[] = "ABCD";
	const char *at = text[0] ? strchr(marks, text[0]) : NULL;
	int status = -1;

	if (at == NULL || (text[1] != '\0' && text[1] != ';'))
		return true;
	if (text[0] == 'D') {
		if (text[1] == ';' && isdigit((unsigned char)text[2]))
			status = (int)min_u((unsigned)strtoul(text + 2, NULL, 10), 255);
		s->prompt_status = status;
	}
	s->prompt = text[0];
	if (strstr(text, ";restored"))           /* of our own rendering: it was in a row that is gone */
		return true;
	row_at(s, s->cursor.row)->marks |= (uint8_t)(1 << (at - marks));
	if (s->ops->marked)
		s->ops->marked(s->data, text[0], status);
	return true;
}

static const struct osc { int first, last; bool (*run)(struct screen *s, int number, char *text); } table[] = {
	{ 0, 2, set_titles }, { 4, 4, palette }, { 7, 7, set_folder }, { 8, 8, link_command }, { 10, 19, dynamic },
	{ 52, 52, clipboard }, { 104, 104, reset_palette }, { 110, 119, reset_dynamic }, { 133, 133, prompt },
};

bool osc_run(struct screen *s, const struct parser *p)
{
	_free_ char *text = xstrndup(p->string.buf, p->string.len);
	char *end;
	const long number = strtol(text, &end, 10);

	if (end == text || !isdigit((unsigned char)text[0]) || (*end != ';' && *end != '\0'))
		return false;
	for (size_t i = 0; i < array_len(table); i++)
		if (number >= table[i].first && number <= table[i].last)
			return table[i].run(s, (int)number, *end ? end + 1 : end);
	return false;
}
