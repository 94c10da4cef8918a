#include "term/test-record.h"

#include <errno.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

TEST(what_was_written_is_read)
{
	_scratch_ dir = scratch_make();
	_cleanup_(record_closep) struct record *w = NULL;
	_cleanup_(recording_closep) struct recording *r = NULL;
	uint64_t end = 99, pos = 0, lost;
	char got[64];

	ASSERT_EQ(recording_open(&r, dir.fd, NULL), 1);
	ASSERT_OK(record_open(&w, dir.fd, RECORD_DEFAULT_MAX, &end, NULL));
	ASSERT_EQ(end, 0);
	ASSERT_EQ(recording_open(&r, dir.fd, NULL), 0);
	ASSERT_EQ(recording_end(r), 0);
	ASSERT_EQ(recording_read(r, &pos, got, sizeof(got), &lost), 0);
	ASSERT_OK(record_write(w, "hello ", 6, 1000));
	ASSERT_OK(record_write(w, "world", 5, 1002));
	ASSERT_OK(record_write(w, "\n$ ", 3, 1030));
	ASSERT_EQ(recording_end(r), 14);
	ASSERT_EQ(recording_read(r, &pos, got, sizeof(got), &lost), 14);
	ASSERT_MEMEQ(got, "hello world\n$ ", 14);
	ASSERT_EQ(lost, 0);
	ASSERT_EQ(recording_time_at(r, 0), 1000);
	ASSERT_EQ(recording_time_at(r, 6), 1000);         /* within 5 ms */
	ASSERT_EQ(recording_time_at(r, 13), 1030);
	ASSERT_EQ(recording_time_at(r, 14), 0);
	ASSERT_EQ(recording_position_at(r, 0), 0);
	ASSERT_EQ(recording_position_at(r, 1000), 0);
	ASSERT_EQ(recording_position_at(r, 1001), 11);
	ASSERT_EQ(recording_position_at(r, 1031), 14);
	ASSERT_EQ(size_of(dir.fd, "output.idx"), 64 + 2 * 32);
	ASSERT_OK(record_write(w, "back", 4, 500));       /* a clock that was set back */
	ASSERT_OK(record_write(w, "!", 1, 1040));
	ASSERT_EQ(recording_time_at(r, 14), 1030);
	ASSERT_EQ(recording_time_at(r, 18), 1040);
	ASSERT_EQ(recording_position_at(r, 1031), 18);
}

TEST(many_small_writes_make_no_large_index)
{
	_scratch_ dir = scratch_make();
	_cleanup_(record_closep) struct record *w = NULL;
	_fd_ lock = -1;
	uint64_t end, lost;

	ASSERT_OK(record_open(&w, dir.fd, 8192, &end, NULL));
	for (; end < 1000; end++)
		ASSERT_OK(write_right(w, end, 1, end * 10));
	ASSERT(size_of(dir.fd, "output.idx.1") > 0 && size_of(dir.fd, "output.idx.1") <= 2048 + 64);
	ASSERT(read_all(dir.fd, 900, NULL, &lost) == end && lost == 0);
	lock = openat(dir.fd, "output.lock", O_RDONLY | O_CLOEXEC);       /* and a rotation that waits changes little */
	ASSERT_EQ(flock(lock, LOCK_SH), 0);
	for (; end < 3000; end++)
		ASSERT_OK(write_right(w, end, 1, end * 10));
	ASSERT(size_of(dir.fd, "output.idx") <= 4096 + 64);
	ASSERT_EQ(flock(lock, LOCK_UN), 0);
	ASSERT(read_all(dir.fd, 2000, NULL, &lost) == end && lost == 0);
}

