#include "service/session-parts.h"

#include "base/fd.h"
#include "base/hook.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

enum { TRIES = 100 };                            /* supervisors that are killed while they are talked to */

static int not_running(const struct session *s, struct err *err)
{
	return err_set(err, ESRCH, "not-running", "session '%s' is not running: pterm start %s begins it again", s->status.name,
	               s->status.name);
}

int session_refuse_foreign(const struct session *s, struct err *err)
{
	return err_set(err, EREMOTE, "foreign-session", "session '%s' belongs to another machine that shares this home",
	               s->status.name);
}

static int connect_once(const struct session *s, struct conn *ret, struct err *err)
{
	const int r = conn_connect(ret, s->fd, "pterm " PTERM_VERSION, s->status.pid, err);

	if (r == -ECONNREFUSED || r == -ENOENT)          /* closed since we looked */
		return not_running(s, err);
	return r < 0 ? err_wrap(err, "session '%s'", s->status.name) : 0;
}

int session_connect(const struct session *s, struct conn *ret, struct err *err)
{
	int r = -EPIPE;

	if (s->is_foreign)
		return session_refuse_foreign(s, err);
	if (!s->is_alive)
		return not_running(s, err);
	for (int tries = 0; (r == -EPIPE || r == -ECONNRESET) && tries < TRIES; tries++) {
		if (tries > 0 && err != NULL)
			err_release(err);
		r = connect_once(s, ret, err);           /* one that is killed is replaced */
	}
	return r;
}

int session_ask_status(const struct session *s, struct status *ret, struct err *err)
{
	_conn_ c = { 0 };
	struct frame f;
	int r = session_connect(s, &c, err);

	if (r < 0)
		return r;
	r = conn_send(&c, MESSAGE_STATUS, NULL, 0, NULL, 0);
	if (r < 0)
		return err_set(err, -r, "connection", "cannot talk to the supervisor of session '%s': %m", s->status.name);
	r = conn_expect(&c, MESSAGE_STATUS_IS, &f, CONN_ANSWER_MS, err);
	if (r < 0)
		return r;
	*ret = (struct status){ 0 };
	r = json_decode(f.data, f.len, &status_object, ret, err);
	frame_close_fds(&f);
	if (r < 0)
		status_release(ret);
	return r;
}

/* --- orders --- */

static int order(const struct session *s, enum message type, const struct json_object *object, const void *body,
                 struct err *err)
{
	_conn_ c = { 0 };
	struct frame f;
	int r = session_connect(s, &c, err);

	if (r == 0)
		r = conn_send_json(&c, type, object, body);
	return r < 0 ? r : conn_expect(&c, MESSAGE_OK, &f, CONN_ANSWER_MS, err);
}

int session_tell_name(const struct session *s, const char *name, struct err *err)
{
	return order(s, MESSAGE_RENAME, &message_rename_object, &(struct message_rename){ .name = (char *)name }, err);
}

int session_record_input(const struct session *s, bool on, struct err *err)
{
	return order(s, MESSAGE_RECORD, &message_record_object, &(struct message_record){ .input = on }, err);
}

int session_signal(const struct session *s, int signo, struct err *err)
{
	return order(s, MESSAGE_SIGNAL, &message_signal_object, &(struct message_signal){ .signo = signo }, err);
}

