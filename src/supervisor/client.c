/*
 * Clients: whoever connects to control.sock. A client may become a reader of the ring (viewer or program), start one
 * exec, ask, or give orders. It has proved by the socket's mode, and by its uid, that it may do what the session's
 * user may.
 */
#include "base/fd.h"
#include "base/hook.h"
#include "base/units.h"
#include "supervisor/paint.h"
#include "supervisor/supervisor.h"
#include "term/answers.h"
#include "term/checkpoint.h"
#include "wire/conn.h"

#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOG_MODULE "client"
#include "base/log.h"

enum {
	BELL_GATHER_MS = 2,              /* a reader that was rung so recently waits for more to come together */
	RECENT_BYTES = 64 * 1024,        /* what a viewer that asks for no position is shown */
	PAINT_MS = 16,                   /* between two paintings of a viewer: as often as its screen shows one */
	GOODBYE_MS = 1000,               /* for the last words to readers that are slow to take them */
};

struct client {
	struct link link;
	struct supervisor *s;
	struct conn conn;
	struct watch *watch;
	pid_t peer;
	bool is_refused;                 /* it speaks another version: whatever it says is not heard */
	bool wants_status;               /* it is told what probes find */
	bool is_reader, is_viewer, is_terminal, may_type, is_armed, waits_for_start, waits_for_end;
	uint64_t rung_ns;                /* when the doorbell was last rung for it */
	struct term_size size;
	struct paint paint;
	struct answers answers;          /* which its terminal gives by itself: the supervisor has answered */
	uint32_t exec;                   /* the exec it started, 0 none */
};

static void client_free(struct client *c)
{
	struct supervisor *s = c->s;

	if (c->exec != 0 && s->has_container)
		(void)s->container.ops->exec_signal(&s->container, c->exec, SIGHUP);
	if (s->size_owner == c)
		s->size_owner = NULL;
	link_remove(&c->link);
	s->client_count--;
	paint_release(&c->paint);
	watch_free(c->watch);
	conn_close(&c->conn);
	if (c->is_viewer)
		supervisor_tell(s, EVENT_detached, c->peer, NULL);
	free(c);
}

/* After sending: wait for room when something is left. A peer that takes nothing any more is let go. */
static void sent(struct client *c, int r)
{
	if (r < 0) {
		log_debug("client %d: %s", (int)c->peer, strerror(-r));
		(void)shutdown(c->conn.fd, SHUT_RDWR);           /* its watch will see the end, and free it */
	}
	watch_set(c->watch, LOOP_READ | (c->conn.out_first ? LOOP_WRITE : 0));
}

static void refuse(struct client *c, int no, const char *code, const char *fmt, ...) _printf_(4, 5);
static void refuse(struct client *c, int no, const char *code, const char *fmt, ...)
{
	_err_ err = ERR_INIT;
	va_list ap;

	va_start(ap, fmt);
	err_setv(&err, no, code, fmt, ap);
	va_end(ap);
	sent(c, conn_send_error(&c->conn, &err, 125));
}

static void ok(struct client *c)
{
	sent(c, conn_send(&c->conn, MESSAGE_OK, NULL, 0, NULL, 0));
}

/* --- readers --- */

static void ring_bell(struct client *c, uint64_t now)
{
	c->is_armed = false;
	c->rung_ns = now;
	sent(c, conn_send_position(&c->conn, MESSAGE_DOORBELL, ring_head(c->s->ring)));
}

static void on_bell_timer(void *data)
{
	struct supervisor *s = data;
	const uint64_t now = time_mono_ns();

	link_each(struct client, c, &s->clients, link)
		if (c->is_armed)
			ring_bell(c, now);
}

/* An echo goes out at once; in a flood a reader is rung once in BELL_GATHER_MS and finds all that came meanwhile. */
static void ring_or_gather(struct client *c, uint64_t now)
{
	struct supervisor *s = c->s;

	if (now - c->rung_ns >= (uint64_t)BELL_GATHER_MS * 1000000)
		ring_bell(c, now);
	else if (!timer_is_running(s->bell_timer))
		timer_start(s->bell_timer, BELL_GATHER_MS);
}

void clients_ring(struct supervisor *s)
{
	const uint64_t now = time_mono_ns();

	link_each(struct client, c, &s->clients, link) {
		if (c->is_armed)
			ring_or_gather(c, now);
		if (c->paint.is_on && !timer_is_running(s->paint_timer))
			timer_start(s->paint_timer, PAINT_MS);
	}
}

