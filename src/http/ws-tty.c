/*
 * A session's terminal over a WebSocket (docs/websocket.md). The output is read from the session's ring, as every
 * reader reads it, and goes out as it is; a client that is slower than the ring is told which bytes it misses and,
 * when it shows a screen, is painted. Whatever it does, the session and its other viewers notice nothing: nothing
 * is kept for it here but one piece.
 *
 * To find the session and greet its supervisor may block and happens in a thread; the rest is in the loop.
 */
#include "http/handlers.h"
#include "http/server.h"
#include "http/ws.h"

#include "base/fd.h"
#include "base/loop.h"
#include "base/pool.h"
#include "service/terminal.h"
#include "term/render.h"
#include "term/ring.h"

#include <endian.h>
#include <errno.h>
#include <sys/socket.h>

enum {
	PIECE = 32 * 1024,               /* of output, in one frame */
	CELLS_MAX = 1000,               /* rows or columns of a window */
	WINDOW_LEAST = 4096, WINDOW_MOST = 16 * 1024 * 1024,
	PENDING_MAX = 64 * 1024,         /* typed while the supervisor is replaced */
	PROTOCOL_VERSION = 1,
};

/* The first byte of a message. Numbers are for ever; docs/websocket.md tells what follows each. */
enum tty_frame {
	TTY_INPUT = 1, TTY_RESIZE = 2, TTY_ACK = 3, TTY_REPAINT = 4,
	TTY_HELLO = 65, TTY_OUTPUT = 66, TTY_PAINT = 67, TTY_GAP = 68, TTY_EXIT = 69, TTY_ERROR = 70,
};

struct tty {
	struct ws *ws;                   /* NULL: the client is gone */
	struct pool *pool;
	struct uv_loop_s *loop;
	const struct house *house;
	struct session session;
	struct conn conn;
	struct watch *watch;             /* of conn */
	struct ring *ring;
	bool read_only, wants_paint, says_hello;
	int64_t since;                   /* -1: what is recent */
	struct term_size size;           /* of the client's window; 0: it takes the session's */

	uint64_t position;               /* after the last byte of output sent */
	bool has_position;               /* there was one */
	uint64_t sent, acked, window;    /* bytes of output and paint from the beginning on; window 0: none is acked */
	bool is_painted, is_armed;
	bool is_connecting;              /* in a thread: the session belongs to it */
	bool has_ended;
	struct str end;                  /* the session's status */
	struct str pending;              /* typed meanwhile */
	struct str painted;              /* of one that has ended: all that is to be shown */
};

static void tty_free(void *tty)
{
	struct tty *t = tty;

	watch_free(t->watch);
	conn_close(&t->conn);
	ring_free(t->ring);
	session_release(&t->session);
	str_release(&t->end);
	str_release(&t->pending);
	str_release(&t->painted);
	free(t);
}

/* --- to the client --- */

static void send_frame(struct tty *t, enum tty_frame type, const uint64_t *numbers, size_t count, const void *data,
                       size_t n)
{
	uint8_t head[1 + 2 * sizeof(uint64_t)] = { (uint8_t)type };

	for (size_t i = 0; i < count; i++) {
		const uint64_t le = htole64(numbers[i]);

		memcpy(head + 1 + i * sizeof(le), &le, sizeof(le));
	}
	ws_send(t->ws, WS_BINARY, head, 1 + count * sizeof(uint64_t), data, n);
}

static void send_hello(struct tty *t)
{
	_str_ text = STR_INIT;
	struct json_writer w = JSON_WRITER(&text);

	json_begin(&w, NULL, '{');
	json_put_int(&w, "version", PROTOCOL_VERSION);
	json_put_str(&w, "session", t->session.id);
	json_put_bool(&w, "read_only", t->read_only);
	json_put_int(&w, "window", (int64_t)t->window);
	json_end(&w, '}');
	send_frame(t, TTY_HELLO, NULL, 0, text.buf, text.len);
}

static void send_error(struct tty *t, const struct err *err)
{
	_str_ text = STR_INIT;
	struct json_writer w = JSON_WRITER(&text);

	json_begin(&w, NULL, '{');
	json_put_str(&w, "code", err->code);
	json_put_str(&w, "detail", err_msg(err));
	json_end(&w, '}');
	send_frame(t, TTY_ERROR, NULL, 0, text.buf, text.len);
}

static void finish(struct tty *t)
{
	send_frame(t, TTY_EXIT, NULL, 0, t->end.len > 0 ? t->end.buf : "{}", t->end.len > 0 ? t->end.len : 2);
	ws_close(t->ws, WS_CLOSE_NORMAL, "the session has ended");
}

