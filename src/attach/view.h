/*
 * The person's end of a session: their terminal shows its output and sends it what is typed.
 */
#pragma once

#include "attach/keys.h"
#include "wire/conn.h"

struct view {
	struct conn *conn;               /* to the supervisor, greeted */
	int session_fd;                  /* for what is older than the ring */
	int64_t since;                   /* a position; -1: what is recent */
	bool read_only;
	bool is_asked;                   /* what view_attach says was sent on @conn already */
	struct keys keys;
	int in_fd, out_fd;               /* -1: no input */
};

enum view_end { VIEW_DETACHED, VIEW_ENDED, VIEW_CLOSED };

struct view_result {
	enum view_end how;
	struct str status;               /* ENDED: the session's status, JSON; empty when its supervisor could not tell */
	uint64_t skipped;                /* bytes that a slow terminal was painted instead of; the recording has them */
	uint64_t lost;                   /* bytes asked for that neither ring nor recording had any more */
	bool has_failed;                 /* the command could not be started: */
	int exit_code;                   /* so, and @err of view_run says why */
};

/*
 * What a view says first to the supervisor. Sent before that runs it is heard before the session begins, so that of a
 * command that ends at once nothing is missed.
 */
struct message_attach view_attach(const struct view *v);

/*
 * A viewer whose terminal falls behind is painted what the session shows now, and .skipped says what it missed; where
 * it cannot be painted it is told so in its output. One who is no terminal gets all from the recording.
 *
 * Show the session until the keys detach it, it ends, or (the reader of @out_fd gone) nobody looks any more. 0; or
 * -errno: see @err. The terminal is raw meanwhile, and as it was afterwards, whatever happens. Blocks.
 */
int view_run(struct view *v, struct view_result *ret, struct err *err);
