/*
 * One request as its handler sees it, whatever carried it: checked, routed, allowed, its body read and decoded. A
 * handler runs in a thread (base/pool.h), may block, and touches nothing but its call and what the service
 * functions say is theirs.
 */
#pragma once

#include "base/json.h"
#include "http/target.h"
#include "service/access.h"
#include "service/session.h"

struct ws;

enum { CALL_PARAMS_MAX = 2, CALL_ID_LEN = 16 };

/* What an answer becomes instead of a body: a WebSocket, whose other end is @data. */
struct upgrade {
	/* In the loop: @ws is open. @data is its own from here on. */
	void (*open)(void *data, struct ws *ws);
	void (*drop)(void *data);        /* it did not come to that; NULL: there is nothing to free */
	void *data;
};

struct call {
	const struct house *house;
	char id[CALL_ID_LEN + 1];        /* of this request, for logs and people */
	const struct route *route;
	struct who who;
	struct target target;
	const char *params[CALL_PARAMS_MAX];     /* what stands in the path for {…}; points into .target */
	struct str body;                 /* as it came */
	void *input;                     /* the body, decoded by the route's table; NULL: it has none */

	struct str out;                  /* the answer's body */
	const char *type;                /* of it: NULL is application/json */
	struct strv headers;             /* name, value, name, value … */
	struct upgrade upgrade;
};

/* The HTTP status of the answer (200 to 299), or -errno with @err, which becomes a problem document. */
typedef int call_fn(struct call *c, struct err *err);

void call_release(struct call *c);
void call_header(struct call *c, const char *name, const char *fmt, ...) _printf_(3, 4);
/* A number in the query: 0 with @ret, which keeps its value where there is none; or -EINVAL. */
int call_number(const struct call *c, const char *key, uint64_t min, uint64_t max, uint64_t *ret, struct err *err);
/* The same for "1", "true", "0", "false". */
int call_flag(const struct call *c, const char *key, bool *ret, struct err *err);
/* The session that the path names. As session_find. */
int call_session(const struct call *c, struct session *ret, struct err *err);