TEST(gaps_have_their_exact_size)
{
	_scratch_ dir = scratch_make();
	_cleanup_(record_closep) struct record *w = NULL;
	_cleanup_(recording_closep) struct recording *r = NULL;
	uint64_t end, pos = 0, lost;
	char got[64];

	ASSERT_OK(record_open(&w, dir.fd, RECORD_DEFAULT_MAX, &end, NULL));
	record_skip(w, 7);                                /* before all */
	ASSERT_OK(record_write(w, "one", 3, 1000));
	record_skip(w, 100);
	record_skip(w, 1000);
	ASSERT_OK(record_write(w, "two", 3, 1000));
	record_skip(w, 5);                                /* at the end: named when it is closed */
	w = record_close(w);
	ASSERT_OK(record_open(&w, dir.fd, RECORD_DEFAULT_MAX, &end, NULL));
	ASSERT_EQ(end, 7 + 3 + 1100 + 3 + 5);
	record_skip(w, 5);                                /* and grows */
	w = record_close(w);
	ASSERT_OK(record_open(&w, dir.fd, RECORD_DEFAULT_MAX, &end, NULL));
	ASSERT_EQ(end, 7 + 3 + 1100 + 3 + 10);
	ASSERT_EQ(size_of(dir.fd, "output.idx"), 64 + 3 * 32);
	ASSERT_OK(record_write(w, "three", 5, 2000));

	ASSERT_EQ(recording_open(&r, dir.fd, NULL), 0);
	ASSERT_EQ(recording_first(r), 7);
	ASSERT_EQ(recording_end(r), end + 5);
	ASSERT_EQ(recording_read(r, &pos, got, sizeof(got), &lost), 3);
	ASSERT_EQ(lost, 7);
	ASSERT_MEMEQ(got, "one", 3);
	ASSERT_EQ(recording_read(r, &pos, got, sizeof(got), &lost), 3);
	ASSERT_EQ(lost, 1100);
	ASSERT_MEMEQ(got, "two", 3);
	ASSERT_OK(record_write(w, " four", 5, 3000));
	ASSERT_EQ(recording_read(r, &pos, got, sizeof(got), &lost), 10);
	ASSERT_EQ(lost, 10);
	ASSERT_MEMEQ(got, "three four", 10);
	ASSERT_EQ(recording_time_at(r, end), 2000);
	pos = 8;                                          /* not at a border: bytes before the gap first */
	ASSERT_EQ(recording_read(r, &pos, got, sizeof(got), &lost), 2);
	ASSERT_EQ(lost, 0);
	pos = end + 1000;                                 /* never was */
	ASSERT_EQ(recording_read(r, &pos, got, sizeof(got), &lost), 0);
	ASSERT_EQ(lost, 0);
	ASSERT_EQ(pos, end + 1000);
}

TEST(a_gap_is_named_once)
{
	_scratch_ dir = scratch_make();
	_cleanup_(record_closep) struct record *w = NULL;
	uint64_t end, lost;

	ASSERT_OK(record_open(&w, dir.fd, 4096, &end, NULL));
	ASSERT_OK(write_right(w, 0, 1000, 10));
	record_skip(w, 10);
	for (uint64_t i = 0; i < 10; i++)
		ASSERT_OK(write_right(w, 1010 + i * 50, 50, 10));
	ASSERT_EQ(size_of(dir.fd, "output.idx"), 64 + 2 * 32);
	record_skip(w, 10);
	for (uint64_t i = 0; i < 10; i++)                 /* half of these go to a new pair */
		ASSERT_OK(write_right(w, 1520 + i * 100, 100, 10));
	ASSERT_EQ(size_of(dir.fd, "output.log"), 500);
	record_skip(w, 10);                               /* and a rotation names one without an entry */
	ASSERT_OK(write_right(w, 2530, 1900, 10));
	ASSERT_EQ(size_of(dir.fd, "output.log"), 1900);
	ASSERT_EQ(size_of(dir.fd, "output.idx"), 64 + 32);
	ASSERT_EQ(read_all(dir.fd, 1520, NULL, &lost), 4430);
	ASSERT_EQ(lost, 500 + 10);
}

TEST(a_rotation_waits_for_readers_but_not_for_ever)
{
	_scratch_ dir = scratch_make();
	_cleanup_(record_closep) struct record *w = NULL;
	_fd_ lock = -1;
	uint64_t end, lost;
	uint8_t seen[10000] = { 0 };

	ASSERT_OK(record_open(&w, dir.fd, 4096, &end, NULL));
	lock = openat(dir.fd, "output.lock", O_RDONLY | O_CLOEXEC);
	ASSERT_EQ(flock(lock, LOCK_SH), 0);
	for (; end < 4000; end += 1000)
		ASSERT_OK(write_right(w, end, 1000, end));
	ASSERT_EQ(write_right(w, end, 1000, end), -EAGAIN);       /* twice its size: a gap from here on */
	end += 1000;
	ASSERT_EQ(size_of(dir.fd, "output.log"), 4000);
	ASSERT_EQ(flock(lock, LOCK_UN), 0);
	ASSERT_OK(write_right(w, end, 1000, end));
	end += 1000;
	ASSERT_EQ(size_of(dir.fd, "output.log"), 1000);
	ASSERT_EQ(size_of(dir.fd, "output.log.1"), 4000);
	ASSERT_EQ(read_all(dir.fd, 0, seen, &lost), end);
	ASSERT_EQ(lost, 1000);
	ASSERT(seen[3999] && !seen[4000] && !seen[4999] && seen[5000]);
}

