#include "wire/conn.h"

#include "base/units.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

struct conn_item { struct conn_item *next; size_t len, sent; int fds[FD_PASS_MAX]; size_t fd_count; char data[]; };

void conn_init(struct conn *c, int fd)
{
	*c = (struct conn){ .fd = fd, .in = FRAME_READER_INIT };
}

static void drop_first(struct conn *c)
{
	struct conn_item *item = c->out_first;

	c->out_first = item->next;
	if (c->out_first == NULL)
		c->out_last = NULL;
	c->queued -= item->len;
	for (size_t i = 0; i < item->fd_count; i++)
		fd_close(item->fds[i]);
	free(item);
}

void conn_close(struct conn *c)
{
	if (c->in.in.buf == NULL)
		return;                          /* never initialised */
	while (c->out_first != NULL)
		drop_first(c);
	frame_reader_release(&c->in);
	c->fd = fd_close(c->fd);
}

int conn_flush(struct conn *c)
{
	while (c->out_first != NULL) {
		struct conn_item *item = c->out_first;
		const ssize_t n = fd_send(c->fd, item->data + item->sent, item->len - item->sent, item->fds,
		                          item->sent == 0 ? item->fd_count : 0);

		if (n == -EAGAIN)
			return 1;
		if (n < 0)
			return (int)n;
		item->sent += (size_t)n;
		if (item->sent == item->len)
			drop_first(c);
	}
	return 0;
}

int conn_send(struct conn *c, enum message type, const void *data, size_t n, const int *fds, size_t fd_count)
{
	struct conn_item *item;
	int r;

	if (n > FRAME_MAX || fd_count > FD_PASS_MAX)
		return -EMSGSIZE;
	if (c->queued + n > CONN_QUEUE_MAX)
		return -ENOBUFS;
	item = xcalloc(1, sizeof(*item) + FRAME_HEADER + n);
	item->len = FRAME_HEADER + n;
	frame_header(item->data, (uint16_t)type, n, fd_count);
	if (n > 0)
		memcpy(item->data + FRAME_HEADER, data, n);
	for (; item->fd_count < fd_count; item->fd_count++)
		item->fds[item->fd_count] = fcntl(fds[item->fd_count], F_DUPFD_CLOEXEC, 3);
	if (c->out_last != NULL)
		c->out_last->next = item;
	else
		c->out_first = item;
	c->out_last = item;
	c->queued += item->len;
	r = conn_flush(c);
	return r < 0 ? r : 0;
}

int conn_send_json(struct conn *c, enum message type, const struct json_object *object, const void *body)
{
	_str_ text = STR_INIT;

	json_encode(&text, object, body);
	return conn_send(c, type, text.buf, text.len, NULL, 0);
}

int conn_send_position(struct conn *c, enum message type, uint64_t position)
{
	const uint64_t le = htole64(position);

	return conn_send(c, type, &le, sizeof(le), NULL, 0);
}

int conn_send_error(struct conn *c, const struct err *err, int exit_code)
{
	const struct message_error body = { .code = (char *)err->code, .message = (char *)err_msg(err),
	                                    .no = err->no, .exit_code = exit_code };

	return conn_send_json(c, MESSAGE_ERROR, &message_error_object, &body);
}

int conn_receive(struct conn *c, int flags)
{
	char buf[16 * 1024];
	int fds[FD_PASS_MAX];
	size_t fd_count;
	const ssize_t n = fd_recv(c->fd, buf, sizeof(buf), fds, &fd_count, flags);

	if (n == -ECONNRESET)
		return 1;
	if (n < 0)
		return (int)n;
	if (n == 0)
		return 1;
	return frame_feed(&c->in, buf, (size_t)n, fds, fd_count);
}

int conn_next(struct conn *c, struct frame *ret)
{
	for (;;) {
		int r = frame_next(&c->in, ret);

		if (r <= 0)
			return r;
		r = message_body_fits(ret->type, ret->len);
		if (r == 1)
			return 1;
		frame_close_fds(ret);
		if (r == 0)
			return -EPROTO;
	}
}

