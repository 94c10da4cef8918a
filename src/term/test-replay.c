/*
 * Checkpoints and sizes in a recording, and the screen as it was at any time: against a screen that saw everything.
 */
#include "term/checkpoint.h"
#include "term/record-format.h"
#include "term/replay.h"
#include "term/test-record.h"
#include "term/test-stream.h"

#include <errno.h>
#include <sys/wait.h>

static const struct term_size usual = { 24, 80 };

/* A session as its supervisor sees it: everything goes into the recording, and into a screen. */
struct told { uint64_t position, time_ms; struct screen *screen; };
struct model {
	struct scratch dir;
	struct record *w;
	struct screen *screen;
	uint64_t end, now, max;
	struct told told[200];
	size_t count;
};

static void checkpoint(struct model *m)
{
	_str_ state = STR_INIT;

	checkpoint_write(m->screen, &state);
	ASSERT_OK(record_checkpoint(m->w, m->end, state.buf, state.len, m->now));
}

/* Without double size lines, of which a checkpoint does not keep all. */
static void some_stream(struct str *out, unsigned pieces)
{
	do {
		str_clear(out);
		stream_random(out, pieces);
	} while (memmem(out->buf, out->len, "\033#", 2) != NULL);
}

static void resize(struct model *m, unsigned rows, unsigned cols)
{
	while (m->count > 0 && m->told[m->count - 1].position == m->end)  /* it is no longer what was there */
		screen_free(m->told[--m->count].screen);
	m->now += 10;
	screen_resize(m->screen, rows, cols);
	ASSERT_OK(record_resize(m->w, rows, cols, m->now));
}

static void print(struct model *m, const char *data, size_t n)
{
	m->now += test_rand_below(4) ? test_rand_below(4) : 100;
	if (record_make_room(m->w, n, m->now) == 1)
		checkpoint(m);
	screen_feed(m->screen, data, n);
	ASSERT_OK(record_write(m->w, data, n, m->now));
	m->end += n;
	if (record_wants_checkpoint(m->w))
		checkpoint(m);
}

static void prints(struct model *m, const char *text) { print(m, text, strlen(text)); }

static struct model model_make(uint64_t max)
{
	struct model m = { .dir = scratch_make(), .now = 1000, .max = max, .screen = screen_new(24, 80, NULL, NULL) };

	ASSERT_OK(record_open(&m.w, m.dir.fd, max, &m.end, NULL));
	resize(&m, 24, 80);
	return m;
}

static void model_end(struct model *m)
{
	for (size_t i = 0; i < m->count; i++)
		screen_free(m->told[i].screen);
	screen_free(m->screen);
	record_close(m->w);
	scratch_remove(&m->dir);
}
#define _model_ _cleanup_(model_end) struct model

static void reopen(struct model *m)
{
	uint64_t end;

	m->w = record_close(m->w);
	ASSERT_OK(record_open(&m->w, m->dir.fd, m->max, &end, NULL));
	ASSERT_EQ(end, m->end);
	ASSERT_OK(record_resize(m->w, screen_rows(m->screen), screen_cols(m->screen), m->now));
}

static void must_be(const struct screen *got, const struct screen *wanted, uint64_t position)
{
	_str_ what = STR_INIT;

	if (!screen_equal(got, wanted, &what))
		test_fail(__FILE__, __LINE__, "at %llu: %s", (unsigned long long)position, what.buf);
}

/* What the recording says of the end is what the model has. */
static void must_end_so(struct model *m, int outcome)
{
	_cleanup_(recording_closep) struct recording *r = NULL;
	_cleanup_(screen_freep) struct screen *s = NULL;

	ASSERT_EQ(recording_open(&r, m->dir.fd, NULL), 0);
	ASSERT_EQ(recording_state_at(r, UINT64_MAX, usual, &s, NULL, NULL), outcome);
	must_be(s, m->screen, m->end);
}

