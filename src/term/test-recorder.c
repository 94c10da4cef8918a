/*
 * The recorder's thread: what is handed over is what is recorded, in order; a disk that hangs holds nobody, and
 * costs only what the ring no longer has.
 */
#include "term/recorder.h"

#include "base/units.h"
#include "term/ring.h"
#include "term/test-record.h"

#include <errno.h>

enum { RING_SIZE = 256 * 1024 };

struct session { struct scratch dir; struct ring *ring; struct recorder *recorder; uint64_t max; };

static void open_session(struct session *s)
{
	struct record *record;
	uint64_t end;

	ASSERT_OK(record_open(&record, s->dir.fd, s->max, &end, NULL));
	ASSERT_OK(ring_create(&s->ring, RING_SIZE, end, NULL));
	s->recorder = recorder_new(record, s->ring);
}

static struct session session_make(uint64_t max)
{
	struct session s = { .dir = scratch_make(), .max = max };

	open_session(&s);
	return s;
}

static void session_end(struct session *s)
{
	recorder_free(s->recorder);
	ring_free(s->ring);
	scratch_remove(&s->dir);
}
#define _session_ _cleanup_(session_end) struct session

/* As a supervisor does it. */
static void print(struct session *s, size_t n, bool waits)
{
	const uint64_t head = ring_head(s->ring);
	size_t room;
	uint8_t *space = ring_space(s->ring, &room);

	n = min_size(n, room);
	fill(space, head, n);
	recorder_output(s->recorder, head + n, 1000 + head / 100);
	if (waits)
		(void)recorder_wait(s->recorder);
	ring_publish(s->ring, n);
}

/* Read all of it: every byte is right, and those that are lost lie together. Their number. */
static uint64_t look_at_all(struct session *s, uint64_t *ret_lost_at)
{
	_cleanup_(recording_closep) struct recording *r = NULL;
	static uint8_t buf[10000];
	uint64_t pos = 0, lost, all = 0;
	ssize_t n;

	ASSERT_EQ(recording_open(&r, s->dir.fd, NULL), 0);
	while ((n = recording_read(r, &pos, buf, sizeof(buf), &lost)) > 0) {
		ASSERT(is_right(buf, pos - (uint64_t)n, (size_t)n));
		if (lost > 0 && ret_lost_at != NULL)
			*ret_lost_at = pos - (uint64_t)n - lost;
		all += lost;
	}
	ASSERT_EQ(n, 0);
	ASSERT_EQ(pos, ring_head(s->ring));
	return all;
}

TEST(what_is_handed_over_is_recorded)
{
	_session_ s = session_make(RECORD_DEFAULT_MAX);

	for (int i = 0; i < 300; i++)
		print(&s, 1 + test_rand_below(20000), true);
	recorder_settle(s.recorder);
	ASSERT_EQ(look_at_all(&s, NULL), 0);
	s.recorder = recorder_free(s.recorder);
	s.ring = ring_free(s.ring);
	open_session(&s);
	print(&s, 100, true);                     /* and it goes on there */
	recorder_settle(s.recorder);
	ASSERT_EQ(look_at_all(&s, NULL), 0);
}

static struct str state_of(uint64_t position)
{
	struct str s = STR_INIT;

	str_addf(&s, "the state at %llu", (unsigned long long)position);
	return s;
}

/*
 * A pair of files is begun where the owner said so, and with a state: however the pairs turn, the oldest byte has
 * one.
 */
TEST(a_pair_begins_with_a_state)
{
	_session_ s = session_make(400 * 1000);
	_cleanup_(recording_closep) struct recording *r = NULL;
	struct recording_cursor c;
	_str_ state = STR_INIT;

	recorder_resize(s.recorder, 24, 80, 1000);
	for (int i = 0; i < 200; i++) {
		const bool is_full = recorder_is_full(s.recorder, 8192);

		if (is_full || recorder_wants_checkpoint(s.recorder)) {
			struct str now = state_of(ring_head(s.ring));

			recorder_checkpoint(s.recorder, &now, is_full, 1000);
			str_release(&now);
		}
		print(&s, 8192, false);
		recorder_settle(s.recorder);
	}
	ASSERT_EQ(recording_open(&r, s.dir.fd, NULL), 0);
	ASSERT(recording_first(r) > 0);
	ASSERT_EQ(recording_checkpoint(r, recording_first(r), UINT64_MAX, &c, &state), 1);
	ASSERT_EQ(c.position, recording_first(r));
	_cleanup_(str_release) struct str wanted = state_of(c.position);
	ASSERT_STREQ(state.buf, wanted.buf);
}

#ifdef PTERM_HOOKS
/* The disk hangs: the owner never waits long, and when the disk is back what the ring has kept is recorded. */
static void hang(size_t bytes, bool fits)
{
	_session_ s = session_make(RECORD_DEFAULT_MAX);
	_free_ char *fifo = xasprintf("%s/fifo", s.dir.path), *hook = xasprintf("recorder.write=hang:%s", fifo);
	const uint64_t all = bytes;
	uint64_t lost, lost_at = 0;
	_fd_ go = -1;
	int no;

	ASSERT_EQ(mkfifo(fifo, 0600), 0);
	ASSERT_EQ(setenv("PTERM_HOOK", hook, 1), 0);
	while (ring_head(s.ring) < all) {
		const uint64_t before = ring_head(s.ring);

		if (before % 7 == 0)
			recorder_resize(s.recorder, 24 + (unsigned)(before % 3), 80, 1000);
		print(&s, min_size(5000, all - before), true);
	}
	ASSERT(!recorder_wait(s.recorder));
	ASSERT_EQ(recorder_news(s.recorder, &no), 0);
	go = open(fifo, O_RDWR | O_CLOEXEC);
	recorder_settle(s.recorder);
	lost = look_at_all(&s, &lost_at);
	ASSERT_EQ(recorder_news(s.recorder, &no), fits ? 0 : 1);
	if (fits) {
		ASSERT_EQ(lost, 0);
		return;
	}
	ASSERT_EQ(no, ENOBUFS);
	ASSERT(lost_at < RING_SIZE);
	ASSERT(lost >= all - RING_SIZE - 2 * RING_RESERVE && lost < all - RING_SIZE / 2);
	print(&s, 10, true);
	recorder_settle(s.recorder);
	ASSERT_EQ(recorder_news(s.recorder, &no), 1);
	ASSERT_EQ(no, 0);
}

TEST(a_disk_that_hangs_is_not_waited_for) { hang(150 * 1000, true); }
TEST(what_the_ring_no_longer_has_is_a_gap) { hang(5 * 1000 * 1000, false); }
#endif
