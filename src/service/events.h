/*
 * What happens to all sessions, or to some: their journals merged, and followed.
 */
#pragma once

#include "event/follow.h"
#include "service/session.h"

struct events;

/* @ids: of which sessions (borrowed); empty: of all, also those that are made later. 0 or -errno: see @err. */
int events_open(struct events **ret, const struct house *h, const struct strv *ids, bool follows, struct err *err);
struct events *events_close(struct events *e);
DEFINE_FREEP(struct events, events_close)

/*
 * Append what is new, in order of time; the first time, all that there is. A session that was removed since is told
 * as "session.removed". 0 or -errno.
 */
int events_take(struct events *e, struct entry_list *ret, struct err *err);
/* With @follows: readable when there may be something new. */
int events_fd(const struct events *e);
/* Can nothing come any more? All that were asked for by name are removed. */
bool events_are_over(const struct events *e);
