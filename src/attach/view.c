#include "attach/view.h"

#include "base/fd.h"
#include "base/units.h"
#include "term/record.h"
#include "term/render.h"
#include "term/ring.h"
#include "term/tty.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CHUNK = 64 * 1024, END_AGAIN_MS = 100, END_AGAIN_MAX_MS = 2000 };

struct running {
	struct view *v;
	struct view_result *result;
	struct err *err;
	struct ring *ring;
	struct tty tty;
	int signals, out_fd;
	bool owns_out, is_armed, is_over, ends_after_output, sent_newline, input_open;
	uint64_t position;
	uint64_t due_ns, eof_wait_ms;    /* when a held key goes on, or the end of our input is said again; 0: nothing waits */
	struct recording *recording;     /* opened with the first byte that is needed from it */
	uint64_t recorded_until;         /* what lies before is read from the recording, whose positions are the same */
	struct str out;                  /* read from the ring, filtered, not yet written */
	size_t out_at;
	bool paints, is_painted;         /* we may be painted; we are now, and read no raw output */
	bool wants_all;                  /* a file or a pipe, not a person: every byte, however late */
};

static int send_attach(struct running *r, int64_t since)
{
	struct view *v = r->v;
	const struct term_size size = tty_size(isatty(v->out_fd) ? v->out_fd : v->in_fd);
	const struct message_attach m = {
		.since = since, .is_viewer = v->is_viewer, .read_only = v->read_only, .paints = r->paints,
		.rows = isatty(v->out_fd) || isatty(v->in_fd) ? size.rows : 0,
		.cols = isatty(v->out_fd) || isatty(v->in_fd) ? size.cols : 0,
	};

	return conn_send_json(v->conn, MESSAGE_ATTACH, &message_attach_object, &m);
}

static void queue_output(struct running *r, uint64_t position, const void *data, size_t n)
{
	if (r->v->filter != NULL)
		r->v->filter(r->v->filter_data, position, data, n, &r->out);
	else
		str_add(&r->out, data, n);
}

/* One piece of what is older than the ring. */
static void read_recorded(struct running *r)
{
	char buf[16 * 1024];
	uint64_t lost = 0;
	ssize_t n = 0;

	if (r->recording == NULL && recording_open(&r->recording, r->v->session_fd, NULL) != 0)
		r->recording = NULL;
	if (r->recording != NULL)
		n = recording_read(r->recording, &r->position, buf,
		                   min_size(sizeof(buf), (size_t)(r->recorded_until - r->position)), &lost);
	if (n <= 0) {
		if (r->position < r->recorded_until)
			lost += r->recorded_until - r->position;
		r->position = r->recorded_until > r->position ? r->recorded_until : r->position;
	} else {
		queue_output(r, r->position - (uint64_t)n, buf, (size_t)n);
	}
	r->result->lost += lost;
}

static void on_failed(struct running *r, const struct frame *f)
{
	(void)conn_error(f, &r->result->exit_code, r->err);
	r->result->has_failed = true;
}

/* The answer to ATTACH: the ring, in place of one that we had; or why there is none. @since: what we asked for. */
static int take_ring(struct running *r, struct frame *f, int64_t since)
{
	struct message_ring m = { 0 };
	struct ring *ring = NULL;
	int rc = json_decode(f->data, f->len, &message_ring_object, &m, r->err);

	if (rc == 0 && f->fd_count == 1) {
		rc = ring_map(&ring, f->fds[0], r->err);
		f->fd_count = 0;
	}
	if (rc < 0 || ring == NULL)
		return rc < 0 ? rc : err_set(r->err, EPROTO, "bad-answer", "the session's supervisor sent no output");
	ring_free(r->ring);
	r->ring = ring;
	r->position = (uint64_t)m.position;
	r->is_painted = m.paints;
	if (since >= 0 && m.lost > 0) {
		r->recorded_until = r->position;
		r->position = (uint64_t)since;
	}
	return 0;
}

