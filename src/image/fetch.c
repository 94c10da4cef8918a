#include "image/fetch.h"

#include "base/fd.h"
#include "base/hook.h"
#include "base/path.h"
#include "base/units.h"
#include "image/name.h"
#include "image/tree-run.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

/* What a registry has under a name, and which part of it is for this machine. */
struct offer {
	char *digest;                    /* of what the name stands for */
	char *manifest;                  /* of this machine's manifest: the same, or one that it names */
	struct oci_document document;    /* of that manifest */
};

static void offer_release(struct offer *o)
{
	free(o->digest);
	free(o->manifest);
	oci_document_release(&o->document);
}
#define _offer_ _cleanup_(offer_release) struct offer

/* Nothing of it is kept: it may be refused. */
static int digest_text(const struct image_store *store, const struct str *text, char **ret, struct err *err)
{
	_fd_ fd = memfd_create("manifest", MFD_CLOEXEC);
	char hex[DIGEST_HEX + 1];
	int r = fd < 0 ? -errno : fd_write_all(fd, text->buf, text->len);

	if (r < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return err_set(err, r < 0 ? -r : errno, "memory", "cannot keep a manifest in memory: %m");
	r = tree_digest_of(store->tree_program, fd, hex, err);
	if (r == 0)
		*ret = xasprintf("sha256:%s", hex);
	return r;
}

/* @name with the digest in place of its tag: what cannot move any more. */
static char *pinned(const char *name, const char *digest)
{
	_free_ char *repository = name_repository(name);

	return xasprintf("%s@%s", repository, digest);
}

static int look(const struct image_store *store, const char *name, const struct remote *remote, struct offer *ret,
                struct err *err)
{
	_oci_document_ document = { 0 };
	_free_ char *what = xasprintf("image '%s'", name);
	_free_ char *at = NULL;
	const struct oci_descriptor *ours;
	_str_ text = STR_INIT;
	int r = skopeo_inspect(name, remote, &text, err);

	if (r == 0)
		r = oci_read_document(what, text.buf, text.len, &document, err);
	if (r == 0)
		r = digest_text(store, &text, &ret->digest, err);
	if (r < 0)
		return r;
	if (document.config.digest != NULL) {
		ret->manifest = xstrdup(ret->digest);
		ret->document = document;
		document = (struct oci_document){ 0 };
		return 0;
	}
	ours = oci_choose(what, &document, err);
	if (ours == NULL)
		return -ENOENT;
	ret->manifest = xstrdup(ours->digest);
	at = pinned(name, ours->digest);
	str_clear(&text);
	r = skopeo_inspect(at, remote, &text, err);
	return r < 0 ? r : oci_read_manifest(what, text.buf, text.len, &ret->document, err);
}

int fetch_look(const struct image_store *store, const char *name, const struct remote *remote, char **ret, struct err *err)
{
	_str_ text = STR_INIT;
	int r = layout_open(store, err);

	if (r == 0)
		r = skopeo_inspect(name, remote, &text, err);
	return r < 0 ? r : digest_text(store, &text, ret, err);
}

/* --- pulling --- */

static bool has_blobs(const struct image_store *store, const char *digest)
{
	_oci_document_ manifest = { 0 };
	_oci_config_ config = { 0 };

	if (layout_read_image(store, digest, &manifest, &config, NULL) < 0)
		return false;
	for (size_t i = 0; i < manifest.layers.len; i++)
		if (!layout_has_blob(store, manifest.layers.items[i].digest))
			return false;
	return true;
}

/* Is exactly this here under this name? Then *ret is it. */
static bool find_known(const struct image_store *store, const char *name, const char *digest, struct oci_descriptor *ret)
{
	struct oci_descriptors all = { 0 };
	bool found = false;

	if (layout_read_index(store, &all, NULL) < 0)
		return false;
	for (size_t i = 0; i < all.len && !found; i++) {
		const struct oci_descriptor *d = &all.items[i];

		found = d->notes.name != NULL && str_eq(d->notes.name, name) && d->notes.source_digest != NULL &&
		        str_eq(d->notes.source_digest, digest) && has_blobs(store, d->digest);
		if (found)
			oci_descriptor_copy(ret, d);
	}
	oci_descriptors_release(&all);
	return found;
}

static void set_note(char **slot, char *text)
{
	free(*slot);
	*slot = text;
}

static void note_taken(struct oci_descriptor *d, const char *name)
{
	_str_ now = STR_INIT;

	str_add_instant(&now, time_now_ms());
	set_note(&d->notes.name, name ? xstrdup(name) : NULL);
	set_note(&d->notes.taken, str_take(&now));
}

static uint64_t size_of(const struct oci_descriptors *layers)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < layers->len; i++)
		sum += (uint64_t)layers->items[i].size;
	return sum;
}

static int pull_locked(const struct image_store *store, const char *name, const struct remote *remote,
                       struct oci_descriptor *ret, struct err *err)
{
	_offer_ offer = { 0 };
	_free_ char *signed_by = NULL;
	_free_ char *at = NULL;
	_free_ char *source = NULL;
	_str_ size = STR_INIT;
	int r = look(store, name, remote, &offer, err);

	if (r == 0)
		r = trust_verify(store, name, offer.digest, remote, &signed_by, err);
	if (r < 0)
		return r;
	if (find_known(store, name, offer.digest, ret)) {
		if (signed_by != NULL) {         /* the policy may be newer than the image */
			set_note(&ret->notes.signed_by, TAKE(signed_by));
			r = layout_add(store, ret, err);
		}
		return r < 0 ? r : FETCHED_KNOWN;
	}
	str_add_size(&size, size_of(&offer.document.layers));
	progress_step(store->progress, "fetching '%s': %zu layers, %s", name, offer.document.layers.len, size.buf);
	at = pinned(name, offer.manifest);
	source = xasprintf("docker://%s", at);
	const struct skopeo_source from = { .source = source };

	r = skopeo_fetch(store, &from, remote, &offer.document.layers, "pull", name, ret, err);
	if (r < 0)
		return r;
	HOOK("image.fetched");
	note_taken(ret, name);
	set_note(&ret->notes.source, xstrdup(name));
	set_note(&ret->notes.source_digest, TAKE(offer.digest));
	set_note(&ret->notes.signed_by, TAKE(signed_by));
	r = layout_add(store, ret, err);
	if (r < 0)
		oci_descriptor_release(ret);
	return r < 0 ? r : FETCHED_NEW;
}

int fetch_pull(const struct image_store *store, const char *name, const struct remote *remote, struct oci_descriptor *ret,
               struct err *err)
{
	_free_ char *key = xasprintf("pull %s", name);
	_fd_ lock = layout_lock(store, key, err);
	_fd_ hold = lock < 0 ? lock : layout_hold(store, false, err);

	*ret = (struct oci_descriptor){ 0 };
	return hold < 0 ? hold : pull_locked(store, name, remote, ret, err);
}
