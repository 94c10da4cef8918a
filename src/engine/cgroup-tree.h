/*
 * The files of cgroup v2, below a root prefix: "" is the host, anything else a made-up tree of a unit test. What is
 * decided about them is in cgroup.c.
 */
#pragma once

#include "engine/engine.h"

enum { CONTROLLER_MEMORY = 1 << 0, CONTROLLER_CPU = 1 << 1, CONTROLLER_PIDS = 1 << 2, CONTROLLERS_ALL = (1 << 3) - 1 };

/* The controllers that the limits of @spec need; a set of them as words: "memory, cpu". */
unsigned tree_wanted(const struct spec *spec);
void tree_names(unsigned controllers, struct str *out);

/* Is <root>/sys/fs/cgroup one v2 hierarchy (and not v1, or both)? */
bool tree_is_unified(const char *root);
/* The cgroup of @pid (0: of whoever asks), as "/a/b", which the caller frees. 0; -ENOENT: the host has no v2 hierarchy; -errno. */
int tree_of(const char *root, pid_t pid, char **ret);
/* <root>/sys/fs/cgroup<cgroup>; the caller frees. */
char *tree_dir(const char *root, const char *cgroup);
/* The controllers that may be used below @cgroup. -errno when it does not exist or may not be read. */
int tree_controllers(const char *root, const char *cgroup);

/*
 * A whole number in @file, "max" being 0; where @key is not NULL the one in its line of "key number" lines. 0 or
 * -errno.
 */
int tree_number(const char *dir, const char *file, const char *key, uint64_t *ret);

/*
 * Without systemd: make @name below @parent (a cgroup), hand it the controllers that @spec needs, set the limits. 0
 * with *ret_dir, the caller's; or -errno with what to do in @err, and nothing left behind.
 */
int tree_make(const char *root, const char *parent, const char *name, const struct spec *spec, char **ret_dir,
              struct err *err);
int tree_move(const char *root, const char *dir, pid_t pid);      /* 0 or -errno */
/*
 * Kill what is in @dir and below it, wait until it is empty (at most 2 s), and remove it. Nothing there is fine. 0 or
 * -errno.
 */
int tree_remove(const char *dir);
/* The directory of the cgroup of ours that is called @name, wherever it is below <root>/sys/fs/cgroup; NULL: none. */
char *tree_find(const char *root, const char *name);

/* As systemd and cpu.max count: microseconds of CPU time in a period of 100 ms, and a second. */
static inline uint64_t tree_quota_us(double cpus, uint64_t period_us) { return (uint64_t)(cpus * (double)period_us + 0.5); }
/* Processes that are ours and not the command's: init, the sandbox process, and the runtime while it starts. */
enum { TREE_OWN_PIDS = 3 };