/* Become a reader from position @since on (-1: what is recent). */
static int begin(struct running *r, int64_t since)
{
	struct view *v = r->v;
	struct frame f;
	int rc = send_attach(r, since);
	bool is_answered = false;

	while (rc >= 0 && !is_answered) {
		rc = conn_wait(v->conn, &f, -1);
		if (rc < 0)
			break;
		if (f.type == MESSAGE_ERROR) {
			on_failed(r, &f);
			frame_close_fds(&f);
			return -r->err->no;
		}
		is_answered = f.type == MESSAGE_RING;
		if (is_answered)
			rc = take_ring(r, &f, since);
		frame_close_fds(&f);
		if (rc < 0)
			return rc;
	}
	return rc < 0 ? err_set(r->err, -rc, "connection", "cannot talk to the session's supervisor: %m") : 0;
}

static void over(struct running *r, enum view_end how)
{
	r->is_over = true;
	r->result->how = how;
}

/* Write what is queued as far as it goes. */
static void flush_output(struct running *r)
{
	while (r->out_at < r->out.len) {
		const ssize_t n = write(r->out_fd, r->out.buf + r->out_at, r->out.len - r->out_at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0) {
			over(r, VIEW_CLOSED);            /* nobody looks any more */
			return;
		}
		r->out_at += (size_t)n;
	}
	str_clear(&r->out);
	r->out_at = 0;
}

/* The last piece, waiting for a slow reader. The flags of a description that others may share stay as they are. */
static void flush_rest(struct running *r)
{
	struct pollfd p = { .fd = r->out_fd, .events = POLLOUT };

	for (flush_output(r); r->out_at < r->out.len && r->result->how != VIEW_CLOSED; flush_output(r))
		if (poll(&p, 1, -1) < 0 && errno != EINTR)
			return;
}

/* A terminal that is too slow, or was stopped: it is shown what the session shows now. */
static void ask_for_paint(struct running *r)
{
	str_clear(&r->out);
	r->out_at = 0;
	r->is_painted = true;
	(void)conn_send(r->v->conn, MESSAGE_REPAINT, NULL, 0, NULL, 0);
}

static void note_loss(struct running *r, uint64_t lost)
{
	_free_ char *note = xasprintf("\r\n[pterm: %llu bytes were printed faster than this terminal takes them; "
	                              "pterm logs has them]\r\n", (unsigned long long)lost);

	str_adds(&r->out, note);
}

/* For one who wants every byte: what the ring has lost comes from the recording first. */
static bool read_ring_whole(struct running *r)
{
	const uint64_t from = r->position;
	char buf[16 * 1024];
	uint64_t lost;
	const size_t n = ring_read(r->ring, &r->position, buf, sizeof(buf), &lost);

	if (lost > 0) {
		r->position = from;
		r->recorded_until = from + lost;
	} else {
		queue_output(r, from, buf, n);
	}
	return n > 0 || lost > 0;
}

/* Take the next piece when the last is written. True when there was one. */
static bool read_more(struct running *r)
{
	uint64_t lost;

	if (r->out.len > 0)
		return true;
	if (r->is_painted)
		return false;
	if (r->position < r->recorded_until) {
		read_recorded(r);
		return true;
	}
	if (r->wants_all)
		return read_ring_whole(r);
	str_grow(&r->out, CHUNK);                /* straight into the queue */
	r->out.len = ring_read(r->ring, &r->position, r->out.buf, CHUNK, &lost);
	if (lost > 0 && r->paints)
		ask_for_paint(r);
	else if (lost > 0)
		note_loss(r, lost);
	return r->out.len > 0;
}

static void on_frame(struct running *r, const struct frame *f)
{
	switch (f->type) {
	case MESSAGE_DOORBELL:
		r->is_armed = false;
		break;
	case MESSAGE_PAINT:
		r->is_painted = true;
		str_add(&r->out, f->data, f->len);
		break;
	case MESSAGE_RAW:
		r->is_painted = false;
		r->is_armed = false;
		r->position = r->recorded_until = frame_position(f);
		break;
	case MESSAGE_ENDED:
		str_add(&r->result->status, f->data, f->len);
		r->ends_after_output = true;
		break;
	case MESSAGE_ERROR:
		if (r->v->is_viewer)
			on_failed(r, f);
		break;
	}
}

static void handle_frames(struct running *r)
{
	struct frame f;

	while (conn_next(r->v->conn, &f) == 1) {
		on_frame(r, &f);
		frame_close_fds(&f);
	}
}