static void remember(struct model *m)
{
	if (m->count < array_len(m->told))
		m->told[m->count++] = (struct told){ m->end, m->now, screen_copy(m->screen) };
}

/* All that is remembered and kept: by position, and by time where nothing else had that time. */
static void must_remember(struct model *m)
{
	_cleanup_(recording_closep) struct recording *r = NULL;

	ASSERT_EQ(recording_open(&r, m->dir.fd, NULL), 0);
	for (size_t i = 0; i < m->count; i++) {
		const struct told *t = &m->told[i];
		_cleanup_(screen_freep) struct screen *s = NULL, *then = NULL;
		struct recording_cursor next;

		if (t->position < recording_first(r))
			continue;
		ASSERT_EQ(recording_state_at(r, t->position, usual, &s, &next, NULL), 0);
		ASSERT_EQ(next.position, t->position);
		must_be(s, t->screen, t->position);

		ASSERT_EQ(recording_state_at_time(r, t->time_ms + 50, usual, &then, NULL, NULL), 0);
		must_be(then, t->screen, t->position);
	}
}

TEST(a_resize_is_where_it_was)
{
	_model_ m = model_make(RECORD_DEFAULT_MAX);
	_cleanup_(recording_closep) struct recording *r = NULL;
	_cleanup_(screen_freep) struct screen *s = NULL;
	struct recording_cursor c = { 0 };
	struct recording_event e;
	struct term_size size;
	char buf[64];

	ASSERT_OK(record_resize(m.w, 24, 80, m.now));             /* said twice is said once */
	prints(&m, "hello");
	resize(&m, 10, 3);
	m.now += 10;
	prints(&m, " world");
	ASSERT_EQ(record_resize(m.w, 0, 80, m.now), -EINVAL);
	ASSERT_EQ(record_resize(m.w, 24, 1 << 14, m.now), -EINVAL);
	ASSERT_EQ(recording_open(&r, m.dir.fd, NULL), 0);
	ASSERT(recording_next(r, &c, buf, 64, &e) == 1 && e.kind == RECORDING_RESIZE && e.rows == 24 && e.cols == 80);
	ASSERT(recording_next(r, &c, buf, 3, &e) == 1 && e.kind == RECORDING_OUTPUT && e.n == 3 && e.position == 0);
	ASSERT(recording_next(r, &c, buf, 64, &e) == 1 && e.kind == RECORDING_OUTPUT && e.n == 2 && e.position == 3);
	ASSERT(recording_next(r, &c, buf, 64, &e) == 1 && e.kind == RECORDING_RESIZE && e.rows == 10 && e.position == 5);
	ASSERT(recording_next(r, &c, buf, 64, &e) == 1 && e.kind == RECORDING_OUTPUT && e.n == 6);
	ASSERT_EQ(e.time_ms, m.now);
	ASSERT_MEMEQ(buf, " world", 6);
	ASSERT_EQ(recording_next(r, &c, buf, 64, &e), 0);
	prints(&m, "!");                                          /* and goes on with what comes */
	ASSERT(recording_next(r, &c, buf, 64, &e) == 1 && e.kind == RECORDING_OUTPUT && e.n == 1);
	size = recording_first_size(r);
	ASSERT(size.rows == 24 && size.cols == 80);
	ASSERT_EQ(recording_state_at(r, 4, usual, &s, NULL, NULL), 0);
	ASSERT_EQ(screen_cols(s), 80);
	s = screen_free(s);
	ASSERT_EQ(recording_state_at(r, 5, usual, &s, NULL, NULL), 0);
	ASSERT_EQ(screen_cols(s), 3);
	must_end_so(&m, 0);
}

