/*
 * What most commands begin and end with.
 */
#pragma once

#include "attach/view.h"
#include "cli/command.h"
#include "service/session.h"

/* The house and the session that @ref names. */
int open_session(struct house *h, const char *ref, struct session *ret, struct err *err);
/*
 * view_run; and where nobody was left to tell the end, what its record says of it: result->status is empty only when
 * the session has not ended properly.
 */
int view_session(struct view *v, struct view_result *ret, struct err *err);
/* A view of our terminal: .conn and .session_fd are still to be set. @keys: those that detach, NULL: the default. 0 or -EINVAL. */
int open_view(const char *keys, int64_t since, struct view *ret, struct err *err);
/*
 * Show the session @name so until detached or ended: the exit code (the command's own, 128 + n, 0 after a detach), or
 * -errno. Says on stderr how to come back.
 */
int show_session(struct view *v, const char *name, struct err *err);
/* --since: a position, a time or a span (attach, logs). 0 or -EINVAL. */
int parse_since(const char *text, int session_fd, int64_t *ret, struct err *err);
/*
 * Wait until the command was executed, and print @name; or until it could not be: its exit code, said on stderr as
 * from `pterm @command`. Or -errno.
 */
int await_start(struct conn *conn, const char *command, const char *name, struct err *err);
