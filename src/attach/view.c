#include "attach/view.h"

#include "base/fd.h"
#include "base/units.h"
#include "reader/reader.h"
#include "term/render.h"
#include "term/tty.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { CHUNK = 64 * 1024, END_AGAIN_MS = 100, END_AGAIN_MAX_MS = 2000 };

struct running {
	struct view *v;
	struct view_result *result;
	struct err *err;
	struct reader reader;
	struct tty tty;
	int signals, out_fd;
	bool owns_out, is_over, sent_newline, input_open;
	uint64_t due_ns, eof_wait_ms;    /* when a held key goes on, or the end of our input is said again; 0: none */
	struct str out;                  /* read, not yet written */
	size_t out_at;
	bool paints, is_painted;         /* we may be painted; we are now, and read no raw output */
	bool is_behind;                  /* painted because we were too slow, not because the sizes differ */
};

static struct term_size own_size(const struct view *v)
{
	if (!isatty(v->out_fd) && !isatty(v->in_fd))
		return (struct term_size){ 0, 0 };
	return tty_size(isatty(v->out_fd) ? v->out_fd : v->in_fd);
}

struct message_attach view_attach(const struct view *v)
{
	const struct term_size size = own_size(v);

	return (struct message_attach){ .since = v->since, .is_viewer = true, .read_only = v->read_only,
	                                .paints = v->since < 0 && isatty(v->out_fd),
	                                .is_terminal = v->in_fd >= 0 && isatty(v->in_fd),
	                                .rows = size.rows, .cols = size.cols };
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

/*
 * A terminal that is too slow, or was stopped: it is shown what the session shows now, and that is true whatever it
 * missed. So nothing is said in the picture, which belongs to the program; how much was not shown is said when the
 * person leaves.
 */
static void ask_for_paint(struct running *r, uint64_t lost)
{
	r->result->skipped += lost + r->out.len - r->out_at;
	str_clear(&r->out);
	r->out_at = 0;
	r->is_painted = r->is_behind = true;
	(void)conn_send(r->v->conn, MESSAGE_REPAINT, NULL, 0, NULL, 0);
}

/* Read on from @position: what we are behind, nobody will show. */
static void catch_up(struct running *r, uint64_t position)
{
	if (r->is_behind && position > r->reader.position)
		r->result->skipped += position - r->reader.position;
	r->is_behind = r->is_painted = false;
	r->reader.position = r->reader.recorded_until = position;
}

static void note_loss(struct running *r, uint64_t lost)
{
	_free_ char *note = xasprintf("\r\n[pterm: %llu bytes were printed faster than this terminal takes them; "
	                              "pterm logs has them]\r\n", (unsigned long long)lost);

	str_adds(&r->out, note);
}

/* Take the next piece when the last is written. True when there was one. */
static bool read_more(struct running *r)
{
	const bool is_old = r->reader.wants_all || r->reader.position < r->reader.recorded_until;
	uint64_t lost;
	size_t n;

	if (r->out.len > 0)
		return true;
	if (r->is_painted)
		return false;
	str_grow(&r->out, CHUNK);                /* straight into the queue */
	n = r->out.len = reader_read(&r->reader, r->out.buf, CHUNK, &lost);
	if (lost > 0 && is_old) {
		r->result->lost += lost;
	} else if (lost > 0 && r->paints) {
		ask_for_paint(r, lost);
		return false;
	} else if (lost > 0) {
		note_loss(r, lost);
	}
	return n > 0 || lost > 0;
}

static void on_frame(void *data, const struct frame *f)
{
	struct running *r = data;

	switch (f->type) {
	case MESSAGE_PAINT:
		r->is_painted = true;
		str_add(&r->out, f->data, f->len);
		break;
	case MESSAGE_RAW:
		catch_up(r, frame_position(f));
		r->reader.is_armed = false;
		break;
	case MESSAGE_ERROR:
		(void)conn_error(f, &r->result->exit_code, r->err);
		r->result->has_failed = true;
		break;
	}
}

static void on_conn(struct running *r)
{
	if (reader_receive(&r->reader, on_frame, r) == 1)
		r->is_painted = r->reader.paints;
}

static void send_input(struct running *r, const struct str *s)
{
	if (s->len == 0 || r->v->read_only)
		return;
	r->sent_newline = s->buf[s->len - 1] == '\n';
	if (conn_send(r->v->conn, MESSAGE_INPUT, s->buf, s->len, NULL, 0) == -ENOBUFS)
		r->reader.has_ended = true;      /* a broken connection is seen when it is read */
}

static void wait_until(struct running *r, uint64_t after_ms)
{
	r->due_ns = time_mono_ns() + after_ms * 1000000;
}

/*
 * A pipe or file that is over: say so as a person does, by ctrl-d. A program that switches its terminal to raw mode
 * before it reads, as shells do when they start, finds a NUL in its place. An input that is over is so for every
 * read, so say it again, ever less often, with a ctrl-u before it that takes away the NUL.
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
			r->reader.attach = view_attach(r->v);
			(void)conn_send_json(r->v->conn, MESSAGE_RESIZE, &message_resize_object, &(struct message_resize){
			                     .rows = r->reader.attach.rows, .cols = r->reader.attach.cols });
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

	if (!more && r->reader.has_ended) {
		over(r, VIEW_ENDED);
		return;
	}
	flush_output(r);
	if (!more && !r->is_painted)
		reader_arm(&r->reader);
	p[0] = (struct pollfd){ .fd = r->reader.has_ended ? -1 : r->v->conn->fd,
	                        .events = (short)(POLLIN | (r->v->conn->out_first ? POLLOUT : 0)) };
	p[1] = (struct pollfd){ .fd = r->input_open ? r->v->in_fd : -1, .events = POLLIN };
	p[2] = (struct pollfd){ .fd = r->signals, .events = POLLIN };
	p[3] = (struct pollfd){ .fd = r->out.len > 0 ? r->out_fd : -1, .events = POLLOUT };
	if (poll(p, 4, more && r->out.len == 0 ? 0 : r->reader.has_ended && r->out.len == 0 ? 0 : wait_ms(r)) < 0 &&
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

/*
 * An output of our own to write to without blocking: the flag must not be set on a description that a shell shares.
 */
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

/* Become a reader. 1: the session has just ended. */
static int begin(struct running *r)
{
	struct view *v = r->v;
	int rc = reader_begin(&r->reader, v->since, r->err);

	r->result->has_failed = r->reader.has_failed;
	r->result->exit_code = r->reader.exit_code;
	if (rc == -EPIPE || rc == -ECONNRESET) {
		err_release(r->err);
		rc = reader_come_back(&r->reader, v->since) ? 0 : 1;
	}
	r->is_painted = r->reader.paints;
	return rc;
}

static int show(struct running *r)
{
	struct view *v = r->v;
	int rc = 0;

	if (v->in_fd >= 0 && isatty(v->in_fd))
		rc = tty_raw(&r->tty, v->in_fd, r->err);
	if (rc < 0)
		return rc;
	if (r->reader.wants_all)
		reader_keep(&r->reader);         /* before a --rm takes it away */
	open_output(r);
	r->signals = tty_signals(!r->tty.is_raw && v->in_fd >= 0);
	(void)reader_handle(&r->reader, on_frame, r);    /* what came together with the answer */
	while (!r->is_over)
		turn(r);
	if (r->is_behind && r->reader.ring != NULL)
		catch_up(r, ring_head(r->reader.ring));
	if (r->paints)
		leave(r);
	if (r->result->how != VIEW_CLOSED)
		flush_rest(r);
	return 0;
}

int view_run(struct view *v, struct view_result *ret, struct err *err)
{
	struct running r = { .v = v, .result = ret, .err = err, .tty = { .fd = -1 }, .signals = -1, .out = STR_INIT,
	                     .input_open = v->in_fd >= 0, .sent_newline = true, .reader = READER_INIT };
	int rc;

	*ret = (struct view_result){ .status = STR_INIT };
	r.reader.attach = view_attach(v);
	r.reader.is_asked = v->is_asked;
	r.paints = r.reader.attach.paints;
	r.reader.conn = v->conn;
	r.reader.session_fd = v->session_fd;
	r.reader.program = "pterm " PTERM_VERSION;
	r.reader.wants_all = !isatty(v->out_fd);
	rc = begin(&r);
	ret->how = VIEW_ENDED;
	if (rc == 0) {
		rc = show(&r);
	}
	str_add(&ret->status, r.reader.status.buf, r.reader.status.len);
	tty_restore(&r.tty);
	if (r.owns_out)
		fd_close(r.out_fd);
	fd_close(r.signals);
	str_release(&r.out);
	reader_release(&r.reader);
	return rc < 0 ? rc : 0;
}
