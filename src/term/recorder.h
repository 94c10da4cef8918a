/*
 * A recording written by a thread of its own, so that a disk that is slow, hangs or is full slows nobody. Whoever
 * prints hands over positions of the ring; the bytes are taken from there. The recording may lag as far as the ring
 * reaches back, and what is overwritten before its turn came is a gap that the index names.
 *
 * One thread calls these functions. The other is made with the first bytes that are handed over, blocks all signals,
 * and as a rule allocates nothing, so that its owner may clone (without exec) at any time.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct record;
struct ring;
struct recorder;

enum {
	RECORDER_WAIT_MS = 20,           /* so long recorder_wait waits for the disk, */
	RECORDER_SULK_MS = 1000,         /* and when it was late, so long nobody waits for it again */
};

/* Takes @record, which ends where the ring's head is; @ring is borrowed. */
struct recorder *recorder_new(struct record *record, const struct ring *ring);
/* Waits until all that was handed over is written, or is a gap. NULL is fine. */
struct recorder *recorder_free(struct recorder *r);

/*
 * The bytes up to position @end stand in the ring's memory; they need not be published yet. Never waits for the
 * disk.
 */
void recorder_output(struct recorder *r, uint64_t end, uint64_t now_ms);
/* From what was handed over until now on the terminal has this size. */
void recorder_resize(struct recorder *r, unsigned rows, unsigned cols, uint64_t now_ms);
/*
 * The state of the screen behind all that was handed over; @state is taken. @begins_pair: when recorder_is_full said
 * so. While much waits to be written none is kept.
 */
void recorder_checkpoint(struct recorder *r, struct str *state, bool begins_pair, uint64_t now_ms);
bool recorder_wants_checkpoint(struct recorder *r);
/* @n bytes more would begin a new pair of files (record_make_room). */
bool recorder_is_full(struct recorder *r, uint64_t n);

/*
 * Wait until all that was handed over is recorded. False: the disk is slow, and the recording lags; it is not waited
 * for longer than RECORDER_WAIT_MS in RECORDER_SULK_MS.
 */
bool recorder_wait(struct recorder *r);
void recorder_settle(struct recorder *r);                 /* the same, for as long as it takes */
/*
 * What became known since the last call: 1: *ret_no is why bytes are missing, or 0: none is missing any more; else
 * 0.
 */
int recorder_news(struct recorder *r, int *ret_no);