/* Runs with all that can happen but failures, next to a list of what was stored, and when. */
enum { SPACE = 400000, FOLLOWERS = 3 };
static struct {
	struct scratch dir;
	struct record *w;
	struct recording *r[FOLLOWERS];
	uint64_t pos[FOLLOWERS], end, now, max;
	uint8_t stored[SPACE];
	uint64_t time_of[SPACE];
} model;

static void model_write(void)
{
	const size_t n = test_rand_below(5) ? test_rand_below(200) : test_rand_below(2000);

	model.now += test_rand_below(3) ? test_rand_below(4) : test_rand_below(50);
	ASSERT_OK(write_right(model.w, model.end, n, model.now));
	memset(model.stored + model.end, 1, n);
	for (size_t i = 0; i < n; i++)
		model.time_of[model.end + i] = model.now;
	model.end += n;
	ASSERT(size_of(model.dir.fd, "output.log") + size_of(model.dir.fd, "output.log.1") <= (off_t)model.max);
	ASSERT(size_of(model.dir.fd, "output.idx") + size_of(model.dir.fd, "output.idx.1") <= (off_t)model.max / 2 + 512);
}

static void model_skip(void)
{
	const size_t n = test_rand_below(300);

	record_skip(model.w, n);
	memset(model.stored + model.end, 0, n);
	model.end += n;
}

static void model_reopen(void)
{
	uint64_t end;

	model.w = record_close(model.w);
	ASSERT_OK(record_open(&model.w, model.dir.fd, model.max, &end, NULL));
	ASSERT_EQ(end, model.end);
}

/* One read from @pos: what is skipped was not stored, or is no longer kept. */
static ssize_t model_read(struct recording *r, uint64_t *pos)
{
	static uint8_t got[5000];
	const uint64_t before = *pos;
	uint64_t lost, first;
	const ssize_t n = recording_read(r, pos, got, 1 + test_rand_below(sizeof(got)), &lost);

	ASSERT_OK(n);
	ASSERT_EQ(*pos, before + lost + (uint64_t)n);
	ASSERT(is_right(got, *pos - (uint64_t)n, (size_t)n));
	first = recording_first(r);
	for (uint64_t p = before; p < before + lost; p++)
		ASSERT(!model.stored[p] || p < first);
	for (uint64_t p = before + lost; p < *pos; p++)
		ASSERT(model.stored[p]);
	for (uint64_t p = *pos; n == 0 && p < model.end; p++)
		ASSERT(!model.stored[p]);
	return n;
}

static void model_times(struct recording *r)
{
	const uint64_t first = recording_first(r), end = recording_end(r), pos = first + test_rand_below(end - first);
	uint64_t at, ms;

	if (pos >= end || !model.stored[pos])
		return;
	ms = recording_time_at(r, pos);
	ASSERT(ms <= model.time_of[pos] && model.time_of[pos] - ms < 5);
	at = recording_position_at(r, model.time_of[pos]);
	ASSERT(at >= first && at <= end);
	for (uint64_t p = at; p < end && p < at + 50; p++)
		ASSERT(!model.stored[p] || model.time_of[p] >= model.time_of[pos]);
	for (uint64_t p = first; p < at; p += 17)
		ASSERT(!model.stored[p] || model.time_of[p] < model.time_of[pos] + 5);
}

