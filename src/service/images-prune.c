#include "service/images-prune.h"

#include "base/fd.h"
#include "base/path.h"
#include "image/layer.h"
#include "service/ids.h"
#include "service/images.h"
#include "service/session.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

void images_users_release(struct images_users *u)
{
	for (size_t i = 0; i < u->len; i++) {
		free(u->items[i].name);
		free(u->items[i].digest);
		strv_release(&u->items[i].layers);
	}
	vec_release(u);
}

void images_pruned_release(struct images_pruned *p)
{
	strv_release(&p->images);
}

int images_users(const struct house *h, struct images_users *ret, struct err *err)
{
	_session_list_ all = { 0 };
	int r = session_all(h, &all, err);

	for (size_t i = 0; i < all.len && r == 0; i++) {
		const struct session *s = &all.items[i];
		_cleanup_(spec_release) struct spec spec = { 0 };
		struct images_user user = { .is_alive = s->is_alive };

		r = spec_read(s->fd, "spec.json", &spec, err);
		if (r == -ENOENT) {
			r = 0;
			continue;
		}
		if (r < 0)
			return err_wrap(err, "cannot tell which layers session '%s' uses", s->status.name ? s->status.name : s->id);
		user.name = xstrdup(s->status.name ? s->status.name : s->id);
		user.digest = TAKE(spec.image.digest);
		user.layers = spec.image.layers;
		spec.image.layers = (struct strv){ 0 };
		vec_push(ret, user);
	}
	return r;
}

/* --- what is kept --- */

struct plan {
	const struct image_store *store;
	const struct images_users *users;
	struct inventory *inventory;
	bool *keeps;                     /* for each image of the inventory */
	bool all, is_dry_run;
	struct images_pruned *report;
};

static bool is_used(const struct images_users *users, const char *digest)
{
	for (size_t i = 0; i < users->len; i++)
		if (users->items[i].digest != NULL && str_eq(users->items[i].digest, digest))
			return true;
	return false;
}

static bool uses_layer(const struct images_users *users, const char *path, bool only_alive)
{
	for (size_t i = 0; i < users->len; i++)
		for (size_t k = 0; k < users->items[i].layers.len; k++)
			if (str_eq(users->items[i].layers.items[k], path) && (users->items[i].is_alive || !only_alive))
				return true;
	return false;
}

static bool any_kept(const struct plan *p, const char *what, bool (*has)(const struct inventory_image *, const char *))
{
	for (size_t i = 0; i < p->inventory->images.len; i++)
		if (p->keeps[i] && has(&p->inventory->images.items[i], what))
			return true;
	return false;
}

/* An image whose name was taken by force from a session goes on without an entry, for as long as the session. */
static void add_used(struct plan *p)
{
	for (size_t i = 0; i < p->users->len; i++) {
		const char *digest = p->users->items[i].digest;
		struct inventory_image image = { 0 };
		bool is_known = digest == NULL || !digest_check(digest);

		for (size_t k = 0; k < p->inventory->images.len && !is_known; k++)
			is_known = str_eq(p->inventory->images.items[k].d.digest, digest);
		if (is_known || layout_read_image(p->store, digest, &image.manifest, &image.config, NULL) < 0)
			continue;
		image.d.digest = xstrdup(digest);
		vec_push(&p->inventory->images, image);
	}
}

/* --- removing --- */

static void remove_blob(struct plan *p, int dir, const char *name)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	if (p->is_dry_run || unlinkat(dir, name, 0) == 0) {
		p->report->blobs++;
		p->report->bytes += (uint64_t)st.st_blocks * 512;
	}
}

static void prune_blobs(struct plan *p)
{
	_free_ char *path = xasprintf("%s/images/blobs/sha256", p->store->root);
	DIR *dir = opendir(path);

	if (dir == NULL)
		return;
	for (struct dirent *e; (e = readdir(dir)) != NULL;) {
		_free_ char *digest = xasprintf("sha256:%s", e->d_name);

		if (str_starts(e->d_name, ".new-") || (digest_check(digest) && !any_kept(p, digest, inventory_has_blob)))
			remove_blob(p, dirfd(dir), e->d_name);
	}
	closedir(dir);
}

