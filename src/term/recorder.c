#include "term/recorder.h"

#include "base/hook.h"
#include "base/units.h"
#include "term/record.h"
#include "term/ring.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

enum {
	OPS_MAX = 128,                   /* in the queue; the last few only for output: that can be put together */
	OPS_FOR_OUTPUT = 2,
	OPS_MANY = 32,                   /* then it lags: output is put together, and no state is kept */
	TOGETHER_MS = 5,                 /* output of so short a time has one time in the recording anyway */
	STACK_SIZE = 256 * 1024,
};

enum kind { OUTPUT, RESIZE, CHECKPOINT };
struct op {
	enum kind kind;
	bool begins_pair;
	uint64_t end, now_ms;            /* of output: the position behind it */
	unsigned rows, cols;
	struct str state;                /* made, and freed, by whoever handed it over */
};

struct recorder {
	struct record *record;           /* the thread's, once there is one */
	const struct ring *ring;
	pthread_t thread;
	bool has_thread;
	uint64_t handed, sulks_until_ns; /* the position up to which it was handed over */
	int told_no;                     /* the last that recorder_news said */

	pthread_mutex_t lock;            /* for all below */
	pthread_cond_t changed;
	struct op ops[OPS_MAX];
	uint64_t put, done;              /* counts: op i stands at ops[i % OPS_MAX] */
	uint64_t freed;                  /* and those that were done and are freed, by the owner */
	bool is_busy, is_closing;        /* the op `done` is being carried out */
	uint64_t recorded;               /* the position up to which it is recorded */
	uint64_t room_bytes, room_entries;
	bool wants_checkpoint, pair_is_coming;
	int no;                          /* why the last output is missing, 0: it is not */

	uint8_t buf[RING_RESERVE];       /* the thread's */
};

/* --- the thread --- */

/*
 * Bytes are copied before they are written: a disk that hangs may read them when the ring has long gone on. 0, or
 * -errno (-ENOBUFS: they were overwritten before their turn came).
 */
static int write_output(struct recorder *r, uint64_t end, uint64_t now_ms)
{
	uint64_t at = r->recorded, lost;
	int e = 0;

	while (at < end) {
		const size_t n = ring_read_own(r->ring, &at, end, r->buf, sizeof(r->buf), &lost);
		int written;

		if (lost > 0) {
			record_skip(r->record, lost);
			e = -ENOBUFS;
		}
		HOOK("recorder.write");
		written = n > 0 ? record_write(r->record, r->buf, n, now_ms) : 0;
		e = written < 0 ? written : e;
	}
	return e;
}

static void write_checkpoint(struct recorder *r, const struct op *op)
{
	if (op->begins_pair)
		(void)record_make_room(r->record, SIZE_MAX / 2, op->now_ms);
	(void)record_checkpoint(r->record, r->recorded, op->state.buf, op->state.len, op->now_ms);
}

/* What the owner asks, as of now: it may not look at the record itself. */
static void note(struct recorder *r)
{
	record_room(r->record, &r->room_bytes, &r->room_entries);
	r->wants_checkpoint = record_wants_checkpoint(r->record);
}

static void carry_out(struct recorder *r, const struct op *op)
{
	int e = 0;

	switch (op->kind) {
	case OUTPUT: e = write_output(r, op->end, op->now_ms); break;
	case RESIZE: (void)record_resize(r->record, op->rows, op->cols, op->now_ms); break;
	case CHECKPOINT: write_checkpoint(r, op); break;
	}
	pthread_mutex_lock(&r->lock);
	if (op->kind == OUTPUT) {
		r->recorded = op->end;
		r->no = -e;
	}
	if (op->begins_pair)
		r->pair_is_coming = false;
	note(r);
	r->is_busy = false;
	r->done++;
	pthread_cond_broadcast(&r->changed);
}

static void *run(void *recorder)
{
	struct recorder *r = recorder;

	pthread_mutex_lock(&r->lock);
	for (;;) {
		while (r->done == r->put && !r->is_closing)
			pthread_cond_wait(&r->changed, &r->lock);
		if (r->done == r->put)
			break;
		const struct op op = r->ops[r->done % OPS_MAX];

		r->is_busy = true;
		pthread_mutex_unlock(&r->lock);
		carry_out(r, &op);                /* comes back with the lock */
	}
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

/* --- its owner --- */

struct recorder *recorder_new(struct record *record, const struct ring *ring)
{
	struct recorder *r = xcalloc(1, sizeof(*r));
	pthread_condattr_t clock;

	r->record = record;
	r->ring = ring;
	r->recorded = r->handed = ring_head(ring);
	note(r);
	pthread_mutex_init(&r->lock, NULL);
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&r->changed, &clock);
	pthread_condattr_destroy(&clock);
	return r;
}

