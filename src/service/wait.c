#include "service/wait.h"

#include "base/units.h"
#include "service/terminal.h"
#include "term/record.h"
#include "term/ring.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

enum { CHUNK = 64 * 1024 };

struct running {
	const struct session *s;
	const struct waiting *w;
	struct waited *ret;
	struct err *err;
	struct conn conn;
	struct ring *ring;
	struct recording *recording;
	struct screen *screen;           /* what it shows at .shown_at */
	struct screen *marks;            /* reads everything from where we began: for the prompt's marks */
	struct match_stream stream;
	uint64_t position, shown_at;
	uint64_t recorded_until;         /* what lies before is older than the ring */
	uint64_t idle_due_ns, due_ns;    /* UINT64_MAX: never */
	bool is_armed, is_asked, is_over, has_ended, is_stale, has_mark;
};

void waited_release(struct waited *w)
{
	free(w->found.text);
	status_release(&w->status);
	*w = (struct waited){ 0 };
}

static void happened(struct running *r, enum wait_event event)
{
	if (!r->is_over)
		r->ret->event = event;
	r->is_over = true;
}

/* --- looking --- */

static void on_marked(void *data, char mark, int status)
{
	struct running *r = data;

	r->has_mark |= mark == 'A' || mark == 'B';
}

static bool looks_at_probes(const struct waiting *w)
{
	return w->for_healthy || w->for_ready;
}

static bool looks_for_text(const struct running *r)
{
	return r->w->match.texts->len > 0 || r->w->match.patterns->len > 0;
}

static void found(struct running *r)
{
	happened(r, r->ret->found.is_regex ? WAIT_REGEX : WAIT_TEXT);
}

/* With a position to begin at, what was shown before anything came behind it does not count. */
static void look_at_screen(struct running *r)
{
	_str_ text = STR_INIT;

	if (!r->is_stale || r->screen == NULL || r->is_asked || r->w->in_stream || !looks_for_text(r))
		return;
	r->is_stale = false;
	if (r->w->since >= 0 && r->shown_at <= (uint64_t)r->w->since)
		return;
	match_screen_text(r->screen, &text);
	if (match_find(&r->w->match, text.buf, &r->ret->found))
		found(r);
}

static void feed_screen(struct running *r, uint64_t from, const char *data, size_t n)
{
	const uint64_t skip = r->shown_at > from ? r->shown_at - from : 0;

	if (r->screen == NULL || skip >= n)      /* the state that we were told is of later */
		return;
	screen_feed(r->screen, data + skip, n - (size_t)skip);
	r->shown_at = from + n;
	r->is_stale = true;
}

static void feed(struct running *r, uint64_t from, const char *data, size_t n)
{
	feed_screen(r, from, data, n);
	if (r->w->for_prompt)
		screen_feed(r->marks, data, n);
	if (r->has_mark)
		happened(r, WAIT_PROMPT);
	if (!r->is_over && r->w->in_stream && looks_for_text(r) &&
	    match_stream(&r->stream, &r->w->match, data, n, &r->ret->found))
		found(r);
	if (r->idle_due_ns != UINT64_MAX)
		r->idle_due_ns = time_mono_ns() + r->w->idle_ms * 1000000;
}

/* --- reading --- */

static bool read_recorded(struct running *r)
{
	_free_ char *buf = xcalloc(1, CHUNK);
	uint64_t lost = 0;
	const size_t most = (size_t)min_u64(CHUNK, r->recorded_until - r->position);
	const ssize_t n = r->recording ? recording_read(r->recording, &r->position, buf, most, &lost) : 0;

	if (n > 0)
		feed(r, r->position - (uint64_t)n, buf, (size_t)n);
	else
		r->position = r->recorded_until; /* not kept any more */
	return true;
}

/* One piece of what is new. */
static bool read_more(struct running *r)
{
	const uint64_t from = r->position;
	_free_ char *buf = NULL;
	uint64_t lost;
	size_t n;

	if (r->position < r->recorded_until)
		return read_recorded(r);
	if (r->ring == NULL)
		return false;
	buf = xcalloc(1, CHUNK);
	n = ring_read(r->ring, &r->position, buf, CHUNK, &lost);
	if (lost > 0) {                          /* it was faster: the recording has it */
		r->position = from;
		r->recorded_until = from + lost;
	} else if (n > 0) {
		feed(r, from, buf, n);
	}
	return n > 0 || lost > 0;
}

/* --- talking --- */

static void ask(struct running *r)
{
	r->is_asked = true;
	(void)conn_send(&r->conn, MESSAGE_STATE, NULL, 0, NULL, 0);      /* a broken connection is seen when it is read */
}

