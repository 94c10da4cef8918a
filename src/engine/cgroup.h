/*
 * Limits: a cgroup (v2) of its own for a container that has some, in a subtree that was delegated to us. Under
 * systemd that is a transient scope of the user's manager (of the system's for root); without systemd a directory
 * beside our own cgroup. Containers without limits stay where the caller is: only so do they outlive a logout without
 * lingering.
 *
 * systemd removes a scope, and what it counted, as soon as its last process ends: keep one in it (the sandbox
 * process) until cgroup_had_oom was asked.
 */
#pragma once

#include "engine/engine.h"

struct cgroup { char *path; };                    /* its directory below /sys/fs/cgroup; NULL: none */

/* The cgroup whose controllers a scope of user @uid gets: of its systemd manager; the caller frees. */
char *cgroup_of_manager(uid_t uid);
/*
 * Can the limits of @spec be had by user @uid on this host (@root: "", or a made-up tree)? 0; or -errno with the fix
 * in @err.
 */
int cgroup_check(const char *root, uid_t uid, const struct spec *spec, struct err *err);
/*
 * Make it, set the limits of @spec, and move @pid (and what it starts from now on) in. @pid must still be of our own
 * user: systemd moves no other's. Blocks for as long as systemd takes (tens of ms, at most 10 s). 0; or -errno with
 * the fix in @err, and nothing left behind.
 */
int cgroup_enter(struct cgroup *ret, const struct spec *spec, const char *id, unsigned run, pid_t pid, struct err *err);
/* That of a container which another process started; none when it is gone. */
void cgroup_find(struct cgroup *ret, const char *id, unsigned run);
/* Has the kernel killed something in it for want of memory? */
bool cgroup_had_oom(const struct cgroup *g);
int cgroup_stats(const struct cgroup *g, struct proc_usage *ret, uint64_t *ret_memory_max);
/*
 * Kill what is in it (cgroup.kill) and remove it; also by name alone, for a session whose supervisor died. Safe on
 * none.
 */
void cgroup_remove(struct cgroup *g);
void cgroup_remove_of(const char *id, unsigned run);
