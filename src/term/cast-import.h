/*
 * An asciicast that somebody has (version 2 or 3, ours or asciinema's) as a recording, so that it can be played, and
 * sought in, like one of a session.
 */
#pragma once

#include "base/err.h"
#include "term/pty.h"

struct cast_info {
	struct term_size size;           /* in the beginning */
	uint64_t time_ms;                /* the time that its recording begins with */
	uint64_t idle_max_ms;            /* its author's limit for pauses; 0: none */
};

/*
 * Read the asciicast @fd, to its end, into a new recording in the empty directory @dirfd (both borrowed); @name is
 * for messages. Its times are kept to 5 ms, what is no output and no size is skipped. One that is cut short in the
 * middle of a line is taken up to there. 0, or -errno: see @err.
 */
int cast_import(int fd, const char *name, int dirfd, struct cast_info *ret, struct err *err);
