#include "service/images-build.h"

#include "base/child.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/units.h"
#include "image/helper.h"
#include "image/name.h"
#include "service/containerfile.h"
#include "service/ids.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct helper buildah = { "buildah", "builds images", "buildah" };

/* How an image was built, kept with it: to build it again when a base moves. */
struct recipe { char *context, *file, *target; struct strv args, bases; };        /* bases: NAME@DIGEST */
static const struct json_field recipe_fields[] = {
	{ "context", FIELD_STR, offsetof(struct recipe, context), .required = true },
	{ "file", FIELD_STR, offsetof(struct recipe, file), .required = true },
	{ "target", FIELD_STR, offsetof(struct recipe, target) },
	{ "args", FIELD_STRV, offsetof(struct recipe, args) },
	{ "bases", FIELD_STRV, offsetof(struct recipe, bases) },
};
static const struct json_object recipe_object = JSON_OBJECT("a build recipe", struct recipe, recipe_fields, false);

static void recipe_release(struct recipe *r)
{
	json_release(&recipe_object, r);
}
#define _recipe_ _cleanup_(recipe_release) struct recipe

/* One build. */
struct build {
	const struct house *h;
	const struct image_store *store;
	const struct images_build *what;
	struct idmap map;
	char *work;                      /* of ours; below it: */
	char *root;                      /* where buildah's root is mounted */
	char *inside, *context, *file;   /* of the map's root */
	struct strv env;
	struct recipe recipe;
};

static void build_release(struct build *b)
{
	if (b->work != NULL) {
		(void)tree_remove_mapped(&b->map, AT_FDCWD, b->inside ? b->inside : b->work, NULL);
		(void)path_remove_tree(AT_FDCWD, b->work);
	}
	free(b->work);
	free(b->root);
	free(b->inside);
	free(b->context);
	free(b->file);
	strv_release(&b->env);
	recipe_release(&b->recipe);
}

/* --- running buildah --- */

static void begin(const struct build *b, struct strv *argv, const char *verb)
{
	strv_push(argv, "buildah");
	strv_pushf(argv, "--root=%s/root", b->inside);
	strv_pushf(argv, "--runroot=%s/run", b->inside);
	strv_push(argv, "--storage-driver=vfs");         /* the one that every file system and every kernel has */
	strv_push(argv, verb);
}

static int run(const struct build *b, const struct strv *argv, bool speaks, struct str *out, struct err *err)
{
	const struct helper_root root = { .at = b->root, .shown = b->context, .writable = b->inside };
	const struct helper_run run = { .argv = argv, .env = b->env.items, .map = &b->map, .root = &root,
	                                .speaks = speaks, .out = out, .out_max = 1 << 16 };

	return helper_run(&buildah, &run, "build", b->what->name, err);
}

/* Take one base over from our store into buildah's, under the name that the Containerfile calls it by. */
static int hand_over(struct build *b, const char *base, struct err *err)
{
	static const struct helper skopeo = { "skopeo", "fetches, sends and converts images", "skopeo" };
	static const struct remote plain;
	struct oci_descriptor d = { 0 };
	_free_ char *clean = NULL;
	_free_ char *repository = NULL;
	_free_ char *dir = path_join(b->inside, "base");
	_free_ char *layout = xasprintf("oci:%s:image", dir);
	_strv_ argv = { 0 };
	const struct helper_run copy = { .argv = &argv, .env = b->env.items, .map = &b->map };
	int r = name_clean(base, &clean, err);

	if (r < 0)
		return r;
	r = image_find(b->store, base, &d, err);
	if (r == 0)                              /* the policy may be newer than the image */
		r = trust_allows(b->store, d.notes.name, d.notes.signed_by, err);
	else if (r == -ENOENT)
		r = fetch_pull(b->store, clean, &plain, &d, err);
	if (r < 0) {
		oci_descriptor_release(&d);
		return r;
	}
	repository = name_repository(clean);
	(void)tree_remove_mapped(&b->map, AT_FDCWD, dir, NULL);
	r = skopeo_send(b->store, d.digest, layout, NULL, "build", b->what->name, err);
	if (r == 0)
		r = images_give(dir, &b->map, err);
	strv_push(&argv, "skopeo");
	strv_push(&argv, "copy");
	strv_push(&argv, "--quiet");
	strv_push(&argv, layout);
	strv_pushf(&argv, "containers-storage:[vfs@%s/root+%s/run]%s:%s", b->inside, b->inside, repository,
	           name_tag(clean) ? name_tag(clean) : "latest");
	if (r == 0)
		r = helper_run(&skopeo, &copy, "build", b->what->name, err);
	if (r == 0)
		strv_pushf(&b->recipe.bases, "%s@%s", clean, d.notes.source_digest ? d.notes.source_digest : d.digest);
	oci_descriptor_release(&d);
	return r;
}

