/*
 * What is in a volume. Its files belong to mapped ids, so they are looked at, copied and removed from inside a
 * user namespace with the map that they are of. For root, who may do all that outside, only copying needs one: it
 * tells the owners.
 */
#include "service/volume-parts.h"

#include "base/child.h"
#include "base/fd.h"
#include "base/hook.h"
#include "base/idmap.h"
#include "base/path.h"
#include "image/copy.h"
#include "service/ids.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAP_MAX = 4096 };

/* The map that @dir/@state ("now") is of. 1: none yet. */
static int read_map(int dir, const char *state, struct str *ret)
{
	_free_ char *path = path_join(state, "map");
	const int r = file_read(dir, path, MAP_MAX, ret);

	return r == -ENOENT ? 1 : r;
}

bool volume_has_other_map(int dir, const char *map)
{
	_str_ now = STR_INIT;

	return read_map(dir, "now", &now) == 0 && !str_eq(now.buf, map);
}

/* The map to work with, and whether it is the one that the files are of. */
static int current_map(int dir, struct idmap *ret, struct err *err)
{
	_free_ char *name = NULL;
	_str_ text = STR_INIT;
	int r = read_map(dir, "now", &text);

	if (r == 1)
		return ids_map(0, 0, ret, &name, err);
	if (r == 0)
		r = idmap_parse(text.buf, ret);
	return r < 0 ? err_set(err, -r, "volume", "cannot read the map of a volume's owners: %m") : 0;
}

/* Whose the top of its files is before anybody has put anything there: the container's root. */
static int give_to_root(int data, const char *map, struct err *err)
{
	struct idmap m;

	if (geteuid() != 0 || idmap_parse(map, &m) < 0)
		return 0;
	if (fchown(data, (uid_t)idmap_outside(&m.uid, 0), (gid_t)idmap_outside(&m.gid, 0)) < 0)
		return err_set(err, errno, "volume", "cannot give a volume to the container's root: %m");
	return 0;
}

static int open_data(int dir, const char *state, struct err *err)
{
	_free_ char *path = path_join(state, "data");
	const int fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd >= 0 || errno == EACCES)          /* its owner may let nobody look: then it is found, not read */
		return fd >= 0 ? fd : openat(dir, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return err_set(err, errno, "volume", "cannot open a volume's files: %m");
}

