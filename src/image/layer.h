/*
 * Layers: the directory that a tar was unpacked into under one map of ids (store.h says where they are).
 */
#pragma once

#include "image/store.h"

#include <sys/stat.h>

/*
 * The layer of the tar at @path, whose status is @st, for @map; unpacked now if it was not before. The caller frees
 * the absolute path and the digest. 0 or -errno.
 */
int layer_from_tar(const struct image_store *store, const char *path, const struct stat *st, const struct idmap *map,
                   const char *map_name, char **ret_layer, char **ret_digest, struct err *err);
/* Has the directory bin, sbin or usr? Also when we are not allowed to see. */
bool layer_looks_like_root(int dir);
