#include "service/images-check.h"

#include "base/fd.h"
#include "base/path.h"
#include "image/inventory.h"
#include "image/layer.h"
#include "image/tree-run.h"
#include "service/ids.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

const char *const images_states[] = { "whole", "damaged", "mended", "lost", NULL };

void images_parts_release(struct images_parts *p)
{
	for (size_t i = 0; i < p->all.len; i++) {
		free(p->all.items[i].image);
		free(p->all.items[i].what);
		free(p->all.items[i].why);
	}
	vec_release(&p->all);
	p->bad = 0;
}

struct check {
	const struct image_store *store;
	const struct inventory *inventory;
	const struct remote *remote;
	bool mends;
	struct images_parts *ret;
};

static struct images_part *add(struct check *c, const struct inventory_image *image, char *what, const char *why)
{
	struct images_part part = { .image = xstrdup(image_called(&image->d)), .what = what, .why = why ? xstrdup(why) : NULL,
	                            .state = why ? IMAGES_DAMAGED : IMAGES_WHOLE };

	vec_push(&c->ret->all, part);
	c->ret->bad += why != NULL;
	return &c->ret->all.items[c->ret->all.len - 1];
}

static void mended(struct check *c, struct images_part *part, int r)
{
	part->state = r == 0 ? IMAGES_MENDED : IMAGES_LOST;
	c->ret->bad -= r == 0;
}

/* --- blobs --- */

/* What is wrong with a blob; NULL: nothing. The caller frees. */
static int look_at_blob(struct check *c, const struct oci_descriptor *d, char **ret_why, struct err *err)
{
	_free_ char *path = layout_blob(c->store, d->digest);
	_fd_ fd = open(path, O_RDONLY | O_CLOEXEC);
	char hex[DIGEST_HEX + 1];
	struct stat st;
	int r;

	*ret_why = NULL;
	if (fd < 0 && errno == ENOENT) {
		*ret_why = xstrdup("it is missing");
		return 0;
	}
	if (fd < 0 || fstat(fd, &st) < 0)                /* it may be whole: nothing is to be removed for that */
		return err_set(err, errno, "image-store", "cannot read '%s': %m", path);
	if (st.st_size != d->size) {
		*ret_why = xasprintf("it has %lld bytes, not %lld", (long long)st.st_size, (long long)d->size);
		return 0;
	}
	r = tree_digest_of(c->store->tree_program, fd, hex, err);
	if (r == 0 && !str_eq(hex, digest_hex(d->digest)))
		*ret_why = xstrdup("its bytes are not those of its digest");
	return r;
}

/* Fetch what is missing of the image again: what is damaged has been removed. */
static int fetch_again(struct check *c, const struct inventory_image *image, struct err *err)
{
	struct oci_descriptor d = { 0 };
	int r;

	if (image->d.notes.source == NULL)
		return err_set(err, ENOENT, "image-damaged", "image '%s' came from no registry, so it cannot be fetched again: "
		               "import or build it again", image_called(&image->d));
	r = fetch_pull(c->store, image->d.notes.source, c->remote, &d, err);
	if (r >= 0 && !str_eq(d.digest, image->d.digest))
		r = err_set(err, ESTALE, "image-moved", "its registry has another image '%s' by now, which was pulled",
		            image->d.notes.source);
	oci_descriptor_release(&d);
	return r < 0 ? r : 0;
}

static int check_blob(struct check *c, const struct inventory_image *image, const struct oci_descriptor *d,
                      const char *what, bool *ret_removed, struct err *err)
{
	_free_ char *why = NULL;
	_free_ char *path = layout_blob(c->store, d->digest);
	int r = look_at_blob(c, d, &why, err);

	if (r < 0)
		return r;
	(void)add(c, image, xasprintf("%s %.19s", what, d->digest), why);
	if (why != NULL && c->mends) {
		(void)unlink(path);
		*ret_removed = true;
	}
	return 0;
}

static int check_blobs(struct check *c, const struct inventory_image *image, struct err *err)
{
	const size_t first = c->ret->all.len;
	bool removed = false;
	int r;

	if (image->damage != NULL) {
		_free_ char *path = layout_blob(c->store, image->d.digest);

		(void)add(c, image, xstrdup("manifest"), image->damage);
		if (c->mends && image->d.notes.source != NULL)   /* else what is left of it would be lost as well */
			(void)unlink(path);
		removed = c->mends;
		r = 0;
	} else {
		r = check_blob(c, image, &image->d, "manifest", &removed, err);
		if (r == 0)
			r = check_blob(c, image, &image->manifest.config, "configuration", &removed, err);
		for (size_t i = 0; i < image->manifest.layers.len && r == 0; i++)
			r = check_blob(c, image, &image->manifest.layers.items[i], "blob", &removed, err);
	}
	if (r == 0 && removed) {
		_err_ why = ERR_INIT;
		const int fetched = fetch_again(c, image, &why);

		for (size_t i = first; i < c->ret->all.len; i++)
			if (c->ret->all.items[i].state == IMAGES_DAMAGED) {
				mended(c, &c->ret->all.items[i], fetched);
				if (fetched < 0) {
					free(c->ret->all.items[i].why);
					c->ret->all.items[i].why = xstrdup(err_msg(&why));
				}
			}
	}
	return r;
}

/* --- unpacked layers --- */

