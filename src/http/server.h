/*
 * The HTTP server: connections, deadlines, requests, and what becomes a WebSocket. The one place that knows which
 * library reads HTTP. It lives on a libuv loop and keeps nothing that is not found again after a kill.
 */
#pragma once

#include "http/call.h"
#include "http/login.h"

struct uv_loop_s;
struct http;
struct pool;

struct http_setup {
	struct uv_loop_s *loop;
	struct pool *pool;               /* where handlers run; outlives the server */
	const struct house *house;       /* these two are borrowed */
	const struct login *login;
	const char *base;                /* a path in front of every other, such as "/pterm"; "" for none */
};

/* 0 or -errno: see @err. */
int http_new(struct http **ret, const struct http_setup *setup, struct err *err);
/* Take connections from a listening socket, which is the server's from here on. 0 or -errno: see @err. */
int http_listen(struct http *h, int fd, struct err *err);
/*
 * Take no more connections, say goodbye to WebSockets, let the requests that run come to their end for at most
 * @timeout_ms, and call @stopped, once: are all of them answered?
 */
typedef void http_stopped_fn(void *data, bool is_clean);
void http_stop(struct http *h, uint64_t timeout_ms, http_stopped_fn *stopped, void *data);
/* Only when it has stopped. NULL is fine. */
struct http *http_free(struct http *h);

/* --- for WebSockets (ws.c) --- */

struct uv_loop_s *http_loop(struct http *h);
struct pool *http_pool(struct http *h);
