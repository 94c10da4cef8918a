/*
 * The states of the screen that a recording keeps, in the file output.states beside a log (record-format.h): how
 * record.c adds to it, and how recording.c finds in it. What a state is made of is nothing to these files.
 */
#pragma once

#include "base/str.h"
#include "term/record-format.h"

enum { RECORD_STATE_MAX = 64 * 1024 * 1024 };

/*
 * The writing end, of one pair. So that states stay small beside the log, one is kept for good only where the log has
 * grown by eight times its size, and by STATES_SPACING, since the last that was; else the next one takes its place.
 */
enum { STATES_SPACING = 64 * 1024 };
struct states {
	int fd;                          /* -1: not there yet */
	uint64_t count, end;             /* how many; where the next one would go */
	uint64_t last_at, last_size;     /* the last: where in the file, and its bytes, */
	uint64_t last_offset, last_position;     /* where in the log */
	uint64_t kept_offset;            /* where in the log the one before it stands */
};

/*
 * Take the file @fd (now ours, also on failure) of a pair that has @log_size bytes up to position @end: what is not
 * whole, or speaks of bytes that are not there, is cut off. 0 or -errno.
 */
int states_open(struct states *s, int fd, uint64_t base, uint64_t log_size, uint64_t end);
/* 0 or -errno; then it is as if nothing had been written. @head: all but .size and the checksums is filled. */
int states_add(struct states *s, const struct record_state *head, const void *state, size_t n);
void states_close(struct states *s);

/* Is @fd the file of states for a log that begins at @base? */
bool states_belong(int fd, uint64_t base);
/*
 * The last state at or before @position and @time_ms: true with its head and bytes (appended). Never waits for the
 * writer; what it is just overwriting is not found.
 */
bool states_find(int fd, uint64_t base, uint64_t position, uint64_t time_ms, struct record_state *ret,
                 struct str *ret_state);
