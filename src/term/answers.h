/*
 * What a person's terminal answers by itself, among what they type. The session's supervisor alone answers programs
 * (screen_feed_answering), but a terminal may have been asked by something else: a program that ran before `attach`,
 * a file that was shown, an output that reached it when it was late. Its answer would be typed into the command.
 *
 * Dropped is what no key and no mouse sends: CSI with ?, > or = in front (DA, DECRPM, kitty flags, DECXCPR,
 * XTSMGRAPHICS); CSI that ends in c, n, t, x, $y or "w (DA, DSR, window reports, DECREQTPARM, DECRPM, DECRQDE); CPR;
 * and the strings of DECRQSS, XTGETTCAP, XTVERSION, DA3, DECRQCRA, DECRQPSR, titles, OSC 4, 5, 10 to 19 and 52. A CPR
 * of the first row and column 2 to 16 looks like F3 with modifiers (CSI 1;5R): that one passes, as a key. What is
 * pasted in brackets passes whole. So do the answers of protocols that the supervisor does not speak (APC, other
 * OSC): the program has asked the viewer.
 *
 * Whoever presses alt-[ and then ? is not a terminal that answers: the first bytes of an answer have to come in one
 * piece; once it is known to be one, the rest may come later.
 */
#pragma once

#include "base/str.h"

#include <stdbool.h>

struct answers {
	enum { ANSWERS_NONE, ANSWERS_CSI, ANSWERS_STRING, ANSWERS_ESCAPE } inside;     /* one whose end is still to come */
	size_t dropped;                  /* so many bytes of it */
	bool in_paste;
};

/* Append to @keys what of @data is none. */
void answers_drop(struct answers *a, const char *data, size_t n, struct str *keys);
