/*
 * The writing end of a recording; record-format.h says what is in the index, recording.c reads.
 *
 * In the common case a record_write is one write(2) to the log; every TICK_MS one pwrite(2) to the index follows.
 * Nothing is synced: a recording survives every process, and of a machine's crash whatever the file system saved.
 *
 * Rotation makes the new pair under other names first, so that a full disk is met before anything is moved, and then
 * takes these steps. After a kill between any two of them the names alone say how to go on (settle):
 *
 *     remove idx.1, remove log.1, log to log.1, idx to idx.1, states to states.1, new log, new idx
 *
 * The states of the screen know to which log they belong, and may be absent: for them there is nothing to be undone.
 */
#include "term/record.h"

#include "base/fd.h"
#include "base/path.h"
#include "base/units.h"
#include "term/record-format.h"
#include "term/record-states.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TICK_MS = 5, MAX_BYTES_LEAST = 4096 };
#define NOWHERE UINT64_MAX

struct record {
	int dir_fd, lock_fd;
	int log_fd, idx_fd;      /* -1 after a rotation that failed half way: opened again with the next write */
	uint64_t half;           /* a log that would grow beyond this is rotated, */
	uint64_t most_entries;   /* and an index that has so many */
	uint64_t log_size, count;        /* bytes and entries of the current pair */
	uint64_t end;            /* the position after the last byte, kept or not */
	uint64_t unnamed;        /* of these, how many at the end are in no log and no gap of the index yet */
	uint64_t gap_offset;     /* where the last entry, if it is a gap, stands in the log: a longer gap replaces it */
	uint64_t last_ms;        /* of the last entry; times never go back */
	bool is_timed;           /* has an entry since it was opened */
	uint64_t base;           /* of the current pair */
	struct states states;    /* of the current pair; made when there is one to be kept */
	unsigned rows, cols;     /* the terminal's size, 0 when nobody said; */
	bool is_size_named;      /* it is in the index of this pair */
};

static int open_file(int dir_fd, const char *name, int flags)
{
	const int fd = openat(dir_fd, name, flags | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);

	return fd < 0 ? -errno : fd;
}

static int move(int dir_fd, const char *from, const char *to)
{
	return renameat(dir_fd, from, dir_fd, to) < 0 ? -errno : 0;
}

/* Finish or undo a rotation that was cut short: afterwards there are whole pairs, or nothing. 0 or -errno. */
static int settle(int dir_fd)
{
	const bool log = path_exists(dir_fd, RECORD_LOG), idx = path_exists(dir_fd, RECORD_IDX);
	const bool log1 = path_exists(dir_fd, RECORD_LOG ".1"), idx1 = path_exists(dir_fd, RECORD_IDX ".1");

	int e = 0;

	if (!log && idx && log1 && !idx1)
		e = move(dir_fd, RECORD_IDX, RECORD_IDX ".1");
	else if (log1 && !idx1)
		(void)unlinkat(dir_fd, RECORD_LOG ".1", 0);
	else if (!log1 && idx1)
		(void)unlinkat(dir_fd, RECORD_IDX ".1", 0);
	if (!path_exists(dir_fd, RECORD_IDX) && !path_exists(dir_fd, RECORD_STATES ".1"))
		(void)move(dir_fd, RECORD_STATES, RECORD_STATES ".1");
	if (!path_exists(dir_fd, RECORD_IDX ".1"))
		(void)unlinkat(dir_fd, RECORD_STATES ".1", 0);
	(void)unlinkat(dir_fd, RECORD_LOG ".new", 0);
	(void)unlinkat(dir_fd, RECORD_IDX ".new", 0);
	return e;
}

/* What a pair of files says about itself. */
struct state { bool is_indexed; uint64_t base, log_size, count, end; struct record_entry last; };

