#include "base/path.h"

#include "base/fd.h"
#include "base/str.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int path_mkdirs(const char *path, mode_t mode)
{
	_free_ char *copy = xstrdup(path);

	if (mkdir(path, mode) == 0 || errno == EEXIST)
		return 0;
	if (errno != ENOENT)
		return -errno;
	for (char *p = copy + 1; *p != '\0'; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(copy, mode) < 0 && errno != EEXIST)
			return -errno;
		*p = '/';
	}
	return mkdir(path, mode) < 0 && errno != EEXIST ? -errno : 0;
}

char *path_join(const char *a, const char *b)
{
	return xasprintf("%s%s%s", a, str_eq(a, "/") ? "" : "/", b);
}

char *path_absolute(const char *path)
{
	char cwd[4096];

	if (path[0] == '/' || getcwd(cwd, sizeof(cwd)) == NULL)
		return xstrdup(path);
	return path_join(cwd, path);
}

const char *path_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

bool path_exists(int dirfd, const char *path)
{
	return faccessat(dirfd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

bool path_is_under(const char *path, const char *dir)
{
	const size_t n = strlen(dir);

	if (str_eq(dir, "/"))
		return true;
	return strncmp(path, dir, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

static void keep_first(int *r, int now)
{
	if (*r == 0 && now < 0)
		*r = now;
}

/*
 * A descriptor is open for each level, and strangers make trees of any depth: a directory this far down is moved to
 * the top, where the next round finds it.
 */
enum { REMOVE_DEPTH_MAX = 64 };

struct removal { int top; dev_t dev; unsigned moved; };

static bool move_up(struct removal *rm, int dir, const char *name)
{
	char up[40];

	do
		snprintf(up, sizeof(up), ".removed-%d-%u", (int)getpid(), rm->moved++);
	while (renameat2(dir, name, rm->top, up, RENAME_NOREPLACE) < 0 && errno == EEXIST);
	return !path_exists(dir, name);
}

static int remove_below(struct removal *rm, int fd, int depth);

/* The directory @name in @dir, which is @depth levels down. */
static int remove_dir(struct removal *rm, int dir, const char *name, int depth)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	int r;

	if (fd < 0 && errno == EACCES && fchmodat(dir, name, 0700, 0) == 0)
		fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;     /* others may remove it at the same time */
	if (fstat(fd, &st) < 0 || st.st_dev != rm->dev) {
		fd_close(fd);
		return -EXDEV;
	}
	(void)fchmod(fd, 0700);
	if (depth >= REMOVE_DEPTH_MAX && move_up(rm, dir, name)) {
		fd_close(fd);
		return 0;
	}
	r = remove_below(rm, fd, depth + 1);
	if (unlinkat(dir, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		keep_first(&r, -errno);
	return r;
}

/* All that is in the directory @fd, which is closed. */
static int remove_below(struct removal *rm, int fd, int depth)
{
	DIR *dir = fdopendir(fd);
	int r = 0;

	if (dir == NULL) {
		r = -errno;
		fd_close(fd);
		return r;
	}
	for (struct dirent *e; (e = readdir(dir)) != NULL;) {
		if (str_eq(e->d_name, ".") || str_eq(e->d_name, ".."))
			continue;
		if (unlinkat(dirfd(dir), e->d_name, 0) == 0 || errno == ENOENT)
			continue;
		keep_first(&r, errno != EISDIR && errno != EPERM ? -errno : remove_dir(rm, dirfd(dir), e->d_name, depth));
	}
	closedir(dir);
	return r;
}

int path_remove_tree(int dirfd, const char *name)
{
	struct removal rm = { 0 };
	struct stat st;
	unsigned before;
	_fd_ top = -1;
	int r;

	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	top = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (top < 0 || fstat(top, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	rm.top = top;
	rm.dev = st.st_dev;
	do {
		const int fd = openat(top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		before = rm.moved;
		r = fd < 0 ? -errno : remove_below(&rm, fd, 0);
	} while (rm.moved != before);
	if (unlinkat(dirfd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		keep_first(&r, -errno);
	return r;
}

int path_open_in_root(int dirfd, const char *path, int flags)
{
	const struct open_how how = {
		.flags = (uint64_t)(flags | O_CLOEXEC),
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	enum { TRIES = 1000 };
	long fd = -1;

	/*
	 * openat2(2): EAGAIN when something was renamed or mounted, anywhere, while it followed a "..". Who renames without an
	 * end does not hold us for ever.
	 */
	errno = EAGAIN;
	for (int i = 0; fd < 0 && errno == EAGAIN && i < TRIES; i++)
		fd = syscall(SYS_openat2, dirfd, path, &how, sizeof(how));
	return fd < 0 ? -errno : (int)fd;
}

uint64_t path_disk_usage(int dir_fd, const char *name)
{
	struct stat st;
	uint64_t sum;
	DIR *dir;
	int fd;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	sum = (uint64_t)st.st_blocks * 512 / (st.st_nlink > 1 && !S_ISDIR(st.st_mode) ? st.st_nlink : 1);
	if (!S_ISDIR(st.st_mode))
		return sum;
	fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (dir == NULL) {
		fd_close(fd);
		return sum;
	}
	for (struct dirent *e; (e = readdir(dir)) != NULL;)
		if (!str_eq(e->d_name, ".") && !str_eq(e->d_name, ".."))
			sum += path_disk_usage(dirfd(dir), e->d_name);
	closedir(dir);
	return sum;
}
