/*
 * Images from files: what skopeo understands goes through it; a root file system becomes an image of one layer, whose
 * tar is copied into the store by one process while another unpacks it.
 */
#include "image/fetch.h"

#include "base/child.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/units.h"
#include "image/archive.h"
#include "image/layer.h"
#include "image/name.h"
#include "image/tree-run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

const char *const import_kinds[] = { "auto", "oci", "oci-archive", "docker-archive", "rootfs", NULL };

/* --- names --- */

/* A name from the file's: "my image.tar.gz" is "my-image:latest". */
static int name_from_path(const char *path, char **ret, struct err *err)
{
	static const char *const ends[] = { ".gz", ".zst", ".xz", ".bz2", ".tar", ".tgz", ".oci" };
	_free_ char *base = xstrdup(path_base(path));
	_free_ char *clean = NULL;
	size_t n = strlen(base);

	for (size_t i = 0; i < array_len(ends); i++) {
		const size_t k = strlen(ends[i]);

		if (n > k && str_eq(base + n - k, ends[i]))
			base[n -= k] = '\0';
	}
	for (char *p = base; *p != '\0'; p++)
		*p = strchr("abcdefghijklmnopqrstuvwxyz0123456789._-", *p) ? *p : *p >= 'A' && *p <= 'Z' ? (char)(*p + 32) : '-';
	if (name_clean(base, &clean, NULL) < 0)
		return err_set(err, EINVAL, "bad-image-name", "the file's name makes no image's name: give one after it");
	*ret = TAKE(clean);
	return 0;
}

/* A layout may call its images by tags alone ("latest"): that is not enough of a name. */
static int choose_name(const struct import *what, const struct strv *there, char **ret, struct err *err)
{
	const char *given = what->which ? what->which : there->len == 1 ? there->items[0] : NULL;

	if (what->name != NULL) {
		*ret = xstrdup(what->name);
		return 0;
	}
	if (given != NULL && (strchr(given, ':') != NULL || strchr(given, '/') != NULL) && name_clean(given, ret, NULL) == 0)
		return 0;
	return name_from_path(what->path, ret, err);
}

/* --- through skopeo --- */

/* How skopeo finds the file: by descriptor, since a ':' in a path would be taken for something else. */
static char *source_of(const struct import *what, int kind, int fd)
{
	return xasprintf("%s:/proc/%d/fd/%d%s%s", import_kinds[kind], (int)getpid(), fd, what->which ? ":" : "",
	                 what->which ? what->which : "");
}

/* Which of a layout's images is meant: the one with the name @which, or the only one that is no signature. */
static int choose_in_layout(int dir, const char *which, struct oci_descriptor *ret, struct err *err)
{
	const struct oci_descriptor *found = NULL;
	_oci_document_ index = { 0 };
	_str_ names = STR_INIT;
	_str_ text = STR_INIT;
	size_t n = 0;
	int r = file_read(dir, "index.json", OCI_DOCUMENT_MAX, &text);

	r = r < 0 ? err_set(err, -r, "bad-image", "cannot read its index.json: %m")
	          : oci_read_index("index.json", text.buf, text.len, &index, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < index.manifests.len; i++) {
		const struct oci_descriptor *d = &index.manifests.items[i];

		if (d->notes.kind != NULL && strstr(d->notes.kind, "/image") == NULL)
			continue;                        /* a signature beside it */
		str_addf(&names, "%s%s", names.len > 0 ? ", " : "", d->notes.name ? d->notes.name : "one without a name");
		if (which == NULL || (d->notes.name != NULL && str_eq(d->notes.name, which))) {
			found = d;
			n++;
		}
	}
	if (n == 1) {
		oci_descriptor_copy(ret, found);
		return 0;
	}
	_free_ char *shown = visible(names.len ? names.buf : "none");

	return err_set(err, EINVAL, "bad-image", which ? "it has no image '%s': it has %s" : "it has not exactly one image, so say "
	               "with --which which one is meant%.0s: %s", which ? which : "", shown);
}

static int import_layout(const struct image_store *store, const struct import *what, int fd, const char *name,
                         struct oci_descriptor *ret, struct err *err)
{
	static const struct oci_descriptors unknown;
	_free_ char *blobs = xasprintf("/proc/%d/fd/%d/blobs", (int)getpid(), fd);
	_free_ char *signed_by = NULL;
	struct oci_descriptor of = { 0 };
	const struct skopeo_source from = { .of = &of, .blobs = blobs };
	int r = choose_in_layout(fd, what->which, &of, err);