/* The last entry that is whole and speaks of bytes that are there: everything behind it does not count. */
static void find_last(int idx_fd, uint64_t idx_size, struct state *s)
{
	for (uint64_t i = (idx_size - sizeof(struct record_header)) / sizeof(s->last); i > 0; i--) {
		struct record_entry e;

		if (pread(idx_fd, &e, sizeof(e), (off_t)record_slot(i - 1)) != sizeof(e))
			continue;
		if (!record_entry_unpack(&e, s->base) || e.offset > s->log_size)
			continue;
		s->last = e;
		s->count = i;
		s->end = e.position + (s->log_size - e.offset);
		return;
	}
}

/* @base is for an index that does not say. 0, or -errno (-ENOTSUP: from a newer version). */
static int examine(int log_fd, int idx_fd, uint64_t base, struct state *ret)
{
	struct state s = { .base = base };
	struct record_header h;
	struct stat log, idx;

	if (fstat(log_fd, &log) < 0 || fstat(idx_fd, &idx) < 0)
		return -errno;
	if (!S_ISREG(log.st_mode) || !S_ISREG(idx.st_mode))
		return -EINVAL;
	s.log_size = (uint64_t)log.st_size;
	s.is_indexed = pread(idx_fd, &h, sizeof(h), 0) == sizeof(h) && record_header_unpack(&h);
	if (s.is_indexed && h.version != RECORD_VERSION)
		return -ENOTSUP;
	if (s.is_indexed)
		s.base = h.base;
	s.end = s.base + s.log_size;
	if (s.is_indexed)
		find_last(idx_fd, (uint64_t)idx.st_size, &s);
	*ret = s;
	return 0;
}

/* Where the pair before this one ends: the base of one that has none. */
static uint64_t end_of_older(int dir_fd)
{
	_fd_ log = open_file(dir_fd, RECORD_LOG ".1", O_RDONLY), idx = open_file(dir_fd, RECORD_IDX ".1", O_RDONLY);
	struct state s;

	if (log < 0 || idx < 0 || examine(log, idx, 0, &s) < 0)
		return 0;
	return s.end;
}

static int write_at(int fd, const void *data, size_t n, uint64_t at)
{
	ssize_t w;

	do
		w = pwrite(fd, data, n, (off_t)at);
	while (w < 0 && errno == EINTR);
	if (w < 0)
		return -errno;
	return (size_t)w == n ? 0 : -ENOSPC;
}

/* Without them a recording is what it was, only slower to look into: failures are of no account. */
static int open_states(struct record *r, int flags)
{
	const int fd = open_file(r->dir_fd, RECORD_STATES, O_RDWR | flags);

	return fd < 0 ? fd : states_open(&r->states, fd, r->base, r->log_size, r->end);
}

/* Open the current pair, make what is missing, cut off what does not count. */
static int open_pair(struct record *r)
{
	_fd_ log = open_file(r->dir_fd, RECORD_LOG, O_RDWR | O_CREAT | O_APPEND);
	_fd_ idx = open_file(r->dir_fd, RECORD_IDX, O_RDWR | O_CREAT);
	struct state s;
	int e;

	if (log < 0 || idx < 0)
		return log < 0 ? log : idx;
	e = examine(log, idx, end_of_older(r->dir_fd), &s);
	if (e == 0 && !s.is_indexed) {
		const struct record_header h = record_header_pack(s.base, s.log_size == 0 ? time_now_ms() : 0);

		e = write_at(idx, &h, sizeof(h), 0);
	}
	if (e == 0 && ftruncate(idx, (off_t)record_slot(s.count)) < 0)
		e = -errno;
	if (e < 0)
		return e;
	r->log_fd = TAKE_FD(log);
	r->idx_fd = TAKE_FD(idx);
	r->base = s.base;
	r->log_size = s.log_size;
	r->count = s.count;
	r->end = s.end;
	r->is_size_named = false;
	open_states(r, 0);
	r->last_ms = s.last.time_ms;
	r->gap_offset = s.last.kind == RECORD_GAP ? s.last.offset : NOWHERE;
	r->is_timed = false;
	return 0;
}