/*
 * The supervisor is gone. Where a keeper holds the session's socket another one takes its place, and we go on at the
 * byte where we were. False: there is nobody any more.
 */
static bool come_back(struct running *r, int64_t since)
{
	const struct message_hello hello = message_hello_of("pterm " PTERM_VERSION);
	int fd, rc = -EPIPE;

	while (rc == -EPIPE || rc == -ECONNRESET) {      /* this one may be killed too */
		fd = fd_connect_unix(r->v->session_fd, "control.sock", SOCK_STREAM);
		if (fd < 0)
			return false;
		conn_close(r->v->conn);
		conn_init(r->v->conn, fd);
		rc = conn_send_json(r->v->conn, MESSAGE_HELLO, &message_hello_object, &hello);
		if (rc >= 0)
			rc = begin(r, since);
	}
	err_release(r->err);
	r->is_armed = false;
	return rc >= 0;
}

static void on_conn(struct running *r)
{
	const int rc = conn_receive(r->v->conn, MSG_DONTWAIT);

	if (rc == -EAGAIN)
		return;
	handle_frames(r);
	if (rc != 0 && !r->ends_after_output && !come_back(r, (int64_t)r->position))
		r->ends_after_output = true;     /* what was published is in the ring */
}

static void send_input(struct running *r, const struct str *s)
{
	if (s->len == 0 || r->v->read_only)
		return;
	r->sent_newline = s->buf[s->len - 1] == '\n';
	if (conn_send(r->v->conn, MESSAGE_INPUT, s->buf, s->len, NULL, 0) == -ENOBUFS)
		r->ends_after_output = true;     /* a broken connection is seen when it is read */
}

static void wait_until(struct running *r, uint64_t after_ms)
{
	r->due_ns = time_mono_ns() + after_ms * 1000000;
}

/*
 * A pipe or file that is over: say so as a person does, by ctrl-d. A program that switches its terminal to raw mode before it
 * reads, as shells do when they start, finds a NUL in its place. An input that is over is so for every read, so say it
 * again, ever less often, with a ctrl-u before it that takes away the NUL.
 */
static void say_end_of_input(struct running *r)
{
	_str_ end = STR_INIT;

	str_adds(&end, r->eof_wait_ms > 0 ? "\025\004" : r->sent_newline ? "\004" : "\004\004");
	send_input(r, &end);
	r->eof_wait_ms = r->eof_wait_ms ? min_u64(2 * r->eof_wait_ms, END_AGAIN_MAX_MS) : END_AGAIN_MS;
	wait_until(r, r->eof_wait_ms);
}

static void on_input(struct running *r)
{
	char buf[4096];
	_str_ pass = STR_INIT;
	const ssize_t n = read(r->v->in_fd, buf, sizeof(buf));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		r->input_open = false;
		if (!r->tty.is_raw)
			say_end_of_input(r);
		else
			over(r, VIEW_CLOSED);            /* our terminal hung up */
		return;
	}
	if (!r->tty.is_raw) {
		str_add(&pass, buf, (size_t)n);
	} else if (keys_feed(&r->v->keys, buf, (size_t)n, &pass)) {
		over(r, VIEW_DETACHED);
	}
	send_input(r, &pass);
	r->due_ns = 0;
	if (keys_holds(&r->v->keys))
		wait_until(r, KEYS_HOLD_MS);
}

static void on_signal(struct running *r)
{
	struct signalfd_siginfo si;

	while (read(r->signals, &si, sizeof(si)) == (ssize_t)sizeof(si)) {
		if (si.ssi_signo == SIGWINCH) {
			const struct term_size size = tty_size(isatty(r->v->out_fd) ? r->v->out_fd : r->v->in_fd);
			const struct message_resize m = { .rows = size.rows, .cols = size.cols };

			(void)conn_send_json(r->v->conn, MESSAGE_RESIZE, &message_resize_object, &m);
		} else {
			over(r, VIEW_CLOSED);
		}
	}
}

/* How long to sleep: until something is due. */
static int wait_ms(struct running *r)
{
	const uint64_t now = r->due_ns ? time_mono_ns() : 0;

	if (r->due_ns == 0)
		return -1;
	return now >= r->due_ns ? 0 : (int)((r->due_ns - now + 999999) / 1000000);
}