static void on_paint_timer(void *data)
{
	struct supervisor *s = data;

	link_each(struct client, c, &s->clients, link) {
		const int r = paint_changes(&c->paint, s, &c->conn, c->size);

		if (r == 1)
			timer_start(s->paint_timer, PAINT_MS);
		else
			sent(c, r);
	}
}

/* The session, or the viewer, has another size now. */
static void repaint(struct client *c)
{
	if (c->paint.is_wanted)
		sent(c, paint_all(&c->paint, c->s, &c->conn, c->size));
}

/* The same to one that may keep a screen of its own: the ring does not say where the size changed. */
static void tell_resized(struct client *c)
{
	if (c->is_reader && !c->paint.is_wanted)
		sent(c, conn_send(&c->conn, MESSAGE_RESIZED, NULL, 0, NULL, 0));
}

static void take_size(struct client *c)
{
	struct supervisor *s = c->s;

	if (!c->may_type || c->size.rows == 0 || c->size.cols == 0)
		return;
	s->size_owner = c;
	if (c->size.rows == s->size.rows && c->size.cols == s->size.cols)
		return;
	s->size = c->size;
	s->spec.rows = c->size.rows;                             /* a restart begins with it */
	s->spec.cols = c->size.cols;
	terminal_resize(s, c->size);
	if (s->has_container)
		(void)s->container.ops->resize(&s->container, c->size);
	link_each(struct client, other, &s->clients, link) {
		repaint(other);
		tell_resized(other);
	}
}

/* The process that asks must not be part of the session: it would show itself its own output for ever. */
static bool is_inside(const struct client *c)
{
	struct supervisor *s = c->s;
	const pid_t init = s->has_container && s->container.ops->pid ? s->container.ops->pid(&s->container) : 0;

	return init > 0 && c->peer > 0 && proc_is_below(c->peer, init);
}

static void on_attach(struct client *c, const struct frame *f, const void *body)
{
	const struct message_attach *m = body;
	struct supervisor *s = c->s;
	const uint64_t head = ring_head(s->ring), oldest = ring_oldest(s->ring);
	uint64_t from = m->since >= 0 ? (uint64_t)m->since : head > RECENT_BYTES ? head - RECENT_BYTES : 0;
	struct message_ring answer = { .paints = m->paints };
	_str_ text = STR_INIT;
	_fd_ ring = -1;

	if (m->is_viewer && is_inside(c)) {
		refuse(c, EDEADLK, "attach-self", "session '%s' cannot be attached to itself", s->status.name);
		return;
	}
	from = min_u64(from, head);                              /* of the future nothing can be asked */
	if (from < oldest) {
		answer.lost = m->since >= 0 ? (int64_t)(oldest - from) : 0;
		from = oldest;
	}
	answer.position = (int64_t)from;
	ring = ring_reader_fd(s->ring);
	if (ring < 0) {
		refuse(c, -ring, "ring", "cannot share the session's output: %s", strerror(-ring));
		return;
	}
	json_encode(&text, &message_ring_object, &answer);
	sent(c, conn_send(&c->conn, MESSAGE_RING, text.buf, text.len, &ring, 1));
	c->is_reader = true;
	c->waits_for_end = true;
	c->wants_status = m->wants_status;
	if (m->is_viewer && !c->is_viewer)
		supervisor_tell(s, EVENT_attached, c->peer, NULL);
	c->is_viewer = m->is_viewer;
	c->may_type = !m->read_only;
	c->is_terminal = m->is_terminal;
	c->answers = (struct answers){ 0 };
	c->size = (struct term_size){ (uint16_t)m->rows, (uint16_t)m->cols };
	if (c->is_viewer)
		take_size(c);
	c->paint.is_wanted = m->paints;
	repaint(c);
}

static void on_repaint(struct client *c, const struct frame *f, const void *body)
{
	repaint(c);
}

static void on_arm(struct client *c, const struct frame *f, const void *body)
{
	if (!c->is_reader)
		return;
	c->is_armed = true;
	if (ring_head(c->s->ring) > frame_position(f))
		ring_or_gather(c, time_mono_ns());
}