static int settle_and_open(struct record *r)
{
	/* Whoever holds the lock for longer than it takes to open four files stands still; we do not. */
	const bool is_locked = flock(r->lock_fd, LOCK_EX | LOCK_NB) == 0;
	int e;

	e = settle(r->dir_fd);
	if (e == 0)
		e = open_pair(r);
	if (is_locked)
		(void)flock(r->lock_fd, LOCK_UN);
	return e;
}

int record_open(struct record **ret, int dirfd, uint64_t max_bytes, uint64_t *ret_end, struct err *err)
{
	_cleanup_(record_closep) struct record *r = xcalloc(1, sizeof(*r));
	int e;

	r->log_fd = r->idx_fd = r->lock_fd = r->states.fd = -1;
	r->half = (max_bytes > MAX_BYTES_LEAST ? max_bytes : MAX_BYTES_LEAST) / 2;
	r->most_entries = r->half / 2 / sizeof(struct record_entry);
	r->dir_fd = fcntl(dirfd, F_DUPFD_CLOEXEC, 0);
	if (r->dir_fd < 0)
		return err_set(err, errno, "record-open", "cannot open the recording: %m");
	r->lock_fd = open_file(r->dir_fd, RECORD_LOCK, O_RDWR | O_CREAT);
	if (r->lock_fd < 0)
		return err_set(err, -r->lock_fd, "record-open", "cannot open the recording's lock: %m");
	e = settle_and_open(r);
	if (e == -ENOTSUP)
		return err_set(err, ENOTSUP, "record-version", "the recording was made by a newer version");
	if (e < 0)
		return err_set(err, -e, "record-open", "cannot open the recording: %m");
	*ret_end = r->end;
	*ret = TAKE(r);
	return 0;
}

static void close_pair(struct record *r)
{
	r->log_fd = fd_close(r->log_fd);
	r->idx_fd = fd_close(r->idx_fd);
	states_close(&r->states);
}

/* The new pair under its provisional names: both files open, or none. */
static int make_pair(const struct record *r, uint64_t now_ms, int *ret_log, int *ret_idx)
{
	const struct record_header h = record_header_pack(r->end, now_ms);
	_fd_ log = open_file(r->dir_fd, RECORD_LOG ".new", O_RDWR | O_CREAT | O_TRUNC | O_APPEND);
	_fd_ idx = open_file(r->dir_fd, RECORD_IDX ".new", O_RDWR | O_CREAT | O_TRUNC);
	int e = log < 0 ? log : idx;

	if (log >= 0 && idx >= 0)
		e = write_at(idx, &h, sizeof(h), 0);
	if (e < 0) {
		(void)unlinkat(r->dir_fd, RECORD_LOG ".new", 0);
		(void)unlinkat(r->dir_fd, RECORD_IDX ".new", 0);
		return e;
	}
	*ret_log = TAKE_FD(log);
	*ret_idx = TAKE_FD(idx);
	return 0;
}

static int move_pairs(int dir_fd)
{
	static const char *const moves[][2] = {
		{ RECORD_LOG, RECORD_LOG ".1" }, { RECORD_IDX, RECORD_IDX ".1" },
		{ RECORD_STATES, RECORD_STATES ".1" },
		{ RECORD_LOG ".new", RECORD_LOG }, { RECORD_IDX ".new", RECORD_IDX },
	};
	int e = 0;

	(void)unlinkat(dir_fd, RECORD_IDX ".1", 0);
	(void)unlinkat(dir_fd, RECORD_LOG ".1", 0);
	(void)unlinkat(dir_fd, RECORD_STATES ".1", 0);
	for (size_t i = 0; e == 0 && i < array_len(moves); i++) {
		e = move(dir_fd, moves[i][0], moves[i][1]);
		if (e == -ENOENT && str_eq(moves[i][0], RECORD_STATES))
			e = 0;
	}
	return e;
}

