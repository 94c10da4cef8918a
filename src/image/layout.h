/*
 * The store on disk, an OCI image layout (the OCI image specification, image-layout.md):
 *
 *   <root>/images/oci-layout, index.json     index.json names the images; written whole, under the lock
 *   <root>/images/blobs/sha256/<hex>         complete; put there by rename(2)
 *   <root>/images/.lock                      lock.h: "index" for index.json, an image's name while it is fetched
 *   <root>/images/.work-<pid>-<n>/           of something in progress, or left by a crash
 *   <root>/images/policy.json                whose signatures are asked for (trust.h)
 */
#pragma once

#include "image/oci.h"
#include "image/store.h"

/*
 * Make a directory and those above it. Started by root, sessions run as ids that own none of these and must get
 * through; an ordinary user's are that user's business. 0 or -errno.
 */
int layout_make_dirs(const char *path, struct err *err);
/* Make what is missing of the store. 0 or -errno. */
int layout_open(const struct image_store *store, struct err *err);
/* Hold the store's lock for @what ("index", or a name); waits. The descriptor to close, or -errno. */
int layout_lock(const struct image_store *store, const char *what, struct err *err);

/*
 * Whoever makes something in the store that no index names yet holds it together with others; whoever removes what no
 * index names holds it @alone. Waits. The descriptor to close, or -errno.
 */
int layout_hold(const struct image_store *store, bool alone, struct err *err);

/* The images there are. An absent index is empty. 0 or -errno. */
int layout_read_index(const struct image_store *store, struct oci_descriptors *ret, struct err *err);
/* The caller holds the lock "index". */
int layout_write_index(const struct image_store *store, const struct oci_descriptors *images, struct err *err);
/*
 * Give the image @d the name in its annotations (NULL: none), under the lock. An image that had the name keeps
 * everything else and loses it. 0 or -errno.
 */
int layout_add(const struct image_store *store, const struct oci_descriptor *d, struct err *err);

/* <root>/images/blobs/sha256/<hex> of a digest; the caller frees. */
char *layout_blob(const struct image_store *store, const char *digest);
bool layout_has_blob(const struct image_store *store, const char *digest);
/* Read a small one (at most OCI_DOCUMENT_MAX). 0 or -errno. */
int layout_read_blob(const struct image_store *store, const char *digest, struct str *ret, struct err *err);
/*
 * Keep a text as a blob. 0 with .media_type, .digest and .size of *ret, the caller's; or -errno.
 */
int layout_put_blob(const struct image_store *store, const char *media_type, const struct str *text,
                    struct oci_descriptor *ret, struct err *err);
/* The manifest and, unless NULL, the configuration of an image of the store. 0 or -errno. */
int layout_read_image(const struct image_store *store, const char *digest, struct oci_document *ret_manifest,
                      struct oci_config *ret_config, struct err *err);

/* A new directory <root>/images/.work-…; the caller frees the path, and removes it with path_remove_tree. */
int layout_work_dir(const struct image_store *store, char **ret, struct err *err);
/* Remove the work directories of processes that are gone. */
void layout_sweep(const struct image_store *store);