static void on_input(struct client *c, const struct frame *f, const void *body)
{
	const char *data = f->data;
	size_t n = f->len;
	_str_ keys = STR_INIT;

	if (!c->may_type) {
		refuse(c, EPERM, "read-only", "this connection may only read");
		return;
	}
	if (c->is_terminal) {
		answers_drop(&c->answers, f->data, f->len, &keys);
		data = keys.buf;
		n = keys.len;
	}
	if (n == 0)
		return;                                          /* nobody typed */
	if (c->is_viewer && c->s->size_owner != c)
		take_size(c);
	if (input_send(c->s, INPUT_TYPED, data, n) == -ENOBUFS)
		refuse(c, ENOBUFS, "input-full", "the command does not read its input: %zu bytes were dropped", n);
}

static void on_resize(struct client *c, const struct frame *f, const void *body)
{
	const struct message_resize *m = body;

	c->size = (struct term_size){ (uint16_t)m->rows, (uint16_t)m->cols };
	/* a viewer says what it has, and may not be the one that counts; a program says what it wants */
	if (c->is_reader && (!c->is_viewer || c->s->size_owner == c || c->s->size_owner == NULL))
		take_size(c);
	else
		repaint(c);
}

/* --- orders and questions --- */

static void on_hello(struct client *c, const struct frame *f, const void *body)
{
	const struct message_hello answer = message_hello_of("pterm-supervisor " PTERM_VERSION);
	_err_ err = ERR_INIT;

	if (message_hello_check(body, getpid(), &err) < 0) {
		c->is_refused = true;
		sent(c, conn_send_error(&c->conn, &err, 125));
		return;
	}
	sent(c, conn_send_json(&c->conn, MESSAGE_SUPERVISOR, &message_hello_object, &answer));
}

static void on_signal(struct client *c, const struct frame *f, const void *body)
{
	const struct message_signal *m = body;
	struct supervisor *s = c->s;
	int r;

	if (s->state != STATE_RUNNING) {
		refuse(c, ESRCH, "not-running", "session '%s' has no command running now", s->status.name);
		return;
	}
	r = m->signo == SIGKILL ? s->container.ops->kill(&s->container)
	                        : s->container.ops->signal(&s->container, (int)m->signo, false);
	if (r < 0)
		refuse(c, -r, "signal", "cannot signal session '%s': %s", s->status.name, strerror(-r));
	else
		ok(c);
}

static void on_stop(struct client *c, const struct frame *f, const void *body)
{
	const struct message_stop *m = body;

	c->waits_for_end = true;
	ok(c);
	supervisor_stop(c->s, m->by ? m->by : "somebody", (uint64_t)m->timeout_ms);
}

static void on_restart(struct client *c, const struct frame *f, const void *body)
{
	const struct message_stop *m = body;

	c->waits_for_start = c->waits_for_end = true;
	ok(c);
	supervisor_restart(c->s, m->by ? m->by : "somebody", (uint64_t)m->timeout_ms);
}

static void on_status(struct client *c, const struct frame *f, const void *body)
{
	struct supervisor *s = c->s;
	_str_ text = STR_INIT;

	s->status.position = (int64_t)ring_head(s->ring);
	s->status.rows = s->size.rows;
	s->status.cols = s->size.cols;
	if (s->has_container && s->container.ops->pid != NULL)
		s->status.init_pid = s->container.ops->pid(&s->container);       /* known at times only after the start */
	json_encode(&text, &status_object, &s->status);
	sent(c, conn_send(&c->conn, MESSAGE_STATUS_IS, text.buf, text.len, NULL, 0));
}

void clients_health(struct supervisor *s)
{
	link_each(struct client, c, &s->clients, link)
		if (c->wants_status)
			on_status(c, NULL, NULL);
}

static void on_state(struct client *c, const struct frame *f, const void *body)
{
	const uint64_t position = htole64(ring_head(c->s->ring));
	_str_ state = STR_INIT;

	str_add(&state, &position, sizeof(position));
	checkpoint_write(terminal_screen(c->s), &state);
	if (state.len > FRAME_MAX)
		refuse(c, EMSGSIZE, "state", "the screen of session '%s' is too large to be told", c->s->status.name);
	else
		sent(c, conn_send(&c->conn, MESSAGE_STATE_IS, state.buf, state.len, NULL, 0));
}

static void on_usage(struct client *c, const struct frame *f, const void *body)
{
	struct supervisor *s = c->s;
	struct proc_usage u = { 0 };
	uint64_t memory_max = 0;
	struct message_usage answer;

	if (s->has_container && s->container.ops->stats != NULL)
		(void)s->container.ops->stats(&s->container, &u, &memory_max);
	answer = (struct message_usage){ .cpu_ns = (int64_t)u.cpu_ns, .memory_bytes = (int64_t)u.memory_bytes,
	                                 .memory_max = (int64_t)memory_max, .pids = (int64_t)u.pids };
	sent(c, conn_send_json(&c->conn, MESSAGE_USAGE_IS, &message_usage_object, &answer));
}