	if (r < 0)
		return err_wrap(err, "cannot import '%s'", what->path);
	r = trust_verify_layout(store, name, of.digest, what->path, &signed_by, err);
	if (r == 0) {
		progress_step(store->progress, "importing '%s'", name);
		r = skopeo_fetch(store, &from, NULL, &unknown, "import", what->path, ret, err);
	}
	if (r == 0) {
		ret->notes.signed_by = TAKE(signed_by);
		ret->notes.source_digest = xstrdup(of.digest);
	}
	oci_descriptor_release(&of);
	return r;
}

static int import_archive(const struct image_store *store, const struct import *what, int kind, int fd, const char *name,
                          struct oci_descriptor *ret, struct err *err)
{
	static const struct oci_descriptors unknown;
	_free_ char *source = source_of(what, kind, fd);
	const struct skopeo_source from = { .source = source };
	const int r = trust_allows(store, name, NULL, err);

	if (r < 0)
		return r;
	progress_step(store->progress, "importing '%s'", name);
	return skopeo_fetch(store, &from, NULL, &unknown, "import", what->path, ret, err);
}

/* --- a root file system --- */

/* As copy_file_range(2), which is for two files of one kind of file system. */
static ssize_t copy_some(int from, off_t *at, int to, size_t n)
{
	static char buf[256 * 1024];
	ssize_t got = copy_file_range(from, at, to, NULL, n, 0);

	if (got >= 0 || (errno != EXDEV && errno != EINVAL && errno != EOPNOTSUPP && errno != ENOSYS))
		return got;
	got = pread(from, buf, min_size(n, sizeof(buf)), *at);
	if (got <= 0)
		return got;
	*at += got;
	if (fd_write_all(to, buf, (size_t)got) < 0)
		return -1;
	return got;
}

/* Copy everything of @from to the new file @to: by reference where the file system can. In a process of its own. */
static pid_t start_copy(int from, const char *to)
{
	const pid_t pid = fork();
	struct stat st;
	off_t at = 0;
	int out;

	if (pid != 0)
		return pid;
	out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (out < 0 || fstat(from, &st) < 0)
		_exit(errno & 127);
	while (at < st.st_size) {
		const ssize_t n = copy_some(from, &at, out, (size_t)(st.st_size - at));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			_exit(errno & 127);
		if (n == 0)
			_exit(EAGAIN);                   /* it became shorter */
	}
	_exit(0);
}

/* The media type by the first bytes; NULL: one that an image cannot have. */
static const char *layer_type(int fd)
{
	unsigned char head[4] = { 0 };

	(void)!pread(fd, head, sizeof(head), 0);
	if (head[0] == 0x1f && head[1] == 0x8b)
		return OCI_LAYER_TYPE "+gzip";
	if (memcmp(head, "\x28\xb5\x2f\xfd", 4) == 0)
		return OCI_LAYER_TYPE "+zstd";
	if (memcmp(head, "\xfd" "7zX", 4) == 0 || memcmp(head, "BZh", 3) == 0)
		return NULL;
	return OCI_LAYER_TYPE;
}

static void write_config(const char *diff_id, const char *what, struct str *out)
{
	struct json_writer w = JSON_WRITER(out);
	_str_ now = STR_INIT;
	_free_ char *by = xasprintf("pterm image import %s", path_base(what));

	str_add_instant(&now, time_now_ms());
	json_begin(&w, NULL, '{');
	json_put_str(&w, "created", now.buf);
	json_put_str(&w, "architecture", oci_architecture());
	json_put_str(&w, "os", "linux");
	json_begin(&w, "config", '{');
	json_end(&w, '}');
	json_begin(&w, "rootfs", '{');
	json_put_str(&w, "type", "layers");
	json_begin(&w, "diff_ids", '[');
	json_put_str(&w, NULL, diff_id);
	json_end(&w, ']');
	json_end(&w, '}');
	json_begin(&w, "history", '[');
	json_begin(&w, NULL, '{');
	json_put_str(&w, "created", now.buf);
	json_put_str(&w, "created_by", by);
	json_end(&w, '}');
	json_end(&w, ']');
	json_end(&w, '}');
}