static size_t room(const struct tty *t)
{
	if (ws_is_full(t->ws))
		return 0;
	if (t->window == 0)
		return SIZE_MAX;
	return t->sent - t->acked < t->window ? (size_t)(t->window - (t->sent - t->acked)) : 0;
}

/* Output that begins behind the end of the last: say so. */
static void move_to(struct tty *t, uint64_t position)
{
	const uint64_t gap[2] = { t->position, position };

	if (t->has_position && position > t->position)
		send_frame(t, TTY_GAP, gap, 2, NULL, 0);
	t->position = position;
	t->has_position = true;
}

/* --- to the supervisor --- */

static void send_attach(struct tty *t, int64_t since, bool paints)
{
	const struct message_attach m = { .since = since, .is_viewer = true, .read_only = t->read_only, .paints = paints,
	                                  .rows = t->size.rows, .cols = t->size.cols };

	t->is_painted = paints;
	t->is_armed = false;
	/* a broken connection is seen when it is read */
	(void)conn_send_json(&t->conn, MESSAGE_ATTACH, &message_attach_object, &m);
}

static void watch_as_needed(struct tty *t)
{
	if (t->watch != NULL)
		watch_set(t->watch, (room(t) > 0 ? LOOP_READ : 0) | (t->conn.out_first != NULL ? LOOP_WRITE : 0));
}

static void send_input(struct tty *t, const void *data, size_t n)
{
	_err_ err = ERR_INIT;

	if (t->read_only) {
		err_set(&err, EPERM, "read-only", "this connection may only read");
	} else if (t->is_connecting && t->pending.len + n <= PENDING_MAX) {
		str_add(&t->pending, data, n);
	} else if (t->is_connecting ||
	           (t->conn.fd > 0 && conn_send(&t->conn, MESSAGE_INPUT, data, n, NULL, 0) == -ENOBUFS)) {
		err_set(&err, ENOBUFS, "input-full", "the command does not read its input: %zu bytes were dropped", n);
	}
	if (err.no != 0 && !ws_is_full(t->ws))           /* who does not listen is told nothing */
		send_error(t, &err);
}

/* --- output --- */

/* It was slower than the ring: painted anew if it shows a screen, else from the oldest byte on. */
static void on_lost(struct tty *t, uint64_t position)
{
	if (t->wants_paint)
		send_attach(t, -1, true);
	else
		move_to(t, position);
}

static void send_output(struct tty *t, uint64_t head)
{
	static char buf[PIECE];                  /* the loop has one thread */

	while (t->position < head && room(t) > 0 && !t->is_painted) {
		uint64_t at = t->position, lost, begin;
		const size_t n = ring_read(t->ring, &at, buf, min_size(PIECE, room(t)), &lost);

		begin = at - n;
		if (lost > 0)
			on_lost(t, begin);
		if (t->is_painted)
			return;
		send_frame(t, TTY_OUTPUT, &begin, 1, buf, n);
		t->position = at;
		t->sent += n;
	}
}

/* What there is now. What comes meanwhile is for the next turn, so that in a flood frames are large. */
static void pump(struct tty *t)
{
	const bool reads = t->ring != NULL && !t->is_painted;
	const uint64_t head = reads ? ring_head(t->ring) : 0;

	if (t->ws == NULL || t->is_connecting)
		return;
	if (reads)
		send_output(t, head);
	if (t->has_ended && (!reads || t->position >= head)) {
		finish(t);
	} else if (reads && !t->is_painted && !t->is_armed && !t->has_ended && t->position >= head) {
		t->is_armed = true;
		(void)conn_send_position(&t->conn, MESSAGE_ARM, t->position);
	}
}

static void on_ring(struct tty *t, struct frame *f)
{
	struct message_ring m = { 0 };
	struct ring *ring = NULL;
	_err_ err = ERR_INIT;
	int r = json_decode(f->data, f->len, &message_ring_object, &m, &err);

	if (r == 0 && f->fd_count == 1) {
		r = ring_map(&ring, f->fds[0], &err);
		f->fd_count = 0;
	}
	if (r < 0 || ring == NULL) {
		if (r == 0)
			err_set(&err, EPROTO, "bad-answer", "the session's supervisor sent no output");
		send_error(t, &err);
		ws_close(t->ws, WS_CLOSE_INTERNAL, "no output");
		return;
	}
	ring_free(t->ring);
	t->ring = ring;
	if (t->is_painted)
		return;                          /* RAW says where it goes on */
	if (t->since >= 0 && !t->has_position) {         /* what was asked for may be older than the ring */
		t->position = min_u64((uint64_t)t->since, (uint64_t)m.position);
		t->has_position = true;
	}
	if (t->has_position && (uint64_t)m.position > t->position)
		on_lost(t, (uint64_t)m.position);
	else if (!t->has_position)
		move_to(t, (uint64_t)m.position);
}

