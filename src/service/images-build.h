/*
 * Images from a Containerfile, with buildah in a user namespace of ours: also started by root nothing of it is host
 * root. And bringing images up to date.
 */
#pragma once

#include "service/images.h"

struct images_build {
	const char *context;             /* a directory */
	const char *file;                /* the Containerfile; NULL: Containerfile or Dockerfile in the context */
	const char *name;
	struct strv args;                /* KEY=VALUE */
	const char *target;              /* a stage; NULL: the last */
};
/*
 * What buildah says goes to standard error. Images that FROM names are taken from the store, or pulled into it, as the
 * policy asks. 0 with *ret, the caller's; or -errno.
 */
int images_build(const struct house *h, const struct images_build *b, struct oci_descriptor *ret, struct err *err);

enum images_fresh { IMAGES_FRESH, IMAGES_MOVED, IMAGES_UPDATED, IMAGES_UNKNOWN };
extern const char *const images_freshness[];             /* "up to date", "newer there", "updated", "unknown" */
struct images_update { char *image, *why; int state; };
struct images_updates { struct { struct images_update *items; size_t len, cap; } all; size_t failures; };
void images_updates_release(struct images_updates *u);
/*
 * Ask the registries of the images @refs (@count 0: all that came from one or were built) for what their names stand
 * for now; pull, or build again, what has moved, unless @only_looks. 0, also when some failed (.why); or -errno.
 */
int images_update(const struct house *h, const char *const *refs, size_t count, bool only_looks,
                  const struct remote *remote, struct images_updates *ret, struct err *err);
