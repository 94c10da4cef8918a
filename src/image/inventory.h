/*
 * What the store holds, read as a whole: images with their manifests, unpacked layers, and what belongs to what.
 */
#pragma once

#include "image/layout.h"

struct inventory_image {
	struct oci_descriptor d;
	struct oci_document manifest;
	struct oci_config config;
	char *damage;                    /* why its manifest or configuration cannot be read; NULL: they can */
};
/* An unpacked layer. Its size is that of its files, in whole blocks, by its list. */
struct inventory_layer { char *map_name; char hex[DIGEST_HEX + 1]; uint64_t bytes; };

struct inventory {
	struct { struct inventory_image *items; size_t len, cap; } images;
	struct { struct inventory_layer *items; size_t len, cap; } layers;
};

/* 0, also when some images cannot be read; or -errno. */
int inventory_read(const struct image_store *store, struct inventory *ret, struct err *err);
void inventory_release(struct inventory *v);
#define _inventory_ _cleanup_(inventory_release) struct inventory

/* Does @image have a layer with this diff id (hex)? With this blob (a digest)? */
bool inventory_has_layer(const struct inventory_image *image, const char *hex);
bool inventory_has_blob(const struct inventory_image *image, const char *digest);
/*
 * Bytes on disk of the image's blobs and unpacked layers; in *ret_shared those of them that another image (with another
 * digest) uses as well.
 */
uint64_t inventory_size(const struct inventory *v, const struct inventory_image *image, uint64_t *ret_shared);
/* Bytes on disk of everything, each blob and layer once. */
struct inventory_total { uint64_t blobs, layers; };
struct inventory_total inventory_total(const struct image_store *store, const struct inventory *v);
