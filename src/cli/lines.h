/*
 * Recorded output on its way to a person or a program: as it is, or its lines with the time at which each began, or
 * without escape sequences.
 */
#pragma once

#include "term/plain.h"

#include <stdint.h>

struct lines {
	bool is_plain, has_times;
	uint64_t (*time_at)(void *data, uint64_t position);       /* ms; asked for the first byte of a line */
	void *data;
	/* its own: */
	struct plain plain;
	uint64_t began_ms;
	bool is_inside;                                           /* of a line */
};

/* Bytes from @position on, cut anywhere. */
void lines_feed(struct lines *l, uint64_t position, const char *data, size_t n, struct str *out);
void lines_finish(struct lines *l, struct str *out);              /* what is left, and free it */