static void on_due(struct running *r)
{
	_str_ pass = STR_INIT;

	if (wait_ms(r) != 0)
		return;
	r->due_ns = 0;
	if (!r->input_open) {
		say_end_of_input(r);
		return;
	}
	keys_release(&r->v->keys, &pass);
	send_input(r, &pass);
}

static void turn(struct running *r)
{
	const bool more = read_more(r);
	struct pollfd p[4];

	if (!more && r->ends_after_output) {
		over(r, VIEW_ENDED);
		return;
	}
	flush_output(r);
	if (!more && !r->is_armed && !r->is_painted) {
		r->is_armed = true;
		(void)conn_send_position(r->v->conn, MESSAGE_ARM, r->position);  /* a broken connection is seen below */
	}
	p[0] = (struct pollfd){ .fd = r->ends_after_output ? -1 : r->v->conn->fd,
	                        .events = (short)(POLLIN | (r->v->conn->out_first ? POLLOUT : 0)) };
	p[1] = (struct pollfd){ .fd = r->input_open ? r->v->in_fd : -1, .events = POLLIN };
	p[2] = (struct pollfd){ .fd = r->signals, .events = POLLIN };
	p[3] = (struct pollfd){ .fd = r->out.len > 0 ? r->out_fd : -1, .events = POLLOUT };
	if (poll(p, 4, more && r->out.len == 0 ? 0 : r->ends_after_output && r->out.len == 0 ? 0 : wait_ms(r)) < 0 &&
	    errno != EINTR)
		return;
	if (p[0].revents & POLLOUT)
		(void)conn_flush(r->v->conn);
	if (p[0].revents & ~POLLOUT)
		on_conn(r);
	if (p[1].revents)
		on_input(r);
	if (p[2].revents)
		on_signal(r);
	on_due(r);
}

/* An output of our own to write to without blocking: the flag must not be set on a description that a shell shares. */
static void open_output(struct running *r)
{
	char path[64];
	int fd;

	r->out_fd = r->v->out_fd;
	if (!isatty(r->out_fd))
		return;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", r->out_fd);
	fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return;
	r->out_fd = fd;
	r->owns_out = true;
}

/* The person's terminal goes on as theirs: modes as they were in the beginning, the cursor below what is shown. */
static void leave(struct running *r)
{
	render_leave(&r->out);
	str_adds(&r->out, "\033[9999;1H\r\n");
}

int view_run(struct view *v, struct view_result *ret, struct err *err)
{
	struct running r = { .v = v, .result = ret, .err = err, .tty = { .fd = -1 }, .signals = -1, .out = STR_INIT,
	                     .input_open = v->in_fd >= 0, .sent_newline = true,
	                     .wants_all = !v->is_viewer || !isatty(v->out_fd) };
	int rc;

	*ret = (struct view_result){ .status = STR_INIT };
	r.paints = v->is_viewer && v->since < 0 && isatty(v->out_fd);
	rc = begin(&r, v->since);
	if ((rc == -EPIPE || rc == -ECONNRESET) && !come_back(&r, v->since)) {
		ret->how = VIEW_ENDED;           /* just now, before it heard us */
		ret->position = v->since > 0 ? (uint64_t)v->since : 0;
		return 0;
	}
	if (rc < 0 && r.ring == NULL)
		return rc;
	rc = 0;
	if (v->in_fd >= 0 && isatty(v->in_fd) && v->is_viewer)
		rc = tty_raw(&r.tty, v->in_fd, err);
	if (rc == 0) {
		if (r.wants_all && recording_open(&r.recording, v->session_fd, NULL) != 0)   /* before a --rm takes it away */
			r.recording = NULL;
		open_output(&r);
		r.signals = tty_signals(!r.tty.is_raw && v->in_fd >= 0);
		handle_frames(&r);               /* what came together with the answer */
		while (!r.is_over)
			turn(&r);
		if (r.paints)
			leave(&r);
		if (r.result->how != VIEW_CLOSED)
			flush_rest(&r);
	}
	tty_restore(&r.tty);
	ret->position = r.position;
	if (r.owns_out)
		fd_close(r.out_fd);
	fd_close(r.signals);
	str_release(&r.out);
	recording_close(r.recording);
	ring_free(r.ring);
	return rc;
}
