/*
 * Clearing away: what was cut short, always; ended sessions, by a policy. Nothing that runs and nothing of another machine is
 * touched, and whatever is removed is removed under its session's lock.
 */
#pragma once

#include "base/list.h"
#include "service/session.h"

struct gc_policy {
	bool has_keep_for, has_keep, has_max_disk;       /* none: every ended session stays */
	uint64_t keep_for_ms;                            /* since its end */
	uint64_t keep;                                   /* so many, those that ended last */
	uint64_t max_disk;                               /* bytes of all ended ones together */
	bool is_dry_run;                                 /* remove nothing but what every listing clears away */
};

enum gc_reason { GC_STAYS, GC_AGE, GC_NUMBER, GC_DISK };
struct gc_candidate { uint64_t ended_ms, bytes; enum gc_reason reason; };
/* Fill .reason of @n candidates, which are in the order of their ends, the last to end first. */
void gc_choose(const struct gc_policy *p, uint64_t now_ms, struct gc_candidate *c, size_t n);

enum gc_kind { GC_SESSION, GC_LOST, GC_REST, GC_NAME, GC_STATE, GC_KIND_COUNT };
extern const char *const gc_kinds[];                     /* "session", "lost-session", … */

/* Something that was done (or would be). */
struct gc_deed { enum gc_kind kind; char *name, *why, *failure; uint64_t bytes; };
struct gc_report { VEC(struct gc_deed) deeds; size_t failures; };
void gc_report_release(struct gc_report *r);

/* 0, also when some could not be removed (deed.failure says why); or -errno: see @err. */
int gc_run(const struct house *h, const struct gc_policy *p, struct gc_report *ret, struct err *err);
