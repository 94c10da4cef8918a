/*
 * The reading end of a recording. Everything is pread: files that can be cut short are never mapped, and an index,
 * which may have half a million entries, is searched where it lies.
 *
 * The newer pair grows while we read. Its log is measured before its index, so for every gap before a byte that we
 * know of, the entry is there (it was written first). A rotation is noticed at the end of the newer log only: then
 * both pairs are opened again by name, and since all is addressed by position nothing else is to be carried over.
 *
 * What is in the files may be anything. Every entry has its checksum and its bounds looked at before it is used, and
 * no loop depends on what entries say.
 */
#include "base/fd.h"
#include "term/record-format.h"
#include "term/record-states.h"
#include "term/record.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OLDER, NEWER, PAIRS };
enum { JUMPS_MAX = 16, TORN_TRIES = 3 };

struct pair {
	int log_fd, idx_fd;              /* log_fd -1: there is no such pair; idx_fd -1: nothing is known of this log */
	int states_fd;                   /* -1: none yet */
	uint64_t base, created_ms;
	uint64_t log_size, count;        /* at the last look: bytes, and entries that speak of them */
	struct record_entry last;        /* of these */
};
struct recording { int dir_fd, lock_fd; struct pair pairs[PAIRS]; };

static const struct pair no_pair = { .log_fd = -1, .idx_fd = -1, .states_fd = -1 };

static bool entry_at(const struct pair *p, uint64_t i, struct record_entry *ret)
{
	for (int tries = 0; tries < TORN_TRIES; tries++) {        /* a gap may be growing while we read it */
		struct record_entry e;

		if (pread(p->idx_fd, &e, sizeof(e), (off_t)record_slot(i)) != sizeof(e))
			return false;
		if (record_entry_unpack(&e, p->base)) {
			*ret = e;
			return true;
		}
	}
	return false;
}

enum key { BY_POSITION, BY_OFFSET, BY_MISSING, BY_TIME };

static uint64_t value_of(const struct pair *p, const struct record_entry *e, enum key key)
{
	switch (key) {
	case BY_POSITION: return e->position;
	case BY_OFFSET: return e->offset;
	case BY_MISSING: return e->position - p->base - e->offset;
	case BY_TIME: return e->time_ms;
	}
	return UINT64_MAX;
}

/*
 * The first entry whose value is above @limit, or the count: none of the values ever goes back. Unreadable is above.
 */