/* 0, or -errno: then either nothing happened, or the pair is closed and the next write opens what there is. */
static int rotate_locked(struct record *r, uint64_t now_ms)
{
	_fd_ log = -1, idx = -1;
	int e = make_pair(r, now_ms, &log, &idx);

	if (e < 0)
		return e;
	e = move_pairs(r->dir_fd);
	close_pair(r);
	if (e < 0)
		return e;
	r->log_fd = TAKE_FD(log);
	r->idx_fd = TAKE_FD(idx);
	r->log_size = r->count = r->unnamed = 0;  /* what was not named is what lies between the two bases */
	r->base = r->end;
	r->gap_offset = NOWHERE;
	r->is_timed = r->is_size_named = false;
	return 0;
}

static int rotate(struct record *r, uint64_t now_ms)
{
	int e;

	if (flock(r->lock_fd, LOCK_EX | LOCK_NB) < 0)
		return -errno;
	e = rotate_locked(r, now_ms);
	(void)flock(r->lock_fd, LOCK_UN);
	return e;
}

/* The pair is closed: open what there is. Its end may lie before ours, never behind. */
static int reopen(struct record *r)
{
	const uint64_t end = r->end;
	const int e = settle_and_open(r);

	if (e == 0 && r->end > end) {
		close_pair(r);
		r->end = end;
		return -EIO;
	}
	if (e == 0) {
		r->unnamed = end - r->end;
		r->end = end;
	}
	return e;
}

/*
 * What the pair takes of its half of the room. Of states no more than a quarter of it counts: however small the room
 * is, there is some for output.
 */
static uint64_t used(const struct record *r)
{
	return r->log_size + min_u64(r->states.fd < 0 ? 0 : r->states.end, r->half / 4);
}

/* See that there is a pair with room for @n bytes: 0, 1 (a new one), or -errno. */
static int make_room(struct record *r, size_t n, uint64_t now_ms)
{
	int e = r->log_fd < 0 ? reopen(r) : 0;

	if (e < 0 || r->log_size == 0 || (used(r) + n <= r->half && r->count < r->most_entries))
		return e;
	e = rotate(r, now_ms);
	if (e == 0)
		return 1;
	/*
	 * A rotation that has to wait (a reader has the lock, the disk is full) may wait until the log has twice its
	 * size.
	 */
	if (e < 0 && r->log_fd >= 0 && r->log_size + n <= 2 * r->half)
		return 0;
	return e;
}

static int put_entry(struct record *r, uint64_t position, uint64_t now_ms, uint64_t offset, uint32_t kind)
{
	const bool replaces = kind == RECORD_GAP && r->gap_offset == offset;
	const struct record_entry entry = record_entry_pack(position, now_ms, offset, kind);
	const int e = write_at(r->idx_fd, &entry, sizeof(entry), record_slot(replaces ? r->count - 1 : r->count));

	if (e < 0)
		return e;
	r->count += replaces ? 0 : 1;
	r->last_ms = now_ms;
	r->is_timed = true;
	r->gap_offset = kind == RECORD_GAP ? offset : NOWHERE;
	return 0;
}

/* Say in the index how many bytes are missing before what comes next. */
static int name_gap(struct record *r, uint64_t now_ms)
{
	int e;

	if (r->unnamed == 0)
		return 0;
	e = put_entry(r, r->end, now_ms, r->log_size, RECORD_GAP);
	if (e == 0)
		r->unnamed = 0;
	return e;
}

/* Say in the index which size the terminal has from here on. */
static int name_size(struct record *r, uint64_t now_ms)
{
	int e;

	if (r->is_size_named || r->rows == 0)
		return 0;
	if (r->count >= 2 * r->most_entries)
		return -ENOSPC;
	e = put_entry(r, r->end, now_ms, r->log_size, record_kind_resize(r->rows, r->cols));
	r->is_size_named = e == 0;
	return e;
}

/* What must stand in the index before anything that comes next. A size that cannot be named costs no bytes. */
static int name_all(struct record *r, uint64_t now_ms)
{
	const int e = name_gap(r, now_ms);

	if (e == 0)
		(void)name_size(r, now_ms);
	return e;
}

