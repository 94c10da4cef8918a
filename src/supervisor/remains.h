/*
 * What a killed supervisor leaves: processes that mostly are about to end by themselves, the program beside the container, a
 * cgroup, and what the runtime wrote down.
 */
#pragma once

#include "supervisor/house.h"
#include "supervisor/status.h"

/* End and remove all of it, but ourselves. The caller holds the session's lock. Blocks until it has ended. */
void remains_end(const struct house *h, const char *id, int session_fd, const struct status *st);
/*
 * Wait for a keeper of session @id that holds nothing, since its supervisor was killed in the moment in which it was started: it
 * ends by itself. The caller holds the session's lock.
 */
void remains_await_keeper(const char *id);
