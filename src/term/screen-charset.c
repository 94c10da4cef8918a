/*
 * Character sets: what a program designated, and what a byte then means. In UTF-8 the right half (GR) is not
 * reached; what is there
 * is kept because a program can save and ask for it.
 */
#include "term/screen-state.h"

/* 0x5F to 0x7E of the DEC Special Graphic set (vt100.net, VT220 programmer reference, table 2-4). */
static const uint16_t graphics[32] = {
	0x00A0, 0x25C6, 0x2592, 0x2409, 0x240C, 0x240D, 0x240A, 0x00B0, 0x00B1, 0x2424, 0x240B, 0x2518, 0x2510, 0x250C, 0x2514,
	0x253C, 0x23BA, 0x23BB, 0x2500, 0x23BC, 0x23BD, 0x251C, 0x2524, 0x2534, 0x252C, 0x2502, 0x2264, 0x2265, 0x03C0, 0x2260,
	0x00A3, 0x00B7,
};

static uint32_t map_graphics(uint32_t c) { return c >= 0x5F && c <= 0x7E ? graphics[c - 0x5F] : c; }
static uint32_t map_british(uint32_t c) { return c == '#' ? 0xA3 : c; }
static uint32_t map_latin1(uint32_t c) { return c >= 0x20 && c <= 0x7F ? c + 0x80 : c; }

/* The first is what everything begins with. A set without a map is shown as ASCII. */
static const struct charset {
	const char *designator;
	bool is_96;
	uint32_t (*map)(uint32_t c);
} table[] = {
	{ "B", false, NULL }, { "0", false, map_graphics }, { "A", false, map_british }, { "A", true, map_latin1 },
	{ "1", false, NULL }, { "2", false, map_graphics }, { "4", false, NULL }, { "5", false, NULL }, { "6", false, NULL },
	{ "7", false, NULL }, { "9", false, NULL }, { "=", false, NULL }, { "<", false, NULL }, { ">", false, NULL },
	{ "C", false, NULL }, { "E", false, NULL }, { "H", false, NULL }, { "K", false, NULL }, { "Q", false, NULL },
	{ "R", false, NULL }, { "Y", false, NULL }, { "Z", false, NULL }, { "%5", false, NULL }, { "%6", false, NULL },
	{ "B", true, NULL }, { "F", true, NULL }, { "H", true, NULL }, { "L", true, NULL }, { "M", true, NULL },
};
const unsigned charset_count = array_len(table);

void charset_designate(struct screen *s, unsigned g, bool is_96, uint8_t intermediate, uint8_t final)
{
	for (unsigned i = 0; i < array_len(table); i++) {
		const char *d = table[i].designator;
		const bool is_it = d[1] ? (uint8_t)d[0] == intermediate && (uint8_t)d[1] == final
		                        : intermediate == 0 && (uint8_t)d[0] == final;

		if (is_it && table[i].is_96 == is_96) {
			s->cursor.charsets.g[g] = (uint8_t)i;
			return;
		}
	}
}

const char *charset_designator(unsigned charset, bool *ret_is_96)
{
	*ret_is_96 = table[charset].is_96;
	return table[charset].designator;
}

uint32_t charset_map(const struct screen *s, uint32_t c)
{
	const struct charsets *cs = &s->cursor.charsets;
	const struct charset *set = &table[cs->g[cs->shift ? cs->shift : cs->gl]];

	return set->map ? set->map(c) : c;
}
