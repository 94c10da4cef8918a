/*
 * The supervisor's end of a container that has a pterm-init inside: lifeline, console and the process itself. The
 * engines that start one (crun, process, fake) share this for all that comes after the start; its functions fit into
 * engine_ops.
 */
#pragma once

#include "engine/engine.h"

/*
 * Make the lifeline and put the session's command into it, to be started as soon as init reads. *ret_fd is init's
 * end, the caller's, to become descriptor 3 there.
 */
int inside_open(struct container *c, int *ret_fd, struct err *err);
/* The master of the container's terminal; consumed. 0, or -errno when it is none. */
int inside_set_console(struct container *c, int fd, struct err *err);
/* init's process, which must be a child of ours: when it has ended and is reaped, on_gone comes. */
int inside_set_init(struct container *c, pid_t pid, struct err *err);
pid_t inside_pid(struct container *c);
/* Has its first process ended, now or in @wait_ms? (Its on_gone may still be to come.) */
bool inside_has_ended(struct container *c, int wait_ms);

int inside_handles(struct container *c, struct engine_handles *ret);
int inside_adopt(struct container *c, const struct engine_handles *h, struct err *err);

ssize_t inside_read(struct container *c, void *buf, size_t n);
ssize_t inside_write(struct container *c, const void *buf, size_t n);
void inside_watch(struct container *c, bool output, bool writable);
int inside_resize(struct container *c, struct term_size size);
int inside_signal(struct container *c, int signo, bool whole_group);
int inside_kill(struct container *c);
/* Close the lifeline: init ends all and itself as soon as it reads. 1 when the console is there already, else 0. */
int inside_hang_up(struct container *c);
int inside_exec(struct container *c, uint32_t id, const struct engine_exec *x, struct err *err);
int inside_exec_signal(struct container *c, uint32_t id, int signo);
int inside_stats(struct container *c, struct proc_usage *ret, uint64_t *ret_memory_max);
void inside_close(struct container *c);
