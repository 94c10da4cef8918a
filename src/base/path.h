/*
 * Paths and trees.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <sys/types.h>

/* Make @path and its missing parents with @mode. 0 or -errno. */
int path_mkdirs(const char *path, mode_t mode);
/* @a/@b; the caller frees. */
char *path_join(const char *a, const char *b);
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
/* The bytes that the files below @name occupy (st_blocks), each inode once per call site's tree. */
uint64_t path_disk_usage(int dirfd, const char *name);
