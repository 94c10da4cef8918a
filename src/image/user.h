/*
 * Who a session runs as: a `-u` value looked up in the image's own etc/passwd and etc/group, which strangers wrote.
 * Never NSS: the host's users are not the container's.
 */
#pragma once

#include "image/store.h"

#include <sys/types.h>

enum { IMAGE_USER_FILE_MAX = 1 << 20, IMAGE_USER_GROUPS_MAX = 256 };

struct image_user {
	uid_t uid;
	gid_t gid;
	gid_t *gids;                 /* supplementary groups, without gid; owned */
	size_t gid_count;
	char *name;                  /* NULL: the image does not name this uid */
	char *home, *shell;          /* absolute, never NULL */
};

/*
 * @user_spec is NULL or "" (root), "UID", "UID:GID", "NAME", "NAME:GROUP", or a mixture. A number needs no entry; a
 * name which is not there is an error (-ENOENT) that names it. As with docker: without a group it is the one of the
 * passwd entry (else 0) together with every group that lists the user; with one, it is that alone. Home is "/root"
 * for a root without an entry and "/" for others, the shell "/bin/sh". The files are read as the caller, from the
 * highest layer that has them, through no link that leaves the layer; without them numbers still work. 0 or -errno.
 */
int image_user(const struct image *img, const char *user_spec, struct image_user *ret, struct err *err);
/* The same from the texts of the two files, which may hold any bytes. */
int image_user_find(const struct str *passwd, const struct str *group, const char *user_spec,
                    struct image_user *ret, struct err *err);
void image_user_release(struct image_user *u);
#define _image_user_ _cleanup_(image_user_release) struct image_user
