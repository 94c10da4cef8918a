/*
 * One request and its answer. MHD calls with the headers first, then with each piece of the body, then once more:
 * that is when the answer may be given and the connection kept. While a handler runs in a thread the connection is
 * suspended.
 */
#include "http/framing.h"
#include "http/problem.h"
#include "http/routes.h"
#include "http/server-parts.h"
#include "http/ws.h"

#include "base/fd.h"
#include "base/pool.h"
#include "base/units.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <strings.h>

#define LOG_MODULE "request"
#include "base/log.h"

enum {
	BODY_MAX = 1024 * 1024,
	HEADERS_MS = 10000,              /* from the request line to the end of the headers */
	BODY_MS = 60000,
	ANSWER_MS = 60000,               /* until the client has taken it all */
	IDLE_MS = 60000,                 /* until the next request line */
	UNSENT_MOST = 128 * 1024,        /* of a WebSocket, in the kernel */
};

struct exchange {
	struct call call;
	struct http *http;
	struct peer *peer;
	struct MHD_Connection *conn;
	char *target;                    /* as it came */
	const char *method;              /* MHD's */
	char *allow;                     /* for a 405 */
	struct framing framing;
	bool has_begun, has_body, is_refused, is_working, is_done, is_answered;
	bool is_unsure;                  /* where it ends: the connection must close */
	int status;                      /* what the handler returned, or a refusal */
	struct err err;
	uint64_t began_ns;
	size_t sent;
};

size_t exchange_leave_escaped(void *data, struct MHD_Connection *c, char *text)
{
	return strlen(text);                     /* we do it ourselves, after the path is split */
}

void *exchange_begin(void *http, const char *target, struct MHD_Connection *c)
{
	struct exchange *x = xcalloc(1, sizeof(*x));
	struct http *h = http;

	x->http = h;
	x->conn = c;
	x->peer = MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
	x->target = xstrdup(target);
	x->began_ns = time_mono_ns();
	x->call = (struct call){ .house = h->setup.house, .body = STR_INIT, .out = STR_INIT };
	snprintf(x->call.id, sizeof(x->call.id), "%08x%08x", (unsigned)(time_now_ms() / 1000), (unsigned)++h->last_id);
	peer_deadline(x->peer, HEADERS_MS);
	x->peer->is_answering = false;
	h->exchange_count++;
	return x;
}

/* --- may it? --- */

static const char *header(const struct exchange *x, const char *name)
{
	return MHD_lookup_connection_value(x->conn, MHD_HEADER_KIND, name);
}

static mhd_result see_header(void *data, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct exchange *x = data;

	framing_see(&x->framing, name, value ? value : "");
	return MHD_YES;
}

static int check_route(struct exchange *x)
{
	struct call *c = &x->call;
	struct strv *segments = &c->target.segments, below = { 0 };
	const size_t base = x->http->base.len;
	int r = target_parse(x->target, &c->target, &x->err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < base; i++)
		if (i >= segments->len || !str_eq(segments->items[i], x->http->base.items[i]))
			return err_set(&x->err, ENOENT, "no-such-path", "there is nothing here: all is below %s",
			               x->http->setup.base);
	below = (struct strv){ .items = segments->items + base, .len = segments->len - base };
	r = route_find(routes, x->method, &below, &c->route, c->params, &x->allow);
	if (r == -ENOTSUP)
		return err_set(&x->err, EINVAL, "method-not-allowed", "this path does not know that method, only %s",
		               x->allow);
	if (r < 0)
		return err_set(&x->err, ENOENT, "no-such-path", "there is nothing at this path: see /api/v1/openapi.json");
	return route_check_query(c->route, &c->target, &x->err);
}

/*
 * A browser sends the cookies and, on this machine, the address of whoever sits there, for any page: so ask where
 * it comes from.
 */
static int check_who(struct exchange *x)
{
	login_who(x->http->setup.login, header(x, "Authorization"), x->peer->uid, &x->call.who);
	if (!login_origin_fits(header(x, "Origin"), header(x, "Host")))
		return err_set(&x->err, EPERM, "wrong-origin", "a page of another origin may not use this server");
	return access_check(&x->call.who, x->call.route->rights, &x->err);
}

static int check_body(struct exchange *x)
{
	const unsigned flags = x->call.route->flags;
	const bool takes_json = x->call.route->input != NULL;
	const char *type = header(x, "Content-Type");
	const size_t n = type ? strcspn(type, "; ") : 0;

	if (!x->has_body)
		return 0;
	if (x->framing.length > BODY_MAX)
		return err_set(&x->err, EMSGSIZE, "body-large", "a body has at most %d bytes", BODY_MAX);
	if (!takes_json && !(flags & ROUTE_BYTES))
		return err_set(&x->err, EINVAL, "body-type", "this request has no body");
	/* a form of another page cannot have this type */
	if (takes_json && (n != strlen("application/json") || strncasecmp(type, "application/json", n) != 0))
		return err_set(&x->err, EINVAL, "body-type", "the body must be application/json");
	return 0;
}

