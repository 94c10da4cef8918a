/*
 * Maps of user and group ids between a user namespace and its parent (user_namespaces(7)), the subordinate
 * ids they are made of (subuid(5)), and a process in a new namespace with such a map.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <sys/types.h>

struct id_range { uint32_t inside, outside, count; };
struct id_ranges { struct id_range r[4]; size_t n; };
struct idmap { struct id_ranges uid, gid; };

/*
 * The first line of @file (/etc/subuid) for @user, given by name or number. 0 with *ret_start and *ret_count;
 * 1: there is none; <0: see @err.
 */
int idmap_subordinate(const char *file, const char *user, uid_t uid, uint32_t *ret_start, uint32_t *ret_count,
                      struct err *err);
/*
 * One axis: @pivot inside is @own outside; every other id k inside is @start + k outside for k > 0 and @start for 0
 * where the pivot is not 0; with pivot 0, k is @start + k - 1. Ids that the @count subordinate ones do not reach are
 * not mapped.
 */
void idmap_around(struct id_ranges *ret, uint32_t pivot, uint32_t own, uint32_t start, uint32_t count);
/* Shifted as a whole: id k inside is @start + k outside. */
void idmap_shift(struct id_ranges *ret, uint32_t start, uint32_t count);
/* The id outside of @inside, or -1 when it is not mapped. */
int64_t idmap_outside(const struct id_ranges *m, uint32_t inside);

/*
 * clone(2) with @flags (CLONE_NEW…) into a child that runs @fn(@arg) as uid 0 of a new user namespace with this map,
 * and wait until the map is written. The child exits with what @fn returns. No atfork handler runs, so @fn must not
 * touch a loop. The pid is the caller's to reap; or -errno.
 */
pid_t idmap_clone(const struct idmap *map, int flags, int (*fn)(void *), void *arg, struct err *err);
/*
 * The same in two steps. In between the child waits, and it is still of our own user: systemd moves only such
 * processes into a cgroup. It exits when we die before idmap_go. Where idmap_go fails it is killed and reaped.
 */
struct idmap_held { pid_t pid; int go; bool has_map; };
int idmap_hold(int flags, int (*fn)(void *), void *arg, struct idmap_held *ret, struct err *err);
/* The same in the user namespace @userns (borrowed), which is there and has its map: idmap_go takes none. */
int idmap_hold_in(int userns, int flags, int (*fn)(void *), void *arg, struct idmap_held *ret, struct err *err);
int idmap_go(struct idmap_held *h, const struct idmap *map, struct err *err);
void idmap_drop(struct idmap_held *h);           /* end it instead */

/*
 * A new user namespace with this map and no process in it, as a descriptor for setns(2) and mount_setattr(2); or
 * -errno.
 */
int idmap_namespace(const struct idmap *map, struct err *err);

/* Both axes as one text and back: "0:1000:1,1:100000:65536;0:1000:1,…" (inside:outside:count, users; groups). */
void idmap_format(const struct idmap *map, struct str *out);
int idmap_parse(const char *text, struct idmap *ret);     /* 0 or -EINVAL */

/*
 * Remove @name in @dirfd and all below it from inside a user namespace with this map: the upper and work directories
 * of an overlay hold files of mapped owners and directories of mode 0000. The caller must be allowed to remove @name
 * itself from @dirfd. Blocks; call it where no other thread may hold the allocator (see idmap_clone). 0 (also when
 * there was nothing) or -errno.
 */
int tree_remove_mapped(const struct idmap *map, int dirfd, const char *name, struct err *err);
