#include "service/wait.h"

#include "base/units.h"
#include "reader/reader.h"
#include "service/terminal.h"

#include <errno.h>
#include <poll.h>

enum { CHUNK = 64 * 1024 };

struct running {
	const struct session *s;
	const struct waiting *w;
	struct waited *ret;
	struct err *err;
	struct conn conn;
	struct reader reader;
	struct screen *screen;           /* what it shows at .shown_at */
	struct screen *marks;            /* reads everything from where we began: for the prompt's marks */
	struct match_stream stream;
	uint64_t shown_at;
	uint64_t idle_due_ns, due_ns;    /* UINT64_MAX: never */
	bool is_asked, is_over, is_stale, has_mark;
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

/* One piece of what is new. */
static bool read_more(struct running *r)
{
	_free_ char *buf = xcalloc(1, CHUNK);
	uint64_t lost;
	const size_t n = reader_read(&r->reader, buf, CHUNK, &lost);

	if (n > 0)
		feed(r, r->reader.position - n, buf, n);
	return n > 0 || lost > 0;
}

/* --- talking --- */

static void ask(struct running *r)
{
	r->is_asked = true;
	(void)conn_send(&r->conn, MESSAGE_STATE, NULL, 0, NULL, 0);      /* a broken connection is seen when it is read */
}

/* What its probes say now; from then on it comes by itself. */
static void ask_status(struct running *r)
{
	if (looks_at_probes(r->w))
		(void)conn_send(&r->conn, MESSAGE_STATUS, NULL, 0, NULL, 0);
}

static void take_shown(struct running *r, struct shown *shown)
{
	screen_free(r->screen);
	r->screen = TAKE(shown->screen);
	r->shown_at = shown->position;
	r->is_asked = false;
	r->is_stale = true;
}

/* Become a reader, with the state of the screen: from there on, or from where the waiting begins. */
static int attach(struct running *r)
{
	_shown_ shown = { 0 };
	int rc = session_connect(r->s, &r->conn, r->err);

	if (rc == 0)
		rc = reader_begin(&r->reader, r->w->since, r->err);
	if (rc == 0)
		rc = terminal_ask(&r->conn, r->s, &shown, r->err);
	if (rc < 0)
		return rc;
	if (r->w->since < 0)
		r->reader.position = shown.position;
	take_shown(r, &shown);
	ask_status(r);
	return 0;
}

static int attach_to_whoever_lives(struct running *r)
{
	int rc = -EPIPE;

	while (rc == -EPIPE || rc == -ECONNRESET) {      /* one that is killed is replaced */
		err_release(r->err);
		conn_close(&r->conn);
		rc = attach(r);
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

static void on_frame(void *data, const struct frame *f)
{
	struct running *r = data;
	_shown_ shown = { 0 };

	if (f->type == MESSAGE_RESIZED)
		ask(r);
	else if (f->type == MESSAGE_STATE_IS && terminal_decode(f, &shown, NULL) == 0)
		take_shown(r, &shown);
	else if (f->type == MESSAGE_STATUS_IS)
		on_status(r, f);
}

static int on_conn(struct running *r)
{
	const int rc = reader_receive(&r->reader, on_frame, r);

	if (rc < 0)
		return err_set(r->err, -rc, "bad-answer", "the supervisor of session '%s' does not make sense", r->s->status.name);
	if (rc == 1) {
		ask(r);
		ask_status(r);
	}
	return 0;
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
	struct waited *w = r->ret;

	if (r->reader.status.len > 0) {
		w->has_exit = json_decode(r->reader.status.buf, r->reader.status.len, &status_object, &w->status, NULL) == 0;
	} else {
		session_await_end(r->s);
		w->has_exit = status_read(r->s->fd, &w->status, NULL) == 0 && w->status.state == STATUS_ENDED;
	}
	happened(r, r->w->for_exit ? WAIT_EXIT : WAIT_ENDED);
}

static int turn(struct running *r)
{
	const bool more = read_more(r);
	struct pollfd p = { .fd = r->reader.has_ended ? -1 : r->conn.fd, .events = POLLIN };

	if (r->is_over)
		return 0;
	look_at_screen(r);
	if (!r->is_over && !more && r->reader.has_ended)
		on_end(r);
	if (r->is_over)
		return 0;
	if (!more)
		reader_arm(&r->reader);
	if (poll(&p, 1, more || r->reader.has_ended ? 0 : sleep_ms(r)) < 0 && errno != EINTR)
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

	reader_begin_ended(&r->reader, r->w->since >= 0 ? r->w->since : INT64_MAX);
	if (rc < 0) {                            /* nothing is recorded: it never showed anything */
		err_release(r->err);
		return 0;
	}
	take_shown(r, &shown);
	return 0;
}

static int begin(struct running *r)
{
	int rc = -ESRCH;

	if (r->s->is_alive || r->s->is_foreign)
		rc = attach_to_whoever_lives(r);
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
	struct running r = { .s = s, .w = w, .ret = ret, .err = err, .conn = { .fd = -1 }, .stream = MATCH_STREAM_INIT,
	                     .reader = READER_INIT };
	int rc;

	*ret = (struct waited){ 0 };
	r.due_ns = w->timeout_ms > UINT64_MAX / 2000000 ? UINT64_MAX : now + w->timeout_ms * 1000000;
	r.idle_due_ns = w->idle_ms > UINT64_MAX / 2000000 ? UINT64_MAX : now + w->idle_ms * 1000000;
	r.marks = screen_new(2, 80, &ops, &r);
	r.reader.conn = &r.conn;
	r.reader.session_fd = s->fd;
	r.reader.program = "pterm " PTERM_VERSION;
	r.reader.wants_all = true;
	r.reader.attach.read_only = true;
	reader_keep(&r.reader);                  /* before a --rm takes it away */
	r.reader.attach.wants_status = looks_at_probes(w);
	rc = check_probes(s, w, err);
	if (rc == 0)
		rc = begin(&r);
	while (rc == 0 && !r.is_over)
		rc = turn(&r);
	ret->position = r.reader.position;
	conn_close(&r.conn);
	reader_release(&r.reader);
	screen_free(r.screen);
	screen_free(r.marks);
	match_stream_release(&r.stream);
	return rc;
}
