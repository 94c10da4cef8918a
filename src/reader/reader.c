#include "reader/reader.h"

#include <errno.h>
#include <sys/socket.h>

enum { TRIES = 100, RECENT_BYTES = 64 * 1024 };   /* supervisors that are killed while we greet them */

void reader_release(struct reader *r)
{
	str_release(&r->status);
	r->recording = recording_close(r->recording);
	r->ring = ring_free(r->ring);
}

void reader_keep(struct reader *r)
{
	if (r->recording == NULL && recording_open(&r->recording, r->session_fd, NULL) != 0)
		r->recording = NULL;
}

/* --- talking --- */

/* The answer to ATTACH: the ring, in place of one that we had. @since: what we asked for. */
static int take_ring(struct reader *r, struct frame *f, int64_t since, struct err *err)
{
	struct message_ring m = { 0 };
	struct ring *ring = NULL;
	int rc = json_decode(f->data, f->len, &message_ring_object, &m, err);

	if (rc == 0 && f->fd_count == 1) {
		rc = ring_map(&ring, f->fds[0], err);
		f->fd_count = 0;
	}
	if (rc < 0 || ring == NULL)
		return rc < 0 ? rc : err_set(err, EPROTO, "bad-answer", "the session's supervisor sent no output");
	ring_free(r->ring);
	r->ring = ring;
	r->position = (uint64_t)m.position;
	r->paints = m.paints;
	r->is_armed = false;
	if (since >= 0 && m.lost > 0) {
		r->recorded_until = r->position;
		r->position = (uint64_t)since;
	}
	return 0;
}

static int on_refused(struct reader *r, const struct frame *f, struct err *err)
{
	r->has_failed = true;
	return conn_error(f, &r->exit_code, err);
}

static int await_ring(struct reader *r, int64_t since, struct err *err)
{
	for (;;) {
		struct frame f;
		bool is_answer;
		int rc = conn_wait(r->conn, &f, -1);

		if (rc < 0)
			return rc;
		is_answer = f.type == MESSAGE_RING || f.type == MESSAGE_ERROR;
		if (f.type == MESSAGE_ERROR)
			rc = on_refused(r, &f, err);
		else if (f.type == MESSAGE_RING)
			rc = take_ring(r, &f, since, err);
		frame_close_fds(&f);
		if (is_answer)
			return rc;
	}
}

int reader_begin(struct reader *r, int64_t since, struct err *err)
{
	_err_ why = ERR_INIT;
	int rc;

	r->attach.since = since;
	rc = r->is_asked ? 0 : conn_send_json(r->conn, MESSAGE_ATTACH, &message_attach_object, &r->attach);
	r->is_asked = false;
	if (rc == 0)
		rc = await_ring(r, since, &why);
	if (rc == 0)
		return 0;
	if (why.no != 0)
		return err_move(err, &why);
	return err_set(err, -rc, "connection", "cannot talk to the session's supervisor: %m");
}

void reader_begin_ended(struct reader *r, int64_t since)
{
	r->has_ended = true;
	reader_keep(r);
	r->recorded_until = r->recording != NULL ? recording_end(r->recording) : 0;
	if (since >= 0)
		r->position = min_u64((uint64_t)since, r->recorded_until);
	else
		r->position = r->recorded_until > RECENT_BYTES ? r->recorded_until - RECENT_BYTES : 0;
}

bool reader_come_back(struct reader *r, int64_t since)
{
	int rc = -EPIPE;

	/* this one may be killed too */
	for (int tries = 0; (rc == -EPIPE || rc == -ECONNRESET) && tries < TRIES; tries++) {
		conn_close(r->conn);
		rc = conn_connect(r->conn, r->session_fd, r->program, 0, NULL);
		if (rc == 0)
			rc = reader_begin(r, since, NULL);
	}
	r->has_ended |= rc < 0;
	return rc == 0;
}

static void on_frame(struct reader *r, const struct frame *f, reader_frame_fn *fn, void *data)
{
	switch (f->type) {
	case MESSAGE_DOORBELL:
		r->is_armed = false;
		break;
	case MESSAGE_ENDED:
		str_clear(&r->status);
		str_add(&r->status, f->data, f->len);
		r->has_ended = true;
		break;
	default:
		fn(data, f);
	}
}

int reader_handle(struct reader *r, reader_frame_fn *fn, void *data)
{
	struct frame f;
	int rc;

	while ((rc = conn_next(r->conn, &f)) == 1) {
		on_frame(r, &f, fn, data);
		frame_close_fds(&f);
	}
	r->has_ended |= rc < 0;
	return rc;
}

int reader_receive(struct reader *r, reader_frame_fn *fn, void *data)
{
	const int gone = conn_receive(r->conn, MSG_DONTWAIT);
	int rc;

	if (gone == -EAGAIN)
		return 0;
	rc = reader_handle(r, fn, data);
	if (rc < 0)
		return -EPROTO;
	if (gone == 0 || r->has_ended)
		return 0;
	return reader_come_back(r, (int64_t)r->position) ? 1 : 0;        /* else: what was published is in the ring */
}

void reader_arm(struct reader *r)
{
	if (r->is_armed || r->has_ended)
		return;
	r->is_armed = true;
	(void)conn_send_position(r->conn, MESSAGE_ARM, r->position);     /* a broken connection is seen when it is read */
}

/* --- reading --- */

void reader_seek(struct reader *r, uint64_t position)
{
	const uint64_t end = r->ring != NULL ? ring_head(r->ring) : r->recorded_until;

	r->position = min_u64(position, end);
	if (r->ring != NULL)
		r->recorded_until = ring_oldest(r->ring);
	r->is_armed = false;
}

/* One piece of what is older than the ring. */
static size_t read_recorded(struct reader *r, void *out, size_t n, uint64_t *lost)
{
	ssize_t got = 0;

	reader_keep(r);
	if (r->recording != NULL)
		got = recording_read(r->recording, &r->position, out, (size_t)min_u64(n, r->recorded_until - r->position), lost);
	if (got > 0)
		return (size_t)got;
	if (r->position < r->recorded_until) {           /* not kept any more */
		*lost += r->recorded_until - r->position;
		r->position = r->recorded_until;
	}
	return 0;
}

size_t reader_read(struct reader *r, void *out, size_t n, uint64_t *ret_lost)
{
	const uint64_t from = r->position;
	size_t got;

	*ret_lost = 0;
	if (r->position < r->recorded_until)
		return read_recorded(r, out, n, ret_lost);
	if (r->ring == NULL)
		return 0;
	got = ring_read(r->ring, &r->position, out, n, ret_lost);
	if (*ret_lost == 0 || !r->wants_all)
		return got;
	r->recorded_until = from + *ret_lost;
	r->position = from;
	*ret_lost = 0;
	return read_recorded(r, out, n, ret_lost);
}
