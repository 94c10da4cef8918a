/*
 * Texts and regular expressions that are looked for in what a terminal shows or has printed.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "term/plain.h"
#include "term/screen.h"

#include <regex.h>

struct match { const struct strv *texts, *patterns; regex_t *regexes; };
/* @texts and @patterns (POSIX extended; ^ and $ are those of a line) are borrowed. 0 or -EINVAL: see @err. */
int match_init(struct match *m, const struct strv *texts, const struct strv *patterns, struct err *err);
void match_release(struct match *m);

/* *wanted: what of it was found, borrowed; .text: what it found, owned. */
struct found { const char *wanted; bool is_regex; char *text; };
bool match_find(const struct match *m, const char *text, struct found *ret);

/* What a screen shows, lines that were wrapped put together. */
void match_screen_text(const struct screen *s, struct str *out);

/*
 * What is printed, escape sequences removed, as it comes. Between two feeds what could begin a match is kept: the
 * line that is not finished, and before it as much as the longest text has.
 */
struct match_stream { struct plain plain; struct str text; };
#define MATCH_STREAM_INIT { .plain = PLAIN_INIT, .text = STR_INIT }
bool match_stream(struct match_stream *st, const struct match *m, const char *data, size_t n, struct found *ret);
void match_stream_release(struct match_stream *st);
