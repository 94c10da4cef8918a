/*
 * A session's recording, or an asciicast as one, for the commands that show what was.
 */
#pragma once

#include "cli/open.h"
#include "term/replay.h"

struct recorded {
	struct house house;
	struct session session;
	struct recording *rec;
	struct term_size size;               /* what its terminal had, as far as its spec tells */
	bool is_cast;
	uint64_t begin_ms, idle_max_ms;      /* a cast: when it begins, and its author's limit for pauses (0: none) */
};
void recorded_release(struct recorded *r);
#define _recorded_ _cleanup_(recorded_release) struct recorded

/* 0, or -errno (-ENODATA: it has no recording): see @err. */
int recorded_open(const char *ref, struct recorded *ret, struct err *err);
/* Does a person who says @word mean an asciicast? It has a '/' in it, or ends in .cast. */
bool recorded_is_cast(const char *word);
/* Read the asciicast @path whole. 0 or -errno: see @err. */
int recorded_open_cast(const char *path, struct recorded *ret, struct err *err);
/*
 * What a person wrote for @option: a position, a time, or a span before now (in a cast: from its beginning). A
 * position in the recording, 0 or -EINVAL.
 */
int recorded_position(const struct recorded *r, const char *option, const char *text, uint64_t *ret, struct err *err);
