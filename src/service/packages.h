/*
 * `packages` of a spec: an image with the packages of its own distribution on top, as one more layer. It is made once for
 * each image and list, in a session like any other (never as host root), and kept in the store under a name that
 * tells both by a digest.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "engine/spec.h"
#include "supervisor/house.h"

enum { PACKAGES_MAX = 1000 };

/* What the session that installs them may use: as of the session that they are for. */
struct packages_limits { int64_t memory_bytes, pids; double cpus; };

/* Is it a package's name as apt, apk and dnf have them, with a version or not? */
bool packages_is_name(const char *text);
/*
 * The name of the image that is @image (digest @digest) with @packages on top: the same for the same packages in any order.
 * The caller frees. 0 or -errno.
 */
int packages_name(const struct house *h, const char *digest, const struct strv *packages, char **ret, struct err *err);
/*
 * Make sure that there is an image of the store that is @image (as images_use takes it) with @packages; *ret is its name,
 * the caller's. Where it is not there yet it is made, which takes as long as the packages need; two that want the same do
 * it once. The session that makes it has a private network where this host can have one, else none. 0 or -errno: see @err,
 * which has the last words of the package manager.
 */
int packages_image(const struct house *h, const char *image, bool pulls, const struct strv *packages,
                   const struct packages_limits *limits, char **ret, struct err *err);
