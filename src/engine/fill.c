#include "engine/fill.h"

#include "base/child.h"
#include "base/fd.h"
#include "base/hook.h"
#include "base/path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DIR_FD = 3, PROGRAM_FD = 4 };

/*
 * The copy is made beside what it is for, and moved there when it is whole: whoever is killed meanwhile leaves a
 * volume that the next one finds empty, or goes on with. Sessions write in the volume as well: what is called so and
 * is no directory of root's alone is theirs, and what they have put in the way stays.
 */
#define FILLING ".pterm-filling"         /* being copied */
#define FILLED ".pterm-filled"           /* whole, and being moved */
#define TREE "tree"                      /* in one of them: the copy */

typedef int entry_fn(int dir, const char *name, void *data);

/* @fn for each entry of @fd, until one returns something else than 0, which is returned; or -errno. */
static int each_entry(int fd, entry_fn *fn, void *data)
{
	DIR *dir = fdopendir(openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	int r = 0;

	if (dir == NULL)
		return -errno;
	for (struct dirent *e; r == 0 && (e = readdir(dir)) != NULL;)
		if (!str_eq(e->d_name, ".") && !str_eq(e->d_name, ".."))
			r = fn(dirfd(dir), e->d_name, data);
	closedir(dir);
	return r;
}

static int is_content(int dir, const char *name, void *data)
{
	return !str_eq(name, FILLING);
}

static bool is_filled(int data)
{
	struct stat st;

	return fstatat(data, FILLED, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode) && st.st_uid == 0 &&
	       (st.st_mode & 0777) == 0700;
}

static bool is_in_the_way(int no)
{
	return no == ENOTEMPTY || no == EEXIST || no == ENOTDIR || no == EISDIR;
}

static int move_up(int dir, const char *name, void *data)
{
	return renameat(dir, name, *(const int *)data, name) < 0 && !is_in_the_way(errno) ? -errno : 0;
}

/* What is in FILLED becomes what is in @data, which gets its owner and mode. 0 or -errno. */
static int move_all(int data)
{
	_fd_ filled = openat(data, FILLED, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	_fd_ from = filled < 0 ? -1 : openat(filled, TREE, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	int r;

	if (from < 0 && (filled < 0 || (errno != ENOENT && !is_in_the_way(errno))))
		return -errno;
	if (from >= 0) {
		if (fstat(from, &st) < 0)
			return -errno;
		r = each_entry(from, move_up, &data);
		if (r < 0)
			return r;
		if (fchown(data, st.st_uid, st.st_gid) < 0 || fchmod(data, st.st_mode & 07777) < 0)
			return -errno;
		if (unlinkat(filled, TREE, AT_REMOVEDIR) < 0 && !is_in_the_way(errno))
			return -errno;
	}
	return unlinkat(data, FILLED, AT_REMOVEDIR) < 0 && !is_in_the_way(errno) ? -errno : 0;
}

/* pterm-tree with @verb on @dir, its stream (@stream_to) being @stream. */
static int start(int program, const char *const *argv, int dir, int stream, int stream_to, int log, pid_t *ret,
                 struct err *err)
{
	_free_ char *path = xasprintf("/proc/self/fd/%d", PROGRAM_FD);
	const struct child_fd fds[] = { { stream, stream_to }, { log, 2 }, { dir, DIR_FD }, { program, PROGRAM_FD } };
	const struct child c = { .argv = argv, .program = path, .fds = fds, .fd_count = array_len(fds),
	                         .dies_with_parent = true };

	return child_start(&c, ret, err);
}

static int copy(int program, int from, int to, int log, struct err *err)
{
	static const char *const pack[] = { "pterm-tree", "pack", "--fifos", "--", ".", NULL };
	static const char *const unpack[] = { "pterm-tree", "unpack", "--plain", NULL };
	pid_t packer, unpacker;
	int stream[2], r, packed, unpacked;

	if (pipe2(stream, O_CLOEXEC) < 0)
		return err_set(err, errno, "pipe", "%m");
	r = start(program, pack, from, stream[1], 1, log, &packer, err);
	fd_close(stream[1]);
	if (r < 0) {
		fd_close(stream[0]);
		return r;
	}
	r = start(program, unpack, to, stream[0], 0, log, &unpacker, err);
	fd_close(stream[0]);                             /* without a reader the packer ends */
	packed = child_wait(packer);
	unpacked = r < 0 ? r : child_wait(unpacker);
	if (r < 0)
		return r;
	return packed == 0 && unpacked == 0 ? 0 : err_set(err, EIO, "volume", "pterm-tree failed");
}

/* @from into FILLING, whole or not at all. */
static int copy_aside(int program, int from, int data, int log, struct err *err)
{
	_fd_ to = -1;
	int r;

	(void)path_remove_tree(data, FILLING);
	if (mkdirat(data, FILLING, 0700) < 0 || mkdirat(data, FILLING "/" TREE, 0700) < 0)
		return err_set(err, errno, "volume", "cannot make a directory in it: %m");
	to = openat(data, FILLING "/" TREE, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	r = to < 0 ? err_set(err, errno, "volume", "cannot open a directory in it: %m") : copy(program, from, to, log, err);
	HOOK("volume.filling");
	if (r == 0 && renameat(data, FILLING, data, FILLED) < 0)
		r = err_set(err, errno, "volume", "cannot rename a directory in it: %m");
	if (r < 0)
		(void)path_remove_tree(data, FILLING);
	return r;
}

int fill_volume(int program, int rootfs, const struct spec_volume *v, const struct spec_user *user, int data, int log,
                struct err *err)
{
	_fd_ to = openat(data, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_fd_ from = -1;
	int r;

	if (to < 0 || flock(to, LOCK_EX) < 0)            /* until we have filled it */
		return err_set(err, errno, "volume", "cannot open volume '%s': %m", v->name);
	r = is_filled(to) ? 0 : each_entry(to, is_content, NULL);
	if (r == 1)
		return 0;
	if (r < 0)
		return err_set(err, -r, "volume", "cannot read volume '%s': %m", v->name);
	from = path_open_in_root(rootfs, v->target, O_PATH | O_DIRECTORY);
	if (from < 0 && !is_filled(to))
		return fchown(to, (uid_t)user->uid, (gid_t)user->gid) == 0 && fchmod(to, 0755) == 0 ? 0 :
		       err_set(err, errno, "volume", "cannot give volume '%s' to the session's user: %m", v->name);
	if (!is_filled(to))
		r = copy_aside(program, from, to, log, err);
	HOOK("volume.filled");
	if (r == 0 && (r = move_all(to)) < 0)
		err_set(err, -r, "volume", "%m");
	return r < 0 ? err_wrap(err, "cannot copy what the image has in '%s' into volume '%s'", v->target, v->name) : 0;
}