static int hand_over_all(struct build *b, struct err *err)
{
	_strv_ bases = { 0 };
	_str_ text = STR_INIT;
	int r = containerfile_read(b->recipe.file, &text, err);

	if (r < 0)
		return r;
	containerfile_bases(text.buf, &bases);
	for (size_t i = 0; i < bases.len && r == 0; i++) {
		progress_step(b->store->progress, "taking '%s' as a base", bases.items[i]);
		r = hand_over(b, bases.items[i], err);
	}
	return r;
}

/* --- preparing --- */

/* What buildah reads, where it sees it: the root that it gets has little of the host. */
static int copy_file(struct build *b, struct err *err)
{
	_free_ char *file = path_join(b->inside, "Containerfile");
	_str_ text = STR_INIT;
	int r = containerfile_read(b->recipe.file, &text, err);

	if (r < 0)
		return r;
	r = file_write(AT_FDCWD, file, text.buf, text.len, 0644);
	b->file = TAKE(file);
	return r < 0 ? err_set(err, -r, "build", "cannot write '%s': %m", b->file) : 0;
}

/* Started by root, the build's root is nobody to the host and may not see the context where it stands. */
static int copy_context(struct build *b, struct err *err)
{
	const char *const dir[] = { "cp", "-a", "--", b->recipe.context, b->context, NULL };
	_str_ said = STR_INIT;
	const int r = child_run(dir, &said, err);

	if (r > 0)
		return err_set(err, EIO, "build", "cannot copy the context '%s': %s", b->recipe.context, said.buf);
	return r;
}

/* Names without a registry mean docker.io here, as in our own store; nothing is fetched by buildah. */
static int write_registries(struct build *b, struct err *err)
{
	static const char text[] = "unqualified-search-registries = [\"docker.io\"]\nshort-name-mode = \"permissive\"\n";
	_free_ char *path = path_join(b->inside, "registries.conf");
	const int r = file_write(AT_FDCWD, path, text, strlen(text), 0644);

	strv_pushf(&b->env, "CONTAINERS_REGISTRIES_CONF=%s", path);
	return r < 0 ? err_set(err, -r, "build", "cannot write '%s': %m", path) : 0;
}

static int prepare(struct build *b, struct err *err)
{
	_free_ char *map_name = NULL;
	int r = ids_map(0, 0, &b->map, &map_name, err);

	if (r == 0)
		r = containerfile_find(b->what->context, b->what->file, &b->recipe.context, &b->recipe.file, err);
	if (r == 0)
		r = layout_work_dir(b->store, &b->work, err);
	if (r < 0)
		return r;
	b->recipe.target = b->what->target ? xstrdup(b->what->target) : NULL;
	strv_copy(&b->recipe.args, &b->what->args);
	(void)chmod(b->work, 0711);
	b->root = path_join(b->work, "root");
	b->inside = path_join(b->work, "build");
	if (mkdir(b->inside, 0700) < 0 || mkdir(b->root, 0711) < 0)
		return err_set(err, errno, "build", "cannot make a directory in '%s': %m", b->work);
	b->context = geteuid() == 0 ? path_join(b->inside, "context") : xstrdup(b->recipe.context);
	r = copy_file(b, err);
	if (r == 0 && geteuid() == 0)
		r = copy_context(b, err);
	if (r == 0)
		r = write_registries(b, err);
	if (r == 0)
		r = images_give(b->inside, &b->map, err);
	strv_push(&b->env, "PATH=" PATH_DEFAULT);
	strv_pushf(&b->env, "HOME=%s", b->inside);
	strv_pushf(&b->env, "TMPDIR=%s", b->inside);
	strv_pushf(&b->env, "XDG_RUNTIME_DIR=%s", b->inside);
	/* it is root of a user namespace already, and its caches are not in /var; the user must be one that has a name */
	strv_push(&b->env, "_CONTAINERS_USERNS_CONFIGURED=done");
	strv_pushf(&b->env, "_CONTAINERS_ROOTLESS_UID=%u", geteuid() == 0 ? 65534 : (unsigned)geteuid());
	strv_push(&b->env, "BUILDAH_ISOLATION=chroot");
	return r;
}

