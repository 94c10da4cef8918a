#include "supervisor/input.h"

#include "base/units.h"
#include "supervisor/supervisor.h"
#include "term/input-log.h"

#include <errno.h>

enum { INPUT_QUEUE_MAX = 1024 * 1024 };

int input_record(struct supervisor *s, bool on, struct err *err)
{
	int r = 0;

	if (!on)
		s->input.log = input_log_close(s->input.log);
	else if (s->input.log == NULL)
		r = input_log_open(&s->input.log, s->session_fd, INPUT_LOG_MAX, err);
	if (r == 0)
		s->status.records_input = on;
	return r;
}

void input_release(struct supervisor *s)
{
	str_release(&s->input.queue);
	vec_release(&s->input.runs);
	s->input.log = input_log_close(s->input.log);
}

/* A disk that does not take it, and a terminal that cannot be asked, cost the record and nothing else. */
static bool may_record(struct supervisor *s, enum input_kind kind)
{
	struct engine_handles h;

	return kind == INPUT_TYPED && s->input.log != NULL && s->container.ops->handles != NULL &&
	       s->container.ops->handles(&s->container, &h) == 0 && input_may_be_recorded(h.console);
}

/* 1: the terminal takes no more now; 0: all is gone, or the terminal is: what it ends with will be told. */
static int flush_run(struct supervisor *s, const struct input_run *run)
{
	struct input_queue *in = &s->input;

	while (in->sent < run->end) {
		const char *from = in->queue.buf + in->sent;
		const bool is_recorded = may_record(s, run->kind);       /* before: a command may react at once */
		const ssize_t n = s->container.ops->write(&s->container, from, run->end - in->sent);

		if (n == -EINTR)
			continue;
		if (n == -EAGAIN)
			return 1;
		if (n <= 0)
			return 0;
		if (is_recorded)
			(void)input_log_write(in->log, ring_head(s->ring), from, (size_t)n, time_now_ms());
		in->sent += (size_t)n;
	}
	return 0;
}

static int flush(struct supervisor *s)
{
	for (size_t i = 0; i < s->input.runs.len; i++)
		if (flush_run(s, &s->input.runs.items[i]) == 1)
			return 1;
	input_clear(s);
	return 0;
}

void input_writable(void *supervisor)
{
	struct supervisor *s = supervisor;

	s->container.ops->watch(&s->container, true, flush(s) == 1);
}

static void add(struct input_queue *in, enum input_kind kind, const void *data, size_t n)
{
	struct input_run *last = in->runs.len > 0 ? &in->runs.items[in->runs.len - 1] : NULL;

	str_add(&in->queue, data, n);
	if (last != NULL && last->kind == kind)
		last->end = in->queue.len;
	else
		vec_push(&in->runs, ((struct input_run){ in->queue.len, kind }));
}

int input_send(struct supervisor *s, enum input_kind kind, const void *data, size_t n)
{
	if (!s->has_container || s->state == STATE_DRAINING)
		return 0;
	if (s->input.queue.len - s->input.sent + n > INPUT_QUEUE_MAX)
		return -ENOBUFS;
	add(&s->input, kind, data, n);
	if (s->state == STATE_STARTING)
		return 0;                                /* its terminal may not be there yet: run_started writes it */
	if (flush(s) == 1)
		s->container.ops->watch(&s->container, true, true);
	return 0;
}

void input_clear(struct supervisor *s)
{
	str_clear(&s->input.queue);
	s->input.runs.len = 0;
	s->input.sent = 0;
}
