/*
 * Named volumes: directories of the user's that outlive sessions. On disk:
 *
 *   <store>/volumes/NAME/volume.json   when it was made, and the session that it is for, if any
 *   <store>/volumes/NAME/now/data/     the files; bound into containers
 *   <store>/volumes/NAME/now/map       the map of ids that their owners on disk are of; none: never used
 *   <store>/volumes/NAME/next/         the same for another map, being written; or left by a crash
 *   <store>/volumes/NAME/users/ID      a link to the directory of each session that uses it; one whose directory is gone
 *                                      uses it no more, so that nobody has to take it away
 *
 * Owners are those that containers see: a file of user 999 stays one of 999, whatever the map of ids (ids.h) of
 * the session that uses it. Since a map decides the owners on disk, the files are written anew when a session with
 * another map comes; two such sessions cannot run at once.
 *
 * Whoever uses, fills or removes a volume holds a lock on its directory (flock) meanwhile; a session that runs
 * does not.
 */
#pragma once

#include "base/json.h"
#include "base/list.h"
#include "engine/spec.h"
#include "supervisor/house.h"

struct volume {
	char *name;
	char *owner;                     /* the name of the session that alone may use it; NULL: every session may */
	int64_t created_ms;
};
void volume_release(struct volume *v);
#define _volume_ _cleanup_(volume_release) struct volume

struct volume_list { struct volume *items; size_t len, cap; };
void volume_list_release(struct volume_list *l);
#define _volume_list_ _cleanup_(volume_list_release) struct volume_list

/* A session that has it mounted, or will have when it is started again. */
struct volume_user { char *id, *name; bool is_alive; };
struct volume_users { struct volume_user *items; size_t len, cap; };
void volume_users_release(struct volume_users *u);
#define _volume_users_ _cleanup_(volume_users_release) struct volume_users

/* 0 or -EINVAL: see @err. */
int volume_check_name(const char *name, struct err *err);
/* Where its files are, or would be; the caller frees. */
char *volume_path(const struct house *h, const char *name);

/* Make an empty one. 0; -EEXIST: it is there; -errno: see @err. */
int volume_create(const struct house *h, const char *name, const char *owner, struct err *err);
/* 0; -ENOENT: there is none; -errno: see @err. */
int volume_find(const struct house *h, const char *name, struct volume *ret, struct err *err);
/* All, by name. What was cut short is cleared away. 0 or -errno. */
int volume_all(const struct house *h, struct volume_list *ret, struct err *err);
/* Who uses it; of other $PTERM_HOMEs with the same store, too. 0 or -errno. */
int volume_users(const struct house *h, const char *name, struct volume_users *ret, struct err *err);
/* "'build', 'test' and 2 more"; nothing for nobody. */
void volume_users_describe(const struct volume_users *u, struct str *out);
/* Remove it with its files. 0; -EBUSY: somebody uses it, and @err says who; -ENOENT; -errno. Blocks. */
int volume_remove(const struct house *h, const char *name, struct err *err);
/* The bytes that its files occupy; blocks while it looks at each. 0 or -errno. */
int volume_size(const struct house *h, const char *name, uint64_t *ret, struct err *err);
/*
 * Its files as a tar archive to @fd, and from the archive at @fd (which may be compressed) into it: added to what
 * is there, and made when it is not there. Owners are those that containers see. The number of entries left out
 * (sockets and devices), or -errno. Blocks.
 */
int volume_export(const struct house *h, const char *name, int fd, struct err *err);
int volume_import(const struct house *h, const char *name, int fd, struct err *err);

/*
 * For a session that is about to start: every named volume of its spec is there (made if need be), may be used by
 * it, has its owners by the session's map, and counts it among its users. 0 or -errno: see @err. Blocks while
 * owners are changed.
 */
int volumes_claim(const struct house *h, const char *id, const char *session, const struct spec *spec, struct err *err);
