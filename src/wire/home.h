/*
 * Where sessions are and what they are called: what every program of ours, and libpterm, must agree on. In
 * $PTERM_HOME (~/.pachyterm), sessions/ID is a session's directory with its control.sock, and names/NAME is a link to
 * the id.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>

enum { SESSION_NAME_MAX = 63, SESSION_ID_LEN = 12, SESSION_PREFIX_MIN = 3 };

/* The home's absolute path, the caller's. @given: what somebody asked for; NULL or "": as the environment says. */
char *home_find(const char *given);

/* Does @text look like an id? SESSION_ID_LEN hexadecimal digits. */
bool id_check(const char *text);
/*
 * Letters, digits, '.', '_', '-', beginning with a letter or digit, at most SESSION_NAME_MAX. 0 or -EINVAL: see @err.
 */
int name_check(const char *name, struct err *err);
/* The id that has this name, the caller's; NULL: none. Both descriptors are directories, borrowed. */
char *name_resolve(int sessions_fd, int names_fd, const char *name);
/*
 * The session that @ref means: a name, an id, or the beginning of one (SESSION_PREFIX_MIN digits at least). 0 with
 * *ret_id, the caller's; -ENOENT, -EEXIST (several): see @err.
 */
int session_resolve(int sessions_fd, int names_fd, const char *ref, char **ret_id, struct err *err);
/* What -ENOENT says of it. */
int session_unknown(const char *ref, struct err *err);
