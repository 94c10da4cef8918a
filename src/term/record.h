/*
 * The recording of a session's output: raw bytes in output.log, their timing and the terminal's sizes in output.idx,
 * states of the screen (checkpoints) in output.states, all of limited size: when a pair is full it becomes
 * output.log.1 and output.idx.1 (and output.states.1), and the pair before it goes. Positions count from the
 * session's birth, so they go on over rotation, restart and stop. The index has fixed records (term/record-format.h);
 * the first says where its log begins.
 *
 * The writer is the supervisor alone. Readers are other processes and may come at any moment, also between the
 * renames of a rotation: both take a lock, the writer without waiting (it postpones its rotation).
 */
#pragma once

#include "base/err.h"

#include "base/str.h"

#include <stdbool.h>
#include <sys/types.h>

enum { RECORD_DEFAULT_MAX = 64 * 1024 * 1024, RECORD_CHECKPOINT_EVERY = 1024 * 1024 };

struct record;

/*
 * Open or make the recording in directory @dirfd (borrowed for the call) for writing; @max_bytes in both logs
 * together, the states of the screen included, half as much again while a rotation has to wait, and at most half of
 * it in the indexes. *ret_end: the position after the last byte there is. A log cut short or an index that lags
 * (killed writer, lost power) is mended: the bytes that are in the log count. Never waits for readers. The caller
 * ignores SIGXFSZ.
 */
int record_open(struct record **ret, int dirfd, uint64_t max_bytes, uint64_t *ret_end, struct err *err);
/*
 * Append. 0, or -errno when the disk did not take it (full, quota, I/O): then the bytes are counted as a gap, which
 * the index names as soon as something can be written again; the caller goes on as if all were well. One write(2) as
 * a rule, no allocation, nothing synced.
 */
int record_write(struct record *r, const void *data, size_t n, uint64_t now_ms);
/* Positions advance by @n bytes that nobody can give us any more: a gap like the above. */
void record_skip(struct record *r, uint64_t n);
/*
 * What record_write would do first: begin a new pair if @n bytes have no room in this one. 1: one was begun; a
 * checkpoint now, before anything is written, makes all of it known even when the older pair is gone. 0, or -errno.
 */
int record_make_room(struct record *r, size_t n, uint64_t now_ms);
/* How many bytes, and entries of the index, there is room for before a new pair is begun. */
void record_room(const struct record *r, uint64_t *ret_bytes, uint64_t *ret_entries);
/*
 * The terminal has this size from here on. To be said when the recording was opened, and with each change; said twice
 * is said once. Each pair begins with it. 0, or -errno: the disk did not take it yet, and it will be tried again.
 */
int record_resize(struct record *r, unsigned rows, unsigned cols, uint64_t now_ms);
/*
 * The state of the screen at @position, which must be the end of what was written or skipped, with every size that
 * was said: -EINVAL otherwise. Some are kept for good, so that no more than about a megabyte must be read again from
 * one; the newest always is. 0 or -errno.
 */
int record_checkpoint(struct record *r, uint64_t position, const void *state, size_t n, uint64_t now_ms);
bool record_wants_checkpoint(const struct record *r);     /* there has been none for so long that it is time */
struct record *record_close(struct record *r);
DEFINE_FREEP(struct record, record_close)

struct recording;                                 /* the reading end */

/*
 * 0; 1: there is no recording (yet); <0: see @err. What is appended later is seen by later reads, through rotations.
 * @dirfd is borrowed. Any content is safe to read: files that a session's owner damaged give wrong bytes, no harm.
 */
int recording_open(struct recording **ret, int dirfd, struct err *err);
struct recording *recording_close(struct recording *r);
DEFINE_FREEP(struct recording, recording_close)

uint64_t recording_first(struct recording *r);            /* the oldest position kept */
uint64_t recording_end(struct recording *r);              /* after the newest byte */
/*
 * Copy at most @n bytes from *pos and advance it past them. A position that is no longer (or was never) kept is
 * moved to the next that is, and *ret_lost counts what was skipped. Bytes, 0 at the end
 * (and behind it), or -errno. May wait for the moment of a rotation.
 */
ssize_t recording_read(struct recording *r, uint64_t *pos, void *out, size_t n, uint64_t *ret_lost);
uint64_t recording_time_at(struct recording *r, uint64_t pos);        /* when that byte was printed (5 ms), ms; 0 unknown */
uint64_t recording_position_at(struct recording *r, uint64_t ms);     /* the first position printed at or after @ms */

/*
 * What happened, one after the other. A cursor of zeroes is the oldest that is kept; one from recording_checkpoint
 * goes on from there. It stays good while the recording grows and rotates.
 */
struct recording_cursor { uint64_t base, entry, offset, position, time_ms; bool is_set; };
enum recording_kind { RECORDING_OUTPUT, RECORDING_RESIZE, RECORDING_LOST };
struct recording_event {
	enum recording_kind kind;
	uint64_t position, time_ms;              /* of the first byte; of what comes behind what was lost */
	size_t n;                                /* output: bytes in the caller's buffer, printed together (5 ms) */
	unsigned rows, cols;
	uint64_t lost;                           /* bytes before @position that are not kept */
};
/* 1: *ret; 0: there is no more (yet); or -errno. Output comes in pieces of at most @n bytes, in @out. */
int recording_next(struct recording *r, struct recording_cursor *c, void *out, size_t n, struct recording_event *ret);
/*
 * The last checkpoint at or before @position and @time_ms: 1, with its bytes appended to @ret_state and what follows
 * it in *ret; or 0: there is none.
 */
int recording_checkpoint(struct recording *r, uint64_t position, uint64_t time_ms, struct recording_cursor *ret,
                         struct str *ret_state);
