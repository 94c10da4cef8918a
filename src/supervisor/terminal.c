#include "supervisor/terminal.h"

#include "base/units.h"
#include "supervisor/supervisor.h"
#include "term/checkpoint.h"
#include "term/replay.h"

#include <errno.h>

#define LOG_MODULE "terminal"
#include "base/log.h"

enum { QUIET_MS = 1000 };                         /* so long without output: keep the state */

static void on_reply(void *supervisor, const char *bytes, size_t n)
{
	struct supervisor *s = supervisor;

	str_add(&s->terminal.answers, bytes, n);
}

static const struct screen_ops ops = { .reply = on_reply };

static void checkpoint(struct supervisor *s)
{
	const uint64_t head = ring_head(s->ring);
	_str_ state = STR_INIT;
	int r;

	if (s->record == NULL || s->record_failed || s->terminal.checkpoint == head)
		return;
	checkpoint_write(s->terminal.screen, &state);
	r = record_checkpoint(s->record, head, state.buf, state.len, time_now_ms());
	if (r < 0)
		log_debug("no checkpoint at %llu: %s", (unsigned long long)head, strerror(-r));
	s->terminal.checkpoint = head;
}

static void on_quiet(void *supervisor)
{
	struct supervisor *s = supervisor;
	const uint64_t since_ms = (time_mono_ns() - s->terminal.fed_ns) / 1000000;

	if (since_ms < QUIET_MS)
		timer_start(s->terminal.quiet_timer, QUIET_MS - since_ms);
	else
		checkpoint(s);
}

static void begin(struct supervisor *s)
{
	screen_set_ops(s->terminal.screen, &ops, s);
	s->terminal.checkpoint = UINT64_MAX;
	if (s->record != NULL)
		(void)record_resize(s->record, s->size.rows, s->size.cols, time_now_ms());
}

void terminal_open(struct supervisor *s)
{
	s->terminal.quiet_timer = timer_new(&s->loop, on_quiet, s);
	s->terminal.screen = screen_new(s->size.rows, s->size.cols, NULL, NULL);
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

void terminal_adopt(struct supervisor *s)
{
	_cleanup_(recording_closep) struct recording *rec = NULL;
	_err_ err = ERR_INIT;

	s->terminal.quiet_timer = timer_new(&s->loop, on_quiet, s);
	if (s->record == NULL || recording_open(&rec, s->session_fd, &err) != 0 ||
	    recording_state_at(rec, UINT64_MAX, s->size, &s->terminal.screen, NULL, &err) < 0)
		s->terminal.screen = replay_ring(s);
	if (screen_rows(s->terminal.screen) != s->size.rows || screen_cols(s->terminal.screen) != s->size.cols)
		screen_resize(s->terminal.screen, s->size.rows, s->size.cols);
	begin(s);
}

void terminal_close(struct supervisor *s)
{
	if (s->terminal.screen != NULL)
		checkpoint(s);
	s->terminal.quiet_timer = timer_free(s->terminal.quiet_timer);
	s->terminal.screen = screen_free(s->terminal.screen);
	str_release(&s->terminal.answers);
}

void terminal_feed(struct supervisor *s, void *data, size_t n)
{
	screen_feed_answering(s->terminal.screen, data, n);
	s->terminal.fed_ns = time_mono_ns();
	if (!timer_is_running(s->terminal.quiet_timer))
		timer_start(s->terminal.quiet_timer, QUIET_MS);
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
	screen_resize(s->terminal.screen, size.rows, size.cols);
	if (s->record != NULL)
		(void)record_resize(s->record, size.rows, size.cols, time_now_ms());
}

void terminal_make_room(struct supervisor *s, size_t n)
{
	if (s->record != NULL && record_make_room(s->record, n, time_now_ms()) == 1) {
		s->terminal.checkpoint = UINT64_MAX;
		checkpoint(s);
	}
}

void terminal_keep(struct supervisor *s)
{
	if (s->record != NULL && record_wants_checkpoint(s->record))
		checkpoint(s);
}
