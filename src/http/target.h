/*
 * The target of a request, "/path?query", taken apart: segments and pairs, decoded once and after they were split,
 * so that no %2F makes a path longer and nothing is decoded twice.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"

enum { TARGET_SEGMENTS_MAX = 16, TARGET_QUERY_MAX = 64 };

struct target {
	struct strv segments;            /* "/a/b" has two; "/" none */
	struct strv keys, values;        /* of the query, in order */
};

/*
 * 0, or -EINVAL (code "bad-target", see @err): no absolute path, bad escapes, a NUL, control characters, "//", "."
 * or "..", or a slash within a segment; too many of anything; a key that comes twice.
 */
int target_parse(const char *text, struct target *ret, struct err *err);
void target_release(struct target *t);
/* The value of @key in the query, or NULL. */
const char *target_query(const struct target *t, const char *key);
