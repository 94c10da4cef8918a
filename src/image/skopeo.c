#include "image/skopeo.h"

#include "base/child.h"
#include "base/fd.h"
#include "base/path.h"
#include "image/helper.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct helper skopeo = { "skopeo", "fetches, sends and converts images", "skopeo" };

static void begin(struct strv *argv, const char *verb)
{
	strv_push(argv, "skopeo");
	strv_push(argv, verb);
}

/* The options about a registry; @side is "", "src-" or "dest-". */
static void add_remote(struct strv *argv, const char *side, const struct remote *remote)
{
	if (remote == NULL)
		return;
	if (remote->tls_verify != NULL)
		strv_pushf(argv, "--%stls-verify=%s", side, remote->tls_verify);
	if (remote->creds != NULL)
		strv_pushf(argv, "--%screds=%s", side, remote->creds);
	if (remote->authfile != NULL)
		strv_pushf(argv, "--%sauthfile=%s", side, remote->authfile);
	if (remote->cert_dir != NULL)
		strv_pushf(argv, "--%scert-dir=%s", side, remote->cert_dir);
}

int skopeo_inspect(const char *name, const struct remote *remote, struct str *ret, struct err *err)
{
	_strv_ argv = { 0 };
	struct helper_run run = { .argv = &argv, .out = ret, .out_max = OCI_DOCUMENT_MAX };

	begin(&argv, "inspect");
	strv_push(&argv, "--raw");
	add_remote(&argv, "", remote);
	strv_pushf(&argv, "docker://%s", name);
	return helper_run(&skopeo, &run, "find", name, err);
}

/* --- how far a copy is --- */

struct copying {
	const struct image_store *store;
	const struct oci_descriptors *expected;
	const char *work;
};

static uint64_t size_in(const char *dir)
{
	DIR *d = opendir(dir);
	uint64_t sum = 0;

	if (d == NULL)
		return 0;
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		struct stat st;

		if (str_starts(e->d_name, "oci-put-blob") && fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			sum += (uint64_t)st.st_size;
	}
	closedir(d);
	return sum;
}

static void on_tick(void *data)
{
	const struct copying *c = data;
	uint64_t done = size_in(c->work), total = 0;

	for (size_t i = 0; i < c->expected->len; i++) {
		const struct oci_descriptor *d = &c->expected->items[i];

		total += (uint64_t)d->size;
		if (layout_has_blob(c->store, d->digest))
			done += (uint64_t)d->size;
	}
	progress_part(c->store->progress, min_u64(done, total), total);
}

/* --- copies --- */

/* Digests are right where skopeo has copied; sizes are checked here, since others rely on them. */
static int check_sizes(const struct image_store *store, const struct oci_document *manifest, struct err *err)
{
	for (size_t i = 0; i < manifest->layers.len; i++) {
		const struct oci_descriptor *d = &manifest->layers.items[i];
		_free_ char *path = layout_blob(store, d->digest);
		struct stat st;

		if (stat(path, &st) < 0)
			return err_set(err, errno, "image-damaged", "the blob of its layer %zu did not come: %m", i + 1);
		if (st.st_size != d->size)
			return err_set(err, EINVAL, "bad-image", "its manifest says that layer %zu has %lld bytes, and it has %lld", i + 1,
			               (long long)d->size, (long long)st.st_size);
	}
	return 0;
}

/* The one manifest that skopeo has put into the layout at @work. */
static int read_result(const struct image_store *store, const char *work, struct oci_descriptor *ret, struct err *err)
{
	_free_ char *path = path_join(work, "index.json");
	_oci_document_ index = { 0 };
	_oci_document_ manifest = { 0 };
	_oci_config_ config = { 0 };
	_str_ text = STR_INIT;
	int r = file_read(AT_FDCWD, path, OCI_DOCUMENT_MAX, &text);

	if (r < 0)
		return err_set(err, -r, "image-store", "cannot read '%s': %m", path);
	r = oci_read_index("the copy", text.buf, text.len, &index, err);
	if (r == 0 && index.manifests.len != 1)
		r = err_set(err, EINVAL, "bad-image", "the copy holds %zu images, not one", index.manifests.len);
	if (r == 0)
		r = layout_read_image(store, index.manifests.items[0].digest, &manifest, &config, err);
	if (r == 0)
		r = check_sizes(store, &manifest, err);
	if (r < 0)
		return r;
	*ret = (struct oci_descriptor){ .media_type = xstrdup(OCI_MANIFEST_TYPE),
		.digest = xstrdup(index.manifests.items[0].digest), .size = index.manifests.items[0].size,
		.platform = { .os = xstrdup("linux"), .architecture = config.architecture ? xstrdup(config.architecture) : NULL } };
	return 0;
}

