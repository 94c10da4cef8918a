/*
 * Processes and the machine they run on, as /proc tells it.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <sys/types.h>

/* When the process was started, in clock ticks since boot: with the pid it names a process for good. 0 or -errno. */
int proc_start_time(pid_t pid, uint64_t *ret_ticks);
/* Is @pid @ancestor, or a descendant of it? */
bool proc_is_below(pid_t pid, pid_t ancestor);
/* pidfd_open(2): the descriptor, or -errno. */
int proc_pidfd(pid_t pid);
/* The process that a pidfd is about, or 0: it has ended, or this is none. */
pid_t proc_pidfd_pid(int pidfd);
/* pidfd_send_signal(2): 0 or -errno. */
int proc_signal(int pidfd, int signo);
/* Send @signo to @pid if it still is the process that was started at @start_ticks. 0, -ESRCH, or -errno. */
int proc_signal_known(pid_t pid, uint64_t start_ticks, int signo);

/* Reap every child of this thread that has ended, but those in @known (0 entries are ignored). Never waits. */
void proc_reap_others(const pid_t *known, size_t n);

/* The pids of processes for which @is says yes, given their arguments (NUL after each). */
typedef bool proc_is_fn(const char *args, size_t n, void *data);
struct proc_list { pid_t *items; size_t len, cap; };
void proc_find(proc_is_fn *is, void *data, struct proc_list *ret);

/* What a process and all its descendants use now. */
struct proc_usage { uint64_t cpu_ns, memory_bytes, pids; };
void proc_tree_usage(pid_t root, struct proc_usage *ret);

/* /proc/sys/kernel/random/boot_id; $PTERM_TEST_BOOT_ID in its place for tests. Static storage. */
const char *proc_boot_id(void);
/* /etc/machine-id, or the host's name where there is none; $PTERM_TEST_MACHINE_ID for tests. Static storage. */
const char *proc_machine_id(void);

/* A signal by name ("TERM", "SIGTERM", "rtmin+1") or number; -EINVAL. And its name without SIG. */
int signal_parse(const char *text);
const char *signal_name(int signo);