/* Without a thread (a process may have too many) what is handed over is carried out at once. */
static void start(struct recorder *r)
{
	pthread_attr_t attr;
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	r->has_thread = pthread_create(&r->thread, &attr, run, r) == 0;
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* With the lock: what the thread is done with. */
static void free_done(struct recorder *r)
{
	for (; r->freed < r->done; r->freed++)
		str_release(&r->ops[r->freed % OPS_MAX].state);
}

/* With the lock; there is room. */
static void put(struct recorder *r, const struct op *op)
{
	r->ops[r->put++ % OPS_MAX] = *op;
	if (r->has_thread) {
		pthread_cond_broadcast(&r->changed);
		return;
	}
	pthread_mutex_unlock(&r->lock);
	carry_out(r, op);
}

/* With the lock. */
static bool has_room(struct recorder *r, unsigned most)
{
	free_done(r);
	return r->put - r->freed < most;
}

/* With the lock: make this output part of what is last in the queue. */
static bool put_together(struct recorder *r, uint64_t end, uint64_t now_ms)
{
	struct op *last = &r->ops[(r->put - 1) % OPS_MAX];

	if (r->put - r->done < (r->is_busy ? 2 : 1) || last->kind != OUTPUT)
		return false;
	if (now_ms - last->now_ms >= TOGETHER_MS && r->put - r->done < OPS_MANY)
		return false;
	last->end = end;
	return true;
}

void recorder_output(struct recorder *r, uint64_t end, uint64_t now_ms)
{
	if (!r->has_thread)
		start(r);
	r->handed = end;
	pthread_mutex_lock(&r->lock);
	if (!put_together(r, end, now_ms)) {
		(void)has_room(r, OPS_MAX);
		put(r, &(struct op){ .kind = OUTPUT, .end = end, .now_ms = now_ms });
	}
	pthread_mutex_unlock(&r->lock);
}

/* A size that finds no room among so many that nobody has written down yet is left out. */
void recorder_resize(struct recorder *r, unsigned rows, unsigned cols, uint64_t now_ms)
{
	pthread_mutex_lock(&r->lock);
	if (has_room(r, OPS_MAX - OPS_FOR_OUTPUT))
		put(r, &(struct op){ .kind = RESIZE, .rows = rows, .cols = cols, .now_ms = now_ms });
	pthread_mutex_unlock(&r->lock);
}

void recorder_checkpoint(struct recorder *r, struct str *state, bool begins_pair, uint64_t now_ms)
{
	pthread_mutex_lock(&r->lock);
	if (has_room(r, OPS_MANY)) {
		r->pair_is_coming |= begins_pair;
		put(r, &(struct op){ .kind = CHECKPOINT, .begins_pair = begins_pair, .state = *state,
		                     .now_ms = now_ms });
		*state = (struct str)STR_INIT;
	}
	pthread_mutex_unlock(&r->lock);
}

bool recorder_wants_checkpoint(struct recorder *r)
{
	bool wants;

	pthread_mutex_lock(&r->lock);
	wants = r->wants_checkpoint && r->done == r->put;
	pthread_mutex_unlock(&r->lock);
	return wants;
}

bool recorder_is_full(struct recorder *r, uint64_t n)
{
	bool is_full;

	pthread_mutex_lock(&r->lock);
	is_full = !r->pair_is_coming &&
	          (r->handed - r->recorded + n > r->room_bytes || r->put - r->done >= r->room_entries);
	pthread_mutex_unlock(&r->lock);
	return is_full;
}

static struct timespec time_at(uint64_t ns)
{
	return (struct timespec){ .tv_sec = (time_t)(ns / 1000000000), .tv_nsec = (long)(ns % 1000000000) };
}

bool recorder_wait(struct recorder *r)
{
	const uint64_t now = time_mono_ns();
	const struct timespec until = time_at(now + (uint64_t)RECORDER_WAIT_MS * 1000000);
	bool is_done;

	pthread_mutex_lock(&r->lock);
	while (r->done != r->put && now >= r->sulks_until_ns)
		if (pthread_cond_timedwait(&r->changed, &r->lock, &until) == ETIMEDOUT)
			break;
	is_done = r->done == r->put;
	free_done(r);
	pthread_mutex_unlock(&r->lock);
	if (!is_done && now >= r->sulks_until_ns)
		r->sulks_until_ns = now + (uint64_t)RECORDER_SULK_MS * 1000000;
	return is_done;
}

void recorder_settle(struct recorder *r)
{
	pthread_mutex_lock(&r->lock);
	while (r->done != r->put)
		pthread_cond_wait(&r->changed, &r->lock);
	free_done(r);
	pthread_mutex_unlock(&r->lock);
}

int recorder_news(struct recorder *r, int *ret_no)
{
	int no;

	pthread_mutex_lock(&r->lock);
	no = r->no;
	pthread_mutex_unlock(&r->lock);
	if (no == r->told_no || (no != 0 && r->told_no != 0))
		return 0;
	r->told_no = *ret_no = no;
	return 1;
}

struct recorder *recorder_free(struct recorder *r)
{
	if (r == NULL)
		return NULL;
	pthread_mutex_lock(&r->lock);
	r->is_closing = true;
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->lock);
	if (r->has_thread)
		(void)pthread_join(r->thread, NULL);
	free_done(r);
	record_close(r->record);
	pthread_cond_destroy(&r->changed);
	pthread_mutex_destroy(&r->lock);
	free(r);
	return NULL;
}
