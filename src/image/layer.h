/*
 * Layers: the directories that tars were unpacked into under one map of ids (store.h says where they are), and the
 * list of each, by which damage is seen (layer-list.h).
 */
#pragma once

#include "image/store.h"

#include <sys/stat.h>

/* A tar to unpack. All borrowed. */
struct layer_source {
	const char *path;
	const char *shown;           /* what an error calls it: "image '/x.tar'" */
	const char *diff_id;         /* hex: what it must be uncompressed; NULL: .link tells, or nobody knows yet */
	const char *raw;             /* hex: what the file must be as it is; NULL: whatever it is */
	const char *link;            /* a symbolic link to the diff id, made when it is known; may be NULL */
	bool is_root;                /* it must be a root file system, and its file as it was when we began */
};
/* What became of it; the caller frees. */
struct layer_result { char *layer; char diff_id[65], raw[65]; };

/*
 * Make the layers of @n sources for @map that are not there yet, several at a time. One that its list shows to be
 * damaged (layer_check) is put aside and made anew, with a step of store->progress that names it. 0 with ret[0 … n-1];
 * or -errno, and nothing half-made is left. Blocks, also while another process unpacks the same.
 */
int layers_make(const struct image_store *store, const struct idmap *map, const char *map_name,
                const struct layer_source *sources, size_t n, struct layer_result *ret, struct err *err);

/* <root>/images/layers/<map>/<hex>; the caller frees. */
char *layer_path(const struct image_store *store, const char *map_name, const char *hex);
/* Is it there with its list? */
bool layer_is_there(const char *layer);
/*
 * A look at @budget entries of the layer, some always the same and some by chance, against its list: fast enough for
 * every start. 0; or 1 with what is wrong in @why. @map says who owns what outside.
 */
int layer_check(const char *layer, const struct idmap *map, size_t budget, struct str *why);
/* How many entries to look at in each of the @n layers of an image, so that a start stays fast. */
size_t layer_budget(size_t n);
/*
 * Everything in the layer against its list, every byte. 0; 1: damaged, with a line for each of the first names in
 * @why; or -errno: see @err.
 */
int layer_verify(const struct image_store *store, const char *layer, const struct idmap *map, struct str *why,
                 struct err *err);
/*
 * The mark of a layer that may not be on the disk yet: a file beside it with the boot id. After a power failure it is
 * another boot's, and layer_check says that the layer is damaged. The caller frees the path.
 */
char *layer_unsynced(const char *layer);
/* Put a layer aside: running sessions keep what they have of it, nobody finds it any more. 0 or -errno. */
int layer_put_aside(const char *layer, struct err *err);
/*
 * The layer @hex was put aside as the name @aside in its directory? Its length is checked: a name that is none is
 * false. Fills @ret_hex.
 */
bool layer_is_aside(const char *name, char ret_hex[65]);
/* Has the directory bin, sbin or usr? Also when we are not allowed to see. */
bool layer_looks_like_root(int dir);