/* Links of named tars (store.h) to this layer: is there one? With @removes they go. */
static bool has_source(const struct plan *p, const char *hex, bool removes)
{
	_free_ char *path = xasprintf("%s/images/sources", p->store->root);
	DIR *dir = opendir(path);
	bool found = false;

	if (dir == NULL)
		return false;
	for (struct dirent *e; (e = readdir(dir)) != NULL;) {
		char target[DIGEST_HEX + 1];

		if (readlinkat(dirfd(dir), e->d_name, target, sizeof(target)) != DIGEST_HEX || strncmp(target, hex, DIGEST_HEX) != 0)
			continue;
		found = true;
		if (removes)
			(void)unlinkat(dirfd(dir), e->d_name, 0);
	}
	closedir(dir);
	return found;
}

/* Sessions write their spec first and look for their layers then: so put it aside, and look at the specs again. */
static void remove_layer(struct plan *p, const struct inventory_layer *l, const char *path)
{
	p->report->layers++;
	p->report->bytes += l->bytes;
	if (p->is_dry_run)
		return;
	(void)has_source(p, l->hex, true);
	(void)layer_put_aside(path, NULL);
}

static void prune_layers(struct plan *p)
{
	for (size_t i = 0; i < p->inventory->layers.len; i++) {
		const struct inventory_layer *l = &p->inventory->layers.items[i];
		_free_ char *path = layer_path(p->store, l->map_name, l->hex);

		if (any_kept(p, l->hex, inventory_has_layer) || uses_layer(p->users, path, false) ||
		    (!p->all && has_source(p, l->hex, false)))
			continue;
		remove_layer(p, l, path);
	}
}

/* Remove what was put aside in the directory of one map, unless a running session had it when it was there. */
static void prune_aside(struct plan *p, const char *map_name, const struct images_users *users)
{
	_free_ char *path = xasprintf("%s/images/layers/%s", p->store->root, map_name);
	DIR *dir = opendir(path);
	struct idmap map;

	if (dir == NULL)
		return;
	for (struct dirent *e; (e = readdir(dir)) != NULL;) {
		_free_ char *layer = NULL;
		char hex[DIGEST_HEX + 1];

		if (!layer_is_aside(e->d_name, hex))
			continue;
		layer = path_join(path, hex);
		if (uses_layer(users, layer, true)) {
			continue;
		} else if (!path_exists(AT_FDCWD, layer) && uses_layer(users, layer, false)) {
			(void)renameat(dirfd(dir), e->d_name, dirfd(dir), hex);  /* a session came meanwhile: its list is made anew */
		} else if (ids_map_named(map_name, &map, NULL) == 0) {
			(void)tree_remove_mapped(&map, dirfd(dir), e->d_name, NULL);
		}
	}
	closedir(dir);
}

static void prune_all_aside(struct plan *p, const struct house *h)
{
	_free_ char *path = xasprintf("%s/images/layers", p->store->root);
	_images_users_ now = { 0 };
	DIR *dir = p->is_dry_run || images_users(h, &now, NULL) < 0 ? NULL : opendir(path);

	if (dir == NULL)
		return;
	for (struct dirent *e; (e = readdir(dir)) != NULL;)
		if (e->d_name[0] != '.')
			prune_aside(p, e->d_name, &now);
	closedir(dir);
}

static int write_kept(const struct plan *p, struct err *err)
{
	struct oci_descriptors kept = { 0 };
	int r;

	for (size_t i = 0; i < p->inventory->images.len; i++)
		if (p->keeps[i])
			vec_push(&kept, p->inventory->images.items[i].d);
	r = layout_write_index(p->store, &kept, err);
	vec_release(&kept);
	return r;
}

static void report_image(struct plan *p, const struct inventory_image *image)
{
	strv_pushf(&p->report->images, "%s (%.19s)", image->d.notes.name ? image->d.notes.name : "without a name", image->d.digest);
}