static void on_rename(struct client *c, const struct frame *f, const void *body)
{
	const struct message_rename *m = body;
	_err_ err = ERR_INIT;

	if (name_check(m->name, &err) < 0) {
		sent(c, conn_send_error(&c->conn, &err, 125));
		return;
	}
	status_set(&c->s->status.name, m->name);
	supervisor_save(c->s);
	supervisor_tell(c->s, EVENT_renamed, -1, m->name);
	ok(c);
}

static void on_record(struct client *c, const struct frame *f, const void *body)
{
	const struct message_record *m = body;
	_err_ err = ERR_INIT;

	if (input_record(c->s, m->input, &err) < 0) {
		sent(c, conn_send_error(&c->conn, &err, 125));
		return;
	}
	supervisor_save(c->s);
	ok(c);
}

static void tell_started(struct client *c)
{
	_str_ text = STR_INIT;

	json_encode(&text, &status_object, &c->s->status);
	sent(c, conn_send(&c->conn, MESSAGE_STARTED, text.buf, text.len, NULL, 0));
}

/* --- exec --- */

static int start_exec(struct client *c, const struct message_exec *m, const struct frame *f, struct err *err)
{
	struct supervisor *s = c->s;
	_strv_ env = { 0 };
	struct spec_user user = s->spec.user;
	struct engine_exec x = { .argv = &m->argv, .env = &env, .cwd = m->cwd ? m->cwd : s->spec.cwd, .user = &user,
	                         .tty = m->tty, .size = { (uint16_t)m->rows, (uint16_t)m->cols } };

	if (s->state != STATE_RUNNING)
		return err_set(err, ESRCH, "not-running", "session '%s' has no command running now", s->status.name);
	if (s->container.ops->exec == NULL)
		return err_set(err, ENOTSUP, "no-exec", "the engine '%s' cannot exec", s->container.ops->name);
	if (c->exec != 0 || m->argv.len == 0 || (!m->tty && f->fd_count != 3))
		return err_set(err, EPROTO, "bad-exec", "an exec needs a command, its descriptors and a connection of its own");
	strv_copy(&env, &s->spec.env);
	for (size_t i = 0; i < m->env.len; i++) {
		char *equals = strchr(m->env.items[i], '=');

		if (equals == NULL)
			continue;
		*equals = '\0';
		strv_set_env(&env, m->env.items[i], equals + 1);
		*equals = '=';
	}
	if (m->has_user) {
		user.uid = m->uid;
		user.gid = m->gid;
		user.groups = m->groups;
	}
	if (!m->tty)
		memcpy(x.stdio, f->fds, sizeof(x.stdio));
	c->exec = ++s->last_exec;
	return s->container.ops->exec(&s->container, c->exec, &x, err);
}

static void on_exec(struct client *c, const struct frame *f, const void *body)
{
	const struct message_exec *m = body;
	const uint32_t before = c->exec;
	_err_ err = ERR_INIT;

	if (start_exec(c, m, f, &err) < 0) {
		c->exec = before;
		sent(c, conn_send_error(&c->conn, &err, 125));
	} else {
		supervisor_tell(c->s, EVENT_executed, c->exec, m->argv.items[0]);
	}
}

static void on_exec_signal(struct client *c, const struct frame *f, const void *body)
{
	const struct message_signal *m = body;

	if (c->exec != 0 && c->s->has_container)
		(void)c->s->container.ops->exec_signal(&c->s->container, c->exec, (int)m->signo);
}

static void tell_exec_end(struct client *c, int wait_status)
{
	const struct message_exited body = { .wait_status = wait_status };

	c->exec = 0;
	sent(c, conn_send_json(&c->conn, MESSAGE_EXEC_EXITED, &message_exited_object, &body));
}

/*
 * The exec of a client whose supervisor, the one before us, was killed. Ends that nobody waited for meanwhile are kept. One of
 * a container that is gone ended with it.
 */
static void on_exec_again(struct client *c, const struct frame *f, const void *body)
{
	const struct message_exec_id *m = body;

	c->exec = (uint32_t)m->exec;
	for (size_t i = 0; i < c->s->exec_ends.len; i++) {
		const struct exec_end end = c->s->exec_ends.items[i];

		if (end.exec != c->exec)
			continue;
		c->s->exec_ends.items[i] = c->s->exec_ends.items[--c->s->exec_ends.len];
		tell_exec_end(c, end.wait_status);
		return;
	}
	if (!c->s->has_container || c->exec <= c->s->execs_over)
		tell_exec_end(c, SIGKILL);
}

