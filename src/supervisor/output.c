/*
 * Output: from the container's stream straight into the ring, to the recording, and only then published, so that what
 * a reader has seen is in the log whatever happens to us; unless the disk is slow (term/recorder.h).
 */
#include "base/hook.h"
#include "base/units.h"
#include "supervisor/supervisor.h"

#include <errno.h>

enum {
	PTY_READ_MAX = 4096,             /* a PTY gives no more at once */
	FLOOD_READ = 2048,               /* so much at once is no echo, and nobody waits for an answer */
	GATHER_MS = 2,                   /* in a flood no reader is rung more often (client.c) */
};

/*
 * Read what there is, behind what was gathered, at most one reserve of the ring. Bytes; *ret_end: the stream is
 * over.
 */
static size_t fill(struct supervisor *s, uint8_t *space, size_t room, bool *ret_end)
{
	size_t n = s->gathered;

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
	return n - s->gathered;
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
	if (no == 0)
		return "the disk takes it again";
	return no == ENOBUFS ? "the disk is slower than the session" : strerror(no);
}

void output_tell_gaps(struct supervisor *s)
{
	int no = EIO;

	if (s->recorder == NULL ? s->record_failed : recorder_news(s->recorder, &no) == 0)
		return;
	s->record_failed = no != 0;
	supervisor_tell(s, EVENT_gap, (int64_t)ring_head(s->ring), gap_text(no));
}

void output_publish(void *supervisor)
{
	struct supervisor *s = supervisor;
	const size_t n = s->gathered;
	size_t room;
	uint8_t *space;

	if (n == 0)
		return;
	space = ring_space(s->ring, &room);
	terminal_make_room(s, n);
	terminal_feed(s, ring_head(s->ring), space, n);
	record(s, n);
	HOOK("supervisor.recorded");
	s->gathered = 0;
	ring_publish(s->ring, n);
	s->published_ns = time_mono_ns();
	clients_ring(s);
	terminal_answer(s);
	terminal_keep(s);
	output_tell_gaps(s);
}

/*
 * In a flood, what is read is left unpublished for a moment: the screen, the disk and the readers get more at once.
 */
static bool may_gather(const struct supervisor *s, size_t n, size_t room)
{
	return s->state == STATE_RUNNING && n >= FLOOD_READ && room - s->gathered >= PTY_READ_MAX &&
	       time_mono_ns() - s->published_ns < (uint64_t)GATHER_MS * 1000000;
}

void output_ready(void *supervisor)
{
	struct supervisor *s = supervisor;
	bool end = false;
	size_t room, n;
	uint8_t *space = ring_space(s->ring, &room);

	n = fill(s, space, room, &end);
	s->gathered += n;
	if (end || !may_gather(s, n, room))
		output_publish(s);
	else if (!timer_is_running(s->gather_timer))
		timer_start(s->gather_timer, GATHER_MS);
	if (end) {
		s->container.ops->watch(&s->container, false, false);
		s->is_drained = true;
	}
}
