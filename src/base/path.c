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

static int remove_below(int fd, dev_t dev)
{
	DIR *dir = fdopendir(fd);                /* consumes fd */
	int r = 0;

	if (dir == NULL) {
		fd_close(fd);
		return -errno;
	}
	for (struct dirent *e; (e = readdir(dir)) != NULL;) {
		struct stat st;
		int sub;

		if (str_eq(e->d_name, ".") || str_eq(e->d_name, ".."))
			continue;
		if (unlinkat(dirfd(dir), e->d_name, 0) == 0 || errno == ENOENT)
			continue;
		if (errno != EISDIR && errno != EPERM) {
			keep_first(&r, -errno);
			continue;
		}
		sub = openat(dirfd(dir), e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (sub < 0 && errno == EACCES && fchmodat(dirfd(dir), e->d_name, 0700, 0) == 0)
			sub = openat(dirfd(dir), e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (sub < 0) {
			keep_first(&r, errno == ENOENT ? 0 : -errno);    /* others may remove it at the same time */
			continue;
		}
		if (fstat(sub, &st) < 0 || st.st_dev != dev) {
			fd_close(sub);
			keep_first(&r, -EXDEV);
			continue;
		}
		(void)fchmod(sub, 0700);
		keep_first(&r, remove_below(sub, dev));
		if (unlinkat(dirfd(dir), e->d_name, AT_REMOVEDIR) < 0 && errno != ENOENT)
			keep_first(&r, -errno);
	}
	closedir(dir);
	return r;
}

int path_remove_tree(int dirfd, const char *name)
{
	struct stat st;
	int fd, r;

	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fstat(fd, &st) < 0) {
		r = -errno;
		fd_close(fd);
		return r;
	}
	r = remove_below(fd, st.st_dev);
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
	const long fd = syscall(SYS_openat2, dirfd, path, &how, sizeof(how));

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
