/*
 * Images as sessions use them: which directories a reference on the command line stands for. A directory is used as
 * it stands. The layers of an image of the store (layout.h), and a tar that is named, are unpacked once for each map of
 * ids, because the map decides the owners on disk, and shared by every session:
 *
 *   <root>/images/layers/<map>/<diffID>/     complete; put there by rename(2)
 *   <root>/images/layers/<map>/<diffID>.list what is in it (layer-list.h)
 *   <root>/images/layers/<map>/.new-<hash>/  being unpacked, or left by a crash: gone with the next unpacking
 *   <root>/images/layers/<map>/.old-<diffID>-<n>/  damaged or removed, and kept while a running session may use it
 *   <root>/images/layers/<map>/.lock         lock.h: a layer while it is unpacked
 *   <root>/images/sources/<dev>-<ino>-<size>-<mtime>   a link to the diffID, so that a known tar is not read again
 *
 * <diffID> is the SHA-256 of the uncompressed tar in hex, as the OCI image specification defines it.
 */
#pragma once

#include "base/err.h"
#include "base/idmap.h"
#include "base/progress.h"
#include "base/str.h"
#include "image/oci.h"

enum { IMAGE_LAYER_MAX_DEFAULT_GIB = 32 };

struct image_store {
	const char *root;            /* absolute; where records with mapped owners may live ($PTERM_STORE) */
	const char *default_image;   /* a tar (or directory) for sessions that name none; $PTERM_DEFAULT_IMAGE goes first */
	const char *tree_program;    /* pterm-tree */
	uint64_t max_layer;          /* bytes of one layer, uncompressed; more is refused; 0: no limit */
	const struct progress *progress;     /* may be NULL */
};

struct image {
	struct strv layers;          /* absolute directories, lowest first; never written to */
	char *digest;                /* of the manifest; for a tar, of its one layer: "sha256:…"; NULL for a directory */
	char *label;                 /* its name in the store, or as it was given, for listings; "default" where nothing was */
	struct oci_config config;    /* empty for a tar and a directory */
};

/*
 * What @ref stands for: NULL is the default image; what begins with '/', './', '../' is a path, anything else the name
 * of an image in the store, its digest or the beginning of that, or a path after all. A path is a directory or a tar.
 * @map_name names @map in paths: the same name always goes with the same map. A known image costs a few system calls
 * for each layer; a new one is unpacked, which blocks (also while another process unpacks the same one) and needs a
 * caller with one thread. A layer that is found damaged is made anew. 0, or -errno: -ENOENT for what is not there.
 */
int image_resolve(const struct image_store *store, const char *ref, const struct idmap *map, const char *map_name,
                  struct image *ret, struct err *err);
/*
 * The image of the store that is called @ref. 0 with *ret, the caller's; -ENOENT: there is none; -EEXIST: several
 * digests begin so; -errno.
 */
int image_find(const struct image_store *store, const char *ref, struct oci_descriptor *ret, struct err *err);
/* Unpack every layer of an image of the store for @map. 0 with the directories, lowest first; or -errno. */
int image_unpack(const struct image_store *store, const struct oci_descriptor *d, const struct idmap *map,
                 const char *map_name, struct strv *ret_layers, struct err *err);
/* What an image is called in a message: its name, or the beginning of its digest. Static storage. */
const char *image_called(const struct oci_descriptor *d);
void image_release(struct image *img);
#define _image_ _cleanup_(image_release) struct image
