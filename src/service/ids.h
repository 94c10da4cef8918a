/*
 * The ids that sessions of this user have.
 */
#pragma once

#include "base/idmap.h"

/*
 * The map of ids of a session: for root a range of its own (PTERM_ROOT_IDS, START:COUNT), for others around the
 * caller, who is @uid and @gid inside. *ret_name, the caller's, names it in paths. 0 or -errno.
 */
int ids_map(uint32_t uid, uint32_t gid, struct idmap *ret, char **ret_name, struct err *err);
/* The map that ids_map has given this name, of this user. 0; -ENOENT: it is none of theirs; -errno. */
int ids_map_named(const char *name, struct idmap *ret, struct err *err);
