/*
 * What running sessions use.
 */
#pragma once

#include "service/session.h"

struct usage {
	char *id, *name;
	uint64_t cpu_ns;                 /* since the start of what runs now */
	uint64_t memory_bytes, memory_max, pids;         /* max 0: no limit */
	uint64_t taken_ns;               /* CLOCK_MONOTONIC */
	double cpu_percent;              /* of one core, since the sample before; 0 without one */
};
struct usage_list { struct usage *items; size_t len, cap; };
void usage_list_release(struct usage_list *l);
#define _usage_list_ _cleanup_(usage_list_release) struct usage_list

/* Ask one session's supervisor: 0 with @ret, whose strings are its list's to free; -ESRCH: it has ended; -errno. */
int usage_ask(const struct session *s, struct usage *ret, struct err *err);
/* Fill .cpu_percent of @now from what @before says of the same sessions. */
void usage_compare(const struct usage_list *before, struct usage_list *now);