TEST(a_recording_without_sizes_has_the_given_one)
{
	_scratch_ dir = scratch_make();
	_cleanup_(record_closep) struct record *w = NULL;
	_cleanup_(recording_closep) struct recording *r = NULL;
	_cleanup_(screen_freep) struct screen *s = NULL;
	_str_ text = STR_INIT;
	uint64_t end;

	ASSERT_OK(record_open(&w, dir.fd, RECORD_DEFAULT_MAX, &end, NULL));
	ASSERT_OK(record_write(w, "abcdefgh", 8, 1));
	ASSERT_EQ(recording_open(&r, dir.fd, NULL), 0);
	ASSERT_EQ(recording_state_at(r, 8, (struct term_size){ 3, 5 }, &s, NULL, NULL), 0);
	screen_add_text(s, SCREEN_PLAIN, &text);
	ASSERT_STREQ(text.buf, "abcde\nfgh\n");
}

TEST(what_a_gap_took_is_said)
{
	_model_ m = model_make(RECORD_DEFAULT_MAX);

	prints(&m, "one");
	record_skip(m.w, 4);
	m.end += 4;
	resize(&m, 5, 20);                                        /* it comes with the next bytes */
	prints(&m, "two");
	must_end_so(&m, 1);
	checkpoint(&m);
	must_end_so(&m, 0);
}

TEST(a_checkpoint_behind_a_gap_is_whole)
{
	_model_ m = model_make(RECORD_DEFAULT_MAX);
	_cleanup_(recording_closep) struct recording *r = NULL;
	struct recording_cursor c = { 0 };
	struct recording_event e;
	uint64_t lost = 0, pos = 3, skipped;
	char buf[64];

	prints(&m, "one");
	for (int i = 0; i < 40; i++) {                            /* gaps that grow, with a size or a state between */
		screen_feed(m.screen, "lost", 4);
		record_skip(m.w, 4);
		m.end += 4;
		resize(&m, 5 + (unsigned)i % 3, 20);
		if (i % 4 == 3)
			checkpoint(&m);
	}
	must_end_so(&m, 0);
	prints(&m, "two");
	must_end_so(&m, 0);
	reopen(&m);
	must_end_so(&m, 0);
	ASSERT_EQ(recording_open(&r, m.dir.fd, NULL), 0);
	while (recording_next(r, &c, buf, sizeof(buf), &e) == 1)
		lost += e.kind == RECORDING_LOST ? e.lost : 0;
	ASSERT_EQ(lost, 160);
	ASSERT_EQ(c.position, m.end);
	ASSERT_EQ(recording_read(r, &pos, buf, sizeof(buf), &skipped), 3);
	ASSERT_EQ(skipped, 160);
	ASSERT_MEMEQ(buf, "two", 3);
}

TEST(a_checkpoint_must_be_of_the_end)
{
	_model_ m = model_make(RECORD_DEFAULT_MAX);

	prints(&m, "one");
	ASSERT_EQ(record_checkpoint(m.w, 2, "x", 1, m.now), -EINVAL);
	ASSERT_EQ(record_checkpoint(m.w, 4, "x", 1, m.now), -EINVAL);
	ASSERT_OK(record_checkpoint(m.w, 3, "x", 1, m.now));      /* one of a later version, say */
	must_end_so(&m, 0);
	prints(&m, "two");
	must_end_so(&m, 0);
}

TEST(states_stay_small_beside_the_log)
{
	_model_ m = model_make(RECORD_DEFAULT_MAX);
	char line[1024];
	off_t states;

	memset(line, 'x', sizeof(line));
	for (int i = 0; i < 3000; i++) {
		print(&m, line, sizeof(line));
		checkpoint(&m);
	}
	states = size_of(m.dir.fd, RECORD_STATES);
	ASSERT(states > 40 * 2000 && states < 3000 * 1024 / 8);
	reopen(&m);
	ASSERT_EQ(size_of(m.dir.fd, RECORD_STATES), states);
	checkpoint(&m);
	ASSERT(size_of(m.dir.fd, RECORD_STATES) <= states + 8);   /* it still takes the place of the last */
	must_end_so(&m, 0);
}

