/*
 * skopeo(1), which knows registries, their authentication and every format of an image, as a child.
 */
#pragma once

#include "image/layout.h"

/* How a registry is reached: as skopeo takes it. NULL and 0 are skopeo's own defaults. */
struct remote {
	const char *tls_verify;          /* "true", "false" */
	const char *creds;               /* USER:PASSWORD */
	const char *authfile, *cert_dir;
};

/*
 * What is to be had at @name, a clean name, in the registry: its manifest or index as it is there. 0 with @ret; or
 * -errno.
 */
int skopeo_inspect(const char *name, const struct remote *remote, struct str *ret, struct err *err);
/*
 * Copy one image into the store's blobs. @source as skopeo names it ("docker://…", "oci-archive:…"), or NULL: the one
 * that @of is, in a layout whose directory "blobs" is @blobs; @remote is for docker://, else NULL. @expected, which may be empty, are the blobs that will come, for store->progress. 0 with the manifest's
 * descriptor in *ret, the caller's, checked with its configuration; or -errno: @err begins with "cannot VERB 'SHOWN'".
 */
struct skopeo_source { const char *source; const struct oci_descriptor *of; const char *blobs; };
int skopeo_fetch(const struct image_store *store, const struct skopeo_source *source, const struct remote *remote,
                 const struct oci_descriptors *expected, const char *verb, const char *shown, struct oci_descriptor *ret,
                 struct err *err);
/* Copy the image with this digest out of the store to @target ("docker://…", "oci-archive:…"). 0 or -errno. */
int skopeo_send(const struct image_store *store, const char *digest, const char *target, const struct remote *remote,
                const char *verb, const char *shown, struct err *err);
