/*
 * The recording of a session's output: raw bytes in output.log, their timing in output.idx, both of limited size:
 * when a pair is full it becomes output.log.1 and output.idx.1, and the pair before it goes. Positions count from the
 * session's birth, so they go on over rotation, restart and stop. The index has fixed records (term/record-format.h);
 * the first says where its log begins.
 *
 * The writer is the supervisor alone. Readers are other processes and may come at any moment, also between the
 * renames of a rotation: both take a lock, the writer without waiting (it postpones its rotation).
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <sys/types.h>

enum { RECORD_DEFAULT_MAX = 64 * 1024 * 1024 };

struct record;

/*
 * Open or make the recording in directory @dirfd (borrowed for the call) for writing; @max_bytes in both logs
 * together, half as much again while a rotation has to wait, and at most half of it in the indexes. *ret_end: the
 * position after the last byte there is. A log cut short or an index that lags (killed writer, lost power) is mended:
 * the bytes that are in the log count. Never waits for readers. The caller ignores SIGXFSZ.
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