TEST(whatever_happens_the_screen_is_known)
{
	for (int round = 0; round < 30; round++) {
		_model_ m = model_make(round % 3 ? 20000 + test_rand_below(60000) : RECORD_DEFAULT_MAX);

		for (int i = 0; i < 300; i++) {
			_str_ stream = STR_INIT;
			const uint64_t what = test_rand_below(20);

			some_stream(&stream, 1 + (unsigned)test_rand_below(30));
			if (what < 14)
				print(&m, stream.buf, min_size(stream.len, 2000));
			else if (what < 16)
				resize(&m, 1 + (unsigned)test_rand_below(30), 1 + (unsigned)test_rand_below(90));
			else if (what < 19)
				checkpoint(&m);
			else
				reopen(&m);
			if (i % 2) {
				remember(&m);
				m.now += 200;
			}
		}
		must_remember(&m);
		must_end_so(&m, 0);
	}
}

/* What a kill, a full disk or a stranger leaves of the file of states costs time, and is mended. */
TEST(damaged_states_are_done_without)
{
	for (int round = 0; round < 60; round++) {
		_model_ m = model_make(RECORD_DEFAULT_MAX);
		_str_ states = STR_INIT;
		_fd_ fd = -1;
		size_t at;

		for (int i = 0; i < 20; i++) {
			_str_ stream = STR_INIT;

			some_stream(&stream, 20);
			print(&m, stream.buf, stream.len);
			checkpoint(&m);
			remember(&m);
			m.now += 200;
		}
		ASSERT_OK(file_read(m.dir.fd, RECORD_STATES, 1 << 24, &states));
		at = test_rand_below(states.len);
		fd = openat(m.dir.fd, RECORD_STATES, O_RDWR | O_CLOEXEC);
		if (round % 2)
			ASSERT_OK(ftruncate(fd, (off_t)at));
		else
			ASSERT_EQ(pwrite(fd, "\x55", 1, (off_t)at), 1);
		must_remember(&m);
		must_end_so(&m, 0);
		reopen(&m);
		prints(&m, "and so on");
		checkpoint(&m);
		must_remember(&m);
		must_end_so(&m, 0);
	}
}

/* Killed at any moment of a rotation: the states of a log are found again, or there are none. */
TEST(a_rotation_cut_short_confuses_no_states)
{
	static const char *const kept[] = { RECORD_LOG, RECORD_IDX, RECORD_STATES };

	for (int cut = 0; cut <= 4; cut++) {
		_model_ m = model_make(8000);
		_cleanup_(recording_closep) struct recording *r = NULL;
		_cleanup_(screen_freep) struct screen *s = NULL;

		prints(&m, "\033[31mred \033(0qqq");
		checkpoint(&m);
		prints(&m, "more");
		m.w = record_close(m.w);
		for (int i = 0; i < cut && i < 3; i++) {
			char to[64];

			snprintf(to, sizeof(to), "%s.1", kept[i]);
			ASSERT_EQ(renameat(m.dir.fd, kept[i], m.dir.fd, to), 0);
		}
		if (cut == 4)
			close(openat(m.dir.fd, RECORD_LOG, O_CREAT | O_RDWR | O_CLOEXEC, 0600));
		must_end_so(&m, 0);
		reopen(&m);
		must_end_so(&m, 0);
		prints(&m, "and more");
		must_end_so(&m, 0);
	}
}

TEST(a_reader_that_stays_sees_states_that_come)
{
	_model_ m = model_make(30000);
	_cleanup_(recording_closep) struct recording *r = NULL;

	prints(&m, "a");
	ASSERT_EQ(recording_open(&r, m.dir.fd, NULL), 0);
	for (int i = 0; i < 400; i++) {
		_cleanup_(screen_freep) struct screen *s = NULL;
		_str_ stream = STR_INIT;

		some_stream(&stream, 30);
		print(&m, stream.buf, stream.len);
		if (i % 5 == 0)
			checkpoint(&m);
		ASSERT_EQ(recording_state_at(r, m.end, usual, &s, NULL, NULL), 0);
		must_be(s, m.screen, m.end);
	}
}
