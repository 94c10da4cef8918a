/*
 * Between the files of http/server.h: server.c has connections and their deadlines, exchange.c the requests on them.
 */
#pragma once

#include "base/list.h"
#include "base/loop.h"
#include "http/server.h"

#include <microhttpd.h>

/* MHD's answers to its callbacks are an enum since 0.9.71, which is older than all that we build with. */
typedef enum MHD_Result mhd_result;

struct http {
	struct http_setup setup;
	struct strv base;                /* its segments */
	struct MHD_Daemon *daemon;
	struct watch *epoll;             /* of the daemon */
	struct timer *wake, *sweep, *stop_timer;
	struct link listeners, peers, sockets;   /* sockets: of struct ws */
	struct link upgrades;            /* to be closed when MHD has returned */
	size_t peer_count, exchange_count;
	bool is_inside, is_kicked, is_stopping;
	uint64_t last_id;                /* of requests */
	http_stopped_fn *stopped;
	void *stopped_data;
};

/* A connection that speaks HTTP. */
struct peer {
	struct link link;
	struct http *http;
	int fd;                          /* MHD's */
	uint64_t deadline_ns;            /* when what it is doing now must be done; 0: it waits for us */
	bool is_answering;               /* the whole request is here */
	int64_t uid;                     /* whose process is at the other end of a Unix socket; -1: TCP */
	char address[64];
};

/* It has so long from now on; 0: for ever. */
void peer_deadline(struct peer *p, uint64_t ms);

/* Let MHD see what we changed: at once, or, within its callbacks, when it returns. */
void http_kick(struct http *h);
/* No exchange is left, perhaps. */
void http_settle(struct http *h);

/* exchange.c, called by MHD */
void *exchange_begin(void *http, const char *target, struct MHD_Connection *c);
mhd_result exchange_go_on(void *http, struct MHD_Connection *c, const char *url, const char *method,
                          const char *version, const char *upload, size_t *upload_size, void **exchange);
void exchange_end(void *http, struct MHD_Connection *c, void **exchange, enum MHD_RequestTerminationCode why);
size_t exchange_leave_escaped(void *data, struct MHD_Connection *c, char *text);
/* An upgraded connection, to be given back to MHD. */
struct upgraded { struct link link; struct MHD_UpgradeResponseHandle *handle; };