static bool is_websocket(const struct exchange *x)
{
	const char *upgrade = header(x, "Upgrade");

	return upgrade != NULL && strcasecmp(upgrade, "websocket") == 0;
}

static int check_upgrade(struct exchange *x)
{
	char accept[WS_ACCEPT_SIZE];

	if (!(x->call.route->flags & ROUTE_WEBSOCKET))
		return 0;
	if (!str_eq(x->method, "GET") || !is_websocket(x) || ws_accept(header(x, "Sec-WebSocket-Key"), accept) < 0)
		return err_set(&x->err, EINVAL, "upgrade-required", "this path is a WebSocket: see docs/websocket.md");
	if (header(x, "Sec-WebSocket-Version") == NULL || !str_eq(header(x, "Sec-WebSocket-Version"), "13"))
		return err_set(&x->err, EINVAL, "upgrade-required", "the version of WebSocket spoken here is 13");
	return 0;
}

/* With the headers there: 0, or it is refused. */
static void check(struct exchange *x, const char *version)
{
	int r;

	MHD_get_connection_values(x->conn, MHD_HEADER_KIND, see_header, x);
	x->has_body = x->framing.length > 0 || x->framing.codings > 0;
	x->status = framing_check(&x->framing, version, &x->err);
	x->is_refused = x->is_unsure = x->status != 0;
	if (x->is_refused)
		return;
	r = check_route(x);
	if (r == 0)
		r = check_who(x);
	if (r == 0)
		r = check_body(x);
	if (r == 0)
		r = check_upgrade(x);
	x->is_refused = r < 0;
	if (r < 0)
		x->status = problem_status(&x->err);
}

/* --- the answer --- */

static void add_headers(const struct exchange *x, struct MHD_Response *answer)
{
	const struct strv *more = &x->call.headers;

	MHD_add_response_header(answer, "X-Request-Id", x->call.id);
	MHD_add_response_header(answer, "Cache-Control", "no-store");
	MHD_add_response_header(answer, "X-Content-Type-Options", "nosniff");
	if (x->status == 401)
		MHD_add_response_header(answer, "WWW-Authenticate", "Bearer realm=\"pterm\"");
	if (x->allow != NULL)
		MHD_add_response_header(answer, "Allow", x->allow);
	if (str_eq(x->err.code, "upgrade-required"))
		MHD_add_response_header(answer, "Upgrade", "websocket");
	for (size_t i = 0; i + 1 < more->len; i += 2)
		MHD_add_response_header(answer, more->items[i], more->items[i + 1]);
	if (x->http->is_stopping)
		MHD_add_response_header(answer, "Connection", "close");
}

static mhd_result send_answer(struct exchange *x, struct MHD_Response *answer)
{
	mhd_result r;

	if (answer == NULL)
		return MHD_NO;
	add_headers(x, answer);
	peer_deadline(x->peer, ANSWER_MS);
	x->is_answered = true;
	r = MHD_queue_response(x->conn, (unsigned)x->status, answer);
	MHD_destroy_response(answer);
	return r;
}

static mhd_result answer_body(struct exchange *x)
{
	struct call *c = &x->call;
	const bool is_problem = x->status >= 400;
	struct MHD_Response *answer;

	if (is_problem) {
		str_clear(&c->out);
		strv_release(&c->headers);
		problem_write(x->status, &x->err, c->id, &c->out);
		c->type = "application/problem+json";
	}
	x->sent = c->out.len;
	/* an empty str owns no memory */
	answer = MHD_create_response_from_buffer(x->sent, x->sent > 0 ? str_take(&c->out) : (char *)"",
	                                         x->sent > 0 ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
	if (answer != NULL && (x->sent > 0 || c->type != NULL))
		MHD_add_response_header(answer, "Content-Type", c->type ? c->type : "application/json");
	return send_answer(x, answer);
}

static void on_upgrade(void *exchange, struct MHD_Connection *c, void *context, const char *extra, size_t extra_size,
                       MHD_socket fd, struct MHD_UpgradeResponseHandle *handle)
{
	struct exchange *x = exchange;
	struct upgraded *u = xcalloc(1, sizeof(*u));
	const int ours = fcntl(fd, F_DUPFD_CLOEXEC, 3), one = 1, unsent = UNSENT_MOST;

	u->handle = handle;                      /* with ours duplicated, all that MHD holds for it can go */
	link_add_tail(&x->http->upgrades, &u->link);
	x->http->is_kicked = true;
	if (ours < 0)
		return;
	(void)fd_set_nonblock(ours, true);
	(void)setsockopt(ours, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));     /* MHD turns it off */
	/* what the client is too slow for stays in the ring, where it is skipped, and not in the kernel */
	(void)setsockopt(ours, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof(unsent));
	ws_open(x->http, &x->http->sockets, ours, extra, extra_size, &x->call.upgrade);
	x->call.upgrade = (struct upgrade){ 0 };
}

