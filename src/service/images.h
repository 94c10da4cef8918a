/*
 * Images, for sessions and for the commands about images. What takes long is told to h->progress.
 */
#pragma once

#include "image/fetch.h"
#include "image/user.h"
#include "supervisor/house.h"

/* The store of this house, as the functions of image/ take it; borrows from @h. */
struct image_store images_store(const struct house *h);

/* The name pterm-KIND:DIGEST of an image that we make of what @text says; *ret is the caller's. 0 or -errno. */
int images_name_by(const struct house *h, const char *kind, const struct str *text, char **ret, struct err *err);

/* An image as one user of it sees it: who that is decides the map of ids, and the map where the layers are. */
struct images_use { struct image image; struct image_user user; struct idmap map; char *map_name; };
void images_use_release(struct images_use *u);
#define _images_use_ _cleanup_(images_use_release) struct images_use

/*
 * What @ref (NULL: the default image) is for @user (NULL: the one that the image names), unpacked. An image that is not
 * here is pulled where @pulls; else, and where nothing can be pulled by that name, it is -ENOENT. 0 or -errno.
 */
int images_use(const struct house *h, const char *ref, const char *user, bool pulls, struct images_use *ret,
               struct err *err);
/* The same by the map @map, called @map_name, whoever the user is: that of a session to be joined. NULL: as images_use. */
int images_use_by(const struct house *h, const char *ref, const char *user, bool pulls, const struct idmap *map,
                  const char *map_name, struct images_use *ret, struct err *err);

/*
 * Pull an image by a name as typed and unpack it for the user it names. enum fetched with *ret, the caller's; or
 * -errno.
 */
int images_pull(const struct house *h, const char *ref, const struct remote *remote, struct oci_descriptor *ret,
                struct err *err);
/* Give a directory and all in it to the root of a map (root only; else it is the caller's already). 0 or -errno. */
int images_give(const char *path, const struct idmap *map, struct err *err);
/* Take an image from a file, and unpack it. @name may be NULL (fetch.h). 0 with *ret, the caller's; or -errno. */
int images_import(const struct house *h, const char *path, const char *name, int kind, const char *which,
                  struct oci_descriptor *ret, struct err *err);
