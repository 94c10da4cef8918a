/*
 * Between the files of service/session.h: session.c finds and changes, session-make.c makes, session-talk.c talks.
 */
#pragma once

#include "service/session.h"

int session_refuse_foreign(const struct session *s, struct err *err);         /* -EREMOTE */

/* Tell the supervisor of a session that lives its new name. */
int session_tell_name(const struct session *s, const char *name, struct err *err);

/* Does its record say so, or has it been removed? */
bool session_has_ended(const struct session *s);
/* Take the name @wanted, or an invented one (NULL), for session @id. 0 with *ret; -EEXIST: taken; -errno. */
int session_claim_name(const struct house *h, const char *wanted, const char *id, char **ret, struct err *err);
/*
 * Start the supervisor of session @id with its lock; @conn is the first connection, greeted, and then told @first (NULL:
 * nothing). 0 or -errno.
 */
int session_spawn(const struct house *h, const char *id, int dir_fd, int lock_fd, const struct message_attach *first,
                  struct conn *conn, struct err *err);
