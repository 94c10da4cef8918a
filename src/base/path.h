/*
 * Paths and trees.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <sys/types.h>

/* Where programs are, when no $PATH says so; and the PATH of all that we start in or beside a container. */
#define PATH_DEFAULT "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* Make @path and its missing parents with @mode. 0 or -errno. */
int path_mkdirs(const char *path, mode_t mode);
/* @a/@b; the caller frees. */
char *path_join(const char *a, const char *b);
/* @path as it stands from the root, links and ".." kept; the caller frees. */
char *path_absolute(const char *path);
/* The last component; points into @path. */
const char *path_base(const char *path);
bool path_exists(int dirfd, const char *path);
/* Is @path @dir itself, or below it? Both absolute and clean. */
bool path_is_under(const char *path, const char *dir);
/*
 * Remove @name in @dirfd and all below it, never following a link and never leaving its file system.
 * However deep it is. Goes on after a failure. 0 (also when there was nothing), or the first -errno.
 */
int path_remove_tree(int dirfd, const char *name);
/* openat2(2) below @dirfd as if it were the root: no link, no "..", no magic link leaves it. fd or -errno. */
int path_open_in_root(int dirfd, const char *path, int flags);
/* The bytes that the files below @name occupy (st_blocks); of one with n links, the nth part for each. */
uint64_t path_disk_usage(int dirfd, const char *name);