static int remake_layer(struct check *c, const struct inventory_image *image, const char *layer, const struct idmap *map,
                        const char *map_name, struct err *err)
{
	_strv_ made = { 0 };
	const int r = layer_put_aside(layer, err);

	return r < 0 ? r : image_unpack(c->store, &image->d, map, map_name, &made, err);
}

static int check_layer(struct check *c, const struct inventory_image *image, const struct inventory_layer *l,
                       struct err *err)
{
	_free_ char *path = layer_path(c->store, l->map_name, l->hex);
	_str_ why = STR_INIT;
	struct images_part *part;
	struct idmap map;
	int r = ids_map_named(l->map_name, &map, err);

	if (r == 0)
		r = layer_verify(c->store, path, &map, &why, err);
	if (r < 0)
		return r;
	part = add(c, image, xasprintf("layer %.12s for %s", l->hex, l->map_name), r > 0 ? why.buf : NULL);
	if (r > 0 && c->mends) {
		_err_ ignored = ERR_INIT;

		mended(c, part, remake_layer(c, image, path, &map, l->map_name, &ignored));
	}
	return 0;
}

/* @image is one of the inventory's; a layer that several share is looked at with the first. */
static int check_layers(struct check *c, const struct inventory_image *image, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < c->inventory->layers.len && r == 0; i++) {
		const struct inventory_layer *l = &c->inventory->layers.items[i];

		if (inventory_has_layer(image, l->hex))
			r = check_layer(c, image, l, err);
	}
	return r;
}

static bool is_wanted(const struct image_store *store, const struct inventory_image *image, const char *const *refs,
                      size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct oci_descriptor d = { 0 };
		const bool is_it = image_find(store, refs[i], &d, NULL) == 0 && str_eq(d.digest, image->d.digest);

		oci_descriptor_release(&d);
		if (is_it)
			return true;
	}
	return count == 0;
}

/* The same image by an earlier name? */
static bool is_known(const struct inventory *v, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (str_eq(v->images.items[k].d.digest, v->images.items[i].d.digest))
			return true;
	return false;
}

int images_check(const struct house *h, const char *const *refs, size_t count, bool mends, const struct remote *remote,
                 struct images_parts *ret, struct err *err)
{
	const struct image_store store = images_store(h);
	_inventory_ inventory = { 0 };
	struct check c = { .store = &store, .inventory = &inventory, .remote = remote, .mends = mends, .ret = ret };
	int r = 0;

	for (size_t i = 0; i < count && r == 0; i++) {
		struct oci_descriptor d = { 0 };

		r = image_find(&store, refs[i], &d, err);
		oci_descriptor_release(&d);
	}
	if (r == 0)
		r = inventory_read(&store, &inventory, err);
	for (size_t i = 0; i < inventory.images.len && r == 0; i++) {
		const struct inventory_image *image = &inventory.images.items[i];

		if (!is_wanted(&store, image, refs, count) || is_known(&inventory, i))
			continue;
		progress_step(store.progress, "checking '%s'", image_called(&image->d));
		r = check_blobs(&c, image, err);
		if (r == 0)
			r = check_layers(&c, image, err);
	}
	return r;
}

/* --- before a start --- */

/* Make the layers of @digest anew where they are not whole; a damaged blob is fetched again, once. */
static int make_whole(const struct house *h, const struct image_store *store, const struct spec *spec,
                      const struct idmap *map, struct err *err)
{
	static const struct remote plain;
	struct oci_descriptor d = { .digest = spec->image.digest, .notes = { .name = spec->image.label } };
	_strv_ made = { 0 };
	_err_ why = ERR_INIT;
	int r = image_unpack(store, &d, map, spec->map_name, &made, &why);

	if (r < 0 && str_eq(why.code, "image-damaged")) {
		const char *const refs[] = { spec->image.digest };
		struct images_parts parts = { 0 };
		_err_ ignored = ERR_INIT;

		progress_step(store->progress, "%s", err_msg(&why));
		if (images_check(h, refs, 1, true, &plain, &parts, &ignored) == 0 && parts.bad == 0) {
			err_release(&why);
			r = image_unpack(store, &d, map, spec->map_name, &made, &why);
		}
		images_parts_release(&parts);
	}
	return r < 0 ? err_move(err, &why) : 0;
}

int images_before_start(const struct house *h, const struct spec *spec, struct err *err)
{
	const struct image_store store = images_store(h);
	const size_t n = spec->image.layers.len;
	bool is_whole = true;
	struct idmap map;

	if (n == 0 || spec->image.digest == NULL || spec->map == NULL || idmap_parse(spec->map, &map) < 0)
		return 0;                        /* a directory as it stands, or no image */
	for (size_t i = 0; i < n && is_whole; i++) {
		const char *layer = spec->image.layers.items[i];
		_str_ why = STR_INIT;

		is_whole = layer_is_there(layer) && layer_check(layer, &map, layer_budget(n), &why) == 0;
	}
	if (is_whole)
		return 0;
	if (!layout_has_blob(&store, spec->image.digest))
		return err_set(err, ENOENT, "image-gone", "the image '%s' of this session is damaged or was removed, and pterm's "
		               "store cannot make it anew: pull or import it again, and make a new session of it",
		               spec->image.label ? spec->image.label : spec->image.digest);
	return make_whole(h, &store, spec, &map, err);
}
