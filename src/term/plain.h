/*
 * Output without its escape sequences, for people who grep: CSI, OSC, DCS, APC, PM, SOS and the short escapes go, as do
 * C0 controls other than newline and tab; "\r\n" becomes "\n"; a lone \r or \b overwrites like a terminal would on that line.
 */
#pragma once

#include "base/str.h"

struct plain { int state; struct str line; size_t col; };
#define PLAIN_INIT { .line = STR_INIT }

/* Feed bytes, cut anywhere; finished lines are appended to @out. A line is at most 64 KiB, longer ones are broken. */
void plain_feed(struct plain *p, const void *data, size_t n, struct str *out);
void plain_finish(struct plain *p, struct str *out);      /* what is left, and free it */
