#include "service/images.h"

#include "base/child.h"
#include "base/fd.h"
#include "base/units.h"
#include "image/name.h"
#include "image/tree-run.h"
#include "service/ids.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

/* The option images.max_layer, which is passed on in the environment, or the default. */
static uint64_t max_layer(void)
{
	const char *text = getenv("PTERM_MAX_LAYER");
	uint64_t bytes;

	if (text != NULL && parse_size(text, &bytes) == 0)
		return bytes;
	return (uint64_t)IMAGE_LAYER_MAX_DEFAULT_GIB << 30;
}

struct image_store images_store(const struct house *h)
{
	return (struct image_store){ .root = h->store, .default_image = h->default_image, .tree_program = h->tree_program,
	                             .max_layer = max_layer(), .progress = h->progress };
}

int images_name_by(const struct house *h, const char *kind, const struct str *text, char **ret, struct err *err)
{
	_fd_ fd = memfd_create("pterm-name", MFD_CLOEXEC);
	char hex[65];
	int r = fd < 0 ? -errno : fd_write_all(fd, text->buf, text->len);

	if (r < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return err_set(err, r < 0 ? -r : errno, "image-name", "cannot name the image: %m");
	r = tree_digest_of(h->tree_program, fd, hex, err);
	if (r == 0)
		*ret = xasprintf("pterm-%s:%.32s", kind, hex);
	return r;
}

void images_use_release(struct images_use *u)
{
	image_release(&u->image);
	image_user_release(&u->user);
	free(u->map_name);
	u->map_name = NULL;
}

/* By a map of ids. */
static int use_by(const struct image_store *store, const char *ref, const char *user, const struct idmap *map,
                  const char *map_name, struct images_use *ret, struct err *err)
{
	int r;

	ret->map = *map;
	ret->map_name = xstrdup(map_name);
	r = image_resolve(store, ref, &ret->map, ret->map_name, &ret->image, err);
	if (r == 0)
		r = image_user(&ret->image, user ? user : ret->image.config.run.user, &ret->user, err);
	if (r == 0 && (idmap_outside(&ret->map.uid, ret->user.uid) < 0 || idmap_outside(&ret->map.gid, ret->user.gid) < 0))
		r = err_set(err, ERANGE, "no-such-id", "user %u:%u is outside the ids that a container of yours can have",
		            (unsigned)ret->user.uid, (unsigned)ret->user.gid);
	return r;
}

/* As the ids @uid and @gid of the container see it. */
static int use_as(const struct image_store *store, const char *ref, const char *user, uint32_t uid, uint32_t gid,
                  struct images_use *ret, struct err *err)
{
	_free_ char *name = NULL;
	struct idmap map;
	const int r = ids_map(uid, gid, &map, &name, err);

	return r < 0 ? r : use_by(store, ref, user, &map, name, ret, err);
}

/* The user decides the map, so for anybody but root look twice; but not where it is @map, called @map_name. */
static int use(const struct image_store *store, const char *ref, const char *user, const struct idmap *map,
               const char *map_name, struct images_use *ret, struct err *err)
{
	uint32_t uid, gid;
	int r;

	if (map != NULL)
		return use_by(store, ref, user, map, map_name, ret, err);
	r = use_as(store, ref, user, 0, 0, ret, err);
	if (r < 0 || geteuid() == 0 || (ret->user.uid == 0 && ret->user.gid == 0))
		return r;
	uid = ret->user.uid;
	gid = ret->user.gid;
	images_use_release(ret);
	return use_as(store, ref, user, uid, gid, ret, err);
}

static int pull(const struct image_store *store, const char *ref, const struct remote *remote, struct oci_descriptor *ret,
                struct err *err)
{
	_free_ char *name = NULL;
	const int r = name_clean(ref, &name, err);

	return r < 0 ? r : fetch_pull(store, name, remote, ret, err);
}

int images_use(const struct house *h, const char *ref, const char *user, bool pulls, struct images_use *ret,
               struct err *err)
{
	return images_use_by(h, ref, user, pulls, NULL, NULL, ret, err);
}

/* An image that no registry gave may be one that pterm has a recipe for (share/recipes): then @err says so, too. */
static void tell_recipe(const struct house *h, const char *ref, struct err *err)
{
	_free_ char *name = xstrdup(ref);
	_free_ char *recipe = NULL, *text = NULL, *code = NULL;

	if (strchr(name, '/') != NULL)
		return;
	for (char *c = name; (c = strchr(c, ':')) != NULL; )
		*c = '-';
	recipe = xasprintf("%s/recipes/%s", h->data, name);
	if (access(recipe, X_OK) < 0)
		return;
	text = xstrdup(err_msg(err));
	code = xstrdup(err->code);
	err_set(err, err->no, code, "%s; %s makes it without a registry", text, recipe);
}

int images_use_by(const struct house *h, const char *ref, const char *user, bool pulls, const struct idmap *map,
                  const char *map_name, struct images_use *ret, struct err *err)
{
	static const struct remote plain;
	const struct image_store store = images_store(h);
	_err_ why = ERR_INIT;
	_images_use_ u = { 0 };
	struct oci_descriptor d = { 0 };
	int r = use(&store, ref, user, map, map_name, &u, &why);

	if (r == -ENOENT && pulls && ref != NULL && str_eq(why.code, "no-such-image")) {
		images_use_release(&u);
		r = pull(&store, ref, &plain, &d, &why);
		oci_descriptor_release(&d);
		if (r < 0)
			tell_recipe(h, ref, &why);
		else
			r = use(&store, ref, user, map, map_name, &u, &why);
	}
	if (r < 0)
		return err_move(err, &why);
	*ret = u;
	u = (struct images_use){ 0 };
	return 0;
}

/* Unpacked now, a session starts at once later. */
static int unpack(const struct image_store *store, const struct oci_descriptor *d, struct err *err)
{
	_images_use_ u = { 0 };
	int r = use(store, d->digest, NULL, NULL, NULL, &u, err);

	if (r == -ENOENT && str_eq(err->code, "no-such-user")) {     /* a start will say so, or name another */
		err_release(err);
		r = 0;
	}
	return r;
}

int images_pull(const struct house *h, const char *ref, const struct remote *remote, struct oci_descriptor *ret,
                struct err *err)
{
	const struct image_store store = images_store(h);
	const int r = pull(&store, ref, remote, ret, err);
	int unpacked;

	if (r < 0)
		return r;
	unpacked = unpack(&store, ret, err);
	if (unpacked < 0)
		oci_descriptor_release(ret);
	return unpacked < 0 ? unpacked : r;
}

int images_give(const char *path, const struct idmap *map, struct err *err)
{
	_free_ char *owner = xasprintf("%lld:%lld", (long long)idmap_outside(&map->uid, 0),
	                               (long long)idmap_outside(&map->gid, 0));
	const char *const argv[] = { "chown", "-Rh", "--", owner, path, NULL };
	_str_ said = STR_INIT;
	int r;

	if (geteuid() != 0)
		return 0;
	r = child_run(argv, &said, err);
	return r > 0 ? err_set(err, EIO, "image-store", "cannot give '%s' to the container's root: %s", path, said.buf) : r;
}

int images_import(const struct house *h, const char *path, const char *name, int kind, const char *which,
                  struct oci_descriptor *ret, struct err *err)
{
	const struct image_store store = images_store(h);
	_free_ char *clean = NULL;
	_free_ char *map_name = NULL;
	struct idmap map;
	struct import what = { .path = path, .kind = kind, .which = which, .map = &map };
	int r = ids_map(0, 0, &map, &map_name, err);

	if (r == 0 && name != NULL)
		r = name_clean(name, &clean, err);
	if (r < 0)
		return r;
	what.name = clean;
	what.map_name = map_name;
	r = fetch_import(&store, &what, ret, err);
	if (r == 0)
		r = unpack(&store, ret, err);
	if (r < 0)
		oci_descriptor_release(ret);
	return r;
}
