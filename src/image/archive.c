#include "image/archive.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* A header of a tar (tar(5)): what we read of it. */
struct header { char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], sum[8], type, rest[355]; };

enum { BLOCK = 512, LOOKED_AT_MAX = 20000 };

/* The descriptions that tell what an archive is. */
struct found { bool has_layout; struct str index, manifest; };

static void found_release(struct found *f)
{
	str_release(&f->index);
	str_release(&f->manifest);
}

static bool sum_ok(const struct header *h)
{
	const unsigned char *bytes = (const unsigned char *)h;
	const size_t at = offsetof(struct header, sum);
	unsigned sum = 0, wanted;

	for (size_t i = 0; i < sizeof(*h); i++)
		sum += i >= at && i < at + sizeof(h->sum) ? ' ' : bytes[i];
	return sscanf(h->sum, "%7o", &wanted) == 1 && wanted == sum;
}

/* In octal or, where the first bit is set, base 256. */
static uint64_t size_of(const struct header *h)
{
	uint64_t n = 0;

	if ((h->size[0] & 0x80) == 0) {
		char text[13] = { 0 };

		memcpy(text, h->size, sizeof(h->size));
		return strtoull(text, NULL, 8);
	}
	for (size_t i = sizeof(h->size) - 8; i < sizeof(h->size); i++)
		n = n << 8 | (unsigned char)h->size[i];
	return n;
}

static int read_member(int fd, off_t at, uint64_t size, struct str *ret)
{
	if (size > OCI_DOCUMENT_MAX)
		return -EFBIG;
	str_clear(ret);
	str_grow(ret, size);
	while (ret->len < size) {
		const ssize_t n = pread(fd, ret->buf + ret->len, size - ret->len, at + (off_t)ret->len);

		if (n <= 0)
			return n < 0 ? -errno : -EPIPE;
		ret->len += (size_t)n;
	}
	ret->buf[ret->len] = '\0';
	return 0;
}

/* Walk the headers until all is found, or there is nothing more to read. */
static int look_into(int fd, struct found *ret)
{
	off_t at = 0;

	for (int i = 0; i < LOOKED_AT_MAX; i++) {
		struct header h;
		char name[101] = { 0 };
		const char *base;
		uint64_t size;
		int r = 0;

		if (pread(fd, &h, sizeof(h), at) != (ssize_t)sizeof(h) || !sum_ok(&h))
			return 0;
		memcpy(name, h.name, sizeof(h.name));
		base = str_starts(name, "./") ? name + 2 : name;
		size = size_of(&h);
		if (size > INT64_MAX / 2)
			return 0;
		if (str_eq(base, "oci-layout"))
			ret->has_layout = true;
		else if (str_eq(base, "index.json"))
			r = read_member(fd, at + BLOCK, size, &ret->index);
		else if (str_eq(base, "manifest.json"))
			r = read_member(fd, at + BLOCK, size, &ret->manifest);
		if (r < 0)
			return r;
		if (ret->has_layout && ret->index.len > 0)
			return 0;
		at += BLOCK + (off_t)((size + BLOCK - 1) / BLOCK * BLOCK);
	}
	return 0;
}

static int names_of_index(const struct str *text, struct strv *ret, struct err *err)
{
	_oci_document_ index = { 0 };
	const int r = oci_read_index("index.json", text->buf, text->len, &index, err);

	for (size_t i = 0; r == 0 && i < index.manifests.len; i++)
		if (index.manifests.items[i].notes.name != NULL)
			strv_push(ret, index.manifests.items[i].notes.name);
	return r;
}

struct saved { struct strv tags; };
struct saves { struct { struct saved *items; size_t len, cap; } all; };
static const struct json_field saved_fields[] = { { "RepoTags", FIELD_STRV, offsetof(struct saved, tags) } };
static const struct json_object saved_object = JSON_OBJECT("an image", struct saved, saved_fields, false);
static const struct json_field saves_fields[] = {
	{ "all", FIELD_OBJV, offsetof(struct saves, all), .required = true, .object = &saved_object },
};
static const struct json_object saves_object = JSON_OBJECT("manifest.json", struct saves, saves_fields, false);

static int names_of_saves(const struct str *text, struct strv *ret, struct err *err)
{
	struct saves saves = { 0 };
	_str_ whole = STR_INIT;
	int r;

	str_addf(&whole, "{\"all\":%s}", text->buf);
	r = json_decode(whole.buf, whole.len, &saves_object, &saves, err);
	for (size_t i = 0; r == 0 && i < saves.all.len; i++)
		for (size_t k = 0; k < saves.all.items[i].tags.len; k++)
			strv_push(ret, saves.all.items[i].tags.items[k]);
	json_release(&saves_object, &saves);
	return r;
}

static int kind_of_directory(int fd, struct strv *ret_names, struct err *err)
{
	_str_ index = STR_INIT;
	int r;

	if (faccessat(fd, "oci-layout", F_OK, 0) < 0)
		return err_set(err, EINVAL, "bad-image", "it is a directory, and no OCI layout: there is no file oci-layout in it "
		               "(a directory with a root file system can be used as it is, with --image)");
	r = file_read(fd, "index.json", OCI_DOCUMENT_MAX, &index);
	if (r < 0)
		return err_set(err, -r, "bad-image", "cannot read its index.json: %m");
	r = names_of_index(&index, ret_names, err);
	return r < 0 ? r : IMPORT_OCI;
}

int archive_kind(int fd, struct strv *ret_names, struct err *err)
{
	_cleanup_(found_release) struct found f = { .index = STR_INIT, .manifest = STR_INIT };
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return err_set(err, errno, "image", "cannot look at it: %m");
	if (S_ISDIR(st.st_mode))
		return kind_of_directory(fd, ret_names, err);
	if (!S_ISREG(st.st_mode))
		return err_set(err, EINVAL, "image", "it is neither a file nor a directory");
	r = look_into(fd, &f);
	if (r < 0)
		return err_set(err, -r, "bad-image", "cannot read the description in it: %m");
	if (f.has_layout && f.index.len > 0) {
		r = names_of_index(&f.index, ret_names, err);
		return r < 0 ? r : IMPORT_OCI_ARCHIVE;
	}
	if (f.manifest.len > 0) {
		r = names_of_saves(&f.manifest, ret_names, err);
		return r < 0 ? r : IMPORT_DOCKER_ARCHIVE;
	}
	return IMPORT_ROOTFS;
}
