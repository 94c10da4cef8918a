/*
 * Sessions, from outside: make, find, list, start, and talk to their supervisors. The truth about a session is its
 * directory and its supervisor. Whoever finds that a supervisor was killed (its lock is free, its status says
 * otherwise) writes down what happened, once, under the lock.
 */
#pragma once

#include "base/list.h"
#include "supervisor/house.h"
#include "supervisor/status.h"
#include "wire/conn.h"

struct session {
	char *id;
	int fd;                          /* its directory */
	struct status status;
	bool is_alive;                   /* it has a supervisor */
	bool is_broken;                  /* its status cannot be read: it can be listed and removed */
	bool is_foreign;                 /* of another machine that shares this home: look, do not touch */
};
void session_release(struct session *s);
#define _session_ _cleanup_(session_release) struct session

struct session_list { struct session *items; size_t len, cap; };
void session_list_release(struct session_list *l);
#define _session_list_ _cleanup_(session_list_release) struct session_list

/*
 * By name, id, or the beginning of one id (three letters or more). 0; or -ENOENT, -EEXIST (several begin so): see
 * @err. A session whose supervisor was lost is settled first.
 */
int session_find(const struct house *h, const char *ref, struct session *ret, struct err *err);
/* As session_find, also one that is broken (0; @err says how): to be removed. */
int session_find_any(const struct house *h, const char *ref, struct session *ret, struct err *err);
/*
 * All, oldest first, settled; broken ones too. What was left of sessions whose making or removal was cut short is
 * cleared away.
 */
int session_all(const struct house *h, struct session_list *ret, struct err *err);

/* Connect to the supervisor and greet it. 0; or -ESRCH: the session has ended; -errno: see @err. */
int session_connect(const struct session *s, struct conn *ret, struct err *err);

/*
 * What its supervisor says about it now. 0 with @ret (status_release); -ESRCH: it has ended; -errno: see @err.
 */
int session_ask_status(const struct session *s, struct status *ret, struct err *err);

/*
 * Make a session with this spec and name (NULL: one is invented) and start its supervisor. Of *ret only id, name
 * and directory are filled: it may end, and be gone, before anybody has read its status. @conn is connected and
 * will hear how the start goes (STARTED or ERROR), and the end; @first is said on it before the session begins
 * (NULL: nothing). Nothing is left of one that cannot be made. 0 or -errno: see @err.
 */
int session_create(const struct house *h, const struct spec *spec, const char *name, const struct message_attach *first,
                   struct session *ret, struct conn *conn, struct err *err);
/* Start an ended one again, as above. -EBUSY: it runs. */
int session_start(const struct house *h, struct session *s, const struct message_attach *first, struct conn *conn,
                  struct err *err);
/*
 * Wait for how the start goes that @conn will hear of. 0: it was executed, and may have ended since; a positive
 * exit code (see @err): it could not be; -errno: its supervisor was lost, see @err. @ret (may be NULL; what it held
 * is freed): its status then.
 */
int session_await_start(struct conn *conn, struct status *ret, struct err *err);
/* Give it another name, whether it runs or not. -EEXIST: taken. */
int session_rename(const struct house *h, struct session *s, const char *name, struct err *err);
/* Remove an ended one. -EBUSY: it runs. */
int session_discard(const struct house *h, struct session *s, struct err *err);
/* Remove one; when it runs it is killed first. */
int session_remove_forced(const struct house *h, struct session *s, struct err *err);
/*
 * Stop a running one and wait until it has ended. Of @s only .is_alive is new then; its status on disk tells the
 * rest. 0, also when it had ended before; -errno. @timeout_ms: how long it may take before KILL.
 */
int session_stop(struct session *s, uint64_t timeout_ms, struct err *err);
/*
 * Hand a running one over to the supervisor of this build, and wait until that has it. 0 or -errno: then it goes on
 * as before.
 */
int session_upgrade(const struct house *h, const struct session *s, struct err *err);
/* Record what is typed into a running one, or no longer. 0 or -errno; -ESRCH: it does not run. */
int session_record_input(const struct session *s, bool on, struct err *err);
/* Send the command of a running one a signal; KILL ends everything inside. 0 or -errno; -ESRCH: it does not run. */
int session_signal(const struct session *s, int signo, struct err *err);
/*
 * Stop its command, as session_stop does, and start it again; one that has ended is started. @conn as of
 * session_create.
 */
int session_restart(const struct house *h, struct session *s, uint64_t timeout_ms, struct conn *conn, struct err *err);
/* Wait until the supervisor of one that is ending has written its last. Takes no lock, since others look at it. */
void session_await_end(const struct session *s);
/* Who acts, for the record: the user's name. Static storage. */
const char *session_actor(void);
