/*
 * Images as sessions use them: which directories a reference on the command line stands for. A directory is used as
 * it stands. A tar is unpacked once for each map of ids, because the map decides the owners on disk, and shared by
 * every session:
 *
 *   <root>/images/layers/<map>/<diffID>/     complete; put there by rename(2)
 *   <root>/images/layers/<map>/.new-<hash>/  being unpacked, or left by a crash: gone with the next unpacking
 *   <root>/images/layers/<map>/.lock         one byte for each source, locked by who unpacks it (F_OFD_SETLK, fcntl(2))
 *   <root>/images/sources/<dev>-<ino>-<size>-<mtime>   a link to the diffID, so that a known tar is not read again
 *
 * <diffID> is the SHA-256 of the uncompressed tar in hex, as the OCI image specification defines it.
 */
#pragma once

#include "base/err.h"
#include "base/idmap.h"
#include "base/str.h"

struct image_store {
	const char *root;            /* absolute; where records with mapped owners may live ($PTERM_STORE) */
	const char *default_image;   /* a tar (or directory) for sessions that name none; $PTERM_DEFAULT_IMAGE goes first */
	const char *tree_program;    /* pterm-tree */
};

struct image {
	struct strv layers;          /* absolute directories, lowest first; never written to */
	char *digest;                /* "sha256:…" of the topmost layer; NULL for a directory */
	char *label;                 /* as it was given, for listings; "default" where nothing was */
};

/*
 * What @ref stands for: NULL is the default image, a path (it has a '/', or there is a file of this name) is a
 * directory or a tar. @map_name names @map in paths: the same name always goes with the same map. A known tar costs
 * four system calls; a new one is unpacked, which blocks (also while another process unpacks the same one) and needs
 * a caller with one thread. 0, or -errno: -ENOENT for what is not there.
 */
int image_resolve(const struct image_store *store, const char *ref, const struct idmap *map, const char *map_name,
                  struct image *ret, struct err *err);
void image_release(struct image *img);
#define _image_ _cleanup_(image_release) struct image