/* Configuration and manifest around the one layer @layer. */
static int describe(const struct image_store *store, const struct import *what, const char *diff_id,
                    const struct oci_descriptor *layer, struct oci_descriptor *ret, struct err *err)
{
	struct oci_descriptors layers = { 0 };
	struct oci_descriptor config = { 0 };
	_str_ text = STR_INIT;
	int r;

	write_config(diff_id, what->path, &text);
	r = layout_put_blob(store, OCI_CONFIG_TYPE, &text, &config, err);
	if (r == 0) {
		str_clear(&text);
		vec_push(&layers, *layer);
		oci_write_manifest(&config, &layers, &text);
		vec_release(&layers);
		r = layout_put_blob(store, OCI_MANIFEST_TYPE, &text, ret, err);
	}
	oci_descriptor_release(&config);
	return r;
}

/* Unpack and copy at the same time; the copy gets its name when the unpacking has told the digest. */
static int take_layer(const struct image_store *store, const struct import *what, int fd, struct layer_result *made,
                      struct err *err)
{
	_free_ char *tmp = xasprintf("%s/images/blobs/sha256/.new-%d", store->root, (int)getpid());
	_free_ char *shown = visible(what->path);
	_free_ char *called = xasprintf("'%s'", shown);
	_free_ char *path = NULL;
	const struct layer_source source = { .path = what->path, .shown = called, .is_root = true };
	const pid_t copy = start_copy(fd, tmp);
	int r, copied;

	if (copy < 0)
		return err_set(err, errno, "fork", "cannot import '%s': %m", shown);
	r = layers_make(store, what->map, what->map_name, &source, 1, made, err);
	copied = child_exit_code(child_wait(copy));
	if (r == 0 && copied != 0)
		r = err_set(err, copied, "image-store", "cannot copy '%s' into the store: %m", shown);
	path = r == 0 ? xasprintf("%s/images/blobs/sha256/%s", store->root, made->raw) : NULL;
	if (r == 0 && rename(tmp, path) < 0)
		r = err_set(err, errno, "image-store", "cannot write '%s': %m", path);
	if (r < 0)
		(void)unlink(tmp);
	return r;
}

static int import_rootfs(const struct image_store *store, const struct import *what, int fd, const char *name,
                         struct oci_descriptor *ret, struct err *err)
{
	const char *type = layer_type(fd);
	struct layer_result made = { 0 };
	_free_ char *diff_id = NULL;
	_free_ char *digest = NULL;
	struct stat st;
	int r = trust_allows(store, name, NULL, err);

	if (r < 0)
		return r;
	if (type == NULL)
		return err_set(err, ENOTSUP, "bad-image", "cannot import '%s': an image's layer is compressed with gzip, zstd or not "
		               "at all: uncompress it first (xz -d, bzip2 -d)", what->path);
	progress_step(store->progress, "importing '%s'", name);
	r = layout_open(store, err);
	if (r == 0)
		r = take_layer(store, what, fd, &made, err);
	if (r < 0 || fstat(fd, &st) < 0) {
		free(made.layer);
		return r < 0 ? r : err_set(err, errno, "image", "cannot read '%s': %m", what->path);
	}
	diff_id = xasprintf("sha256:%s", made.diff_id);
	digest = xasprintf("sha256:%s", made.raw);
	free(made.layer);
	const struct oci_descriptor layer = { .media_type = (char *)type, .digest = digest, .size = st.st_size };

	return describe(store, what, diff_id, &layer, ret, err);
}

int fetch_import(const struct image_store *store, const struct import *what, struct oci_descriptor *ret, struct err *err)
{
	_fd_ fd = open(what->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	_free_ char *shown = visible(what->path);
	_free_ char *name = NULL;
	_strv_ there = { 0 };
	_str_ now = STR_INIT;
	int kind, r;

	*ret = (struct oci_descriptor){ 0 };
	if (fd < 0)
		return err_set(err, errno, "image", "cannot read '%s': %m", shown);
	kind = what->kind == IMPORT_AUTO || what->kind == IMPORT_OCI ? archive_kind(fd, &there, err) : what->kind;
	if (kind < 0)
		return err_wrap(err, "cannot import '%s'", shown);
	r = choose_name(what, &there, &name, err);
	if (r < 0)
		return err_wrap(err, "cannot import '%s'", shown);
	_fd_ hold = layout_hold(store, false, err);

	if (hold < 0)
		return hold;
	r = kind == IMPORT_ROOTFS ? import_rootfs(store, what, fd, name, ret, err) :
	    kind == IMPORT_OCI ? import_layout(store, what, fd, name, ret, err) :
	    import_archive(store, what, kind, fd, name, ret, err);
	if (r < 0)
		return r;
	str_add_instant(&now, time_now_ms());
	ret->notes.name = TAKE(name);
	ret->notes.taken = str_take(&now);
	return layout_add(store, ret, err);
}
