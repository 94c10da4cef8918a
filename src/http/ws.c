#include "http/ws.h"

#include "http/server-parts.h"

#include "base/fd.h"
#include "base/sha1.h"
#include "base/units.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
	PING_MS = 30000,                 /* well below the minute after which proxies close what is silent */
	SILENT_PINGS_MAX = 3,            /* who says nothing for so many is gone */
	GOODBYE_MS = 3000,
	READ_SIZE = 64 * 1024,
	READS_AT_ONCE = 4,               /* others want their turn */
};

struct ws {
	struct link link;
	struct http *http;
	int fd;
	struct watch *watch;
	struct timer *timer;             /* the next ping, or the end of our patience */
	const struct ws_ops *ops;
	void *data;
	struct ws_reader in;
	struct str out;                  /* what the socket has not taken yet */
	size_t out_at;
	bool is_closing, has_ended;      /* we said goodbye; it is no more */
	unsigned silent;                 /* pings since anything was heard */
	unsigned depth;                  /* callbacks of ours under way: it is not freed in the midst of one */
};

static const struct ws_ops no_ops;

/* --- the handshake --- */

int ws_accept(const char *key, char ret[WS_ACCEPT_SIZE])
{
	static const char magic[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";      /* RFC 6455, 1.3 */
	const int variant = sodium_base64_VARIANT_ORIGINAL;
	uint8_t nonce[16], sum[SHA1_SIZE];
	char text[64];
	size_t n = 0;

	if (key == NULL || strlen(key) != 24 ||
	    sodium_base642bin(nonce, sizeof(nonce), key, 24, NULL, &n, NULL, variant) != 0 || n != sizeof(nonce))
		return -EINVAL;
	snprintf(text, sizeof(text), "%s%s", key, magic);
	sha1(text, strlen(text), sum);
	sodium_bin2base64(ret, WS_ACCEPT_SIZE, sum, sizeof(sum), variant);
	return 0;
}

bool ws_offers(const char *list, const char *protocol)
{
	const size_t n = strlen(protocol);

	for (const char *p = list; *p != '\0';) {
		size_t len;

		p += strspn(p, ", \t");
		len = strcspn(p, ", \t");
		if (len == n && memcmp(p, protocol, n) == 0)
			return true;
		p += len;
	}
	return false;
}

/* --- its end --- */

static void ws_free(struct ws *w)
{
	ws_reader_release(&w->in);
	str_release(&w->out);
	free(w);
}

/* Its memory goes when none of its callbacks is under way. */
static void end(struct ws *w)
{
	struct http *h = w->http;

	if (w->has_ended)
		return;
	w->has_ended = true;
	link_remove(&w->link);
	w->watch = watch_free(w->watch);
	w->timer = timer_free(w->timer);
	w->fd = fd_close(w->fd);
	if (w->ops->closed != NULL)
		w->ops->closed(w->data);
	w->ops = &no_ops;
	http_settle(h);
}

static void leave(struct ws *w)
{
	if (--w->depth == 0 && w->has_ended)
		ws_free(w);
}

/* --- sending --- */

bool ws_is_full(const struct ws *w)
{
	return w->out.len > 0;
}

static void watch_as_needed(struct ws *w)
{
	if (w->watch != NULL)
		watch_set(w->watch, LOOP_READ | (ws_is_full(w) ? LOOP_WRITE : 0));
}

/* A socket that takes nothing any more is shut: its watch sees the end, at a time when it can be freed. */
static void flush(struct ws *w)
{
	while (w->out_at < w->out.len) {
		const ssize_t n = send(w->fd, w->out.buf + w->out_at, w->out.len - w->out_at, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			(void)shutdown(w->fd, SHUT_RDWR);
		if (n < 0)
			return;
		w->out_at += (size_t)n;
	}
	str_release(&w->out);                    /* an idle one holds no memory */
	w->out_at = 0;
}

static void send_frame(struct ws *w, enum ws_opcode opcode, const void *head, size_t head_len, const void *data,
                       size_t n)
{
	uint8_t frame[WS_HEADER_MAX];
	struct iovec v[3] = { { frame, ws_header(frame, opcode, head_len + n) }, { (void *)head, head_len },
	                      { (void *)data, n } };
	const struct msghdr msg = { .msg_iov = v, .msg_iovlen = 3 };
	ssize_t sent = 0;

	if (w->has_ended)
		return;
	if (!ws_is_full(w))
		sent = sendmsg(w->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (sent < 0 && errno != EAGAIN && errno != EINTR)
		(void)shutdown(w->fd, SHUT_RDWR);
	for (size_t i = 0, at = sent > 0 ? (size_t)sent : 0; i < 3; i++) {
		const size_t skip = min_size(at, v[i].iov_len);

		if (v[i].iov_len > skip)
			str_add(&w->out, (const char *)v[i].iov_base + skip, v[i].iov_len - skip);
		at -= skip;
	}
	watch_as_needed(w);
}

void ws_send(struct ws *w, enum ws_opcode opcode, const void *head, size_t head_len, const void *data, size_t n)
{
	if (!w->is_closing)
		send_frame(w, opcode, head, head_len, data, n);
}

void ws_close(struct ws *w, enum ws_close code, const char *reason)
{
	const uint8_t head[2] = { (uint8_t)(code >> 8), (uint8_t)code };

	if (w->is_closing || w->has_ended)
		return;
	if (code == WS_CLOSE_NO_STATUS)
		send_frame(w, WS_CLOSE, NULL, 0, NULL, 0);
	else
		send_frame(w, WS_CLOSE, head, 2, reason, min_size(strlen(reason), WS_CONTROL_MAX - 2));
	w->is_closing = true;
	timer_start(w->timer, GOODBYE_MS);
}

/* --- receiving --- */

/* The other side says goodbye: the answer is the same, and that was all. */
static void on_close(struct ws *w, const struct ws_message *m)
{
	const int code = ws_close_code(m);

	ws_close(w, code < 0 ? WS_CLOSE_PROTOCOL : (enum ws_close)code, "");
	if (ws_is_full(w))
		flush(w);
	end(w);
}

static void on_message(struct ws *w, const struct ws_message *m)
{
	if (m->opcode == WS_CLOSE)
		on_close(w, m);
	else if (m->opcode == WS_PING && w->out.len < READ_SIZE) /* who asks and does not listen gets no answer */
		ws_send(w, WS_PONG, NULL, 0, m->data, m->len);
	else if (m->opcode <= WS_BINARY && !w->is_closing && w->ops->message != NULL)
		w->ops->message(w->data, m);
}

static void handle(struct ws *w)
{
	struct ws_message m;
	int r = 0;

	while (!w->has_ended && (r = ws_next(&w->in, &m)) == 1)
		on_message(w, &m);
	if (r < 0 && !w->has_ended) {
		ws_close(w, (enum ws_close)-r, "this is no frame that may come");
		end(w);                          /* what comes after it makes no sense */
	}
}

static void receive(struct ws *w)
{
	static char buf[READ_SIZE];              /* the loop has one thread */

	for (int i = 0; i < READS_AT_ONCE && !w->has_ended; i++) {
		const ssize_t n = recv(w->fd, buf, sizeof(buf), MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			end(w);
			return;
		}
		w->silent = 0;
		ws_feed(&w->in, buf, (size_t)n);
		handle(w);
	}
}

static void on_event(void *ws, int events)
{
	struct ws *w = ws;

	w->depth++;
	if ((events & LOOP_WRITE) && ws_is_full(w)) {
		flush(w);
		if (!ws_is_full(w) && w->ops->writable != NULL && !w->is_closing)
			w->ops->writable(w->data);
		watch_as_needed(w);
	}
	if ((events & LOOP_READ) && !w->has_ended)
		receive(w);
	leave(w);
}

static void on_timer(void *ws)
{
	struct ws *w = ws;

	w->depth++;
	if (w->is_closing || w->silent >= SILENT_PINGS_MAX) {
		end(w);
	} else {
		w->silent++;
		if (!ws_is_full(w))
			ws_send(w, WS_PING, NULL, 0, NULL, 0);
		timer_start(w->timer, PING_MS);
	}
	leave(w);
}

/* --- its beginning --- */

void ws_open(struct http *h, struct link *list, int fd, const void *early, size_t n, const struct upgrade *upgrade)
{
	struct ws *w = xcalloc(1, sizeof(*w));

	*w = (struct ws){ .http = h, .fd = fd, .ops = &no_ops, .in = WS_READER_INIT, .out = STR_INIT, .depth = 1 };
	link_init(&w->link);
	w->watch = watch_new(h->setup.loop, fd, LOOP_READ, on_event, w);
	w->timer = timer_new(h->setup.loop, on_timer, w);
	if (w->watch == NULL || h->is_stopping) {
		if (upgrade->drop != NULL)
			upgrade->drop(upgrade->data);
		end(w);
		leave(w);
		return;
	}
	timer_start(w->timer, PING_MS);
	link_add_tail(list, &w->link);
	upgrade->open(upgrade->data, w);
	ws_feed(&w->in, early, n);
	handle(w);
	leave(w);
}

void ws_set_ops(struct ws *w, const struct ws_ops *ops, void *data)
{
	w->ops = ops;
	w->data = data;
}

struct http *ws_http(const struct ws *w)
{
	return w->http;
}

void ws_close_all(struct link *list, enum ws_close code)
{
	link_each(struct ws, w, list, link)
		ws_close(w, code, "this server stops");
}

void ws_free_all(struct link *list)
{
	link_each(struct ws, w, list, link) {
		w->depth++;
		end(w);
		leave(w);
	}
}
