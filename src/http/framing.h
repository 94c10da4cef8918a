/*
 * Whether a request says one thing only about where it begins and ends, and for whom it is. What two servers in a
 * row could read differently is refused before anything is routed (RFC 9112, sections 3.2, 5.1, 6.1 and 11.2).
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct framing {
	unsigned hosts, lengths, codings, upgrades;
	bool is_chunked, has_bad_name, has_bad_value, has_bad_length, has_bad_expect;
	uint64_t length;
};

/* One header as it came. */
void framing_see(struct framing *f, const char *name, const char *value);
/* 0, or the HTTP status (400, 417, 505) of a refusal with @err filled. @version: "HTTP/1.1" or "HTTP/1.0". */
int framing_check(const struct framing *f, const char *version, struct err *err);
