/*
 * libpterm (include/pterm/session.h has the promises): the reader of this tree, for programs that are not of it. What
 * is here translates: objects that callers own, sentences that they ask for, one descriptor to sleep on.
 */
#include "pterm/session.h"

#include "base/fd.h"
#include "reader/reader.h"
#include "term/pty.h"
#include "wire/home.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PIECE = 64 * 1024, TRIES = 100, STATUS_MAX = 256 * 1024 };

struct pterm_session {
	struct conn conn;
	struct reader reader;
	struct err err, refusal;         /* what the last call failed with; what the supervisor has refused meanwhile */
	int session_fd;
	int sleep_fd;                    /* an epoll on the connection, whichever it is */
	unsigned flags;
	uint32_t asked, answered;        /* STATUS: answers come in order, so the last one says that all before was heard */
	int64_t rows, cols;
	bool is_open;
};

/* What we need of a session's status. */
struct facts { int64_t rows, cols, exit_code; char *state; };
static const struct json_field facts_fields[] = {
	{ "state", FIELD_STR, offsetof(struct facts, state) },
	{ "exit_code", FIELD_INT, offsetof(struct facts, exit_code) },
	{ "rows", FIELD_INT, offsetof(struct facts, rows), .min = 0, .max = UINT16_MAX },
	{ "cols", FIELD_INT, offsetof(struct facts, cols), .min = 0, .max = UINT16_MAX },
};
static const struct json_object facts_object = JSON_OBJECT("a session's status", struct facts, facts_fields, false);

struct pterm_session *pterm_new(void)
{
	struct pterm_session *s = xcalloc(1, sizeof(*s));

	s->session_fd = s->sleep_fd = -1;
	conn_init(&s->conn, -1);
	s->reader = (struct reader)READER_INIT;
	s->reader.conn = &s->conn;
	s->reader.program = "libpterm " PTERM_VERSION;
	s->reader.wants_all = true;
	return s;
}

void pterm_free(struct pterm_session *s)
{
	if (s == NULL)
		return;
	reader_release(&s->reader);
	conn_close(&s->conn);
	err_release(&s->err);
	err_release(&s->refusal);
	fd_close(s->sleep_fd);
	fd_close(s->session_fd);
	free(s);
}

const char *pterm_error(const struct pterm_session *s)
{
	return s->err.no != 0 ? err_msg(&s->err) : "";
}

/* --- opening --- */

