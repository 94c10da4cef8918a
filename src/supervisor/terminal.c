#include "supervisor/terminal.h"

#include "base/units.h"
#include "supervisor/supervisor.h"
#include "term/checkpoint.h"
#include "term/recorder.h"
#include "term/replay.h"

enum {
	QUIET_MS = 1000,                 /* so long without output: keep the state */
	BEHIND_MAX = SUPERVISOR_RING_SIZE / 4,   /* bytes that the screen may be behind */
};

static void on_reply(void *supervisor, const char *bytes, size_t n)
{
	struct supervisor *s = supervisor;

	str_add(&s->terminal.answers, bytes, n);
}

static const struct screen_ops ops = { .reply = on_reply };

/* The screen comes to @position, which is published. */
static void catch_up(struct supervisor *s, uint64_t position)
{
	struct terminal *t = &s->terminal;

	while (t->fed < position) {
		size_t n;
		const uint8_t *at = ring_at(s->ring, t->fed, &n);

		n = (size_t)min_u64(n, position - t->fed);
		screen_feed(t->screen, at, n);
		t->fed += n;
	}
}

struct screen *terminal_screen(struct supervisor *s)
{
	catch_up(s, ring_head(s->ring));
	return s->terminal.screen;
}

static void checkpoint(struct supervisor *s, bool begins_pair)
{
	const uint64_t head = ring_head(s->ring);
	_str_ state = STR_INIT;

	if (s->recorder == NULL || s->record_failed || (s->terminal.checkpoint == head && !begins_pair))
		return;
	checkpoint_write(terminal_screen(s), &state);
	recorder_checkpoint(s->recorder, &state, begins_pair, time_now_ms());
	s->terminal.checkpoint = head;
}

static void on_quiet(void *supervisor)
{
	struct supervisor *s = supervisor;
	const uint64_t since_ms = (time_mono_ns() - s->terminal.printed_ns) / 1000000;

	if (since_ms < QUIET_MS) {
		timer_start(s->terminal.quiet_timer, QUIET_MS - since_ms);
		return;
	}
	checkpoint(s, false);
	if (s->recorder != NULL)
		(void)recorder_wait(s->recorder);        /* then the state's memory is free again */
	output_tell_gaps(s);
}

static void begin(struct supervisor *s)
{
	screen_set_ops(s->terminal.screen, &ops, s);
	s->terminal.checkpoint = UINT64_MAX;
	if (s->recorder != NULL)
		recorder_resize(s->recorder, s->size.rows, s->size.cols, time_now_ms());
}

void terminal_open(struct supervisor *s)
{
	s->terminal.quiet_timer = timer_new(&s->loop, on_quiet, s);
	s->terminal.screen = screen_new(s->size.rows, s->size.cols, NULL, NULL);
	s->terminal.fed = ring_head(s->ring);
	begin(s);
}

/* Without a recording the ring is all that is known. */
static struct screen *replay_ring(const struct supervisor *s)
{
	struct screen *screen = screen_new(s->size.rows, s->size.cols, NULL, NULL);
	uint64_t at = ring_oldest(s->ring), lost;
	char buf[16 * 1024];
	size_t n;

	while ((n = ring_read(s->ring, &at, buf, sizeof(buf), &lost)) > 0)
		screen_feed(screen, buf, n);
	return screen;
}

void terminal_adopt(struct supervisor *s, bool is_recorded, uint64_t recorded)
{
	_cleanup_(recording_closep) struct recording *rec = NULL;
	_err_ err = ERR_INIT;

	s->terminal.quiet_timer = timer_new(&s->loop, on_quiet, s);
	s->terminal.fed = recorded;
	if (!is_recorded || recording_open(&rec, s->session_fd, &err) != 0 ||
	    recording_state_at(rec, UINT64_MAX, s->size, &s->terminal.screen, NULL, &err) < 0) {
		s->terminal.screen = replay_ring(s);
		s->terminal.fed = max_u64(recorded, ring_head(s->ring));
	}
	if (screen_rows(s->terminal.screen) != s->size.rows || screen_cols(s->terminal.screen) != s->size.cols)
		screen_resize(s->terminal.screen, s->size.rows, s->size.cols);
	begin(s);
}

void terminal_close(struct supervisor *s)
{
	if (s->terminal.screen != NULL)
		checkpoint(s, false);
	s->terminal.quiet_timer = timer_free(s->terminal.quiet_timer);
	s->terminal.screen = screen_free(s->terminal.screen);
	str_release(&s->terminal.answers);
}

void terminal_feed(struct supervisor *s, uint64_t position, void *data, size_t n)
{
	struct terminal *t = &s->terminal;

	if (!screen_is_idle(t->screen) || screen_printing(data, n) < n) {
		catch_up(s, position);
		screen_feed_answering(t->screen, data, n);
		t->fed = position + n;
	} else if (position - t->fed > BEHIND_MAX) {
		catch_up(s, position);
	}
	t->printed_ns = time_mono_ns();
	if (!timer_is_running(t->quiet_timer))
		timer_start(t->quiet_timer, QUIET_MS);
}

void terminal_answer(struct supervisor *s)
{
	if (s->terminal.answers.len == 0)
		return;
	(void)input_send(s, INPUT_ANSWER, s->terminal.answers.buf, s->terminal.answers.len);  /* a full queue: the command does not read them either */
	str_clear(&s->terminal.answers);
}

void terminal_resize(struct supervisor *s, struct term_size size)
{
	output_publish(s);                               /* printed before */
	screen_resize(terminal_screen(s), size.rows, size.cols);
	if (s->recorder != NULL)
		recorder_resize(s->recorder, size.rows, size.cols, time_now_ms());
}

void terminal_make_room(struct supervisor *s, size_t n)
{
	if (s->recorder != NULL && recorder_is_full(s->recorder, n))
		checkpoint(s, true);
}

void terminal_keep(struct supervisor *s)
{
	if (s->recorder != NULL && recorder_wants_checkpoint(s->recorder))
		checkpoint(s, false);
}
