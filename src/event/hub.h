/*
 * Events and who hears of them, inside one process. A sink may leave, or a new one join, during a dispatch: who joins
 * waits for the next event, who leaves hears nothing more.
 */
#pragma once

#include "base/list.h"

#include <stdbool.h>
#include <stdint.h>

enum event_type {
#define EVENT(name, word, what) EVENT_##name,
#include "event/events.def"
#undef EVENT
	EVENT_COUNT,
};

struct event {
	enum event_type type;
	uint64_t time_ms;
	const char *session, *name;      /* the session's id and name */
	const char *text;                /* a sentence, or NULL */
	int64_t number;                  /* exit code, run, position: what the event's kind suggests; -1 none */
};

const char *event_word(enum event_type type);             /* "session.started" */

typedef void event_fn(const struct event *ev, void *data);
struct hub { struct link sinks; uint64_t born; int depth; };
struct sink;

void hub_init(struct hub *h);
struct sink *hub_join(struct hub *h, event_fn *fn, void *data);
void hub_leave(struct hub *h, struct sink *s);            /* NULL is fine */
void hub_fire(struct hub *h, const struct event *ev);
void hub_fini(struct hub *h);                             /* every sink leaves */