/* A layout in @work whose index names one image only, @d; its blobs are elsewhere. */
static int write_layout(const char *work, const struct oci_descriptor *d, struct err *err)
{
	static const char mark[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
	struct oci_descriptor one = { .media_type = d->media_type, .digest = d->digest, .size = d->size,
	                              .notes = { .name = (char *)"image" } };
	const struct oci_descriptors all = { &one, 1, 1 };
	_fd_ dir = open(work, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_str_ index = STR_INIT;
	int r;

	oci_write_index(&all, &index);
	r = dir < 0 ? -errno : file_write(dir, "index.json", index.buf, index.len, 0600);
	if (r == 0)
		r = file_write(dir, "oci-layout", mark, strlen(mark), 0600);
	return r < 0 ? err_set(err, -r, "image-store", "cannot write to '%s': %m", work) : 0;
}

int skopeo_fetch(const struct image_store *store, const struct skopeo_source *source, const struct remote *remote,
                 const struct oci_descriptors *expected, const char *verb, const char *shown, struct oci_descriptor *ret,
                 struct err *err)
{
	_free_ char *work = NULL;
	_free_ char *from = NULL;
	_strv_ argv = { 0 };
	struct copying copying = { store, expected, NULL };
	struct helper_run run = { .argv = &argv, .on_tick = store->progress ? on_tick : NULL, .data = &copying };
	int r = layout_work_dir(store, &work, err);

	if (r < 0)
		return r;
	copying.work = from = path_join(work, "to");
	if (mkdir(from, 0700) < 0)
		r = err_set(err, errno, "image-store", "cannot make '%s': %m", from);
	begin(&argv, "copy");
	/* large files in the making belong where the store is, not into /var/tmp */
	strv_pushf(&argv, "--tmpdir=%s", work);
	strv_push(&argv, "--quiet");
	add_remote(&argv, "src-", remote);
	if (r == 0 && source->of != NULL) {
		r = write_layout(work, source->of, err);
		strv_pushf(&argv, "--src-shared-blob-dir=%s", source->blobs);
	}
	strv_pushf(&argv, "--dest-shared-blob-dir=%s/images/blobs", store->root);
	strv_push(&argv, "--dest-oci-accept-uncompressed-layers");
	if (source->of != NULL)
		strv_pushf(&argv, "oci:%s:image", work);
	else
		strv_push(&argv, source->source);
	strv_pushf(&argv, "oci:%s:image", from);
	if (r == 0)
		r = helper_run(&skopeo, &run, verb, shown, err);
	if (r == 0) {
		r = read_result(store, from, ret, err);
		if (r < 0)
			err_wrap(err, "cannot %s '%s'", verb, shown);
	}
	(void)path_remove_tree(AT_FDCWD, work);
	return r;
}

int skopeo_send(const struct image_store *store, const char *digest, const char *target, const struct remote *remote,
                const char *verb, const char *shown, struct err *err)
{
	_free_ char *blob = layout_blob(store, digest);
	_free_ char *work = NULL;
	_strv_ argv = { 0 };
	const struct helper_run run = { .argv = &argv };
	struct stat st;
	int r = layout_work_dir(store, &work, err);

	if (r < 0)
		return r;
	const struct oci_descriptor d = { .media_type = (char *)OCI_MANIFEST_TYPE, .digest = (char *)digest,
	                                  .size = stat(blob, &st) == 0 ? st.st_size : 0 };

	begin(&argv, "copy");
	strv_pushf(&argv, "--tmpdir=%s", work);
	strv_push(&argv, "--quiet");
	add_remote(&argv, "dest-", remote);
	strv_pushf(&argv, "--src-shared-blob-dir=%s/images/blobs", store->root);
	strv_pushf(&argv, "oci:%s:image", work);
	strv_push(&argv, target);
	r = write_layout(work, &d, err);
	if (r == 0)
		r = helper_run(&skopeo, &run, verb, shown, err);
	(void)path_remove_tree(AT_FDCWD, work);
	return r;
}
