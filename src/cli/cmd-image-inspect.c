#include "cli/images.h"
#include "cli/listing.h"

#include "image/inventory.h"
#include "service/images-prune.h"

#include <errno.h>

static void put_layers(struct json_writer *w, const struct inventory *v, const struct inventory_image *image)
{
	json_begin(w, "layers", '[');
	for (size_t i = 0; i < image->manifest.layers.len; i++) {
		const struct oci_descriptor *blob = &image->manifest.layers.items[i];
		const char *diff_id = image->config.rootfs.diff_ids.items[i];

		json_begin(w, NULL, '{');
		json_put_str(w, "digest", blob->digest);
		json_put_str(w, "type", blob->media_type);
		json_put_int(w, "bytes", blob->size);
		json_put_str(w, "diff_id", diff_id);
		json_begin(w, "unpacked", '[');
		for (size_t k = 0; k < v->layers.len; k++) {
			if (!str_eq(v->layers.items[k].hex, digest_hex(diff_id)))
				continue;
			json_begin(w, NULL, '{');
			json_put_str(w, "map", v->layers.items[k].map_name);
			json_put_int(w, "bytes", (int64_t)v->layers.items[k].bytes);
			json_end(w, '}');
		}
		json_end(w, ']');
		json_end(w, '}');
	}
	json_end(w, ']');
}

static void put_names(struct json_writer *w, const struct inventory *v, const char *digest)
{
	json_begin(w, "names", '[');
	for (size_t i = 0; i < v->images.len; i++)
		if (str_eq(v->images.items[i].d.digest, digest))
			json_put_str(w, NULL, v->images.items[i].d.notes.name);
	json_end(w, ']');
}

static void put_sessions(struct json_writer *w, const struct images_users *users, const char *digest)
{
	json_begin(w, "sessions", '[');
	for (size_t i = 0; i < users->len; i++)
		if (users->items[i].digest != NULL && str_eq(users->items[i].digest, digest))
			json_put_str(w, NULL, users->items[i].name);
	json_end(w, ']');
}

static void put_image(struct json_writer *w, const struct inventory *v, const struct inventory_image *image,
                      const struct images_users *users, const struct str *config)
{
	const struct oci_notes *notes = &image->d.notes;
	uint64_t shared;
	const uint64_t size = inventory_size(v, image, &shared);

	json_begin(w, NULL, '{');
	json_put_str(w, "digest", image->d.digest);
	put_names(w, v, image->d.digest);
	json_put_str(w, "taken", notes->taken);
	json_put_str(w, "source", notes->source);
	json_put_str(w, "source_digest", notes->source_digest);
	json_put_str(w, "signed_by", notes->signed_by);
	if (notes->recipe != NULL)
		json_put_raw(w, "recipe", notes->recipe);
	json_put_int(w, "bytes", (int64_t)size);
	json_put_int(w, "shared_bytes", (int64_t)shared);
	put_layers(w, v, image);
	put_sessions(w, users, image->d.digest);
	json_put_raw(w, "config", config->buf);
	json_end(w, '}');
}

/* The entry that @ref names, so that its notes are those of that name. */
static const struct inventory_image *find(const struct inventory *v, const struct oci_descriptor *d)
{
	const struct inventory_image *best = NULL;

	for (size_t i = 0; i < v->images.len; i++) {
		const struct inventory_image *image = &v->images.items[i];

		if (!str_eq(image->d.digest, d->digest))
			continue;
		if (best == NULL || (image->d.notes.name && d->notes.name && str_eq(image->d.notes.name, d->notes.name)))
			best = image;
	}
	return best;
}

static int run(void *options, struct arg_words *words, struct err *err)
{
	struct oci_descriptor d = { 0 };
	_images_users_ users = { 0 };
	_house_ house = { 0 };
	_inventory_ v = { 0 };
	_str_ config = STR_INIT;
	_str_ out = STR_INIT;
	struct json_writer w = JSON_WRITER(&out);
	struct image_store store;
	const struct inventory_image *image = NULL;
	int r = house_open(&house, err);

	if (r < 0)
		return r;
	store = images_store(&house);
	r = image_find(&store, words->items[0], &d, err);
	if (r == 0)
		r = inventory_read(&store, &v, err);
	if (r == 0)
		r = images_users(&house, &users, err);
	if (r == 0)
		image = find(&v, &d);
	oci_descriptor_release(&d);
	if (r == 0 && (image == NULL || image->damage != NULL))
		r = err_set(err, EIO, "image-damaged", "%s", image ? image->damage : "the image went away meanwhile");
	if (r == 0)
		r = layout_read_blob(&store, image->manifest.config.digest, &config, err);
	if (r < 0)
		return r;
	put_image(&w, &v, image, &users, &config);
	return listing_print(LISTING_JSON, &out, err);
}

const struct command cmd_image_inspect = {
	.name = "image inspect",
	.args = "IMAGE",
	.summary = "all that is known about an image, as JSON",
	.details = "Where it came from, whose signature was verified, its layers, the sessions that use it, and its configuration.",
	.examples = "pterm image inspect debian:12",
	.group = GROUP_IMAGES,
	.min_words = 1,
	.max_words = 1,
	.completes = "names:images",
	.run = run,
};