static void on_paint(struct tty *t, const struct frame *f)
{
	t->is_painted = true;
	send_frame(t, TTY_PAINT, NULL, 0, f->data, f->len);
	t->sent += f->len;
}

static void on_frame(struct tty *t, struct frame *f)
{
	_err_ err = ERR_INIT;

	switch (f->type) {
	case MESSAGE_RING:
		on_ring(t, f);
		break;
	case MESSAGE_DOORBELL:
		t->is_armed = false;
		break;
	case MESSAGE_PAINT:
		on_paint(t, f);
		break;
	case MESSAGE_RAW:
		t->is_painted = t->is_armed = false;
		move_to(t, frame_position(f));
		break;
	case MESSAGE_ENDED:
		str_clear(&t->end);
		str_add(&t->end, f->data, f->len);
		t->has_ended = true;
		break;
	case MESSAGE_ERROR:
		(void)conn_error(f, NULL, &err);
		send_error(t, &err);
		break;
	}
}

/* --- a supervisor that is replaced --- */

/* In a thread: another one has come in its place, or the session has ended. */
static void find_again(void *tty)
{
	struct tty *t = tty;
	_cleanup_(status_release) struct status now = { 0 };
	_err_ err = ERR_INIT;

	if (session_connect(&t->session, &t->conn, &err) == 0)
		return;
	session_await_end(&t->session);
	if (status_read(t->session.fd, &now, NULL) == 0)
		json_encode(&t->end, &status_object, &now);
}

static void begin(struct tty *t, int64_t since, bool paints);

static void on_found(void *tty)
{
	struct tty *t = tty;

	t->is_connecting = false;
	if (t->ws == NULL) {
		tty_free(t);
		return;
	}
	if (t->conn.fd <= 0) {
		t->has_ended = true;
		pump(t);
		return;
	}
	begin(t, t->has_position ? (int64_t)t->position : t->since,
	      t->wants_paint && (t->is_painted || !t->has_position));
	if (t->pending.len > 0)
		send_input(t, t->pending.buf, t->pending.len);
	str_release(&t->pending);
}

static void on_supervisor_gone(struct tty *t)
{
	t->watch = watch_free(t->watch);
	conn_close(&t->conn);
	t->conn = (struct conn){ 0 };
	t->is_armed = false;
	if (t->has_ended)
		return;
	t->is_connecting = true;
	if (pool_run(t->pool, find_again, on_found, t) < 0) {
		t->is_connecting = false;
		ws_close(t->ws, WS_CLOSE_INTERNAL, "busy: connect again");
	}
}

static void on_supervisor(void *tty, int events)
{
	struct tty *t = tty;
	struct frame f;
	int r = 0;

	if (events & LOOP_WRITE)
		(void)conn_flush(&t->conn);
	if (events & LOOP_READ)
		r = conn_receive(&t->conn, MSG_DONTWAIT);
	if (r == 0 || r == 1 || r == -ECONNRESET)
		while (conn_next(&t->conn, &f) == 1) {
			on_frame(t, &f);
			frame_close_fds(&f);
		}
	if (r != 0 && r != -EAGAIN)
		on_supervisor_gone(t);
	pump(t);
	watch_as_needed(t);
}

static void begin(struct tty *t, int64_t since, bool paints)
{
	(void)fd_set_nonblock(t->conn.fd, true);
	t->watch = watch_new(t->loop, t->conn.fd, LOOP_READ, on_supervisor, t);
	if (t->watch == NULL) {
		ws_close(t->ws, WS_CLOSE_INTERNAL, "the loop cannot watch the session");
		return;
	}
	t->ring = ring_free(t->ring);            /* where it goes on says the answer alone */
	send_attach(t, since, paints);
	on_supervisor(t, LOOP_READ);             /* what came together with the greeting */
}

/* --- from the client --- */

static uint64_t number_at(const struct ws_message *m, size_t at, size_t size)
{
	uint64_t le = 0;

	memcpy(&le, m->data + at, size);
	return le64toh(le);
}

static void on_resize(struct tty *t, const struct ws_message *m)
{
	const struct message_resize size = { .rows = (int64_t)number_at(m, 1, 2), .cols = (int64_t)number_at(m, 3, 2) };

	if (size.rows > CELLS_MAX || size.cols > CELLS_MAX) {
		ws_close(t->ws, WS_CLOSE_POLICY, "no window has that size");
		return;
	}
	t->size = (struct term_size){ (uint16_t)size.rows, (uint16_t)size.cols };
	if (t->conn.fd > 0)
		(void)conn_send_json(&t->conn, MESSAGE_RESIZE, &message_resize_object, &size);
}

