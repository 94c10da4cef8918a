#include "service/exec.h"

#include "base/child.h"
#include "base/fd.h"
#include "base/units.h"
#include "image/user.h"
#include "term/tty.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CARRY = 64 * 1024 };

/* One direction: bytes from a descriptor, waiting to be written to another. */
struct pipe_end { int from, to; char buf[CARRY]; size_t len, at; bool is_done; };

struct running {
	const struct exec *x;
	const struct session *session;
	struct conn *conn;
	int64_t exec;                    /* its number, for another supervisor */
	struct pipe_end in, out, errors;
	struct tty tty;
	int signals, master, wait_status;
	bool has_ended;
	uint64_t deadline_ns;            /* 0: none */
	int failure;                     /* it was killed: -ETIMEDOUT, -EFBIG */
};

static int tty_fd(void)
{
	return isatty(STDOUT_FILENO) ? STDOUT_FILENO : STDIN_FILENO;
}

static int resolve_user(const struct session *s, const char *text, struct message_exec *m, struct err *err)
{
	_cleanup_(spec_release) struct spec spec = { 0 };
	_image_user_ user = { 0 };
	struct image img = { 0 };
	int r;

	if (text == NULL)
		return 0;
	r = spec_read(s->fd, "spec.json", &spec, err);
	img.layers = spec.image.layers;
	if (r == 0)
		r = image_user(&img, text, &user, err);
	if (r < 0)
		return r;
	m->has_user = true;
	m->uid = user.uid;
	m->gid = user.gid;
	for (size_t i = 0; i < user.gid_count; i++)
		strv_pushf(&m->groups, "%u", (unsigned)user.gids[i]);
	strv_pushf(&m->env, "HOME=%s", user.home);
	strv_pushf(&m->env, "SHELL=%s", user.shell);
	strv_pushf(&m->env, "USER=%s", user.name ? user.name : text);
	strv_pushf(&m->env, "LOGNAME=%s", user.name ? user.name : text);
	return 0;
}

static int fill(const struct session *s, const struct exec *x, struct message_exec *m, struct err *err)
{
	const struct term_size size = tty_size(tty_fd());
	int r;

	m->tty = x->tty;
	m->rows = x->tty ? size.rows : 0;
	m->cols = x->tty ? size.cols : 0;
	m->cwd = x->cwd ? xstrdup(x->cwd) : NULL;
	for (size_t i = 0; i < x->argc; i++)
		strv_push(&m->argv, x->argv[i]);
	r = resolve_user(s, x->user, m, err);
	if (r == 0)
		strv_copy(&m->env, x->env);
	return r;
}

/* Ask for it. Its exit code when it could not be run, 0 when it runs, or -errno. */
static int request(struct running *run, const struct message_exec *m, const int theirs[3], struct err *err)
{
	_str_ text = STR_INIT;
	int r;

	json_encode(&text, &message_exec_object, m);
	r = conn_send(run->conn, MESSAGE_EXEC, text.buf, text.len, theirs, m->tty ? 0 : 3);
	if (r < 0)
		return err_set(err, -r, "exec", "cannot ask the session to run '%s': %s", m->argv.items[0],
		               r == -EMSGSIZE ? "its arguments are too long" : strerror(-r));
	for (;;) {
		_err_ why = ERR_INIT;
		struct frame f;
		int code;

		r = conn_wait(run->conn, &f, -1);
		if (r < 0)
			return err_set(err, -r, "exec", "the session's supervisor was lost: %m");
		if (f.type == MESSAGE_EXEC_STARTED) {
			struct message_exec_id id = { 0 };

			if (json_decode(f.data, f.len, &message_exec_id_object, &id, NULL) == 0)
				run->exec = id.exec;
			if (f.fd_count == 1)
				run->master = f.fds[0];
			else
				frame_close_fds(&f);
			return m->tty && run->master < 0 ? err_set(err, EPROTO, "exec", "the session gave no terminal") : 0;
		}
		if (f.type != MESSAGE_ERROR) {
			frame_close_fds(&f);
			continue;
		}
		(void)conn_error(&f, &code, &why);
		frame_close_fds(&f);
		r = err_move(err, &why);
		return code == 126 || code == 127 ? code : r;
	}
}

/* Move what can be moved without waiting. */
static void carry(struct pipe_end *p, short from_events, short to_events)
{
	ssize_t n;

	if (p->at == p->len && from_events) {
		n = read(p->from, p->buf, sizeof(p->buf));
		if (n > 0) {
			p->len = (size_t)n;
			p->at = 0;
			to_events = 1;
		} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
			p->is_done = true;
		}
	}
	if (p->at < p->len && to_events) {
		n = write(p->to, p->buf + p->at, p->len - p->at);
		if (n > 0)
			p->at += (size_t)n;
		else if (n < 0 && errno != EAGAIN && errno != EINTR)
			p->is_done = true;
	}
}

