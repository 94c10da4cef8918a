/*
 * Parameters in a text: ${NAME}, ${NAME:-default}, ${NAME:?message}. A default may hold parameters itself. "$${" is "${";
 * every other "$" stands for itself, so that "$HOME" is left to a shell inside. Nothing is run.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"

/* The value of a parameter, borrowed until the next call; NULL: it has none. With @err filled that is why it cannot. */
typedef const char *parameter_fn(void *data, const char *name, struct err *err);

enum { INTERPOLATED_MAX = 1024 * 1024 };

/* Append @text with its parameters replaced. 0; -EINVAL for a wrong form or a missing value, -E2BIG: see @err. */
int interpolate(const char *text, parameter_fn *get, void *data, struct str *out, struct err *err);
/* The names that @text has, defaults included, each once into @ret. 0 or -EINVAL for a wrong form. */
int interpolate_names(const char *text, struct strv *ret, struct err *err);