static void model_step(void)
{
	const size_t who = test_rand_below(FOLLOWERS);
	uint64_t pos;

	switch (test_rand_below(12)) {
	case 0: model_skip(); break;
	case 1: model_reopen(); break;
	case 2:                                           /* a reader who comes anew, but goes on where it was */
		model.r[who] = recording_close(model.r[who]);
		ASSERT_EQ(recording_open(&model.r[who], model.dir.fd, NULL), 0);
		break;
	case 3: case 4: case 5: model_read(model.r[who], &model.pos[who]); break;
	case 6:
		pos = test_rand_below(model.end + 10);
		model_read(model.r[who], &pos);
		break;
	case 7: model_times(model.r[who]); break;
	default: model_write(); break;
	}
}

TEST(random_runs_agree_with_a_model)
{
	for (int run = 0; run < 150; run++) {
		memset(&model, 0, sizeof(model));
		model.dir = scratch_make();
		model.now = 1000;
		model.max = 4096ULL << test_rand_below(6);
		ASSERT_OK(record_open(&model.w, model.dir.fd, model.max, &model.end, NULL));
		for (int i = 0; i < FOLLOWERS; i++)
			ASSERT_EQ(recording_open(&model.r[i], model.dir.fd, NULL), 0);
		for (int i = 0; i < 300; i++)
			model_step();
		model.w = record_close(model.w);
		for (int i = 0; i < FOLLOWERS; i++) {
			while (model_read(model.r[i], &model.pos[i]) > 0)
				;
			ASSERT_EQ(model.pos[i], model.end);
			ASSERT_EQ(recording_end(model.r[i]), model.end);
			model.r[i] = recording_close(model.r[i]);
		}
		scratch_remove(&model.dir);
	}
}

/* Readers in other processes, across some hundred rotations. Nothing may be lost while they keep up. */
enum { TOTAL = 6 * 1000 * 1000, MAX = 64 * 1024, PROCESSES = 3 };
struct shared { uint64_t read[PROCESSES], ended; };

/* Follow from the start; with @anew, open the recording for each read. 0 when all was well. */
static int follow(int dir_fd, struct shared *s, int who, bool anew)
{
	_cleanup_(recording_closep) struct recording *r = NULL;
	static uint8_t got[8000];
	uint64_t pos = 0, lost;

	while (pos < TOTAL) {
		ssize_t n;

		if (anew)
			r = recording_close(r);
		if (r == NULL && recording_open(&r, dir_fd, NULL) != 0)
			return 1;
		n = recording_read(r, &pos, got, sizeof(got), &lost);
		if (n < 0 || lost != 0)
			return 2;
		if (!is_right(got, pos - (uint64_t)n, (size_t)n))
			return 3;
		__atomic_store_n(&s->read[who], pos, __ATOMIC_RELEASE);
		if (n == 0)
			sched_yield();
	}
	return 0;
}

static void wait_for_slowest(const struct shared *s, uint64_t pos)
{
	for (int i = 0; i < PROCESSES; i++)
		while (__atomic_load_n(&s->read[i], __ATOMIC_ACQUIRE) + MAX / 2 - 8000 < pos) {
			ASSERT_EQ(waitpid(-1, NULL, WNOHANG), 0);         /* one gave up */
			sched_yield();
		}
}

TEST(followers_in_other_processes_lose_nothing_over_rotations)
{
	_scratch_ dir = scratch_make();
	_cleanup_(record_closep) struct record *w = NULL;
	struct shared *s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint64_t end;

	ASSERT(s != MAP_FAILED);
	ASSERT_OK(record_open(&w, dir.fd, MAX, &end, NULL));
	for (int i = 0; i < PROCESSES; i++) {
		const pid_t pid = fork();

		ASSERT(pid >= 0);
		if (pid == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0)
			_exit(follow(dir.fd, s, i, i == 0));
	}
	while (end < TOTAL) {
		const size_t n = (size_t)min_u64(1 + test_rand_below(4000), TOTAL - end);

		wait_for_slowest(s, end);
		/* a busy machine may have stopped a follower while it looks which files there are: a new pair waits for it */
		while (record_make_room(w, n, end / 100) == -EAGAIN)
			sched_yield();
		ASSERT_OK(write_right(w, end, n, end / 100));
		end += n;
	}
	for (int i = 0; i < PROCESSES; i++) {
		int status;

		ASSERT(wait(&status) > 0);
		ASSERT_EQ(status, 0);
	}
	munmap(s, sizeof(*s));
}