static int write_map(int dir, const char *state, const char *map, struct err *err)
{
	_free_ char *path = path_join(state, "map");
	_fd_ fd = openat(dir, state, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	const int r = fd < 0 ? -errno : file_write(fd, "map", map, strlen(map), 0600);

	return r < 0 ? err_set(err, -r, "volume", "cannot write a volume's record: %m") : 0;
}

static int begin_with_map(int dir, const char *state, const char *map, struct err *err)
{
	_fd_ data = open_data(dir, state, err);
	int r = data < 0 ? data : give_to_root(data, map, err);

	return r < 0 ? r : write_map(dir, state, map, err);
}

/* --- removing and measuring --- */

/* The user's own map leads to all ids that a volume of theirs can hold, whichever it is of. */
int volume_empty(int dir, const char *name, struct err *err)
{
	_free_ char *map_name = NULL;
	struct idmap map;
	int r;

	if (geteuid() == 0) {
		r = path_remove_tree(dir, name);
		return r < 0 ? err_set(err, -r, "volume", "cannot remove all of a volume: %m") : 0;
	}
	r = ids_map(0, 0, &map, &map_name, err);
	return r < 0 ? r : tree_remove_mapped(&map, dir, name, err);
}

struct measure { int dir, answer; };

static int measure(void *data)
{
	const struct measure *m = data;
	const uint64_t n = path_disk_usage(m->dir, "now/data");

	return write(m->answer, &n, sizeof(n)) != (ssize_t)sizeof(n);
}

int volume_size(const struct house *h, const char *name, uint64_t *ret, struct err *err)
{
	_fd_ dir = volume_open(h, name, err);
	_free_ char *map_name = NULL;
	int answer[2], r, status;
	struct idmap map;
	pid_t pid;

	if (dir < 0)
		return dir;
	if (geteuid() == 0) {
		*ret = path_disk_usage(dir, "now/data");
		return 0;
	}
	r = ids_map(0, 0, &map, &map_name, err);
	if (r < 0)
		return r;
	if (pipe2(answer, O_CLOEXEC) < 0)
		return err_set(err, errno, "pipe", "cannot measure volume '%s': %m", name);
	pid = idmap_clone(&map, 0, measure, &(struct measure){ dir, answer[1] }, err);
	fd_close(answer[1]);
	status = pid < 0 ? pid : child_wait(pid);
	r = pid < 0 ? pid : status == 0 ? fd_read_all(answer[0], ret, sizeof(*ret)) : -EIO;
	fd_close(answer[0]);
	return r < 0 && pid >= 0 ? err_set(err, -r, "volume", "cannot measure volume '%s': %m", name) : r;
}

/* --- other owners --- */

static int copy_to_map(const struct house *h, int dir, const char *name, const struct idmap *from, const struct idmap *to,
                       struct err *err)
{
	_fd_ from_data = open_data(dir, "now", err);
	_fd_ to_data = from_data < 0 ? -1 : open_data(dir, "next", err);
	_fd_ from_ns = -1;
	_fd_ to_ns = -1;
	int r;

	if (from_data < 0 || to_data < 0)
		return -err->no;
	from_ns = idmap_namespace(from, err);
	to_ns = from_ns < 0 ? -1 : idmap_namespace(to, err);
	if (to_ns < 0)
		return -err->no;
	r = copy_dir_between(h->tree_program, from_data, from_ns, to_data, to_ns, name, err);
	return r < 0 ? r : 0;
}

/* What a crash left between the two steps in which "next" becomes "now". */
static int mend(int dir, struct err *err)
{
	if (!path_exists(dir, "now") && renameat(dir, "next", dir, "now") < 0)
		return err_set(err, errno, "volume", "the files of a volume are lost: %m");
	if (path_exists(dir, "next"))
		(void)volume_empty(dir, "next", NULL);
	return path_exists(dir, "last") ? volume_empty(dir, "last", err) : 0;
}

static int replace(int dir, struct err *err)
{
	if (renameat(dir, "now", dir, "last") < 0)
		return err_set(err, errno, "volume", "cannot replace a volume's files: %m");
	HOOK("volume.between");
	if (renameat(dir, "next", dir, "now") < 0)
		return err_set(err, errno, "volume", "cannot replace a volume's files: %m");
	return volume_empty(dir, "last", err);
}

int volume_use_map(const struct house *h, int dir, const char *name, const char *map, struct err *err)
{
	struct idmap from, to;
	int r = mend(dir, err);

	if (r < 0)
		return err_wrap(err, "volume '%s'", name);
	if (!volume_has_other_map(dir, map))
		return path_exists(dir, "now/map") ? 0 : begin_with_map(dir, "now", map, err);
	r = current_map(dir, &from, err);
	if (r < 0 || idmap_parse(map, &to) < 0)
		return r < 0 ? r : err_set(err, EINVAL, "bad-spec", "the session's spec has no map of ids");
	if (mkdirat(dir, "next", 0700) < 0 || mkdirat(dir, "next/data", 0755) < 0)
		return err_set(err, errno, "volume", "cannot write in volume '%s': %m", name);
	r = begin_with_map(dir, "next", map, err);
	if (r == 0)
		r = copy_to_map(h, dir, name, &from, &to, err);
	if (r < 0) {
		(void)volume_empty(dir, "next", NULL);
		return err_wrap(err, "cannot give the files of volume '%s' the owners that this session needs", name);
	}
	HOOK("volume.copied");
	return replace(dir, err);
}

/* --- as archives --- */

int volume_export(const struct house *h, const char *name, int fd, struct err *err)
{
	_fd_ dir = volume_open(h, name, err);
	_fd_ data = -1;
	_fd_ ns = -1;
	struct idmap map;
	int r;

	if (dir < 0)
		return dir;
	r = current_map(dir, &map, err);
	data = r < 0 ? r : open_data(dir, "now", err);
	if (data < 0)
		return data;
	ns = idmap_namespace(&map, err);
	return ns < 0 ? ns : copy_dir_out(h->tree_program, data, ns, fd, name, err);
}

int volume_import(const struct house *h, const char *name, int fd, struct err *err)
{
	_free_ char *map_name = NULL;
	_str_ text = STR_INIT;
	_fd_ dir = -1;
	_fd_ data = -1;
	_fd_ ns = -1;
	struct idmap map;
	int r = volume_create(h, name, NULL, err);

	if (r < 0 && r != -EEXIST)
		return r;
	err_release(err);
	dir = volume_open(h, name, err);
	r = dir < 0 ? dir : current_map(dir, &map, err);
	if (r < 0)
		return r;
	if (!path_exists(dir, "now/map")) {
		idmap_format(&map, &text);
		r = begin_with_map(dir, "now", text.buf, err);
	}
	data = r < 0 ? r : open_data(dir, "now", err);
	if (data < 0)
		return data;
	ns = idmap_namespace(&map, err);
	return ns < 0 ? ns : copy_dir_in(h->tree_program, data, ns, fd, name, err);
}