static int supervisor_pidfd(const struct conn *c)
{
	struct ucred peer = { 0 };
	socklen_t len = sizeof(peer);

	return getsockopt(c->fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 ? -1 : proc_pidfd(peer.pid);
}

bool session_has_ended(const struct session *s)
{
	_cleanup_(status_release) struct status now = { 0 };
	const int r = status_read(s->fd, &now, NULL);

	return r == -ENOENT || (r == 0 && now.state == STATUS_ENDED);
}

/* 1: it has ended, or ends as it was told; 0: that supervisor was killed, and another may go on; -errno: see @err. */
static int stop_once(struct session *s, const struct message_stop *m, struct err *err)
{
	_conn_ c = { 0 };
	_fd_ supervisor = -1;
	struct frame f;
	int r;

	r = session_connect(s, &c, err);
	if (r == -ESRCH || (r < 0 && session_has_ended(s))) {    /* just now, before it heard us */
		session_await_end(s);                    /* its socket goes before its last word is written */
		return 1;
	}
	if (r < 0)
		return r;
	supervisor = supervisor_pidfd(&c);
	r = conn_send_json(&c, MESSAGE_STOP, &message_stop_object, m);
	if (r == 0)
		r = conn_expect(&c, MESSAGE_ENDED, &f, (int)m->timeout_ms + CONN_ANSWER_MS, err);
	else
		err_set(err, -r, "connection", "cannot talk to the supervisor of '%s': %m", s->status.name);
	if (r == -EPIPE || r == -ECONNRESET)             /* it ended without a word: the status on disk tells */
		return session_has_ended(s);
	if (r == 0 && supervisor >= 0)                   /* it has written all it had to write, and nothing of it is left */
		(void)poll(&(struct pollfd){ .fd = supervisor, .events = POLLIN }, 1, CONN_ANSWER_MS);
	return r < 0 ? r : 1;
}

int session_stop(struct session *s, uint64_t timeout_ms, struct err *err)
{
	const struct message_stop m = { .timeout_ms = (int64_t)timeout_ms, .by = (char *)session_actor() };
	int r = 0;

	if (!s->is_alive && !s->is_foreign)
		return 0;
	for (int tries = 0; r == 0 && tries < TRIES; tries++)
		r = stop_once(s, &m, err);
	if (r == 0)
		return err_set(err, EPIPE, "supervisor-gone", "the supervisor of '%s' ends whenever it is told to stop, and is "
		               "replaced: see supervisor.log in the session's directory", s->status.name);
	s->is_alive = false;
	if (r > 0 && err != NULL)
		err_release(err);
	return r < 0 ? r : 0;
}

int session_upgrade(const struct house *h, const struct session *s, struct err *err)
{
	const struct message_upgrade m = { .program = h->supervisor_program };
	_cleanup_(status_release) struct status before = { 0 }, after = { 0 };
	_conn_ c = { 0 };
	struct frame f;
	int r = session_ask_status(s, &before, err);

	if (r == 0)
		r = session_connect(s, &c, err);
	if (r == 0)
		r = conn_send_json(&c, MESSAGE_UPGRADE, &message_upgrade_object, &m);
	if (r < 0)
		return r;
	r = conn_expect(&c, MESSAGE_OK, &f, CONN_ANSWER_MS, err);     /* none comes: the old one is gone, or says why not */
	if (r != -EPIPE && r != -ECONNRESET)
		return r < 0 ? r : err_set(err, EPROTO, "upgrade", "session '%s' gave no answer that makes sense", s->status.name);
	if (err != NULL)
		err_release(err);
	r = session_ask_status(s, &after, err);
	if (r == 0 && after.adoptions == before.adoptions)
		r = err_set(err, EIO, "upgrade", "session '%s' was not handed over: see supervisor.log in its directory",
		            s->status.name);
	return r;
}

void session_await_end(const struct session *s)
{
	for (int64_t last = 0;;) {
		_cleanup_(status_release) struct status now = { 0 };
		_fd_ supervisor = -1;
		uint64_t start = 0;

		/* one that was killed may have been replaced */
		if (status_read(s->fd, &now, NULL) < 0 || now.state == STATUS_ENDED || now.pid <= 0 || now.pid == last)
			return;
		last = now.pid;
		supervisor = proc_pidfd((pid_t)now.pid);
		if (supervisor >= 0 && proc_start_time((pid_t)now.pid, &start) == 0 && (int64_t)start == now.pid_start)
			(void)poll(&(struct pollfd){ .fd = supervisor, .events = POLLIN }, 1, -1);
	}
}

int session_restart(const struct house *h, struct session *s, uint64_t timeout_ms, struct conn *conn, struct err *err)
{
	const struct message_stop m = { .timeout_ms = (int64_t)timeout_ms, .by = (char *)session_actor() };
	int r;

	if (!s->is_alive)
		return session_start(h, s, NULL, conn, err);
	r = session_connect(s, conn, err);
	return r < 0 ? r : conn_send_json(conn, MESSAGE_RESTART, &message_stop_object, &m);
}
