#include "image/store.h"

#include "base/fd.h"
#include "base/path.h"
#include "image/layer.h"
#include "image/layout.h"
#include "image/name.h"
#include "image/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

void image_release(struct image *img)
{
	strv_release(&img->layers);
	free(img->digest);
	free(img->label);
	oci_config_release(&img->config);
	*img = (struct image){ 0 };
}

/* Started by root, a session's ids own nothing on the way: others must be allowed to pass. */
static int check_passage(const char *dir, const char *shown, struct err *err)
{
	_free_ char *copy = xstrdup(dir);
	struct stat st;

	if (geteuid() != 0)
		return 0;
	for (char *end = copy; end != NULL;) {
		end = strchr(end + 1, '/');
		if (end != NULL)
			*end = '\0';
		if (stat(copy, &st) == 0 && (st.st_mode & S_IXOTH) == 0)
			return err_set(err, EACCES, "image", "cannot use '%s' as an image: the session's user cannot enter "
			               "'%s' (mode %04o); chmod o+x it, or put the image elsewhere", shown, copy,
			               (unsigned)st.st_mode & 07777);
		if (end != NULL)
			*end = '/';
	}
	return 0;
}

static int resolve_directory(const struct image_store *store, const char *path, struct image *ret, struct err *err)
{
	_free_ char *real = realpath(path, NULL);
	_free_ char *shown = visible(path);
	_fd_ dir = real == NULL ? -1 : open(real, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (dir < 0 || faccessat(dir, ".", R_OK | X_OK, 0) < 0)
		return err_set(err, errno, "image", "cannot use the directory '%s' as an image: %m", shown);
	if (path_is_under(store->root, real))
		return err_set(err, EINVAL, "image", "cannot use the directory '%s' as an image: pterm's own store "
		               "'%s' is in it", shown, store->root);
	if (!layer_looks_like_root(dir))
		return err_set(err, EINVAL, "image", "the directory '%s' is no root file system: it has neither bin, sbin "
		               "nor usr", shown);
	r = check_passage(real, shown, err);
	if (r == 0)
		strv_take(&ret->layers, TAKE(real));
	return r;
}

/* --- a tar that is named: known by what stat says about it --- */

static void source_key(const struct stat *st, char *ret, size_t n)
{
	snprintf(ret, n, "%llx-%llx-%llx-%llx", (unsigned long long)st->st_dev, (unsigned long long)st->st_ino,
	         (unsigned long long)st->st_size,
	         (unsigned long long)st->st_mtim.tv_sec * 1000000000ULL + (unsigned long long)st->st_mtim.tv_nsec);
}

static int resolve_tar(const struct image_store *store, const char *path, const struct stat *st,
                       const struct idmap *map, const char *map_name, struct image *ret, struct err *err)
{
	_free_ char *shown = visible(path);
	_free_ char *called = xasprintf("image '%s'", shown);
	_free_ char *link = NULL;
	struct layer_result made;
	char key[96];
	int r;

	source_key(st, key, sizeof(key));
	link = xasprintf("%s/images/sources/%s", store->root, key);
	const struct layer_source source = { .path = path, .shown = called, .link = link, .is_root = true };

	r = layers_make(store, map, map_name, &source, 1, &made, err);
	if (r < 0)
		return r;
	strv_take(&ret->layers, made.layer);
	ret->digest = xasprintf("sha256:%s", made.diff_id);
	return 0;
}

/* --- an image of the store --- */

const char *image_called(const struct oci_descriptor *d)
{
	static char text[320];

	if (d->notes.name != NULL)
		snprintf(text, sizeof(text), "%s", d->notes.name);
	else
		snprintf(text, sizeof(text), "%.12s", digest_hex(d->digest));
	return text;
}

static bool begins_digest(const char *ref, const struct oci_descriptor *d)
{
	const char *hex = str_starts(ref, "sha256:") ? digest_hex(ref) : ref;
	const size_t n = strlen(hex);

	return n >= 6 && strspn(hex, "0123456789abcdef") == n && str_starts(digest_hex(d->digest), hex);
}

/* The index of the image that is called @ref in @all, -ENOENT, or -EEXIST. */
static int find_in(const struct oci_descriptors *all, const char *ref)
{
	_free_ char *clean = NULL;
	int found = -ENOENT;

	if (name_clean(ref, &clean, NULL) == 0) {
		const char *digest = name_digest(clean);

		for (size_t i = 0; i < all->len; i++) {
			const struct oci_notes *notes = &all->items[i].notes;
			const bool is_it = digest != NULL && (str_eq(all->items[i].digest, digest) ||
			                   (notes->source_digest != NULL && str_eq(notes->source_digest, digest)));

			if ((notes->name != NULL && str_eq(notes->name, clean)) || is_it)
				return (int)i;
		}
	}
	for (size_t i = 0; i < all->len; i++) {
		if (!begins_digest(ref, &all->items[i]))
			continue;
		if (found >= 0 && !str_eq(all->items[found].digest, all->items[i].digest))
			return -EEXIST;
		found = (int)i;
	}
	return found;
}

int image_find(const struct image_store *store, const char *ref, struct oci_descriptor *ret, struct err *err)
{
	struct oci_descriptors all = { 0 };
	_free_ char *shown = visible(ref);
	int r = layout_read_index(store, &all, err);

	if (r < 0)
		return r;
	r = find_in(&all, ref);
	if (r >= 0)
		oci_descriptor_copy(ret, &all.items[r]);
	oci_descriptors_release(&all);
	if (r == -ENOENT)
		return err_set(err, ENOENT, "no-such-image", "there is no image '%s' here: pterm image ls lists them, pterm pull %s "
		               "fetches it", shown, shown);
	if (r == -EEXIST)
		return err_set(err, EEXIST, "ambiguous", "the digests of several images begin with '%s': give more of it", shown);
	return 0;
}

int image_unpack(const struct image_store *store, const struct oci_descriptor *d, const struct idmap *map,
                 const char *map_name, struct strv *ret_layers, struct err *err)
{
	_oci_document_ manifest = { 0 };
	_oci_config_ config = { 0 };
	_strv_ paths = { 0 };
	_strv_ shown = { 0 };
	struct layer_source *sources;
	struct layer_result *made;
	int r = layout_read_image(store, d->digest, &manifest, &config, err);

	if (r < 0)
		return err_wrap(err, "image '%s'", image_called(d));
	sources = xcalloc(manifest.layers.len, sizeof(*sources));
	made = xcalloc(manifest.layers.len, sizeof(*made));
	for (size_t i = 0; i < manifest.layers.len; i++) {
		strv_take(&paths, layout_blob(store, manifest.layers.items[i].digest));
		strv_pushf(&shown, "layer %zu of image '%s'", i + 1, image_called(d));
		sources[i] = (struct layer_source){ .path = paths.items[i], .shown = shown.items[i],
			.diff_id = digest_hex(config.rootfs.diff_ids.items[i]), .raw = digest_hex(manifest.layers.items[i].digest) };
	}
	r = layers_make(store, map, map_name, sources, manifest.layers.len, made, err);
	for (size_t i = 0; i < manifest.layers.len && r == 0; i++)
		strv_take(ret_layers, made[i].layer);
	free(sources);
	free(made);
	return r;
}

static int resolve_stored(const struct image_store *store, const struct oci_descriptor *d, const struct idmap *map,
                          const char *map_name, struct image *ret, struct err *err)
{
	_oci_document_ manifest = { 0 };
	int r = trust_allows(store, d->notes.name, d->notes.signed_by, err);

	if (r == 0)
		r = layout_read_image(store, d->digest, &manifest, &ret->config, err);
	if (r == 0)
		r = image_unpack(store, d, map, map_name, &ret->layers, err);
	if (r < 0)
		return r;
	ret->digest = xstrdup(d->digest);
	ret->label = xstrdup(image_called(d));
	return 0;
}

/* --- paths --- */

static int no_such_image(const char *ref, struct err *err)
{
	_free_ char *shown = visible(ref);

	return err_set(err, ENOENT, "no-such-file", "cannot find image '%s': there is no such file or directory", shown);
}

static int resolve_path(const struct image_store *store, const char *path, const struct idmap *map,
                        const char *map_name, struct image *ret, struct err *err)
{
	_free_ char *shown = NULL;
	struct stat st;

	if (stat(path, &st) < 0) {
		if (errno == ENOENT || errno == ENOTDIR)
			return no_such_image(path, err);
		shown = visible(path);
		return err_set(err, errno, "image", "cannot read image '%s': %m", shown);
	}
	if (S_ISDIR(st.st_mode))
		return resolve_directory(store, path, ret, err);
	if (S_ISREG(st.st_mode))
		return resolve_tar(store, path, &st, map, map_name, ret, err);
	shown = visible(path);
	return err_set(err, EINVAL, "image", "cannot use '%s' as an image: it is neither a directory nor a file", shown);
}

static int resolve_default(const struct image_store *store, const struct idmap *map, const char *map_name,
                           struct image *ret, struct err *err)
{
	const char *given = getenv("PTERM_DEFAULT_IMAGE");
	const char *path = given != NULL && *given != '\0' ? given : store->default_image;

	if (path == NULL)
		return err_set(err, ENOENT, "no-such-image", "there is no default image: name one with --image");
	if (!path_exists(AT_FDCWD, path))
		return err_set(err, ENOENT, "no-such-image", "the default image '%s' is not there: install pterm again, or "
		               "name another one in PTERM_DEFAULT_IMAGE or with --image", path);
	return resolve_path(store, path, map, map_name, ret, err);
}

static bool is_path(const char *ref)
{
	return ref[0] == '/' || str_starts(ref, "./") || str_starts(ref, "../") || str_eq(ref, ".") || str_eq(ref, "..");
}

static int resolve_named(const struct image_store *store, const char *ref, const struct idmap *map,
                         const char *map_name, struct image *ret, struct err *err)
{
	struct oci_descriptor d = { 0 };
	int r;

	if (is_path(ref))
		return resolve_path(store, ref, map, map_name, ret, err);
	r = image_find(store, ref, &d, err);
	if (r == -ENOENT && path_exists(AT_FDCWD, ref))
		return resolve_path(store, ref, map, map_name, ret, err);
	if (r == 0)
		r = resolve_stored(store, &d, map, map_name, ret, err);
	oci_descriptor_release(&d);
	return r;
}

int image_resolve(const struct image_store *store, const char *ref, const struct idmap *map, const char *map_name,
                  struct image *ret, struct err *err)
{
	_image_ img = { 0 };
	int r;

	if (store->root[0] != '/' || *map_name == '\0' || *map_name == '.' || strchr(map_name, '/') != NULL)
		return err_set(err, EINVAL, "image-store", "the image store '%s' (%s) has no usable name", store->root,
		               map_name);
	if (ref != NULL && *ref == '\0')
		return err_set(err, EINVAL, "no-such-image", "the name of the image is empty");
	r = ref == NULL ? resolve_default(store, map, map_name, &img, err)
	                : resolve_named(store, ref, map, map_name, &img, err);
	if (r < 0)
		return r;
	if (img.label == NULL)
		img.label = xstrdup(ref ? ref : "default");
	*ret = img;
	img = (struct image){ 0 };
	return 0;
}
