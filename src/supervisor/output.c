/*
 * Output: from the container's stream straight into the ring, to the recording, and only then published, so that what
 * a reader has seen is in the log whatever happens to us; unless the disk is slow (term/recorder.h). Input: the other way, queued while the command does not
 * read.
 */
#include "base/hook.h"
#include "base/units.h"
#include "supervisor/supervisor.h"

#include <errno.h>

enum { INPUT_QUEUE_MAX = 1024 * 1024, PTY_READ_MAX = 4096 };       /* a PTY gives no more at once */

/* Read what there is, at most one reserve of the ring. Bytes; *ret_end: the stream is over. */
static size_t fill(struct supervisor *s, uint8_t *space, size_t room, bool *ret_end)
{
	size_t n = 0;

	while (n < room) {
		const size_t want = min_size(room - n, PTY_READ_MAX);
		ssize_t got;

		ring_arm(s->ring, n, want);
		got = s->container.ops->read(&s->container, space + n, want);

		if (got == -EINTR)
			continue;
		if (got == 0 || (got < 0 && got != -EAGAIN))
			*ret_end = true;
		if (got <= 0)
			break;
		n += (size_t)got;
		if (got < 1024)                          /* that was all: the next wake-up costs less than asking again */
			break;
	}
	return n;
}

/* Before it is published, if the disk takes it soon; one that does not is waited for no longer. */
static void record(struct supervisor *s, size_t n)
{
	if (s->recorder == NULL)
		return;
	recorder_output(s->recorder, ring_head(s->ring) + n, time_now_ms());
	(void)recorder_wait(s->recorder);
}

static const char *gap_text(int no)
{
	return no == 0 ? "the disk takes it again" : no == ENOBUFS ? "the disk is slower than the session" : strerror(no);
}

void output_tell_gaps(struct supervisor *s)
{
	int no = EIO;

	if (s->recorder == NULL ? s->record_failed : recorder_news(s->recorder, &no) == 0)
		return;
	s->record_failed = no != 0;
	supervisor_tell(s, EVENT_gap, (int64_t)ring_head(s->ring), gap_text(no));
}

void output_ready(void *supervisor)
{
	struct supervisor *s = supervisor;
	bool end = false;
	size_t room, n;
	uint8_t *space = ring_space(s->ring, &room);

	n = fill(s, space, room, &end);
	if (n > 0) {
		terminal_make_room(s, n);
		terminal_feed(s, ring_head(s->ring), space, n);
		record(s, n);
		HOOK("supervisor.recorded");
		ring_publish(s->ring, n);
		clients_ring(s);
		terminal_answer(s);
		terminal_keep(s);
		output_tell_gaps(s);
	}
	if (end) {
		s->container.ops->watch(&s->container, false, false);
		s->is_drained = true;
	}
}

/* A disk that does not take it, and a terminal that cannot be asked, cost the record and nothing else. */
static bool may_record_input(struct supervisor *s)
{
	struct engine_handles h;

	return s->input_log != NULL && s->container.ops->handles != NULL &&
	       s->container.ops->handles(&s->container, &h) == 0 && input_may_be_recorded(h.console);
}

static int flush_input(struct supervisor *s)
{
	while (s->input_sent < s->input.len) {
		const bool is_recorded = may_record_input(s);    /* before: a command may react at once */
		const ssize_t n = s->container.ops->write(&s->container, s->input.buf + s->input_sent,
		                                          s->input.len - s->input_sent);

		if (n == -EINTR)
			continue;
		if (n == -EAGAIN)
			return 1;
		if (n <= 0)
			break;                                   /* the terminal is gone; what it ends with will be told */
		if (is_recorded)
			(void)input_log_write(s->input_log, ring_head(s->ring), s->input.buf + s->input_sent,
			                      (size_t)n, time_now_ms());
		s->input_sent += (size_t)n;
	}
	input_clear(s);
	return 0;
}

void output_writable(void *supervisor)
{
	struct supervisor *s = supervisor;

	s->container.ops->watch(&s->container, true, flush_input(s) == 1);
}

int input_send(struct supervisor *s, const void *data, size_t n)
{
	if (!s->has_container || s->state == STATE_DRAINING)
		return 0;
	if (s->input.len - s->input_sent + n > INPUT_QUEUE_MAX)
		return -ENOBUFS;
	str_add(&s->input, data, n);
	if (s->state == STATE_STARTING)
		return 0;                                /* its terminal may not be there yet: run_started writes it */
	if (flush_input(s) == 1)
		s->container.ops->watch(&s->container, true, true);
	return 0;
}

void input_clear(struct supervisor *s)
{
	str_clear(&s->input);
	s->input_sent = 0;
}