/* Carry out a plan whose images are decided. */
static int carry_out(struct plan *p, const struct house *h, bool changes_index, struct err *err)
{
	const int r = changes_index && !p->is_dry_run ? write_kept(p, err) : 0;
	const size_t n = p->inventory->images.len;

	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++)
		if (p->keeps[i] && p->inventory->images.items[i].damage != NULL)     /* what it needs is not known */
			return err_set(err, EILSEQ, "image-damaged", "nothing unused can be told from what is used: %s",
			               p->inventory->images.items[i].damage);
	add_used(p);
	p->keeps = xrealloc(p->keeps, (p->inventory->images.len + 1) * sizeof(bool));
	for (size_t i = n; i < p->inventory->images.len; i++)
		p->keeps[i] = true;
	prune_blobs(p);
	prune_layers(p);
	prune_all_aside(p, h);
	layout_sweep(p->store);
	return 0;
}

static int prune_locked(struct plan *p, const struct house *h, struct err *err)
{
	bool any = false;

	for (size_t i = 0; i < p->inventory->images.len; i++) {
		const struct inventory_image *image = &p->inventory->images.items[i];

		p->keeps[i] = is_used(p->users, image->d.digest) || (!p->all && image->d.notes.name != NULL);
		if (!p->keeps[i]) {
			report_image(p, image);
			any = true;
		}
	}
	return carry_out(p, h, any, err);
}

static int remove_locked(struct plan *p, const struct house *h, const char *ref, bool is_forced, struct err *err)
{
	struct oci_descriptor d = { 0 };
	size_t names = 0, at = SIZE_MAX;
	int r = image_find(p->store, ref, &d, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < p->inventory->images.len; i++) {
		const struct oci_descriptor *each = &p->inventory->images.items[i].d;
		const bool same_name = each->notes.name == d.notes.name ||
		                       (each->notes.name && d.notes.name && str_eq(each->notes.name, d.notes.name));

		p->keeps[i] = true;
		if (!str_eq(each->digest, d.digest))
			continue;
		names++;
		if (same_name && at == SIZE_MAX)
			at = i;
	}
	oci_descriptor_release(&d);
	if (at == SIZE_MAX)
		return err_set(err, EAGAIN, "no-such-image", "image '%s' went away meanwhile", ref);
	for (size_t i = 0; i < p->users->len && names == 1 && !is_forced; i++)
		if (p->users->items[i].digest != NULL && str_eq(p->users->items[i].digest, p->inventory->images.items[at].d.digest))
			return err_set(err, EBUSY, "image-used", "image '%s' is used by session '%s': remove that first (pterm rm), or "
			               "take away the name alone with --force", ref, p->users->items[i].name);
	p->keeps[at] = false;
	report_image(p, &p->inventory->images.items[at]);
	return carry_out(p, h, true, err);
}

/* With the store for ourselves: nothing is being fetched, and the index stays as it is read. */
static int with_plan(const struct house *h, struct plan *p, const char *ref, bool is_forced, struct err *err)
{
	_fd_ alone = layout_hold(p->store, true, err);
	_fd_ index = alone < 0 ? -1 : layout_lock(p->store, "index", err);
	_inventory_ inventory = { 0 };
	_images_users_ users = { 0 };
	int r = alone < 0 ? alone : index < 0 ? index : images_users(h, &users, err);

	if (r == 0)
		r = inventory_read(p->store, &inventory, err);
	if (r < 0)
		return r;
	p->users = &users;
	p->inventory = &inventory;
	p->keeps = xcalloc(inventory.images.len + 1, sizeof(bool));
	r = ref != NULL ? remove_locked(p, h, ref, is_forced, err) : prune_locked(p, h, err);
	free(p->keeps);
	return r;
}

int images_prune(const struct house *h, bool all, bool is_dry_run, struct images_pruned *ret, struct err *err)
{
	const struct image_store store = images_store(h);
	struct plan p = { .store = &store, .all = all, .is_dry_run = is_dry_run, .report = ret };

	return with_plan(h, &p, NULL, false, err);
}

int images_remove(const struct house *h, const char *ref, bool is_forced, struct images_pruned *ret, struct err *err)
{
	const struct image_store store = images_store(h);
	struct plan p = { .store = &store, .report = ret };

	return with_plan(h, &p, ref, is_forced, err);
}
