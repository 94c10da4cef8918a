/*
 * Images that are made here, or go elsewhere.
 */
#pragma once

#include "service/images.h"

/* Give an image one more name. 0 or -errno (-EACCES: the policy asks for a signature that it does not have). */
int images_tag(const struct house *h, const char *ref, const char *name, struct err *err);

/* Send an image to the registry in @name (NULL: its own name). 0 or -errno. */
int images_push(const struct house *h, const char *ref, const char *name, const struct remote *remote, struct err *err);

extern const char *const export_kinds[];                 /* "oci-archive", "docker-archive", "oci"; ends in NULL */
/* Write an image to the file (or, for "oci", directory) @path, which must not be there. 0 or -errno. */
int images_export(const struct house *h, const char *ref, const char *path, int kind, struct err *err);

/* What a commit changes of the configuration; NULL and empty: as the image had it. */
struct images_changes { const char *user, *workdir, *message; struct strv env, entrypoint, cmd; bool has_cmd, has_entrypoint; };
/*
 * Make an image @name of what a session has written: its image with one more layer. A session that runs is read as it
 * runs; a file that changes while it is read is an error. 0 with *ret, the caller's; or -errno.
 */
int images_commit(const struct house *h, const char *session, const char *name, const struct images_changes *changes,
                  struct oci_descriptor *ret, struct err *err);
