#include "image/inventory.h"

#include "base/fd.h"
#include "base/path.h"
#include "image/layer-list.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DISK_BLOCK = 4096 };

void inventory_release(struct inventory *v)
{
	for (size_t i = 0; i < v->images.len; i++) {
		oci_descriptor_release(&v->images.items[i].d);
		oci_document_release(&v->images.items[i].manifest);
		oci_config_release(&v->images.items[i].config);
		free(v->images.items[i].damage);
	}
	for (size_t i = 0; i < v->layers.len; i++)
		free(v->layers.items[i].map_name);
	vec_release(&v->images);
	vec_release(&v->layers);
}

static int read_images(const struct image_store *store, struct inventory *v, struct err *err)
{
	struct oci_descriptors all = { 0 };
	const int r = layout_read_index(store, &all, err);

	for (size_t i = 0; r == 0 && i < all.len; i++) {
		struct inventory_image image = { .d = all.items[i] };
		_err_ why = ERR_INIT;

		if (layout_read_image(store, image.d.digest, &image.manifest, &image.config, &why) < 0)
			image.damage = xstrdup(err_msg(&why));
		vec_push(&v->images, image);
	}
	vec_release(&all);                       /* the descriptors went over */
	return r;
}

/* What the files of a list take, and 0 for a list that cannot be read. */
static uint64_t bytes_of_list(int dir, const char *name)
{
	_fd_ fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	uint64_t sum = 0;
	struct stat st;
	const char *text;

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size == 0)
		return 0;
	text = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (text == MAP_FAILED)
		return 0;
	for (const char *at = text, *end = text + st.st_size; at < end;) {
		const size_t n = strnlen(at, (size_t)(end - at));
		struct list_record rec;

		if (at + n < end && list_record_read(at, &rec) == 0)
			sum += rec.kind == 'd' || rec.kind == 'o' ? DISK_BLOCK : (rec.size + DISK_BLOCK - 1) / DISK_BLOCK * DISK_BLOCK;
		at += n + 1;
	}
	(void)munmap((void *)text, (size_t)st.st_size);
	return sum;
}

static void read_map(const char *path, const char *map_name, struct inventory *v)
{
	DIR *dir = opendir(path);

	if (dir == NULL)
		return;
	for (struct dirent *e; (e = readdir(dir)) != NULL;) {
		struct inventory_layer layer = { 0 };
		_free_ char *list = NULL;

		if (strspn(e->d_name, "0123456789abcdef") != DIGEST_HEX || e->d_name[DIGEST_HEX] != '\0')
			continue;
		list = xasprintf("%s.list", e->d_name);
		memcpy(layer.hex, e->d_name, sizeof(layer.hex));
		layer.map_name = xstrdup(map_name);
		layer.bytes = bytes_of_list(dirfd(dir), list);
		vec_push(&v->layers, layer);
	}
	closedir(dir);
}

int inventory_read(const struct image_store *store, struct inventory *ret, struct err *err)
{
	_free_ char *path = xasprintf("%s/images/layers", store->root);
	DIR *dir = opendir(path);

	*ret = (struct inventory){ 0 };
	if (dir != NULL) {
		for (struct dirent *e; (e = readdir(dir)) != NULL;) {
			_free_ char *map = path_join(path, e->d_name);

			if (e->d_name[0] != '.')
				read_map(map, e->d_name, ret);
		}
		closedir(dir);
	}
	return read_images(store, ret, err);
}

bool inventory_has_layer(const struct inventory_image *image, const char *hex)
{
	for (size_t i = 0; i < image->config.rootfs.diff_ids.len; i++)
		if (str_eq(digest_hex(image->config.rootfs.diff_ids.items[i]), hex))
			return true;
	return false;
}

bool inventory_has_blob(const struct inventory_image *image, const char *digest)
{
	if (str_eq(image->d.digest, digest) || (image->manifest.config.digest && str_eq(image->manifest.config.digest, digest)))
		return true;
	for (size_t i = 0; i < image->manifest.layers.len; i++)
		if (str_eq(image->manifest.layers.items[i].digest, digest))
			return true;
	return false;
}

/* Does an image other than @image use it? */
static bool others_have(const struct inventory *v, const struct inventory_image *image, const char *what,
                        bool (*has)(const struct inventory_image *, const char *))
{
	for (size_t i = 0; i < v->images.len; i++)
		if (!str_eq(v->images.items[i].d.digest, image->d.digest) && has(&v->images.items[i], what))
			return true;
	return false;
}

uint64_t inventory_size(const struct inventory *v, const struct inventory_image *image, uint64_t *ret_shared)
{
	const struct oci_descriptors *blobs = &image->manifest.layers;
	uint64_t sum = 0, shared = 0;

	for (size_t i = 0; i < blobs->len; i++) {
		bool is_twice = false;

		for (size_t k = 0; k < i; k++)
			is_twice |= str_eq(blobs->items[k].digest, blobs->items[i].digest);
		if (is_twice)
			continue;
		sum += (uint64_t)blobs->items[i].size;
		if (others_have(v, image, blobs->items[i].digest, inventory_has_blob))
			shared += (uint64_t)blobs->items[i].size;
	}
	for (size_t i = 0; i < v->layers.len; i++) {
		const struct inventory_layer *l = &v->layers.items[i];

		if (!inventory_has_layer(image, l->hex))
			continue;
		sum += l->bytes;
		if (others_have(v, image, l->hex, inventory_has_layer))
			shared += l->bytes;
	}
	if (ret_shared != NULL)
		*ret_shared = shared;
	return sum;
}

struct inventory_total inventory_total(const struct image_store *store, const struct inventory *v)
{
	_free_ char *blobs = xasprintf("%s/images/blobs", store->root);
	struct inventory_total total = { .blobs = path_disk_usage(AT_FDCWD, blobs) };

	for (size_t i = 0; i < v->layers.len; i++)
		total.layers += v->layers.items[i].bytes;
	return total;
}