void clients_execs_over(struct supervisor *s)
{
	link_each(struct client, c, &s->clients, link)
		if (c->exec != 0)
			tell_exec_end(c, SIGKILL);
	s->execs_over = s->last_exec;
}

static void keep_exec_end(struct supervisor *s, uint32_t exec, int wait_status)
{
	if (s->exec_ends.len >= EXEC_ENDS_MAX)
		memmove(s->exec_ends.items, s->exec_ends.items + 1, --s->exec_ends.len * sizeof(*s->exec_ends.items));
	vec_push(&s->exec_ends, ((struct exec_end){ exec, wait_status }));
}

static struct client *find_exec(struct supervisor *s, uint32_t exec)
{
	link_each(struct client, c, &s->clients, link)
		if (c->exec == exec)
			return c;
	return NULL;
}

void clients_exec_started(struct supervisor *s, uint32_t exec, int tty)
{
	const struct message_exec_id body = { .exec = exec };
	struct client *c = find_exec(s, exec);
	_str_ text = STR_INIT;

	json_encode(&text, &message_exec_id_object, &body);
	if (c != NULL)
		sent(c, conn_send(&c->conn, MESSAGE_EXEC_STARTED, text.buf, text.len, &tty, tty >= 0 ? 1 : 0));
	fd_close(tty);
}

void clients_exec_failed(struct supervisor *s, uint32_t exec, const struct err *why, int exit_code)
{
	struct client *c = find_exec(s, exec);

	if (c == NULL)
		return;
	c->exec = 0;
	sent(c, conn_send_error(&c->conn, why, exit_code));
}


void clients_exec_exited(struct supervisor *s, uint32_t exec, int wait_status)
{
	struct client *c = find_exec(s, exec);

	supervisor_tell(s, EVENT_exec_ended, exec, NULL);
	if (c != NULL)
		tell_exec_end(c, wait_status);
	else if (s->status.adoptions > 0)                        /* who started it may come back */
		keep_exec_end(s, exec, wait_status);
}

/* --- messages in --- */

typedef void message_fn(struct client *c, const struct frame *f, const void *body);

static void on_upgrade(struct client *c, const struct frame *f, const void *body)
{
	const struct message_upgrade *m = body;
	const int r = c->s->state == STATE_RUNNING ? keeper_exec(c->s, m->program) : -EAGAIN;

	refuse(c, -r, "upgrade", "cannot hand session '%s' over to '%s': %s", c->s->status.name, m->program, strerror(-r));
}

static const struct { enum message type; const struct json_object *object; message_fn *fn; } handlers[] = {
	{ MESSAGE_HELLO, &message_hello_object, on_hello },
	{ MESSAGE_ATTACH, &message_attach_object, on_attach },
	{ MESSAGE_INPUT, NULL, on_input },
	{ MESSAGE_RESIZE, &message_resize_object, on_resize },
	{ MESSAGE_ARM, NULL, on_arm },
	{ MESSAGE_REPAINT, NULL, on_repaint },
	{ MESSAGE_STATE, NULL, on_state },
	{ MESSAGE_SIGNAL, &message_signal_object, on_signal },
	{ MESSAGE_STOP, &message_stop_object, on_stop },
	{ MESSAGE_RESTART, &message_stop_object, on_restart },
	{ MESSAGE_EXEC, &message_exec_object, on_exec },
	{ MESSAGE_EXEC_SIGNAL, &message_signal_object, on_exec_signal },
	{ MESSAGE_EXEC_AGAIN, &message_exec_id_object, on_exec_again },
	{ MESSAGE_UPGRADE, &message_upgrade_object, on_upgrade },
	{ MESSAGE_STATUS, NULL, on_status },
	{ MESSAGE_USAGE, NULL, on_usage },
	{ MESSAGE_RENAME, &message_rename_object, on_rename },
	{ MESSAGE_RECORD, &message_record_object, on_record },
};

union body {
	struct message_hello hello; struct message_attach attach; struct message_resize resize; struct message_signal signal;
	struct message_stop stop; struct message_exec exec; struct message_rename rename;
	struct message_exec_id exec_id; struct message_upgrade upgrade; struct message_record record;
};

