/*
 * libmicrohttpd on our loop: it has an epoll descriptor of its own, which we watch, and never waits. It has no way
 * to be woken, so that after every change that does not come from a socket it must be run (http_kick).
 */
#include "http/server-parts.h"
#include "http/ws.h"

#include "base/fd.h"
#include "base/units.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <uv.h>

#define LOG_MODULE "http"
#include "base/log.h"

enum {
	PEERS_MAX = 4096,                /* connections that speak HTTP, at once */
	MEMORY_PER_PEER = 16 * 1024,     /* request line and headers must fit in */
	FIRST_MS = 10000,                /* from the connection to its first request line */
	SWEEP_MS = 1000,
	ACCEPT_AT_ONCE = 64,
	PAUSE_MS = 100,                  /* when there are no more descriptors */
};

struct listener { struct link link; struct http *http; int fd; struct watch *watch; struct timer *pause; };

/* --- MHD and the loop --- */

static void close_upgrades(struct http *h)
{
	link_each(struct upgraded, u, &h->upgrades, link) {
		link_remove(&u->link);
		MHD_upgrade_action(u->handle, MHD_UPGRADE_ACTION_CLOSE);
		free(u);
		h->is_kicked = true;
	}
}

void http_kick(struct http *h)
{
	MHD_UNSIGNED_LONG_LONG ms;

	h->is_kicked = true;
	if (h->is_inside)
		return;
	h->is_inside = true;
	while (h->is_kicked) {
		h->is_kicked = false;
		MHD_run(h->daemon);
		close_upgrades(h);
	}
	h->is_inside = false;
	if (MHD_get_timeout(h->daemon, &ms) == MHD_YES)
		timer_start(h->wake, ms);
	http_settle(h);
}

static void on_epoll(void *data, int events)
{
	http_kick(data);
}

static void on_wake(void *data)
{
	http_kick(data);
}

static void on_mhd_log(void *data, const char *fmt, va_list ap) _printf_(2, 0);
static void on_mhd_log(void *data, const char *fmt, va_list ap)
{
	_str_ text = STR_INIT;

	str_addfv(&text, fmt, ap);
	while (text.len > 0 && text.buf[text.len - 1] == '\n')
		text.buf[--text.len] = '\0';
	log_debug("libmicrohttpd: %s", text.buf);
}

/* --- connections --- */

void peer_deadline(struct peer *p, uint64_t ms)
{
	p->deadline_ns = ms > 0 ? time_mono_ns() + ms * 1000000 : 0;
}

/*
 * One that is gone before its request was whole. MHD does not see that when the end came together with the last
 * bytes, since it watches for edges (0.9.75).
 */
static bool is_gone(const struct peer *p)
{
	char byte;

	return !p->is_answering && recv(p->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

/* MHD knows only silence, which a client that drips never has: what takes too long is shut, and MHD sees its end. */
static void on_sweep(void *data)
{
	struct http *h = data;
	const uint64_t now = time_mono_ns();

	link_each(struct peer, p, &h->peers, link) {
		const bool is_late = p->deadline_ns != 0 && now >= p->deadline_ns;

		if (!is_late && !is_gone(p))
			continue;
		if (is_late)
			log_info("%s: too slow, closed", p->address);
		p->deadline_ns = 0;
		(void)shutdown(p->fd, SHUT_RDWR);
	}
	if (!link_empty(&h->peers))
		timer_start(h->sweep, SWEEP_MS);
}

static void find_address(struct peer *p)
{
	struct sockaddr_storage a = { 0 };
	socklen_t n = sizeof(a);
	struct ucred who;
	char host[INET6_ADDRSTRLEN] = "?";

	p->uid = -1;
	if (getpeername(p->fd, (struct sockaddr *)&a, &n) == 0 && a.ss_family == AF_INET)
		inet_ntop(AF_INET, &((struct sockaddr_in *)&a)->sin_addr, host, sizeof(host));
	else if (a.ss_family == AF_INET6)
		inet_ntop(AF_INET6, &((struct sockaddr_in6 *)&a)->sin6_addr, host, sizeof(host));
	n = sizeof(who);
	if (a.ss_family != AF_UNIX) {
		snprintf(p->address, sizeof(p->address), "%s:%u", host, ntohs(((struct sockaddr_in *)&a)->sin_port));
	} else if (getsockopt(p->fd, SOL_SOCKET, SO_PEERCRED, &who, &n) == 0) {
		p->uid = who.uid;
		snprintf(p->address, sizeof(p->address), "uid %u, pid %d", (unsigned)who.uid, (int)who.pid);
	}
}

static void on_connection(void *data, struct MHD_Connection *c, void **context,
                          enum MHD_ConnectionNotificationCode what)
{
	struct http *h = data;
	struct peer *p = *context;

	if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
		link_remove(&p->link);
		h->peer_count--;
		free(p);
		return;
	}
	p = xcalloc(1, sizeof(*p));
	p->http = h;
	p->fd = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	find_address(p);
	peer_deadline(p, FIRST_MS);
	link_add_tail(&h->peers, &p->link);
	h->peer_count++;
	*context = p;
	if (!timer_is_running(h->sweep))
		timer_start(h->sweep, SWEEP_MS);
}

static void take(struct http *h, int fd)
{
	const int one = 1;
	struct sockaddr_storage a;
	socklen_t n = sizeof(a);

	if (h->peer_count >= PEERS_MAX) {
		log_warn("%d connections are enough, one more is closed", PEERS_MAX);
		fd_close(fd);
		return;
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));       /* not of a Unix socket */
	if (getsockname(fd, (struct sockaddr *)&a, &n) < 0 ||
	    MHD_add_connection(h->daemon, fd, (struct sockaddr *)&a, n) != MHD_YES)      /* which closes it */
		log_warn("cannot take a connection: %m");
}