static int take_ring(struct running *r, struct frame *f, bool is_first)
{
	struct message_ring m = { 0 };
	struct ring *ring = NULL;
	int rc = json_decode(f->data, f->len, &message_ring_object, &m, r->err);

	if (rc == 0 && f->fd_count != 1)
		return err_set(r->err, EPROTO, "bad-answer", "the session's supervisor sent no output");
	if (rc == 0) {
		rc = ring_map(&ring, f->fds[0], r->err);
		f->fd_count = 0;
	}
	if (rc < 0)
		return rc;
	ring_free(r->ring);
	r->ring = ring;
	if (!is_first || r->w->since >= 0)
		r->recorded_until = (uint64_t)m.position;
	if (is_first && r->w->since >= 0)                /* one of the future is the end */
		r->position = m.lost > 0 ? (uint64_t)r->w->since : (uint64_t)m.position;
	return 0;
}

/* Become a reader: with the state of the screen, and from there on, or from where we were. */
static int attach(struct running *r, bool is_first)
{
	const struct message_attach m = { .since = is_first ? r->w->since : (int64_t)r->position, .read_only = true,
	                                  .wants_status = looks_at_probes(r->w) };
	_shown_ shown = { 0 };
	struct frame f;
	int rc = session_connect(r->s, &r->conn, r->err);

	if (rc == 0)
		rc = conn_send_json(&r->conn, MESSAGE_ATTACH, &message_attach_object, &m);
	if (rc == 0)
		rc = conn_expect(&r->conn, MESSAGE_RING, &f, -1, r->err);
	if (rc < 0)
		return rc;
	rc = take_ring(r, &f, is_first);
	frame_close_fds(&f);
	if (rc == 0)
		rc = terminal_ask(&r->conn, r->s, &shown, r->err);
	if (rc == 0 && m.wants_status)           /* and what it says from now on comes by itself */
		rc = conn_send(&r->conn, MESSAGE_STATUS, NULL, 0, NULL, 0);
	if (rc < 0)
		return rc;
	if (is_first && r->w->since < 0)
		r->position = shown.position;
	screen_free(r->screen);
	r->screen = TAKE(shown.screen);
	r->shown_at = shown.position;
	r->is_stale = true;
	r->is_armed = r->is_asked = false;
	return rc;
}

static int attach_to_whoever_lives(struct running *r, bool is_first)
{
	int rc = -EPIPE;

	while (rc == -EPIPE || rc == -ECONNRESET) {      /* one that is killed is replaced */
		err_release(r->err);
		conn_close(&r->conn);
		rc = attach(r, is_first);
	}
	return rc;
}

static void on_status(struct running *r, const struct frame *f)
{
	_cleanup_(status_release) struct status st = { 0 };

	if (json_decode(f->data, f->len, &status_object, &st, NULL) < 0)
		return;
	if (r->w->for_healthy && st.health == PROBE_GOOD)
		happened(r, WAIT_HEALTHY);
	if (r->w->for_ready && st.readiness == PROBE_GOOD)
		happened(r, WAIT_READY);
}

static void on_frame(struct running *r, const struct frame *f)
{
	_shown_ shown = { 0 };

	switch (f->type) {
	case MESSAGE_DOORBELL:
		r->is_armed = false;
		break;
	case MESSAGE_RESIZED:
		ask(r);
		break;
	case MESSAGE_STATE_IS:
		if (terminal_decode(f, &shown, NULL) < 0)
			break;
		screen_free(r->screen);
		r->screen = TAKE(shown.screen);
		r->shown_at = shown.position;
		r->is_asked = false;
		r->is_stale = true;
		break;
	case MESSAGE_STATUS_IS:
		on_status(r, f);
		break;
	case MESSAGE_ENDED:
		r->has_ended = true;
		status_release(&r->ret->status);
		r->ret->has_exit = json_decode(f->data, f->len, &status_object, &r->ret->status, NULL) == 0;
		break;
	}
}

static int on_conn(struct running *r)
{
	const int rc = conn_receive(&r->conn, MSG_DONTWAIT);
	struct frame f;
	int again;

	if (rc == -EAGAIN)
		return 0;
	while (conn_next(&r->conn, &f) == 1) {
		on_frame(r, &f);
		frame_close_fds(&f);
	}
	if (rc == 0 || r->has_ended)
		return 0;
	again = attach_to_whoever_lives(r, false);
	if (again == -ESRCH) {                   /* nobody there any more; what was published is in the ring */
		err_release(r->err);
		r->has_ended = true;
		again = 0;
	}
	return again;
}

/* --- the wait itself --- */

static int sleep_ms(const struct running *r)
{
	const uint64_t due = min_u64(r->due_ns, r->idle_due_ns), now = time_mono_ns();

	if (due == UINT64_MAX)
		return -1;
	return now >= due ? 0 : (int)min_u64((due - now + 999999) / 1000000, INT32_MAX);
}

