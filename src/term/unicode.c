#include "term/unicode.h"

struct unicode_range { uint32_t first, last; uint8_t value; };

#include "term/unicode-table.h"

enum { HANGUL_FIRST = 0xAC00, HANGUL_LAST = 0xD7A3, HANGUL_FINALS = 28 };

static const struct unicode_range *find(const struct unicode_range *ranges, size_t n, uint32_t c)
{
	size_t from = 0;

	while (n > 0) {
		const size_t half = n / 2;

		if (ranges[from + half].last < c) {
			from += half + 1;
			n -= half + 1;
		} else {
			if (ranges[from + half].first <= c)
				return &ranges[from + half];
			n = half;
		}
	}
	return NULL;
}

unsigned unicode_width(uint32_t c)
{
	const struct unicode_range *r;

	if (c < 0x300)                            /* Latin: nearly everything */
		return 1;
	if ((c >= 0x4E00 && c <= 0x9FFF) || (c >= HANGUL_FIRST && c <= HANGUL_LAST))
		return 2;
	r = find(width_ranges, array_len(width_ranges), c);
	return r ? r->value : 1;
}

enum grapheme unicode_grapheme(uint32_t c)
{
	const struct unicode_range *r;

	if (c >= HANGUL_FIRST && c <= HANGUL_LAST)
		return (c - HANGUL_FIRST) % HANGUL_FINALS == 0 ? GRAPHEME_LV : GRAPHEME_LVT;
	r = find(grapheme_ranges, array_len(grapheme_ranges), c);
	return r ? r->value : GRAPHEME_OTHER;
}

/* Rule GB11: a pictograph, any number of extending characters, and a joiner. */
static bool is_joined_pictograph(const uint32_t *cluster, size_t n)
{
	if (n < 2 || unicode_grapheme(cluster[n - 1]) != GRAPHEME_ZWJ)
		return false;
	for (size_t i = n - 1; i-- > 0;) {
		const enum grapheme g = unicode_grapheme(cluster[i]);

		if (g == GRAPHEME_PICTOGRAPH)
			return true;
		if (g != GRAPHEME_EXTEND)
			return false;
	}
	return false;
}

/* Rules GB12 and GB13: flags are pairs. */
static bool is_half_flag(const uint32_t *cluster, size_t n)
{
	size_t count = 0;

	while (count < n && unicode_grapheme(cluster[n - 1 - count]) == GRAPHEME_REGIONAL)
		count++;
	return count % 2 == 1;
}

bool unicode_joins(const uint32_t *cluster, size_t n, uint32_t c)
{
	const enum grapheme before = n ? unicode_grapheme(cluster[n - 1]) : GRAPHEME_CONTROL, g = unicode_grapheme(c);

	if (before == GRAPHEME_CONTROL || g == GRAPHEME_CONTROL)
		return false;
	switch (g) {
	case GRAPHEME_EXTEND:
	case GRAPHEME_ZWJ:
	case GRAPHEME_SPACING:
		return true;
	case GRAPHEME_L:
	case GRAPHEME_LV:
	case GRAPHEME_LVT:
		return before == GRAPHEME_L || before == GRAPHEME_PREPEND;
	case GRAPHEME_V:
		return before == GRAPHEME_L || before == GRAPHEME_V || before == GRAPHEME_LV || before == GRAPHEME_PREPEND;
	case GRAPHEME_T:
		return before == GRAPHEME_V || before == GRAPHEME_T || before == GRAPHEME_LV || before == GRAPHEME_LVT ||
		       before == GRAPHEME_PREPEND;
	case GRAPHEME_REGIONAL:
		return before == GRAPHEME_PREPEND || is_half_flag(cluster, n);
	case GRAPHEME_PICTOGRAPH:
		return before == GRAPHEME_PREPEND || is_joined_pictograph(cluster, n);
	default:
		return before == GRAPHEME_PREPEND;
	}
}

size_t unicode_encode(uint32_t c, char *out)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xC0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3F));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xE0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3F));
		out[2] = (char)(0x80 | (c & 0x3F));
		return 3;
	}
	out[0] = (char)(0xF0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3F));
	out[2] = (char)(0x80 | (c >> 6 & 0x3F));
	out[3] = (char)(0x80 | (c & 0x3F));
	return 4;
}