static void kill_it(struct running *run, int why)
{
	const struct message_signal m = { .signo = SIGKILL };

	if (run->failure != 0)
		return;
	run->failure = why;
	run->deadline_ns = 0;
	run->in.is_done = run->out.is_done = run->errors.is_done = true;
	/* then comes its end, or the connection's */
	(void)conn_send_json(run->conn, MESSAGE_EXEC_SIGNAL, &message_signal_object, &m);
}

/* One direction, for a program. */
static void hand_over(struct running *run, struct pipe_end *p, bool is_stderr)
{
	const ssize_t n = read(p->from, p->buf, sizeof(p->buf));

	if (n > 0 && !run->x->output(run->x->output_data, is_stderr, p->buf, (size_t)n))
		kill_it(run, -EFBIG);
	else if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		p->is_done = true;
}

/* Frames that have arrived: the end may have come together with the start. */
static void take_frames(struct running *run)
{
	struct message_exited m = { 0 };
	struct frame f;

	while (conn_next(run->conn, &f) == 1) {
		if (f.type == MESSAGE_EXEC_EXITED &&
		    json_decode(f.data, f.len, &message_exited_object, &m, NULL) == 0) {
			run->wait_status = (int)m.wait_status;
			run->has_ended = true;
		}
		frame_close_fds(&f);
	}
}

/* Our supervisor was killed: another one goes on, and tells how our command ends. False: there is none. */
static bool come_back(struct running *run)
{
	const struct message_exec_id m = { .exec = run->exec };
	_err_ err = ERR_INIT;

	conn_close(run->conn);
	return session_connect(run->session, run->conn, &err) == 0 &&
	       conn_send_json(run->conn, MESSAGE_EXEC_AGAIN, &message_exec_id_object, &m) == 0;
}

static void on_conn(struct running *run)
{
	const int r = conn_receive(run->conn, MSG_DONTWAIT);

	if (r == -EAGAIN)
		return;
	take_frames(run);
	if (r != 0 && !run->has_ended && !come_back(run)) {      /* the supervisor is gone, and the container with it */
		run->wait_status = SIGKILL;
		run->has_ended = true;
	}
}

static void on_signal(struct running *run)
{
	struct signalfd_siginfo si;

	while (read(run->signals, &si, sizeof(si)) == (ssize_t)sizeof(si)) {
		const struct message_signal m = { .signo = (int64_t)si.ssi_signo };

		if (si.ssi_signo == SIGWINCH) {
			if (run->master >= 0)
				(void)pty_set_size(run->master, tty_size(tty_fd()));
		} else {
			(void)conn_send_json(run->conn, MESSAGE_EXEC_SIGNAL, &message_signal_object, &m);
		}
	}
}

static struct pollfd wants(const struct pipe_end *p, bool writing)
{
	if (p->is_done)
		return (struct pollfd){ .fd = -1 };
	if (p->at < p->len)
		return (struct pollfd){ .fd = writing ? p->to : -1, .events = POLLOUT };
	return (struct pollfd){ .fd = writing ? -1 : p->from, .events = POLLIN };
}

/* The command's input is over: its end of the pipe closes, or its terminal is told. */
static void end_input(struct running *run)
{
	if (!run->in.is_done || run->in.to < 0)
		return;
	if (run->master >= 0)
		(void)!write(run->master, "\004", 1);
	else
		fd_close(run->in.to);
	run->in.to = -1;
}

/* How long to sleep: until its time is up. */
static int wait_ms(const struct running *run)
{
	const uint64_t now = run->deadline_ns > 0 ? time_mono_ns() : 0;

	if (run->deadline_ns == 0)
		return -1;
	return now >= run->deadline_ns ? 0 : (int)((run->deadline_ns - now + 999999) / 1000000);
}

static void carry_output(struct running *run, const struct pollfd p[4])
{
	if (run->x->output != NULL) {
		if (!run->out.is_done && p[0].revents)
			hand_over(run, &run->out, false);
		if (!run->errors.is_done && p[2].revents)
			hand_over(run, &run->errors, true);
		return;
	}
	if (!run->out.is_done)
		carry(&run->out, p[0].revents, p[1].revents);
	if (!run->errors.is_done)
		carry(&run->errors, p[2].revents, p[3].revents);
}

