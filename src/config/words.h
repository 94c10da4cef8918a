/*
 * A command line as words, without a shell: spaces divide, '…' and "…" keep together, a backslash takes the next
 * character as it is (between "…" only " and \). A parameter ${…} is never divided. Nothing is expanded.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"

/* Append the words of @line. 0; -EINVAL where a quote has no end, or nothing follows a backslash: see @err. */
int words_split(const char *line, struct strv *ret, struct err *err);
