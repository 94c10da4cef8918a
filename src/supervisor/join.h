/*
 * --network session:NAME: a session enters the user and the network namespace of another, as the containers of a pod
 * share theirs. Each keeps its own processes, files and life.
 */
#pragma once

#include "base/err.h"

struct supervisor;

/*
 * Open what the spec says is to be joined, for one start: s->container.join_user and .join_net, closed by join_close.
 * Nothing for other networks. 0; -errno when that session does not run, or has another map of ids: see @err.
 */
int join_open(struct supervisor *s, struct err *err);
void join_close(struct supervisor *s);
/* From now on an event tells when the other session ends; also for one that was adopted. */
void join_watch(struct supervisor *s);
void join_forget(struct supervisor *s);
