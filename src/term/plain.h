/*
 * Output without its escape sequences, for people who grep: CSI, OSC, DCS, APC, PM, SOS and the short escapes go, as
 * do C0 controls other than newline and tab, and C1 ones; "\r\n" becomes "\n"; a lone \r or \b overwrites like a
 * terminal would on that line, and what shells and progress bars use to edit one (erase, insert, delete, move in the
 * line) is obeyed. A code point is one column. What comes out is valid UTF-8: a byte that is not becomes U+FFFD.
 */
#pragma once

#include "base/str.h"

#include <stdint.h>

enum { PLAIN_LINE_MAX = 64 * 1024 };

struct plain {
	int state;
	struct str line;
	size_t at;               /* where in the line the cursor stands: a byte offset, always before a whole character */
	size_t beyond;           /* and how many columns behind its end, which become blanks when something is written there */
	uint32_t number;         /* the first parameter of a CSI sequence */
	bool is_later, is_foreign;       /* in a later parameter; a sequence that does not concern us */
	char held[4];            /* the beginning of a UTF-8 character */
	uint8_t held_len;
};
#define PLAIN_INIT { .line = STR_INIT }

/*
 * Feed bytes, cut anywhere; finished lines are appended to @out. A line is at most PLAIN_LINE_MAX, longer ones are
 * broken.
 */
void plain_feed(struct plain *p, const void *data, size_t n, struct str *out);
void plain_finish(struct plain *p, struct str *out);      /* what is left, and free it */
