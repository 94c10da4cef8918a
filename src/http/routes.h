/*
 * Everything that can be asked for: one row each in routes.c, which share/openapi.json is checked against.
 */
#pragma once

#include "http/call.h"

enum route_flags {
	ROUTE_NO_BODY = 0,
	ROUTE_BYTES = 1 << 0,            /* its body is bytes, not JSON */
	ROUTE_WEBSOCKET = 1 << 1,        /* it becomes a WebSocket */
	ROUTE_PROMPT = 1 << 2,           /* it never blocks: it is answered in the loop */
};

struct route {
	const char *method, *path;       /* "/api/v1/sessions/{id}": a segment in braces stands for any */
	unsigned rights;                 /* enum right: all of them are needed */
	unsigned flags;
	const char *query;               /* the parameters it knows, with a blank after each; NULL: none */
	const struct json_object *input; /* of its JSON body, absent when nothing in it is required; or NULL */
	call_fn *fn;
};
extern const struct route routes[];              /* ends with a NULL method */

/*
 * The row for a request, HEAD being GET; @params gets CALL_PARAMS_MAX pointers into @segments. Without one:
 * -ENOENT, or -ENOTSUP when another method would do, and then *ret_allow (the caller's) lists those.
 */
int route_find(const struct route *table, const char *method, const struct strv *segments, const struct route **ret,
               const char **params, char **ret_allow);
/* 0, or -EINVAL: a parameter in the query that the route does not know. */
int route_check_query(const struct route *r, const struct target *t, struct err *err);