static void on_time(struct running *r, bool more)
{
	const uint64_t now = time_mono_ns();

	if (!more && now >= r->idle_due_ns)
		happened(r, WAIT_IDLE);
	else if (now >= r->due_ns)
		happened(r, WAIT_TIMEOUT);
}

static void on_end(struct running *r)
{
	if (!r->ret->has_exit) {
		session_await_end(r->s);
		r->ret->has_exit = status_read(r->s->fd, &r->ret->status, NULL) == 0 && r->ret->status.state == STATUS_ENDED;
	}
	happened(r, r->w->for_exit ? WAIT_EXIT : WAIT_ENDED);
}

static int turn(struct running *r)
{
	const bool more = read_more(r);
	struct pollfd p = { .fd = r->has_ended ? -1 : r->conn.fd, .events = POLLIN };

	if (r->is_over)
		return 0;
	look_at_screen(r);
	if (!r->is_over && !more && r->has_ended)
		on_end(r);
	if (r->is_over)
		return 0;
	if (!more && !r->is_armed) {
		r->is_armed = true;
		(void)conn_send_position(&r->conn, MESSAGE_ARM, r->position);
	}
	if (poll(&p, 1, more || r->has_ended ? 0 : sleep_ms(r)) < 0 && errno != EINTR)
		return err_set(r->err, errno, "poll", "cannot wait: %m");
	if (p.revents != 0)
		return on_conn(r);
	on_time(r, more);
	return 0;
}

/* One that has ended: what it showed last, and what is recorded since the position. */
static int begin_ended(struct running *r)
{
	_shown_ shown = { 0 };
	const int rc = terminal_at(r->s, NULL, &shown, r->err);

	r->has_ended = true;
	if (rc < 0) {                            /* nothing is recorded: it never showed anything */
		err_release(r->err);
		return 0;
	}
	r->position = r->w->since >= 0 ? min_u64((uint64_t)r->w->since, shown.position) : shown.position;
	r->recorded_until = r->shown_at = shown.position;
	r->screen = TAKE(shown.screen);
	r->is_stale = true;
	return 0;
}

static int begin(struct running *r)
{
	int rc = -ESRCH;

	if (r->s->is_alive || r->s->is_foreign)
		rc = attach_to_whoever_lives(r, true);
	if (rc == -ESRCH) {
		err_release(r->err);
		session_await_end(r->s);
		rc = begin_ended(r);
	}
	if (rc == 0 && r->w->for_prompt && r->w->since < 0 && r->screen != NULL) {
		const char mark = screen_prompt(r->screen, NULL);

		if (mark == 'A' || mark == 'B')
			happened(r, WAIT_PROMPT);
	}
	return rc;
}

static int check_probes(const struct session *s, const struct waiting *w, struct err *err)
{
	_cleanup_(spec_release) struct spec spec = { 0 };
	bool has[PROBE_KIND_COUNT] = { false };
	int r;

	if (!looks_at_probes(w))
		return 0;
	r = spec_read(s->fd, "spec.json", &spec, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < spec.probes.len; i++)
		has[spec.probes.items[i].kind] = true;
	if ((w->for_healthy && !has[PROBE_HEALTH]) || (w->for_ready && !has[PROBE_READINESS]))
		return err_set(err, EINVAL, "no-probe", "session '%s' has no probe for that: pterm new --health-cmd and --ready-cmd "
		               "give it one", s->status.name);
	return 0;
}

int session_wait(const struct session *s, const struct waiting *w, struct waited *ret, struct err *err)
{
	static const struct screen_ops ops = { .marked = on_marked };
	const uint64_t now = time_mono_ns();
	struct running r = { .s = s, .w = w, .ret = ret, .err = err, .conn = { .fd = -1 }, .stream = MATCH_STREAM_INIT };
	int rc;

	*ret = (struct waited){ 0 };
	r.due_ns = w->timeout_ms > UINT64_MAX / 2000000 ? UINT64_MAX : now + w->timeout_ms * 1000000;
	r.idle_due_ns = w->idle_ms > UINT64_MAX / 2000000 ? UINT64_MAX : now + w->idle_ms * 1000000;
	r.marks = screen_new(2, 80, &ops, &r);
	if (recording_open(&r.recording, s->fd, NULL) != 0)              /* before a --rm takes it away */
		r.recording = NULL;
	rc = check_probes(s, w, err);
	if (rc == 0)
		rc = begin(&r);
	while (rc == 0 && !r.is_over)
		rc = turn(&r);
	ret->position = r.position;
	conn_close(&r.conn);
	ring_free(r.ring);
	recording_close(r.recording);
	screen_free(r.screen);
	screen_free(r.marks);
	match_stream_release(&r.stream);
	return rc;
}
