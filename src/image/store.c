#include "image/store.h"

#include "base/fd.h"
#include "base/path.h"
#include "image/layer.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

void image_release(struct image *img)
{
	strv_release(&img->layers);
	free(img->digest);
	free(img->label);
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

static int resolve_tar(const struct image_store *store, const char *path, const struct stat *st,
                       const struct idmap *map, const char *map_name, struct image *ret, struct err *err)
{
	char *layer;
	int r = layer_from_tar(store, path, st, map, map_name, &layer, &ret->digest, err);

	if (r == 0)
		strv_take(&ret->layers, layer);
	return r;
}

static int no_such_image(const char *ref, struct err *err)
{
	_free_ char *shown = visible(ref);

	if (ref[0] == '/' || ref[0] == '.' || ref[0] == '~')
		return err_set(err, ENOENT, "no-such-image", "cannot find image '%s': there is no such file or directory",
		               shown);
	return err_set(err, ENOENT, "no-such-image", "cannot find image '%s': there is no file of this name, and images "
	               "from registries come with the image store; give a directory or a tar with a root file system "
	               "(docker export, podman export and debootstrap make one)", shown);
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
	                : resolve_path(store, ref, map, map_name, &img, err);
	if (r < 0)
		return r;
	img.label = xstrdup(ref ? ref : "default");
	*ret = img;
	img = (struct image){ 0 };
	return 0;
}