static void on_ack(struct tty *t, const struct ws_message *m)
{
	const uint64_t acked = number_at(m, 1, 8);

	if (acked > t->sent || acked < t->acked) {
		ws_close(t->ws, WS_CLOSE_POLICY, "acknowledged what was not sent");
		return;
	}
	t->acked = acked;
	pump(t);
}

static void on_message(void *tty, const struct ws_message *m)
{
	struct tty *t = tty;
	const uint8_t type = m->opcode == WS_BINARY && m->len > 0 ? (uint8_t)m->data[0] : 0;

	if (type == TTY_INPUT)
		send_input(t, m->data + 1, m->len - 1);
	else if (type == TTY_RESIZE && m->len == 5)
		on_resize(t, m);
	else if (type == TTY_ACK && m->len == 9)
		on_ack(t, m);
	else if (type == TTY_REPAINT && m->len == 1 && t->conn.fd > 0)
		send_attach(t, -1, true);
	else if (type != TTY_REPAINT)
		ws_close(t->ws, WS_CLOSE_POLICY, "no such message: see docs/websocket.md");
	watch_as_needed(t);
}

static void on_writable(void *tty)
{
	struct tty *t = tty;

	pump(t);
	watch_as_needed(t);
}

static void on_closed(void *tty)
{
	struct tty *t = tty;

	t->ws = NULL;
	if (!t->is_connecting)                   /* else when the thread has done with it */
		tty_free(t);
}

static const struct ws_ops ops = { .message = on_message, .writable = on_writable, .closed = on_closed };

static void open_tty(void *tty, struct ws *ws)
{
	struct tty *t = tty;

	t->ws = ws;
	t->loop = http_loop(ws_http(ws));
	t->pool = http_pool(ws_http(ws));
	ws_set_ops(ws, &ops, t);
	send_hello(t);
	if (t->conn.fd > 0) {
		begin(t, t->since, t->wants_paint && t->since < 0);
		return;
	}
	if (t->painted.len > 0)
		send_frame(t, TTY_PAINT, NULL, 0, t->painted.buf, t->painted.len);
	finish(t);
}

/* --- the request --- */

static int read_query(const struct call *c, struct tty *t, struct err *err)
{
	uint64_t rows = 0, cols = 0, since = UINT64_MAX;
	int r = call_flag(c, "read_only", &t->read_only, err);

	t->wants_paint = true;
	if (r == 0)
		r = call_flag(c, "paint", &t->wants_paint, err);
	if (r == 0)
		r = call_number(c, "since", 0, INT64_MAX, &since, err);
	if (r == 0)
		r = call_number(c, "rows", 0, CELLS_MAX, &rows, err);
	if (r == 0)
		r = call_number(c, "cols", 0, CELLS_MAX, &cols, err);
	if (r == 0)
		r = call_number(c, "window", WINDOW_LEAST, WINDOW_MOST, &t->window, err);
	t->since = since == UINT64_MAX ? -1 : (int64_t)since;
	t->size = (struct term_size){ (uint16_t)rows, (uint16_t)cols };
	return r;
}

/* One that has ended: what it showed last. */
static int show_last(struct tty *t, struct err *err)
{
	_shown_ shown = { 0 };
	int r;

	session_await_end(&t->session);
	status_release(&t->session.status);
	r = status_read(t->session.fd, &t->session.status, err);
	if (r < 0)
		return r;
	json_encode(&t->end, &status_object, &t->session.status);
	if (t->wants_paint && terminal_at(&t->session, NULL, &shown, NULL) == 0)
		render_full(shown.screen, &t->painted);
	return 0;
}

int on_tty(struct call *c, struct err *err)
{
	struct tty *t = xcalloc(1, sizeof(*t));
	int r;

	*t = (struct tty){ .house = c->house, .end = STR_INIT, .pending = STR_INIT, .painted = STR_INIT };
	c->upgrade = (struct upgrade){ .open = open_tty, .drop = tty_free, .data = t };
	r = read_query(c, t, err);
	if (r == 0 && !t->read_only)
		r = access_check(&c->who, RIGHT_TYPE, err);
	if (r == 0)
		r = call_session(c, &t->session, err);
	if (r < 0)
		return r;
	r = session_connect(&t->session, &t->conn, err);
	if (r == -ESRCH && !t->session.is_foreign)
		r = show_last(t, err);
	return r < 0 ? r : 101;
}
