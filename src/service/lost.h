/*
 * Sessions whose supervisor is gone though nobody stopped it: killed, or the machine was started again.
 */
#pragma once

#include "supervisor/house.h"
#include "supervisor/status.h"

/*
 * @status, read from @session_fd, says that the session lives on this machine. *ret_alive: it does (its supervisor
 * holds the lock). Else it is settled: what may be left of it is ended by pid and removed, status.json tells why it
 * ended, crash/ is written, and @status is what it says now. Two that settle at once do it once. 0 or -errno.
 */
int lost_settle(const struct house *h, const char *id, int session_fd, struct status *status, bool *ret_alive,
                struct err *err);