static mhd_result answer_upgrade(struct exchange *x)
{
	struct MHD_Response *answer = MHD_create_response_for_upgrade(on_upgrade, x);
	const char *protocols = header(x, "Sec-WebSocket-Protocol");
	char accept[WS_ACCEPT_SIZE];

	ws_accept(header(x, "Sec-WebSocket-Key"), accept);
	x->status = MHD_HTTP_SWITCHING_PROTOCOLS;
	if (answer == NULL)
		return MHD_NO;
	MHD_add_response_header(answer, "Upgrade", "websocket");
	MHD_add_response_header(answer, "Sec-WebSocket-Accept", accept);
	if (protocols != NULL && ws_offers(protocols, WS_TTY_PROTOCOL))
		MHD_add_response_header(answer, "Sec-WebSocket-Protocol", WS_TTY_PROTOCOL);
	return send_answer(x, answer);
}

/* --- the handler --- */

static int decode_input(struct exchange *x)
{
	struct call *c = &x->call;
	const struct json_object *input = c->route->input;

	if (input == NULL)
		return 0;
	if (c->body.len == 0)
		str_adds(&c->body, "{}");
	c->input = xcalloc(1, input->size);
	return json_decode(c->body.buf, c->body.len, input, c->input, &x->err);
}

/* In a thread, or in the loop when the route never blocks. */
static void run_handler(void *exchange)
{
	struct exchange *x = exchange;
	int r = decode_input(x);

	if (r == 0)
		r = x->call.route->fn(&x->call, &x->err);
	x->status = r < 0 ? problem_status(&x->err) : r;
	if (x->status >= 500)
		log_err("%s: %s %s: %s", x->call.id, x->method, x->call.route->path, err_msg(&x->err));
}

static void on_handled(void *exchange)
{
	struct exchange *x = exchange;

	x->is_done = true;
	MHD_resume_connection(x->conn);
	http_kick(x->http);
}

static mhd_result give_answer(struct exchange *x)
{
	const bool upgrades = x->call.upgrade.open != NULL && x->status < 400;

	return upgrades ? answer_upgrade(x) : answer_body(x);
}

static mhd_result handle(struct exchange *x)
{
	if (x->is_refused || x->is_done)
		return give_answer(x);
	if (x->is_working)                               /* MHD calls once more before it has suspended */
		return MHD_YES;
	if (x->call.route->flags & ROUTE_PROMPT) {
		run_handler(x);
		return give_answer(x);
	}
	peer_deadline(x->peer, 0);
	if (pool_run(x->http->setup.pool, run_handler, on_handled, x) < 0) {
		err_set(&x->err, EAGAIN, "busy", "too many requests wait already: try again");
		x->status = problem_status(&x->err);
		return give_answer(x);
	}
	x->is_working = true;
	MHD_suspend_connection(x->conn);
	return MHD_YES;
}

/* A piece of the body. What is too much is dropped: an answer can be given only when all has come. */
static mhd_result take_body(struct exchange *x, const char *data, size_t *n)
{
	if (x->call.body.len + *n > BODY_MAX && !x->is_refused) {
		err_set(&x->err, EMSGSIZE, "body-large", "a body has at most %d bytes", BODY_MAX);
		x->is_refused = true;
		x->status = problem_status(&x->err);
		str_release(&x->call.body);
	}
	if (!x->is_refused)
		str_add(&x->call.body, data, *n);
	*n = 0;
	return MHD_YES;
}

mhd_result exchange_go_on(void *http, struct MHD_Connection *c, const char *url, const char *method,
                          const char *version, const char *upload, size_t *upload_size, void **exchange)
{
	struct exchange *x = *exchange;

	x->peer->is_answering = x->has_begun && *upload_size == 0;
	if (!x->has_begun) {
		x->has_begun = true;
		x->method = method;
		check(x, version);
		peer_deadline(x->peer, BODY_MS);
		/* at once, which closes the connection, when its body is not wanted */
		return x->is_refused && (x->has_body || x->is_unsure) ? answer_body(x) : MHD_YES;
	}
	if (*upload_size > 0)
		return take_body(x, upload, upload_size);
	return handle(x);
}

static void log_exchange(const struct exchange *x, enum MHD_RequestTerminationCode why)
{
	const double ms = (double)(time_mono_ns() - x->began_ns) / 1e6;

	if (!x->is_answered)
		log_info("%s: id=%s method=%s target=%s: gone before the answer, after %.1f ms", x->peer->address, x->call.id,
		         x->method ? x->method : "?", x->target, ms);
	else
		log_info("%s: id=%s who=%s method=%s target=%s status=%d bytes=%zu ms=%.1f%s%s", x->peer->address, x->call.id,
		         x->call.who.is_known ? x->call.who.name : "-", x->method, x->target, x->status, x->sent, ms,
		         x->status >= 400 ? " code=" : "", x->status >= 400 ? x->err.code : "");
}

void exchange_end(void *http, struct MHD_Connection *c, void **exchange, enum MHD_RequestTerminationCode why)
{
	struct exchange *x = *exchange;

	if (x == NULL)
		return;
	log_exchange(x, why);
	peer_deadline(x->peer, IDLE_MS);
	x->peer->is_answering = false;
	call_release(&x->call);
	err_release(&x->err);
	free(x->target);
	free(x->allow);
	x->http->exchange_count--;
	free(x);
	*exchange = NULL;
}
