/*
 * What a terminal must know of a character: how many columns it takes, and whether it joins the one before it.
 * Source of fact: the Unicode Character Database, through tools/make-unicode-table.
 */
#pragma once

#include "base/macros.h"

#include <stdbool.h>

enum grapheme {
	GRAPHEME_OTHER, GRAPHEME_CONTROL, GRAPHEME_EXTEND, GRAPHEME_ZWJ, GRAPHEME_PREPEND, GRAPHEME_REGIONAL,
	GRAPHEME_SPACING, GRAPHEME_L, GRAPHEME_V, GRAPHEME_T, GRAPHEME_LV, GRAPHEME_LVT, GRAPHEME_PICTOGRAPH,
};

enum { UNICODE_REPLACEMENT = 0xFFFD, UNICODE_MAX = 0x10FFFF };

/* Columns of one code point by itself, as wcwidth(3) counts them: 0 (it combines), 1 or 2. */
unsigned unicode_width(uint32_t c);
enum grapheme unicode_grapheme(uint32_t c);
/* Whether @c goes into the cell that holds @cluster (@n code points), by the rules of UAX #29. */
bool unicode_joins(const uint32_t *cluster, size_t n, uint32_t c);
/* Append @c as UTF-8 to @out, which has room for 4 bytes; how many they are. */
size_t unicode_encode(uint32_t c, char *out);
