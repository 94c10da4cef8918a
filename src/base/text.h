/*
 * Prose for terminals: wrapped to a width, cut to a width.
 */
#pragma once

#include "base/str.h"

enum { TEXT_COLUMNS = 80 };                               /* how wide help is set */

/*
 * Append one paragraph with its words set into lines of at most @columns. Every line but the first is indented by
 * @indent; the first is taken to start at column @at. Ends in a newline. A word longer than a line stands alone.
 */
void text_wrap(struct str *out, const char *paragraph, size_t at, size_t indent, size_t columns);
/* How many bytes of @z (valid UTF-8) take no more than @columns. */
size_t text_fit(const char *z, size_t columns);
void text_pad(struct str *out, size_t n);                 /* @n spaces */