/* Bytes written; *ret_error is 0 when that is all of them. */
static size_t append(struct record *r, const char *p, size_t n, int *ret_error)
{
	size_t done = 0;

	*ret_error = 0;
	while (done < n) {
		const ssize_t w = write(r->log_fd, p + done, n - done);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0) {
			*ret_error = w < 0 ? -errno : -ENOSPC;
			break;
		}
		done += (size_t)w;
	}
	r->log_size += done;
	r->end += done;
	return done;
}

static bool is_due(const struct record *r, uint64_t now_ms)
{
	return (!r->is_timed || now_ms - r->last_ms >= TICK_MS) && r->count < 2 * r->most_entries;
}

int record_write(struct record *r, const void *data, size_t n, uint64_t now_ms)
{
	size_t done;
	int e;

	now_ms = now_ms > r->last_ms ? now_ms : r->last_ms;
	e = make_room(r, n, now_ms);
	if (e >= 0)
		e = name_all(r, now_ms);
	if (e < 0) {
		record_skip(r, n);
		return e;
	}
	done = append(r, data, n, &e);
	/* An index that is full or cannot be written costs timing, no bytes; the next write tries again. */
	if (done > 0 && is_due(r, now_ms))
		(void)put_entry(r, r->end - done, now_ms, r->log_size - done, RECORD_OUTPUT);
	record_skip(r, n - done);
	return e;
}

void record_skip(struct record *r, uint64_t n)
{
	r->end += n;
	r->unnamed += n;
}

int record_make_room(struct record *r, size_t n, uint64_t now_ms)
{
	return make_room(r, n, now_ms > r->last_ms ? now_ms : r->last_ms);
}

void record_room(const struct record *r, uint64_t *ret_bytes, uint64_t *ret_entries)
{
	const uint64_t bytes = used(r);

	*ret_bytes = r->log_size == 0 ? UINT64_MAX : bytes < r->half ? r->half - bytes : 0;
	*ret_entries = r->log_size == 0 ? UINT64_MAX : r->count < r->most_entries ? r->most_entries - r->count : 0;
}

int record_resize(struct record *r, unsigned rows, unsigned cols, uint64_t now_ms)
{
	if (rows < 1 || cols < 1 || rows > RECORD_SIDE_MAX || cols > RECORD_SIDE_MAX)
		return -EINVAL;
	if (rows == r->rows && cols == r->cols)
		return 0;
	r->rows = rows;
	r->cols = cols;
	r->is_size_named = false;
	if (r->log_fd < 0 || r->unnamed > 0)             /* behind a gap that has no name yet: with what comes next */
		return 0;
	return name_size(r, now_ms > r->last_ms ? now_ms : r->last_ms);
}

int record_checkpoint(struct record *r, uint64_t position, const void *state, size_t n, uint64_t now_ms)
{
	struct record_state head;
	int e = r->log_fd < 0 ? reopen(r) : 0;

	if (position != r->end || n > RECORD_STATE_MAX)
		return -EINVAL;
	now_ms = now_ms > r->last_ms ? now_ms : r->last_ms;
	if (e == 0 && r->states.fd < 0)
		e = open_states(r, O_CREAT);
	if (e == 0)
		e = name_all(r, now_ms);
	if (e < 0)
		return e;
	head = (struct record_state){ .position = position, .time_ms = now_ms, .offset = r->log_size,
	                              .entries = r->count };
	e = states_add(&r->states, &head, state, n);
	r->gap_offset = NOWHERE;                                 /* a gap that grows must stand behind this state */
	return e;
}

bool record_wants_checkpoint(const struct record *r)
{
	if (r->log_fd < 0)
		return false;
	return r->states.count == 0 || r->end - r->states.last_position >= RECORD_CHECKPOINT_EVERY;
}

struct record *record_close(struct record *r)
{
	if (r == NULL)
		return NULL;
	if (r->idx_fd >= 0)
		(void)name_all(r, r->last_ms);
	close_pair(r);
	fd_close(r->lock_fd);
	fd_close(r->dir_fd);
	free(r);
	return NULL;
}
