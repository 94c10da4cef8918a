/*
 * Wait until something happens in a session.
 */
#pragma once

#include "service/match.h"
#include "service/session.h"

struct waiting {
	struct match match;              /* what to look for; may be empty */
	bool in_stream;                  /* in what is printed, not in what is shown */
	bool for_exit, for_prompt, for_healthy, for_ready;
	int64_t since;                   /* from this position on; -1: now, and what is there already counts */
	uint64_t idle_ms, timeout_ms;    /* UINT64_MAX: not at all */
};
enum wait_event { WAIT_TEXT, WAIT_REGEX, WAIT_IDLE, WAIT_PROMPT, WAIT_HEALTHY, WAIT_READY, WAIT_EXIT, WAIT_ENDED, WAIT_TIMEOUT };
struct waited {
	enum wait_event event;           /* ENDED: the session ended, and nothing of it can happen any more */
	uint64_t position;               /* how far was read */
	struct found found;
	bool has_exit;                   /* how the session ended is known */
	struct status status;
};
void waited_release(struct waited *w);

/* 0 with what happened first, or -errno: see @err. Sleeps in between; a supervisor that is replaced is followed. */
int session_wait(const struct session *s, const struct waiting *w, struct waited *ret, struct err *err);
