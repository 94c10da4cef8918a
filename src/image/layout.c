#include "image/layout.h"

#include "base/fd.h"
#include "base/path.h"
#include "image/lock.h"
#include "image/tree-run.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int layout_make_dirs(const char *path, struct err *err)
{
	const mode_t mode = geteuid() == 0 ? 0711 : 0700;
	_free_ char *copy = xstrdup(path);

	for (char *end = copy; end != NULL;) {
		end = strchr(end + 1, '/');
		if (end != NULL)
			*end = '\0';
		if (mkdir(copy, mode) == 0)
			(void)chmod(copy, mode);         /* whatever the umask is */
		else if (errno != EEXIST && !path_exists(AT_FDCWD, copy))
			return err_set(err, errno, "image-store", "cannot make the directory '%s': %m", copy);
		if (end != NULL)
			*end = '/';
	}
	return 0;
}

static char *in_images(const struct image_store *store, const char *name)
{
	return xasprintf("%s/images%s%s", store->root, *name ? "/" : "", name);
}

int layout_open(const struct image_store *store, struct err *err)
{
	static const char text[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
	_free_ char *blobs = in_images(store, "blobs/sha256");
	_free_ char *mark = in_images(store, "oci-layout");
	int r = layout_make_dirs(blobs, err);

	if (r < 0 || path_exists(AT_FDCWD, mark))
		return r;
	r = file_write(AT_FDCWD, mark, text, strlen(text), 0644);
	return r < 0 ? err_set(err, -r, "image-store", "cannot write '%s': %m", mark) : 0;
}

static int lock_as(const struct image_store *store, const char *what, bool shares, struct err *err)
{
	_free_ char *images = in_images(store, "");
	_fd_ fd = -1;
	int r = layout_open(store, err);

	if (r < 0)
		return r;
	fd = lock_open(images, err);
	if (fd < 0)
		return fd;
	r = shares ? lock_share(fd, lock_byte(what)) : lock_take(fd, lock_byte(what), true);
	return r < 0 ? err_set(err, -r, "image-store", "cannot lock '%s/.lock': %m", images) : TAKE_FD(fd);
}

int layout_lock(const struct image_store *store, const char *what, struct err *err)
{
	return lock_as(store, what, false, err);
}

int layout_hold(const struct image_store *store, bool alone, struct err *err)
{
	return lock_as(store, "what nothing names yet", !alone, err);
}

/* --- the index --- */

int layout_read_index(const struct image_store *store, struct oci_descriptors *ret, struct err *err)
{
	_free_ char *path = in_images(store, "index.json");
	_oci_document_ index = { 0 };
	_str_ text = STR_INIT;
	int r = file_read(AT_FDCWD, path, OCI_DOCUMENT_MAX, &text);

	*ret = (struct oci_descriptors){ 0 };
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return err_set(err, -r, "image-store", "cannot read '%s': %m", path);
	r = oci_read_index(path, text.buf, text.len, &index, err);
	if (r < 0)
		return r;
	*ret = (struct oci_descriptors){ index.manifests.items, index.manifests.len, index.manifests.cap };
	index.manifests.items = NULL;
	index.manifests.len = 0;
	return 0;
}

int layout_write_index(const struct image_store *store, const struct oci_descriptors *images, struct err *err)
{
	_free_ char *path = in_images(store, "index.json");
	_str_ text = STR_INIT;
	int r;

	oci_write_index(images, &text);
	r = file_write(AT_FDCWD, path, text.buf, text.len, 0644);
	return r < 0 ? err_set(err, -r, "image-store", "cannot write '%s': %m", path) : 0;
}

static bool same_text(const char *a, const char *b)
{
	return a != NULL && b != NULL && str_eq(a, b);
}

/* A nameless entry is of use only while no other says that the image is there. */
static void drop_entry(struct oci_descriptors *v, size_t i)
{
	oci_descriptor_release(&v->items[i]);
	memmove(&v->items[i], &v->items[i + 1], (v->len - i - 1) * sizeof(*v->items));
	v->len--;
}

int layout_add(const struct image_store *store, const struct oci_descriptor *d, struct err *err)
{
	struct oci_descriptors all = { 0 };
	struct oci_descriptor copy;
	_fd_ lock = layout_lock(store, "index", err);
	int r = lock < 0 ? lock : layout_read_index(store, &all, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < all.len;) {
		struct oci_descriptor *at = &all.items[i];
		const bool is_same = str_eq(at->digest, d->digest), has_name = same_text(at->notes.name, d->notes.name);

		if (has_name && !is_same) {              /* it goes on without a name, until it is pruned */
			free(at->notes.name);
			at->notes.name = NULL;
		}
		if (is_same && (has_name || at->notes.name == NULL))
			drop_entry(&all, i);
		else
			i++;
	}
	oci_descriptor_copy(&copy, d);
	vec_push(&all, copy);
	r = layout_write_index(store, &all, err);
	oci_descriptors_release(&all);
	return r;
}

/* --- blobs --- */

char *layout_blob(const struct image_store *store, const char *digest)
{
	return xasprintf("%s/images/blobs/sha256/%s", store->root, digest_hex(digest));
}

bool layout_has_blob(const struct image_store *store, const char *digest)
{
	_free_ char *path = layout_blob(store, digest);

	return path_exists(AT_FDCWD, path);
}

int layout_read_blob(const struct image_store *store, const char *digest, struct str *ret, struct err *err)
{
	_free_ char *path = layout_blob(store, digest);
	const int r = file_read(AT_FDCWD, path, OCI_DOCUMENT_MAX, ret);

	if (r == -ENOENT)
		return err_set(err, ENOENT, "image-damaged", "the store lacks the blob %s: pterm image repair fetches it again",
		               digest);
	return r < 0 ? err_set(err, -r, "image-store", "cannot read '%s': %m", path) : 0;
}

int layout_put_blob(const struct image_store *store, const char *media_type, const struct str *text,
                    struct oci_descriptor *ret, struct err *err)
{
	_free_ char *tmp = xasprintf("%s/images/blobs/sha256/.new-%d", store->root, (int)getpid());
	_free_ char *path = NULL;
	_fd_ fd = open(tmp, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	char hex[DIGEST_HEX + 1];
	int r = fd < 0 ? -errno : fd_write_all(fd, text->buf, text->len);

	if (r < 0 || lseek(fd, 0, SEEK_SET) < 0) {
		r = err_set(err, r < 0 ? -r : errno, "image-store", "cannot write '%s': %m", tmp);
	} else {
		r = tree_digest_of(store->tree_program, fd, hex, err);
		path = xasprintf("%s/images/blobs/sha256/%s", store->root, hex);
		if (r == 0 && rename(tmp, path) < 0)
			r = err_set(err, errno, "image-store", "cannot write '%s': %m", path);
	}
	if (r < 0) {
		(void)unlink(tmp);
		return r;
	}
	*ret = (struct oci_descriptor){ .media_type = xstrdup(media_type), .digest = xasprintf("sha256:%s", hex),
	                                .size = (int64_t)text->len };
	return 0;
}

int layout_read_image(const struct image_store *store, const char *digest, struct oci_document *ret_manifest,
                      struct oci_config *ret_config, struct err *err)
{
	_oci_document_ manifest = { 0 };
	_free_ char *what = xasprintf("manifest %.19s", digest);
	_str_ text = STR_INIT;
	int r = layout_read_blob(store, digest, &text, err);

	if (r == 0)
		r = oci_read_manifest(what, text.buf, text.len, &manifest, err);
	if (r == 0 && ret_config != NULL) {
		_free_ char *config = xasprintf("configuration %.19s", manifest.config.digest);

		str_clear(&text);
		r = layout_read_blob(store, manifest.config.digest, &text, err);
		if (r == 0)
			r = oci_read_config(config, text.buf, text.len, ret_config, err);
		if (r == 0 && ret_config->rootfs.diff_ids.len != manifest.layers.len) {
			r = err_set(err, EINVAL, "bad-image", "%s has %zu layers, its configuration %zu", what, manifest.layers.len,
			            ret_config->rootfs.diff_ids.len);
			oci_config_release(ret_config);
		}
	}
	if (r < 0)
		return r;
	*ret_manifest = manifest;
	manifest = (struct oci_document){ 0 };
	return 0;
}

/* --- work directories --- */

int layout_work_dir(const struct image_store *store, char **ret, struct err *err)
{
	static unsigned n;
	_free_ char *path = NULL;
	const int r = layout_open(store, err);

	if (r < 0)
		return r;
	layout_sweep(store);
	path = xasprintf("%s/images/.work-%d-%u", store->root, (int)getpid(), n++);
	if (mkdir(path, 0700) < 0 && (errno != EEXIST || path_remove_tree(AT_FDCWD, path) < 0 || mkdir(path, 0700) < 0))
		return err_set(err, errno, "image-store", "cannot make the directory '%s': %m", path);
	*ret = TAKE(path);
	return 0;
}

void layout_sweep(const struct image_store *store)
{
	_free_ char *images = in_images(store, "");
	DIR *dir = opendir(images);

	if (dir == NULL)
		return;
	for (struct dirent *e; (e = readdir(dir)) != NULL;) {
		int pid;

		if (sscanf(e->d_name, ".work-%d-", &pid) == 1 && pid != getpid() && kill(pid, 0) < 0 && errno == ESRCH)
			(void)path_remove_tree(dirfd(dir), e->d_name);
	}
	closedir(dir);
}