static uint64_t first_above(const struct pair *p, enum key key, uint64_t limit)
{
	uint64_t low = 0, high = p->count;

	while (low < high) {
		const uint64_t middle = low + (high - low) / 2;
		struct record_entry e;

		if (entry_at(p, middle, &e) && value_of(p, &e, key) <= limit)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* See how far the pair goes now. */
static void look(struct pair *p)
{
	struct stat log, idx;

	p->log_size = p->count = 0;
	p->last = (struct record_entry){ .position = p->base };
	if (p->log_fd < 0 || fstat(p->log_fd, &log) < 0)
		return;
	p->log_size = (uint64_t)log.st_size;
	if (p->idx_fd < 0 || fstat(p->idx_fd, &idx) < 0 || (uint64_t)idx.st_size < record_slot(1))
		return;
	p->count = ((uint64_t)idx.st_size - record_slot(0)) / sizeof(struct record_entry);
	if (!entry_at(p, p->count - 1, &p->last) || p->last.offset > p->log_size) {
		p->count = first_above(p, BY_OFFSET, p->log_size);
		if (p->count == 0 || !entry_at(p, p->count - 1, &p->last) || p->last.offset > p->log_size) {
			p->count = 0;
			p->last = (struct record_entry){ .position = p->base };
		}
	}
}

static uint64_t pair_end(const struct pair *p)
{
	return p->last.position + (p->log_size - p->last.offset);
}

static int open_file(int dir_fd, const char *name)
{
	const int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	fd_close(fd);
	return -EINVAL;
}

/* Both names are tried: a rotation that was cut short may have left the file under the other. -1: there is none. */
static int open_states(int dir_fd, uint64_t base)
{
	static const char *const names[] = { RECORD_STATES, RECORD_STATES ".1" };

	for (size_t i = 0; i < array_len(names); i++) {
		const int fd = open_file(dir_fd, names[i]);

		if (fd >= 0 && states_belong(fd, base))
			return fd;
		if (fd >= 0)
			fd_close(fd);
	}
	return -1;
}

/* @base is for a log whose index says nothing. 0 (also when there is none), or -errno. */
static int open_pair(struct pair *ret, int dir_fd, const char *log, const char *idx, uint64_t base)
{
	struct pair p = { .log_fd = open_file(dir_fd, log), .idx_fd = open_file(dir_fd, idx), .states_fd = -1,
	                  .base = base };
	struct record_header h;
	int e = 0;

	if (p.log_fd >= 0 && p.idx_fd >= 0 && pread(p.idx_fd, &h, sizeof(h), 0) == sizeof(h) &&
	    record_header_unpack(&h)) {
		p.base = h.base;
		p.created_ms = h.created_ms;
		e = h.version == RECORD_VERSION ? 0 : -ENOTSUP;
	} else if (p.idx_fd >= 0) {
		p.idx_fd = fd_close(p.idx_fd);
	}
	if (p.log_fd < 0)
		e = p.log_fd == -ENOENT ? 0 : p.log_fd;
	if (e < 0 || p.log_fd < 0) {
		fd_close(p.log_fd);
		fd_close(p.idx_fd);
		p = no_pair;
	}
	if (p.idx_fd >= 0)
		p.states_fd = open_states(dir_fd, p.base);
	look(&p);
	*ret = p;
	return e;
}

static void close_pairs(struct pair pairs[PAIRS])
{
	for (int i = 0; i < PAIRS; i++) {
		fd_close(pairs[i].log_fd);
		fd_close(pairs[i].idx_fd);
		fd_close(pairs[i].states_fd);
		pairs[i] = no_pair;
	}
}

/* Killed after the first rename of a rotation, and not mended yet: the log has moved, its index has not. */
static int open_half_rotated(int dir_fd, struct pair pairs[PAIRS])
{
	int e;

	close_pairs(pairs);
	e = open_pair(&pairs[NEWER], dir_fd, RECORD_LOG ".1", RECORD_IDX, 0);
	if (e == 0 && pairs[NEWER].idx_fd < 0)
		close_pairs(pairs);
	return e;
}

static int open_both(int dir_fd, struct pair pairs[PAIRS])
{
	int e = open_pair(&pairs[OLDER], dir_fd, RECORD_LOG ".1", RECORD_IDX ".1", 0);
	const bool is_orphan = pairs[OLDER].log_fd >= 0 && pairs[OLDER].idx_fd < 0;

	if (e == 0)
		e = open_pair(&pairs[NEWER], dir_fd, RECORD_LOG, RECORD_IDX, is_orphan ? 0 : pair_end(&pairs[OLDER]));
	if (e == 0 && is_orphan && pairs[NEWER].log_fd < 0)
		return open_half_rotated(dir_fd, pairs);
	if (is_orphan) {                                  /* what a rotation was about to remove */
		fd_close(pairs[OLDER].log_fd);
		fd_close(pairs[OLDER].states_fd);
		pairs[OLDER] = no_pair;
	}
	return e;
}

static int open_again(struct recording *r)
{
	struct pair pairs[PAIRS] = { no_pair, no_pair };
	int e;

	if (r->lock_fd < 0)                               /* a copy without one is read as it stands */
		r->lock_fd = open_file(r->dir_fd, RECORD_LOCK);
	while (r->lock_fd >= 0 && flock(r->lock_fd, LOCK_SH) < 0 && errno == EINTR)
		;
	e = open_both(r->dir_fd, pairs);
	if (r->lock_fd >= 0)
		(void)flock(r->lock_fd, LOCK_UN);
	if (e < 0) {
		close_pairs(pairs);
		return e;
	}
	close_pairs(r->pairs);
	memcpy(r->pairs, pairs, sizeof(pairs));
	return 0;
}

/* Is there another newest index than the one that we have? */
static bool is_rotated(const struct recording *r)
{
	const int ours = r->pairs[NEWER].idx_fd;
	struct stat now, then;

	if (fstatat(r->dir_fd, RECORD_IDX, &now, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	if (ours < 0 || fstat(ours, &then) < 0)
		return now.st_size >= (off_t)record_slot(0);
	return now.st_ino != then.st_ino || now.st_dev != then.st_dev;
}

static void refresh(struct recording *r)
{
	if (is_rotated(r))
		(void)open_again(r);
	look(&r->pairs[NEWER]);
}

int recording_open(struct recording **ret, int dirfd, struct err *err)
{
	_cleanup_(recording_closep) struct recording *r = xcalloc(1, sizeof(*r));
	int e;

	r->pairs[OLDER] = r->pairs[NEWER] = no_pair;
	r->lock_fd = -1;
	r->dir_fd = fcntl(dirfd, F_DUPFD_CLOEXEC, 0);
	if (r->dir_fd < 0)
		return err_set(err, errno, "recording-open", "cannot open the recording: %m");
	e = open_again(r);
	if (e == -ENOTSUP)
		return err_set(err, ENOTSUP, "record-version", "the recording was made by a newer version");
	if (e < 0)
		return err_set(err, -e, "recording-open", "cannot open the recording: %m");
	if (r->pairs[OLDER].log_fd < 0 && r->pairs[NEWER].log_fd < 0)
		return 1;
	*ret = TAKE(r);
	return 0;
}

struct recording *recording_close(struct recording *r)
{
	if (r == NULL)
		return NULL;
	close_pairs(r->pairs);
	fd_close(r->lock_fd);
	fd_close(r->dir_fd);
	free(r);
	return NULL;
}

/* Where the log of a pair begins to have bytes: a gap may stand before all of them. */
static uint64_t pair_first(const struct pair *p)
{
	struct record_entry e;

	return p->count > 0 && entry_at(p, 0, &e) && e.offset == 0 ? e.position : p->base;
}

uint64_t recording_first(struct recording *r)
{
	refresh(r);
	if (r->pairs[OLDER].log_fd >= 0 && r->pairs[OLDER].log_size > 0)
		return pair_first(&r->pairs[OLDER]);
	return pair_first(&r->pairs[NEWER]);
}

uint64_t recording_end(struct recording *r)
{
	refresh(r);
	return pair_end(&r->pairs[r->pairs[NEWER].log_fd >= 0 ? NEWER : OLDER]);
}

/* The last pair that begins at or before @pos, or the first that there is. */
static const struct pair *pair_of(const struct recording *r, uint64_t pos)
{
	const struct pair *older = &r->pairs[OLDER], *newer = &r->pairs[NEWER];

	if (older->log_fd < 0 || (newer->log_fd >= 0 && pos >= newer->base))
		return newer;
	return older;
}

/*
 * At a position: @n bytes that follow each other at @offset, or none and where it goes on (0: nowhere in this pair).
 */
struct span { uint64_t offset, n, next; };

static struct span locate(const struct pair *p, uint64_t pos)
{
	struct record_entry e = { .position = p->base }, after = { 0 };
	struct span s = { 0 };
	uint64_t stop = p->log_size, i;

	if (pos < p->base)
		return (struct span){ .next = p->base };
	if (value_of(p, &p->last, BY_MISSING) > 0) {      /* else positions and offsets go hand in hand throughout */
		i = first_above(p, BY_POSITION, pos);
		if (i > 0 && !entry_at(p, i - 1, &e))
			return s;
		i = first_above(p, BY_MISSING, value_of(p, &e, BY_MISSING));
		if (i < p->count && entry_at(p, i, &after)) {
			stop = min_u64(stop, after.offset);
			/*
			 * of several gaps at one offset, with a size or a state between them, the last has the
			 * position of the byte
			 */
			i = first_above(p, BY_OFFSET, after.offset);
			if (i > 0)
				(void)entry_at(p, i - 1, &after);
		}
	}
	s.offset = pos - e.position + e.offset;
	s.n = stop > s.offset ? stop - s.offset : 0;
	s.next = after.position;
	return s;
}

ssize_t recording_read(struct recording *r, uint64_t *pos, void *out, size_t n, uint64_t *ret_lost)
{
	bool is_fresh = false;

	*ret_lost = 0;
	n = min_size(n, SSIZE_MAX);
	look(&r->pairs[NEWER]);
	for (int jumps = 0; jumps < JUMPS_MAX; jumps++) {
		const struct pair *p = pair_of(r, *pos), *newer = &r->pairs[NEWER];
		struct span s = locate(p, *pos);

		if (s.n > 0) {
			const ssize_t got = pread(p->log_fd, out, (size_t)min_u64(n, s.n), (off_t)s.offset);

			*pos += got > 0 ? (uint64_t)got : 0;
			return got < 0 ? -errno : got;
		}
		if (s.next <= *pos && p != newer && newer->log_fd >= 0)
			s.next = newer->base;
		if (s.next > *pos) {
			*ret_lost += s.next - *pos;
			*pos = s.next;
		} else {
			const int e = is_fresh || !is_rotated(r) ? 1 : open_again(r);

			if (e != 0)
				return e < 0 ? e : 0;
			is_fresh = true;
		}
	}
	return -EIO;                                      /* no recording that we wrote has so many gaps in a row */
}

uint64_t recording_time_at(struct recording *r, uint64_t pos)
{
	const struct pair *p;
	struct record_entry e;
	uint64_t i;

	refresh(r);
	p = pair_of(r, pos);
	if (p->log_fd < 0 || pos < p->base || pos >= pair_end(p))
		return 0;
	i = first_above(p, BY_POSITION, pos);
	if (i == 0)
		return p->created_ms;
	return entry_at(p, i - 1, &e) ? e.time_ms : 0;
}

uint64_t recording_position_at(struct recording *r, uint64_t ms)
{
	refresh(r);
	for (int which = OLDER; which < PAIRS; which++) {
		const struct pair *p = &r->pairs[which];
		const uint64_t i = ms == 0 ? 0 : first_above(p, BY_TIME, ms - 1);
		struct record_entry e;

		if (i < p->count && entry_at(p, i, &e))
			return e.position;
	}
	return recording_end(r);
}

/* --- what happened, one after the other --- */

static void cursor_to(struct recording_cursor *c, const struct pair *p)
{
	c->base = p->base;
	c->entry = c->offset = 0;
	c->time_ms = p->created_ms;                      /* for bytes that have no entry */
}

/*
 * The pair that the cursor is in. One that is gone makes it go on with the oldest that is left. NULL: it is behind
 * everything.
 */
static const struct pair *pair_of_cursor(struct recording *r, struct recording_cursor *c)
{
	const struct pair *older = &r->pairs[OLDER], *newer = &r->pairs[NEWER];
	const struct pair *oldest = older->log_fd >= 0 && older->log_size > 0 ? older : newer;

	if (!c->is_set) {
		cursor_to(c, oldest);
		c->position = c->base;
		c->is_set = true;
	}
	for (int which = OLDER; which < PAIRS; which++)
		if (r->pairs[which].log_fd >= 0 && r->pairs[which].base == c->base)
			return &r->pairs[which];
	if (oldest->log_fd < 0 || oldest->base < c->position)
		return NULL;
	cursor_to(c, oldest);
	return oldest;
}

/* The next entry, when the cursor has come to its byte. */
static bool is_entry_due(const struct pair *p, const struct recording_cursor *c, struct record_entry *ret)
{
	return c->entry < p->count && entry_at(p, c->entry, ret) && ret->offset <= c->offset;
}

/* Go past an entry: true when it is worth telling. */
static bool pass_entry(const struct pair *p, struct recording_cursor *c, const struct record_entry *e,
                       struct recording_event *ret)
{
	const uint64_t missing = value_of(p, e, BY_MISSING), had = c->position - p->base - c->offset;

	if (missing > had) {                              /* what comes behind is told first, the entry is still to come */
		c->position += missing - had;
		*ret = (struct recording_event){ RECORDING_LOST, c->position, e->time_ms, .lost = missing - had };
		return true;
	}
	c->entry++;
	c->time_ms = e->time_ms;
	*ret = (struct recording_event){ RECORDING_RESIZE, c->position, c->time_ms, .rows = record_kind_rows(e->kind),
	                                 .cols = record_kind_cols(e->kind) };
	return (e->kind & RECORD_KIND_MASK) == RECORD_RESIZE && ret->rows > 0 && ret->cols > 0;
}

/* Bytes that are one event: up to the next entry. */
static int next_output(const struct pair *p, struct recording_cursor *c, void *out, size_t n,
                       struct recording_event *ret)
{
	struct record_entry e;
	uint64_t stop = p->log_size;
	ssize_t got;

	if (c->entry < p->count && entry_at(p, c->entry, &e))
		stop = min_u64(stop, e.offset);
	if (stop <= c->offset)
		return 0;
	got = pread(p->log_fd, out, (size_t)min_u64(n, stop - c->offset), (off_t)c->offset);
	if (got <= 0)
		return got < 0 ? -errno : 0;
	*ret = (struct recording_event){ RECORDING_OUTPUT, c->position, c->time_ms, .n = (size_t)got };
	c->offset += (uint64_t)got;
	c->position += (uint64_t)got;
	return 1;
}

int recording_next(struct recording *r, struct recording_cursor *c, void *out, size_t n, struct recording_event *ret)
{
	look(&r->pairs[NEWER]);
	for (bool is_fresh = false;;) {
		const struct pair *p = pair_of_cursor(r, c), *newer = &r->pairs[NEWER];
		struct record_entry e;
		int e_no;

		while (p != NULL && is_entry_due(p, c, &e))
			if (pass_entry(p, c, &e, ret))
				return 1;
		e_no = p == NULL ? 0 : next_output(p, c, out, n, ret);
		if (e_no != 0)
			return e_no;
		if (p != NULL && p != newer && newer->log_fd >= 0 && newer->base >= c->position) {
			const uint64_t lost = newer->base - c->position;

			c->position = newer->base;
			cursor_to(c, newer);
			if (lost > 0) {
				*ret = (struct recording_event){ RECORDING_LOST, c->position, c->time_ms, .lost = lost };
				return 1;
			}
		} else {
			if (is_fresh || !is_rotated(r))
				return 0;
			e_no = open_again(r);
			if (e_no < 0)
				return e_no;
			is_fresh = true;
		}
	}
}

int recording_checkpoint(struct recording *r, uint64_t position, uint64_t time_ms, struct recording_cursor *ret,
                         struct str *ret_state)
{
	refresh(r);
	for (int which = PAIRS; which-- > OLDER;) {
		struct pair *p = &r->pairs[which];
		struct record_state h;

		if (p->log_fd >= 0 && p->idx_fd >= 0 && p->states_fd < 0)        /* made since? */
			p->states_fd = open_states(r->dir_fd, p->base);
		if (p->states_fd >= 0 && states_find(p->states_fd, p->base, position, time_ms, &h, ret_state)) {
			*ret = (struct recording_cursor){ p->base, h.entries, h.offset, h.position, h.time_ms, true };
			return 1;
		}
	}
	return 0;
}