static void handle(struct client *c, const struct frame *f)
{
	for (size_t i = 0; i < array_len(handlers) && !c->is_refused; i++) {
		union body body = { 0 };
		_err_ err = ERR_INIT;

		if (handlers[i].type != f->type)
			continue;
		if (handlers[i].object == NULL)
			handlers[i].fn(c, f, NULL);
		else if (json_decode(f->data, f->len, handlers[i].object, &body, &err) < 0)
			sent(c, conn_send_error(&c->conn, &err, 125));
		else
			handlers[i].fn(c, f, &body);
		if (handlers[i].object != NULL)
			json_release(handlers[i].object, &body);
		return;
	}
}

static void on_client(void *data, int events)
{
	struct client *c = data;
	struct supervisor *s = c->s;
	struct frame f;
	int r;

	if ((events & LOOP_WRITE) && (r = conn_flush(&c->conn)) <= 0)
		sent(c, r);
	if (!(events & LOOP_READ))
		return;
	r = conn_receive(&c->conn, MSG_DONTWAIT);
	if (r == -EAGAIN)
		return;
	while (r == 0 && s->state != STATE_ENDED && (r = conn_next(&c->conn, &f)) == 1) {
		handle(c, &f);
		frame_close_fds(&f);
		r = 0;
	}
	if (r != 0)
		client_free(c);
}

static struct client *client_new(struct supervisor *s, int fd)
{
	struct client *c = xcalloc(1, sizeof(*c));
	struct ucred peer = { 0 };
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 || (peer.uid != geteuid() && peer.uid != 0)) {
		fd_close(fd);
		free(c);
		return NULL;
	}
	c->s = s;
	c->peer = peer.pid;
	conn_init(&c->conn, fd);
	c->watch = watch_new(&s->loop, fd, LOOP_READ, on_client, c);
	if (c->watch == NULL) {
		conn_close(&c->conn);
		free(c);
		return NULL;
	}
	link_add_tail(&s->clients, &c->link);
	s->client_count++;
	return c;
}

void clients_first(struct supervisor *s, int fd)
{
	struct client *c = client_new(s, fd);

	if (c == NULL)
		return;
	c->waits_for_start = c->waits_for_end = true;
	on_client(c, LOOP_READ);         /* what it said before we ran: it hears all that comes now */
}

static void on_listen(void *data, int events)
{
	struct supervisor *s = data;
	const int fd = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	if (s->client_count >= SUPERVISOR_CLIENTS_MAX) {         /* every queue has a maximum */
		fd_close(fd);
		return;
	}
	client_new(s, fd);
}

int clients_listen(struct supervisor *s, struct err *err)
{
	s->bell_timer = timer_new(&s->loop, on_bell_timer, s);
	s->paint_timer = timer_new(&s->loop, on_paint_timer, s);
	s->listen_watch = watch_new(&s->loop, s->listen_fd, LOOP_READ, on_listen, s);
	return s->listen_watch ? 0 : err_set(err, EIO, "loop", "cannot listen on the session's socket");
}

bool clients_wait_for_start(const struct supervisor *s)
{
	link_each(struct client, c, &s->clients, link)
		if (c->waits_for_start)
			return true;
	return false;
}

/* --- what the session tells --- */

void clients_started(struct supervisor *s)
{
	link_each(struct client, c, &s->clients, link) {
		if (!c->waits_for_start)
			continue;
		c->waits_for_start = false;
		tell_started(c);
	}
}

void clients_failed(struct supervisor *s, const struct err *why, int exit_code)
{
	link_each(struct client, c, &s->clients, link)
		if (c->waits_for_start || c->is_viewer)
			sent(c, conn_send_error(&c->conn, why, exit_code));
}

void clients_ended(struct supervisor *s)
{
	_str_ text = STR_INIT;

	json_encode(&text, &status_object, &s->status);
	link_each(struct client, c, &s->clients, link)
		if (c->waits_for_end)
			sent(c, conn_send(&c->conn, MESSAGE_ENDED, text.buf, text.len, NULL, 0));
}

void clients_close(struct supervisor *s)
{
	const uint64_t deadline = time_mono_ns() + (uint64_t)GOODBYE_MS * 1000000;

	link_each(struct client, c, &s->clients, link) {
		while (conn_flush(&c->conn) == 1) {
			struct pollfd p = { .fd = c->conn.fd, .events = POLLOUT };
			const uint64_t now = time_mono_ns();

			if (now >= deadline || poll(&p, 1, (int)((deadline - now) / 1000000) + 1) <= 0)
				break;
		}
		client_free(c);
	}
}