static void turn(struct running *run)
{
	struct pollfd p[] = {
		wants(&run->in, false), wants(&run->in, true), wants(&run->out, false), wants(&run->out, true),
		wants(&run->errors, false), wants(&run->errors, true),
		{ .fd = run->has_ended ? -1 : run->conn->fd, .events = POLLIN }, { .fd = run->signals, .events = POLLIN },
	};

	end_input(run);
	if (poll(p, array_len(p), wait_ms(run)) < 0 && errno != EINTR)
		return;
	if (wait_ms(run) == 0)
		kill_it(run, -ETIMEDOUT);
	if (!run->in.is_done)
		carry(&run->in, p[0].revents, p[1].revents);
	carry_output(run, p + 2);
	if (p[6].revents)
		on_conn(run);
	if (p[7].revents)
		on_signal(run);
}

static bool has_output_left(const struct pipe_end *p)
{
	struct pollfd at = { .fd = p->from, .events = POLLIN };

	if (p->is_done)
		return false;
	return p->at < p->len || (poll(&at, 1, 0) == 1 && (at.revents & POLLIN));
}

/*
 * Until it has ended and all that it wrote is ours; what it left running keeps the pipes open, and is not waited for.
 */
static void run_loop(struct running *run)
{
	take_frames(run);
	while (!run->has_ended || has_output_left(&run->out) || has_output_left(&run->errors))
		turn(run);
}

static void pipe_init(struct pipe_end *p, int from, int to)
{
	*p = (struct pipe_end){ .from = from, .to = to, .is_done = from < 0 };
}

static int say_why(const struct running *run, const struct message_exec *m, struct err *err)
{
	if (run->failure == -ETIMEDOUT)
		return err_set(err, ETIMEDOUT, "exec-timeout",
		               "'%s' was killed: it ran for %llu ms, and no longer was allowed", m->argv.items[0],
		               (unsigned long long)run->x->timeout_ms);
	return err_set(err, EFBIG, "exec-output", "'%s' was killed: it wrote more than was wanted", m->argv.items[0]);
}

static int run_it(struct running *run, const struct message_exec *m, struct err *err)
{
	int ours[3] = { -1, -1, -1 }, theirs[3] = { -1, -1, -1 }, r = 0;

	for (int i = 0; i < 3 && !m->tty && r == 0; i++) {
		int p[2];

		r = pipe2(p, O_CLOEXEC) < 0 ? err_set(err, errno, "exec", "cannot make a pipe: %m") : 0;
		if (r == 0) {
			ours[i] = p[i == 0 ? 1 : 0];
			theirs[i] = p[i == 0 ? 0 : 1];
		}
	}
	if (r == 0)
		r = request(run, m, theirs, err);
	for (int i = 0; i < 3; i++)
		fd_close(theirs[i]);
	if (r == 0 && m->tty && isatty(run->x->in_fd))
		r = tty_raw(&run->tty, run->x->in_fd, err);
	if (r == 0) {
		run->signals = run->x->output == NULL ? tty_signals(!run->tty.is_raw) : -1;
		run->deadline_ns = run->x->timeout_ms > 0 ? time_mono_ns() + run->x->timeout_ms * 1000000 : 0;
		pipe_init(&run->in, run->x->in_fd, m->tty ? run->master : ours[0]);
		pipe_init(&run->out, m->tty ? run->master : ours[1], STDOUT_FILENO);
		pipe_init(&run->errors, ours[2], STDERR_FILENO);
		if (!m->tty)
			(void)fd_set_nonblock(ours[0], true);
		run_loop(run);
		r = run->failure != 0 ? say_why(run, m, err) : child_exit_code(run->wait_status);
		if (!m->tty)
			ours[0] = run->in.to;            /* -1 when its end was closed to say that there is no more */
	}
	tty_restore(&run->tty);
	fd_close(run->master);
	for (int i = 0; i < 3; i++)
		fd_close(ours[i]);
	fd_close(run->signals);
	return r;
}

int exec_run(const struct session *s, const struct exec *x, struct err *err)
{
	_conn_ conn = { 0 };
	struct message_exec m = { 0 };
	struct running *run;
	int r = session_connect(s, &conn, err);

	if (r < 0)
		return r;
	run = xcalloc(1, sizeof(*run));
	run->x = x;
	run->conn = &conn;
	run->session = s;
	run->tty.fd = run->signals = run->master = -1;
	r = fill(s, x, &m, err);
	if (r == 0)
		r = run_it(run, &m, err);
	json_release(&message_exec_object, &m);
	free(run);
	return r;
}