/* --- all of it --- */

static int build_and_take(struct build *b, struct oci_descriptor *ret, struct err *err)
{
	static const struct oci_descriptors unknown;
	_free_ char *layout = xasprintf("oci:%s/out:image", b->inside);
	_strv_ bud = { 0 };
	_strv_ push = { 0 };
	const struct skopeo_source from = { .source = layout };
	int r;

	begin(b, &bud, "bud");
	strv_push(&bud, "--isolation=chroot");
	strv_push(&bud, "--pull-never");
	strv_push(&bud, "--layers=false");
	strv_push(&bud, "--format=oci");
	strv_pushf(&bud, "--file=%s", b->file);
	for (size_t i = 0; i < b->what->args.len; i++)
		strv_pushf(&bud, "--build-arg=%s", b->what->args.items[i]);
	if (b->what->target != NULL)
		strv_pushf(&bud, "--target=%s", b->what->target);
	strv_push(&bud, "--tag=localhost/pterm-built:latest");
	strv_push(&bud, b->context);
	r = run(b, &bud, true, NULL, err);
	begin(b, &push, "push");
	strv_push(&push, "--quiet");
	strv_push(&push, "localhost/pterm-built:latest");
	strv_push(&push, layout);
	if (r == 0)
		r = run(b, &push, false, NULL, err);
	return r < 0 ? r : skopeo_fetch(b->store, &from, NULL, &unknown, "build", b->what->name, ret, err);
}

int images_build(const struct house *h, const struct images_build *what, struct oci_descriptor *ret, struct err *err)
{
	const struct image_store store = images_store(h);
	_cleanup_(build_release) struct build b = { .h = h, .store = &store, .what = what };
	_free_ char *clean = NULL;
	_str_ now = STR_INIT;
	_str_ recipe = STR_INIT;
	int r = name_clean(what->name, &clean, err);

	if (r == 0)
		r = trust_allows(&store, clean, NULL, err);
	_fd_ hold = r < 0 ? r : layout_hold(&store, false, err);

	if (hold < 0)
		return hold;
	r = prepare(&b, err);
	if (r == 0)
		r = hand_over_all(&b, err);
	if (r == 0)
		r = build_and_take(&b, ret, err);
	if (r < 0)
		return r;
	str_add_instant(&now, time_now_ms());
	json_encode(&recipe, &recipe_object, &b.recipe);
	ret->notes.name = TAKE(clean);
	ret->notes.taken = str_take(&now);
	ret->notes.recipe = str_take(&recipe);
	return layout_add(&store, ret, err);
}

/* --- up to date? --- */

const char *const images_freshness[] = { "up to date", "newer there", "updated", "unknown", NULL };

void images_updates_release(struct images_updates *u)
{
	for (size_t i = 0; i < u->all.len; i++) {
		free(u->all.items[i].image);
		free(u->all.items[i].why);
	}
	vec_release(&u->all);
}

/* Does the name in "NAME@DIGEST" stand for another digest now: in its registry, or in our store? 1, 0 or -errno. */
static int base_moved(const struct image_store *store, const char *base, const struct remote *remote, struct err *err)
{
	const char *at = strrchr(base, '@');
	_free_ char *name = at ? xstrndup(base, (size_t)(at - base)) : xstrdup(base);
	struct oci_descriptor d = { 0 };
	_free_ char *now = NULL;
	int r = image_find(store, name, &d, NULL);

	if (r == 0 && d.notes.source == NULL)
		now = xstrdup(d.digest);
	else
		r = fetch_look(store, name, remote, &now, err);
	oci_descriptor_release(&d);
	return r < 0 ? r : at == NULL || !str_eq(now, at + 1);
}

static int rebuild(const struct house *h, const struct recipe *recipe, const char *name, const struct remote *remote,
                   struct err *err)
{
	const struct image_store store = images_store(h);
	const struct images_build what = { .context = recipe->context, .file = recipe->file, .name = name,
	                                   .args = recipe->args, .target = recipe->target };
	struct oci_descriptor d = { 0 };
	int r = 0;

