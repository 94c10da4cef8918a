/*
 * What of the store is used, and removing what is not. A session uses the image and the layers that its spec names,
 * whether it runs or not.
 */
#pragma once

#include "image/inventory.h"
#include "supervisor/house.h"

/* What one session needs of the store. */
struct images_user { char *name, *digest; struct strv layers; bool is_alive; };
struct images_users { struct images_user *items; size_t len, cap; };
/* Every session's. 0; or -errno, also when a spec cannot be read: nobody knows then what may go. */
int images_users(const struct house *h, struct images_users *ret, struct err *err);
void images_users_release(struct images_users *u);
#define _images_users_ _cleanup_(images_users_release) struct images_users

struct images_pruned { struct strv images; size_t layers, blobs; uint64_t bytes; };
void images_pruned_release(struct images_pruned *p);

/*
 * Remove what nothing needs: images without a name, blobs and layers of no image; with @all also images that no session
 * uses, and layers of tars that were named on the command line. With @is_dry_run only say it. Waits for pulls that are
 * in progress. 0 or -errno.
 */
int images_prune(const struct house *h, bool all, bool is_dry_run, struct images_pruned *ret, struct err *err);
/*
 * Take the name @ref from its image and, when that was its last, remove it. -EBUSY: a session uses it (with @is_forced
 * the name goes all the same, and what is used stays). 0 or -errno.
 */
int images_remove(const struct house *h, const char *ref, bool is_forced, struct images_pruned *ret, struct err *err);
