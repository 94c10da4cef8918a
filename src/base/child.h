/*
 * Child processes. They are started by vfork and exec, with signals reset and nothing inherited but the
 * descriptors named, so that neither locks nor PTYs leak into them.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <sys/types.h>

struct child_fd { int from, to; };                /* @from here becomes @to there */

struct child {
	const char *const *argv;                  /* argv[0] is looked up in PATH unless it has a slash */
	const char *program;                      /* what to execute instead of argv[0], as the child sees it; or NULL */
	char *const *env;                         /* NULL: ours */
	const struct child_fd *fds;               /* 0, 1, 2 are /dev/null unless named here */
	size_t fd_count;
	bool new_session;
	bool is_left;                             /* nobody waits for it: child_reap_left does */
	bool dies_with_parent;                    /* SIGKILL when the thread that started it ends (PR_SET_PDEATHSIG) */
};

/* Reap those of .is_left that have ended, for a program that lives longer than they. Never waits. From any thread. */
void child_reap_left(void);
/* Start it. 0 with *ret_pid, or -errno of the failing step (an exec that fails included). Does not wait. */
int child_start(const struct child *c, pid_t *ret_pid, struct err *err);
/*
 * A child that is there and waits, so that its pid can be written down before it runs anything; it exits when its
 * parent dies before child_go. @before, which may be NULL, is called in it just before the exec: only system calls
 * are safe there; 0 or an errno. Of our descriptors it has @kept_fd alone (its number there is given; -1: none).
 */
struct child_held { pid_t pid; int fd; };
typedef int child_before_fn(void *data, int kept_fd);
int child_hold(const struct child *c, child_before_fn *before, void *data, int kept_fd, struct child_held *ret,
               struct err *err);
/* Let it execute its program, and wait until it has. 0; or -errno of the failing step, and it is reaped. */
int child_go(struct child_held *h, struct err *err);
/* waitpid(2) through EINTR: the wait status, or -errno. */
int child_wait(pid_t pid);
/*
 * Run to the end, appending stdout and stderr together (at most 64 KiB) to @ret_output; NULL: nobody wants them.
 * The exit code, 128 + signal, or -errno when it could not be started.
 */
int child_run(const char *const *argv, struct str *ret_output, struct err *err);
/* A wait status as a shell's exit code: the code, or 128 + signal. */
int child_exit_code(int wait_status);
/* Where @name is in $PATH (the caller frees), or NULL. */
char *child_find(const char *name);