	for (size_t i = 0; i < recipe->bases.len && r >= 0; i++) {
		const char *at = strrchr(recipe->bases.items[i], '@');
		_free_ char *base = at ? xstrndup(recipe->bases.items[i], (size_t)(at - recipe->bases.items[i])) : NULL;
		struct oci_descriptor known = { 0 };

		if (base != NULL && image_find(&store, base, &known, NULL) == 0 && known.notes.source != NULL) {
			r = fetch_pull(&store, base, remote, &d, err);
			oci_descriptor_release(&d);
		}
		oci_descriptor_release(&known);
	}
	if (r >= 0)
		r = images_build(h, &what, &d, err);
	oci_descriptor_release(&d);
	return r < 0 ? r : 0;
}

static int update_built(const struct house *h, const struct oci_descriptor *image, bool only_looks,
                        const struct remote *remote, struct err *err)
{
	const struct image_store store = images_store(h);
	_recipe_ recipe = { 0 };
	int moved = 0, r = json_decode(image->notes.recipe, strlen(image->notes.recipe), &recipe_object, &recipe, err);

	for (size_t i = 0; i < recipe.bases.len && r == 0 && moved == 0; i++)
		moved = base_moved(&store, recipe.bases.items[i], remote, err);
	if (r < 0 || moved < 0)
		return r < 0 ? r : moved;
	if (moved == 0 || only_looks)
		return moved ? IMAGES_MOVED : IMAGES_FRESH;
	r = rebuild(h, &recipe, image->notes.name, remote, err);
	return r < 0 ? r : IMAGES_UPDATED;
}

static int update_pulled(const struct house *h, const struct oci_descriptor *image, bool only_looks,
                         const struct remote *remote, struct err *err)
{
	const struct image_store store = images_store(h);
	struct oci_descriptor d = { 0 };
	_free_ char *now = NULL;
	int r = fetch_look(&store, image->notes.source, remote, &now, err);

	if (r < 0)
		return r;
	if (image->notes.source_digest != NULL && str_eq(now, image->notes.source_digest))
		return IMAGES_FRESH;
	if (only_looks)
		return IMAGES_MOVED;
	r = images_pull(h, image->notes.source, remote, &d, err);
	oci_descriptor_release(&d);
	return r < 0 ? r : IMAGES_UPDATED;
}

static bool is_asked(const struct image_store *store, const struct oci_descriptor *image, const char *const *refs,
                     size_t count)
{
	bool is_it = count == 0;

	for (size_t i = 0; i < count && !is_it; i++) {
		struct oci_descriptor d = { 0 };

		is_it = image_find(store, refs[i], &d, NULL) == 0 && d.notes.name && str_eq(d.notes.name, image->notes.name);
		oci_descriptor_release(&d);
	}
	return is_it;
}

int images_update(const struct house *h, const char *const *refs, size_t count, bool only_looks,
                  const struct remote *remote, struct images_updates *ret, struct err *err)
{
	const struct image_store store = images_store(h);
	struct oci_descriptors all = { 0 };
	int r = 0;

	for (size_t i = 0; i < count && r == 0; i++) {
		struct oci_descriptor d = { 0 };

		r = image_find(&store, refs[i], &d, err);
		oci_descriptor_release(&d);
	}
	if (r == 0)
		r = layout_read_index(&store, &all, err);
	for (size_t i = 0; i < all.len && r == 0; i++) {
		const struct oci_descriptor *image = &all.items[i];
		struct images_update one = { 0 };
		_err_ why = ERR_INIT;

		if (image->notes.name == NULL || !is_asked(&store, image, refs, count) ||
		    (count == 0 && image->notes.source == NULL && image->notes.recipe == NULL))
			continue;
		one.image = xstrdup(image->notes.name);
		one.state = image->notes.recipe ? update_built(h, image, only_looks, remote, &why) :
		            image->notes.source ? update_pulled(h, image, only_looks, remote, &why) :
		            err_set(&why, ENOENT, "no-source", "it came from no registry and was not built here");
		if (one.state < 0) {
			one.state = IMAGES_UNKNOWN;
			one.why = xstrdup(err_msg(&why));
			ret->failures++;
		}
		vec_push(&ret->all, one);
	}
	oci_descriptors_release(&all);
	return r;
}
