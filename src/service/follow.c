#include "service/follow.h"

#include "reader/reader.h"
#include "service/session-parts.h"

#include <errno.h>
#include <poll.h>

enum { CHUNK = 64 * 1024 };

static void ignore(void *data, const struct frame *f) { }

/* 0, or -errno. One that cannot be reached is ending: what is recorded then is all. */
static int begin(struct reader *r, const struct session *s, uint64_t since, struct err *err)
{
	int rc = session_connect(s, r->conn, NULL);

	if (rc == 0)
		rc = reader_begin(r, (int64_t)since, err);
	else
		rc = -ECONNRESET;
	if (rc != -EPIPE && rc != -ECONNRESET)
		return rc;
	if (err != NULL)
		err_release(err);
	if (r->conn->fd >= 0 && reader_come_back(r, (int64_t)since))
		return 0;
	session_await_end(s);
	reader_begin_ended(r, (int64_t)since);
	return 0;
}

/* Until there is something to read. False: nobody wants it any more. */
static bool sleep_until_more(struct reader *r, int sink_fd)
{
	struct pollfd p[] = {
		{ .fd = r->conn->fd, .events = (short)(POLLIN | (r->conn->out_first ? POLLOUT : 0)) }, { .fd = sink_fd },
	};

	reader_arm(r);
	if (poll(p, 2, -1) < 0)
		return errno == EINTR;
	if (p[0].revents & POLLOUT)
		(void)conn_flush(r->conn);               /* a broken connection is seen when it is read */
	if (p[0].revents & ~POLLOUT)
		(void)reader_receive(r, ignore, NULL);   /* nonsense ends it: .has_ended */
	return p[1].revents == 0;
}

static int read_all(struct reader *r, int sink_fd, session_output_fn *fn, void *data, uint64_t *ret_lost, struct err *err)
{
	_free_ char *buf = xcalloc(1, CHUNK);
	int rc = 0;

	while (rc == 0) {
		uint64_t lost = 0;
		const size_t n = reader_read(r, buf, CHUNK, &lost);

		*ret_lost += lost;
		if (n > 0)
			rc = fn(data, r->position - n, buf, n, err);
		else if (lost == 0 && (r->has_ended || !sleep_until_more(r, sink_fd)))
			break;
	}
	return rc < 0 ? rc : 0;
}

int session_follow(const struct session *s, uint64_t *position, int sink_fd, session_output_fn *fn, void *data,
                   uint64_t *ret_lost, struct err *err)
{
	_conn_ conn = { .fd = -1 };
	struct reader r = READER_INIT;
	int rc;

	r.conn = &conn;
	r.session_fd = s->fd;
	r.program = "pterm " PTERM_VERSION;
	r.wants_all = true;
	r.attach = (struct message_attach){ .read_only = true };
	rc = begin(&r, s, *position, err);
	if (rc == 0)
		rc = read_all(&r, sink_fd, fn, data, ret_lost, err);
	if (rc == 0 && r.has_ended && r.status.len == 0 && !session_has_ended(s))
		rc = err_set(err, EPIPE, "supervisor-lost", "the supervisor of session '%s' was killed, and the session ended "
		             "with it", s->status.name);
	*position = r.position;
	reader_release(&r);
	return rc;
}
