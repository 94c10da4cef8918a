/*
 * crash/ in a session's directory: what one wants to see when it ended badly. Made by the supervisor, or by whoever
 * finds that it was killed.
 */
#pragma once

#include "supervisor/status.h"

/*
 * Is this an end that leaves a crash directory? (A signal, out of memory, lost, could not start; not: a plain exit, a
 * stop.)
 */
bool crash_is_one(const struct status *s);
/*
 * Write crash/reason (a sentence), crash/status.json, crash/output (the last 64 KiB), crash/screen (what it showed, as text) and crash/runtime.log (what the
 * container runtime said, from @log_fd; -1: nothing). An older crash/ is replaced. 0 or -errno.
 */
int crash_write(int session_fd, const struct status *s, int log_fd);
