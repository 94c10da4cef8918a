#include "image/layer.h"

#include "base/fd.h"
#include "base/path.h"
#include "base/proc.h"
#include "base/units.h"
#include "image/layer-list.h"
#include "image/oci.h"
#include "image/tree-run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

/* --- the look at every start --- */

static int damaged(struct str *why, const char *path, const char *what)
{
	_free_ char *shown = visible(path);

	str_addf(why, "'%s' %s", shown, what);
	return 1;
}

/* 0: as the list says, or not for us to see. */
static int check_record(int layer, const struct list_record *rec, const struct idmap *map, struct str *why)
{
	struct stat st;
	char kind;

	if (fstatat(layer, rec->path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == EACCES ? 0 : damaged(why, rec->path, "is missing");
	kind = list_kind(&st);
	if (kind != (rec->kind == 'o' ? 'd' : rec->kind))
		return damaged(why, rec->path, "is of another kind");
	if ((rec->kind == 'f' || rec->kind == 'l') && (uint64_t)st.st_size != rec->size)
		return damaged(why, rec->path, "has another size");
	if ((st.st_mode & 07777) != rec->mode)
		return damaged(why, rec->path, "has another mode");
	if (st.st_uid != idmap_outside(&map->uid, rec->uid) || st.st_gid != idmap_outside(&map->gid, rec->gid))
		return damaged(why, rec->path, "belongs to somebody else");
	if ((int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec != rec->mtime_ns)
		return damaged(why, rec->path, "was changed");
	return 0;
}

/* Up to @budget records from @offset on, where one may have been cut in two. The number that were looked at, or -1. */
static int check_window(int layer, int list, off_t offset, size_t budget, const struct idmap *map, struct str *why)
{
	char text[LIST_RECORD_MAX * 2];
	const ssize_t n = pread(list, text, sizeof(text) - 1, offset);
	size_t at = 0, seen = 0;

	if (n <= 0)
		return 0;
	text[n] = '\0';
	if (offset > 0)
		at = strlen(text) + 1;
	while (seen < budget && at < (size_t)n && at + strlen(text + at) < (size_t)n) {
		struct list_record rec;

		if (list_record_read(text + at, &rec) < 0)
			return damaged(why, "the list of the layer", "is damaged") ? -1 : 0;
		if (check_record(layer, &rec, map, why) != 0)
			return -1;
		at += strlen(text + at) + 1;
		seen++;
	}
	return (int)seen;
}

size_t layer_budget(size_t n)
{
	enum { IMAGE = 96, EACH = 4 };

	return max_size(IMAGE / max_size(n, 1), EACH);
}

char *layer_unsynced(const char *layer)
{
	return xasprintf("%s.unsynced", layer);
}

/* Did the machine go down before the layer was written out? */
static bool was_lost(const char *layer)
{
	_free_ char *path = layer_unsynced(layer);
	_str_ boot = STR_INIT;

	return file_read(AT_FDCWD, path, 256, &boot) == 0 && !str_eq(boot.buf, proc_boot_id());
}

int layer_check(const char *layer, const struct idmap *map, size_t budget, struct str *why)
{
	_free_ char *list_path = xasprintf("%s.list", layer);
	_fd_ dir = open(layer, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	_fd_ list = open(list_path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	uint64_t chance = 0;
	int seen;

	if (dir < 0 || list < 0 || fstat(list, &st) < 0)
		return damaged(why, list < 0 ? "the list of the layer" : layer, "is missing");
	if (was_lost(layer))
		return damaged(why, ".", "may not have been written out when the machine went down");
	if (st.st_size == 0)
		return damaged(why, "the list of the layer", "is empty");
	seen = check_window(dir, list, 0, budget / 2 + 1, map, why);     /* the top */
	if (seen < 0)
		return 1;
	(void)!getrandom(&chance, sizeof(chance), GRND_NONBLOCK);
	return check_window(dir, list, (off_t)(chance % (uint64_t)st.st_size), budget / 2 + 1, map, why) < 0;
}

/* --- the whole --- */

int layer_verify(const struct image_store *store, const char *layer, const struct idmap *map, struct str *why,
                 struct err *err)
{
	static const char *const argv[] = { "pterm-tree", "verify", "--report", "4", NULL };
	_free_ char *list_path = xasprintf("%s.list", layer);
	_fd_ dir = open(layer, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	_fd_ list = open(list_path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	const struct tree_job job = { .program = store->tree_program, .map = map, .argv = argv, .in = list, .out = -1,
	                              .dir = dir, .lock = -1, .list = -1 };
	struct tree_run run = TREE_RUN_INIT;
	_str_ said = STR_INIT;
	_str_ report = STR_INIT;
	_free_ char *figure = NULL;
	uint64_t n = 0;
	int r;

	if (dir < 0)
		return damaged(why, "the layer itself", errno == ENOENT ? "is missing" : "cannot be opened");
	if (list < 0)
		return damaged(why, "the list of the layer", "is missing");
	r = tree_start(&job, &run, err);
	if (r == 0)
		r = tree_finish(&run, &said, &report, err);
	if (r < 0)
		return r;
	if (r != 0)
		return tree_failed(r, "check the layer", path_base(layer), &said, &report, err);
	figure = tree_figure(&report, "damaged");
	if (*figure == '\0')
		return 0;
	str_add(why, said.buf, said.len);
	if (parse_uint(figure, 0, UINT64_MAX, &n) == 0)
		str_addf(why, "%llu in all\n", (unsigned long long)n);
	return 1;
}

/* --- putting aside --- */

#define ASIDE ".old-"

int layer_put_aside(const char *layer, struct err *err)
{
	_free_ char *dir = xstrndup(layer, (size_t)(path_base(layer) - layer));
	_free_ char *list = xasprintf("%s.list", layer);
	_free_ char *unsynced = layer_unsynced(layer);
	_free_ char *aside = xasprintf("%s" ASIDE "%s-%llx", dir, path_base(layer), (unsigned long long)time_mono_ns());

	if (rename(layer, aside) < 0 && errno != ENOENT)
		return err_set(err, errno, "image-store", "cannot put the layer '%s' aside: %m", layer);
	(void)unlink(list);
	(void)unlink(unsynced);
	return 0;
}

bool layer_is_aside(const char *name, char ret_hex[65])
{
	const char *hex = name + strlen(ASIDE);

	if (!str_starts(name, ASIDE) || strspn(hex, "0123456789abcdef") != DIGEST_HEX || hex[DIGEST_HEX] != '-')
		return false;
	memcpy(ret_hex, hex, DIGEST_HEX);
	ret_hex[DIGEST_HEX] = '\0';
	return true;
}