int conn_wait(struct conn *c, struct frame *ret, int timeout_ms)
{
	const uint64_t deadline = timeout_ms < 0 ? 0 : time_mono_ns() + (uint64_t)timeout_ms * 1000000;

	for (;;) {
		struct pollfd p = { .fd = c->fd, .events = POLLIN };
		int r = conn_next(c, ret), wait_ms = -1;

		if (r != 0)
			return r;
		if (timeout_ms >= 0) {
			const uint64_t now = time_mono_ns();

			wait_ms = now < deadline ? (int)((deadline - now + 999999) / 1000000) : 0;
		}
		r = poll(&p, 1, wait_ms);
		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return r < 0 ? -errno : 0;
		r = conn_receive(c, MSG_DONTWAIT);
		if (r == 1)
			return -EPIPE;
		if (r < 0 && r != -EAGAIN)
			return r;
	}
}

int conn_error(const struct frame *f, int *ret_exit_code, struct err *err)
{
	struct message_error body = { 0 };
	_err_ why = ERR_INIT;
	int r = json_decode(f->data, f->len, &message_error_object, &body, &why);

	if (ret_exit_code != NULL)
		*ret_exit_code = body.exit_code > 0 && body.exit_code < 256 ? (int)body.exit_code : 125;
	if (r < 0)
		r = err_move(err, &why);
	else
		r = err_set(err, body.no > 0 && body.no < 4096 ? (int)body.no : EIO, body.code ? body.code : "error",
		            "%s", body.message ? body.message : "the supervisor gave no reason");
	json_release(&message_error_object, &body);
	return r;
}

int conn_expect(struct conn *c, enum message want, struct frame *ret, int timeout_ms, struct err *err)
{
	for (;;) {
		int r = conn_wait(c, ret, timeout_ms);

		if (r == 0)
			return err_set(err, ETIMEDOUT, "no-answer", "the session's supervisor did not answer in %d ms",
			               timeout_ms);
		if (r == -EPIPE)
			return err_set(err, EPIPE, "supervisor-gone", "the session's supervisor closed the connection");
		if (r < 0)
			return err_set(err, -r, "connection", "cannot hear the session's supervisor: %m");
		if (ret->type == want)
			return 0;
		r = ret->type == MESSAGE_ERROR ? conn_error(ret, NULL, err) : 0;
		frame_close_fds(ret);
		if (r < 0)
			return r;
	}
}

uint64_t frame_position(const struct frame *f)
{
	uint64_t le = 0;

	memcpy(&le, f->data, min_size(f->len, sizeof(le)));
	return le64toh(le);
}

/* --- greeting --- */

int conn_greet(struct conn *c, const char *program, struct err *err)
{
	const struct message_hello hello = message_hello_of(program);
	const int r = conn_send_json(c, MESSAGE_HELLO, &message_hello_object, &hello);

	return r < 0 ? err_set(err, -r, "connection", "cannot talk to the session's supervisor: %m") : 0;
}

static int hear_greeting(struct conn *c, int64_t pid, struct err *err)
{
	struct message_hello theirs = { 0 };
	struct frame f;
	int r = conn_expect(c, MESSAGE_SUPERVISOR, &f, CONN_ANSWER_MS, err);

	if (r < 0)
		return r;
	r = json_decode(f.data, f.len, &message_hello_object, &theirs, err);
	frame_close_fds(&f);
	if (r == 0)
		r = message_hello_check(&theirs, pid, err);
	json_release(&message_hello_object, &theirs);
	return r;
}

int conn_connect(struct conn *ret, int session_fd, const char *program, int64_t pid, struct err *err)
{
	const int fd = fd_connect_unix(session_fd, "control.sock", SOCK_STREAM);
	_conn_ c = { 0 };
	int r;

	if (fd < 0)
		return err_set(err, -fd, "connection", "cannot reach the session's supervisor: %m");
	conn_init(&c, fd);
	r = conn_greet(&c, program, err);
	if (r == 0)
		r = hear_greeting(&c, pid, err);
	if (r < 0)
		return r;
	*ret = c;
	c = (struct conn){ 0 };
	return 0;
}