static int find(struct pterm_session *s, const char *home, const char *session)
{
	_free_ char *path = home_find(home);
	_fd_ home_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), sessions = -1, names = -1;
	_free_ char *id = NULL;
	int r;

	if (home_fd < 0)
		return err_set(&s->err, errno, "home", "cannot open '%s', where sessions are: %m", path);
	sessions = openat(home_fd, "sessions", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	names = openat(home_fd, "names", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (sessions < 0 || names < 0)
		return session_unknown(session, &s->err);
	r = session_resolve(sessions, names, session, &id, &s->err);
	if (r < 0)
		return r;
	s->session_fd = openat(sessions, id, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return s->session_fd < 0 ? session_unknown(session, &s->err) : 0;
}

/* Sleep on the connection that there is now; closing the one before has taken that one out. */
static void watch(struct pterm_session *s)
{
	struct epoll_event ev = { .events = EPOLLIN };

	if (s->conn.fd >= 0)
		(void)epoll_ctl(s->sleep_fd, EPOLL_CTL_ADD, s->conn.fd, &ev);
}

/* Ask for the status: for the size, and to know that what was said before was heard. */
static int ask(struct pterm_session *s)
{
	s->asked++;
	return conn_send(&s->conn, MESSAGE_STATUS, NULL, 0, NULL, 0);
}

static int connect_and_begin(struct pterm_session *s, int64_t since)
{
	int r = -EPIPE;

	for (int tries = 0; (r == -EPIPE || r == -ECONNRESET) && tries < TRIES; tries++) {
		conn_close(&s->conn);
		r = conn_connect(&s->conn, s->session_fd, s->reader.program, 0, &s->err);
		if (r == 0)
			r = reader_begin(&s->reader, since, &s->err);
	}
	if (r == -ECONNREFUSED || r == -ENOENT) {        /* it has ended: the recording is what there is */
		err_release(&s->err);
		reader_begin_ended(&s->reader, since);
		return 0;
	}
	if (r == 0) {
		watch(s);
		(void)ask(s);
	}
	return r;
}

int pterm_open(struct pterm_session *s, const char *home, const char *session, int64_t since, unsigned flags)
{
	int r;

	if (s->is_open)
		return err_set(&s->err, EISCONN, "is-open", "this object has a session already");
	s->flags = flags;
	s->reader.attach = (struct message_attach){ .is_viewer = (flags & PTERM_VIEWER) != 0,
	                                            .is_terminal = (flags & PTERM_VIEWER) != 0,
	                                            .read_only = (flags & PTERM_READ_ONLY) != 0 };
	r = find(s, home, session);
	if (r < 0)
		return r;
	s->reader.session_fd = s->session_fd;
	s->sleep_fd = epoll_create1(EPOLL_CLOEXEC);
	if (s->sleep_fd < 0)
		return err_set(&s->err, errno, "epoll", "cannot make a descriptor to wait on: %m");
	r = connect_and_begin(s, since < 0 ? PTERM_RECENT : since);
	s->is_open = r == 0;
	return r;
}

/* --- listening --- */

static void on_status(struct pterm_session *s, const struct frame *f)
{
	struct facts facts = { 0 };

	s->answered++;
	if (json_decode(f->data, f->len, &facts_object, &facts, NULL) == 0 && facts.rows > 0 && facts.cols > 0) {
		s->rows = facts.rows;
		s->cols = facts.cols;
	}
	json_release(&facts_object, &facts);
}

static void on_frame(void *data, const struct frame *f)
{
	struct pterm_session *s = data;

	switch (f->type) {
	case MESSAGE_STATUS_IS:
		on_status(s, f);
		break;
	case MESSAGE_RESIZED:
		(void)ask(s);
		break;
	case MESSAGE_ERROR:
		(void)conn_error(f, NULL, &s->refusal);
		break;
	}
}

/* Take in what was said. 0; 1: another supervisor goes on; or -errno. */
static int listen_once(struct pterm_session *s)
{
	const int r = s->reader.has_ended ? 0 : reader_receive(&s->reader, on_frame, s);

	if (r == 1) {
		s->asked = s->answered = 0;
		watch(s);
		(void)ask(s);
	}
	return r < 0 ? err_set(&s->err, -r, "bad-answer", "the session's supervisor says what makes no sense") : r;
}

static int not_open(struct pterm_session *s)
{
	return err_set(&s->err, ENOTCONN, "not-open", "no session was opened");
}

/* --- reading --- */

ssize_t pterm_read(struct pterm_session *s, void *data, size_t size, uint64_t *ret_lost)
{
	uint64_t none, *lost = ret_lost != NULL ? ret_lost : &none;
	size_t n;
	int r;

	*lost = 0;
	if (!s->is_open)
		return not_open(s);
	size = min_size(size, SSIZE_MAX);
	n = reader_read(&s->reader, data, size, lost);
	if (n > 0 || *lost > 0)
		return (ssize_t)n;
	r = listen_once(s);
	if (r < 0)
		return r;
	n = reader_read(&s->reader, data, size, lost);   /* what came before the end was told */
	if (n == 0 && *lost == 0)
		reader_arm(&s->reader);
	return (ssize_t)n;
}

static bool has_more(const struct pterm_session *s)
{
	return s->reader.position < pterm_head(s);
}

int pterm_wait(struct pterm_session *s, int timeout_ms)
{
	struct pollfd p = { .fd = s->conn.fd, .events = POLLIN };
	int r;

	if (!s->is_open)
		return not_open(s);
	if (has_more(s) || s->reader.has_ended)
		return 1;
	reader_arm(&s->reader);
	r = poll(&p, 1, timeout_ms);
	if (r < 0)                                       /* after a signal the caller may want to look at something */
		return errno == EINTR ? 1 : err_set(&s->err, errno, "poll", "cannot wait: %m");
	if (r == 0)
		return 0;
	r = listen_once(s);
	return r < 0 ? r : 1;
}

int pterm_fd(const struct pterm_session *s)
{
	return s->sleep_fd;
}

uint64_t pterm_position(const struct pterm_session *s)
{
	return s->reader.position;
}

uint64_t pterm_head(const struct pterm_session *s)
{
	return s->reader.ring != NULL ? ring_head(s->reader.ring) : s->reader.recorded_until;
}

int pterm_seek(struct pterm_session *s, uint64_t position)
{
	if (!s->is_open)
		return not_open(s);
	reader_seek(&s->reader, position);
	return 0;
}

/* --- orders --- */

static int may_order(struct pterm_session *s)
{
	if (!s->is_open)
		return not_open(s);
	if (s->flags & PTERM_READ_ONLY)
		return err_set(&s->err, EPERM, "read-only", "the session was opened to be read only");
	if (s->reader.has_ended)
		return err_set(&s->err, ESRCH, "has-ended", "the session has ended");
	return 0;
}

static bool waits_for_answer(const struct pterm_session *s)
{
	return (int32_t)(s->asked - s->answered) > 0 && !s->reader.has_ended;
}

/* Until what was sent is heard. 0; or -errno: it was refused, or nobody knows. */
static int confirm(struct pterm_session *s)
{
	int r = ask(s);

	while (r == 0 && waits_for_answer(s)) {
		struct pollfd p = { .fd = s->conn.fd, .events = POLLIN };

		if (poll(&p, 1, -1) < 0 && errno != EINTR)
			return err_set(&s->err, errno, "poll", "cannot wait for the session's supervisor: %m");
		if (p.revents != 0)
			r = listen_once(s);
	}
	if (s->refusal.no != 0)
		return err_move(&s->err, &s->refusal);
	if (r == -EPROTO)
		return r;
	if (r == 0 && !s->reader.has_ended)
		return 0;
	if (s->reader.has_ended)
		return err_set(&s->err, ESRCH, "has-ended", "the session has ended");
	return err_set(&s->err, EPIPE, "supervisor-lost", "the session's supervisor was replaced just then: it is not "
	               "known whether it took what was sent");
}

ssize_t pterm_input(struct pterm_session *s, const void *data, size_t size)
{
	size_t done = 0;
	int r = may_order(s);

	err_release(&s->refusal);
	while (r == 0 && done < size) {
		const size_t n = min_size(PIECE, size - done);

		(void)conn_send(&s->conn, MESSAGE_INPUT, (const char *)data + done, n, NULL, 0);
		r = confirm(s);                          /* hears of a broken connection as well */
		done += r == 0 ? n : 0;
	}
	return r < 0 && done == 0 ? r : (ssize_t)done;
}

int pterm_resize(struct pterm_session *s, unsigned rows, unsigned cols)
{
	const struct message_resize m = { .rows = rows, .cols = cols };
	int r = may_order(s);

	if (r < 0)
		return r;
	if (rows < 1 || cols < 1 || rows > TERM_SIZE_MAX || cols > TERM_SIZE_MAX)
		return err_set(&s->err, EINVAL, "bad-size", "%u rows and %u columns are no size of a terminal (1 to %d)",
		               rows, cols, TERM_SIZE_MAX);
	err_release(&s->refusal);
	s->reader.attach.rows = rows;                    /* the next supervisor is told as well */
	s->reader.attach.cols = cols;
	(void)conn_send_json(&s->conn, MESSAGE_RESIZE, &message_resize_object, &m);
	return confirm(s);
}

int pterm_size(struct pterm_session *s, unsigned *ret_rows, unsigned *ret_cols)
{
	if (!s->is_open)
		return not_open(s);
	if (s->rows == 0 && !s->reader.has_ended)
		(void)confirm(s);
	if (s->rows == 0)
		return err_set(&s->err, ENODATA, "no-size", "the size of the session's terminal is not known");
	*ret_rows = (unsigned)s->rows;
	*ret_cols = (unsigned)s->cols;
	return 0;
}

/* --- the end --- */

int pterm_has_ended(const struct pterm_session *s)
{
	return s->reader.has_ended && !has_more(s);
}

int pterm_exit_code(struct pterm_session *s)
{
	struct facts facts = { .exit_code = -1 };
	_str_ text = STR_INIT;
	int code = -1;

	if (!s->is_open)
		return not_open(s);
	if (s->reader.status.len > 0)
		str_add(&text, s->reader.status.buf, s->reader.status.len);
	else if (s->reader.has_ended)
		(void)file_read(s->session_fd, "status.json", STATUS_MAX, &text);
	if (json_decode(text.buf, text.len, &facts_object, &facts, NULL) == 0 && facts.state != NULL &&
	    str_eq(facts.state, "ended"))
		code = (int)(facts.exit_code & 255);
	json_release(&facts_object, &facts);
	return code >= 0 ? code : err_set(&s->err, ENODATA, "no-exit-code", "how the session ended is not known");
}