static void on_pause_over(void *data)
{
	struct listener *l = data;

	watch_set(l->watch, LOOP_READ);
}

static void on_listener(void *data, int events)
{
	struct listener *l = data;

	for (int i = 0; i < ACCEPT_AT_ONCE; i++) {
		const int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)) {
			log_err("cannot accept a connection: %m");
			watch_set(l->watch, 0);
			timer_start(l->pause, PAUSE_MS);
		}
		if (fd < 0)
			break;
		take(l->http, fd);
	}
	http_kick(l->http);
}

int http_listen(struct http *h, int fd, struct err *err)
{
	struct listener *l = xcalloc(1, sizeof(*l));

	l->http = h;
	l->fd = fd;
	l->watch = watch_new(h->setup.loop, fd, LOOP_READ, on_listener, l);
	l->pause = timer_new(h->setup.loop, on_pause_over, l);
	link_add_tail(&h->listeners, &l->link);
	return l->watch != NULL ? 0 : err_set(err, EIO, "loop", "cannot wait for connections");
}

static void close_listeners(struct http *h)
{
	link_each(struct listener, l, &h->listeners, link) {
		link_remove(&l->link);
		watch_free(l->watch);
		timer_free(l->pause);
		fd_close(l->fd);
		free(l);
	}
}

/* --- life --- */

static int start_daemon(struct http *h, struct err *err)
{
	const unsigned flags = MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME | MHD_ALLOW_UPGRADE |
	                       MHD_USE_ERROR_LOG;

	h->daemon = MHD_start_daemon(flags, 0, NULL, NULL, exchange_go_on, h,
	                             MHD_OPTION_EXTERNAL_LOGGER, on_mhd_log, h,
	                             MHD_OPTION_URI_LOG_CALLBACK, exchange_begin, h,
	                             MHD_OPTION_NOTIFY_COMPLETED, exchange_end, h,
	                             MHD_OPTION_NOTIFY_CONNECTION, on_connection, h,
	                             MHD_OPTION_UNESCAPE_CALLBACK, exchange_leave_escaped, NULL,
	                             MHD_OPTION_CONNECTION_LIMIT, (unsigned)PEERS_MAX + 1,
	                             MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY_PER_PEER,
	                             MHD_OPTION_STRICT_FOR_CLIENT, 1,
	                             MHD_OPTION_END);
	if (h->daemon == NULL)
		return err_set(err, EIO, "http", "cannot start the HTTP server");
	h->epoll = watch_new(h->setup.loop, MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd, LOOP_READ,
	                     on_epoll, h);
	return h->epoll != NULL ? 0 : err_set(err, EIO, "loop", "cannot watch the HTTP server");
}

static int parse_base(struct http *h, struct err *err)
{
	_cleanup_(target_release) struct target t = { 0 };
	const int r = *h->setup.base != '\0' ? target_parse(h->setup.base, &t, err) : 0;

	if (r < 0)
		return err_wrap(err, "--base '%s'", h->setup.base);
	strv_copy(&h->base, &t.segments);
	return 0;
}

int http_new(struct http **ret, const struct http_setup *setup, struct err *err)
{
	struct http *h = xcalloc(1, sizeof(*h));
	int r;

	h->setup = *setup;
	link_init(&h->listeners);
	link_init(&h->peers);
	link_init(&h->sockets);
	link_init(&h->upgrades);
	h->wake = timer_new(setup->loop, on_wake, h);
	h->sweep = timer_new(setup->loop, on_sweep, h);
	r = parse_base(h, err);
	if (r == 0)
		r = start_daemon(h, err);
	if (r < 0) {
		http_free(h);
		return r;
	}
	*ret = h;
	return 0;
}

static void tell_stopped(struct http *h, bool is_clean)
{
	http_stopped_fn *stopped = h->stopped;

	h->stopped = NULL;
	if (stopped != NULL)
		stopped(h->stopped_data, is_clean);
}

void http_settle(struct http *h)
{
	if (h->is_stopping && !h->is_inside && h->exchange_count == 0 && link_empty(&h->sockets))
		tell_stopped(h, true);
}

static void on_stop_timer(void *data)
{
	tell_stopped(data, false);
}

void http_stop(struct http *h, uint64_t timeout_ms, http_stopped_fn *stopped, void *data)
{
	h->is_stopping = true;
	h->stopped = stopped;
	h->stopped_data = data;
	close_listeners(h);
	h->stop_timer = timer_new(h->setup.loop, on_stop_timer, h);
	timer_start(h->stop_timer, timeout_ms);
	ws_close_all(&h->sockets, WS_CLOSE_GOING_AWAY);
	http_settle(h);
}

struct http *http_free(struct http *h)
{
	if (h == NULL)
		return NULL;
	close_listeners(h);
	ws_free_all(&h->sockets);
	watch_free(h->epoll);
	if (h->daemon != NULL)
		MHD_stop_daemon(h->daemon);
	timer_free(h->wake);
	timer_free(h->sweep);
	timer_free(h->stop_timer);
	strv_release(&h->base);
	free(h);
	return NULL;
}

struct uv_loop_s *http_loop(struct http *h)
{
	return h->setup.loop;
}

struct pool *http_pool(struct http *h)
{
	return h->setup.pool;
}
