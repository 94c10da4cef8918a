#include "image/helper-root.h"

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum access { READ_ONLY, WRITABLE };

/* Something to mount on: a directory, or an empty file for anything else. */
static int make_target(const char *to, bool is_dir)
{
	_free_ char *above = xstrndup(to, (size_t)(path_base(to) - to));
	int r = path_mkdirs(is_dir ? to : above, 0755);
	_fd_ fd = -1;

	if (r < 0 || is_dir || path_exists(AT_FDCWD, to))
		return r;
	fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	return fd < 0 ? -errno : 0;
}

static int copy_link(const char *path, const char *to)
{
	char target[4096];
	const ssize_t n = readlink(path, target, sizeof(target) - 1);

	if (n < 0)
		return -errno;
	target[n] = '\0';
	return symlink(target, to) < 0 && errno != EEXIST ? -errno : 0;
}

/* @path of the host, with all that is mounted in it, at the same place below @at. What is not there is left out. */
static int show(const char *at, const char *path, enum access access)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	_free_ char *to = xasprintf("%s%s", at, path);
	struct stat st;
	int r;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (S_ISLNK(st.st_mode))                         /* /bin and its kind, where they are in /usr */
		return copy_link(path, to);
	r = make_target(to, S_ISDIR(st.st_mode));
	if (r < 0)
		return r;
	if (mount(path, to, NULL, MS_BIND | MS_REC, NULL) < 0)
		return -errno;
	if (access == WRITABLE)
		return 0;
	return syscall(SYS_mount_setattr, AT_FDCWD, to, AT_RECURSIVE, &attr, sizeof(attr)) < 0 ? -errno : 0;
}

static int show_system(const char *at, const char **ret_what)
{
	static const char *const each[] = {
		"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt", "/nix", "/etc", "/sys",
	};
	_free_ char *names = realpath("/etc/resolv.conf", NULL); /* often a link into /run */
	int r = 0;

	for (size_t i = 0; i < array_len(each) && r == 0; i++)
		r = show(at, *ret_what = each[i], READ_ONLY);
	if (r == 0 && names != NULL && !path_is_under(names, "/etc")) {
		*ret_what = "/etc/resolv.conf";
		r = show(at, names, READ_ONLY);
	}
	return r;
}

static int make_devices(const char *at)
{
	static const char *const each[] = {
		"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty",
	};
	static const char *const links[][2] = {
		{ "/proc/self/fd", "fd" }, { "fd/0", "stdin" }, { "fd/1", "stdout" }, { "fd/2", "stderr" },
		{ "pts/ptmx", "ptmx" },
	};
	_free_ char *pts = xasprintf("%s/dev/pts", at), *shm = xasprintf("%s/dev/shm", at);
	int r = path_mkdirs(pts, 0755);

	for (size_t i = 0; i < array_len(each) && r == 0; i++)
		r = show(at, each[i], WRITABLE);
	for (size_t i = 0; i < array_len(links) && r == 0; i++) {
		_free_ char *link = xasprintf("%s/dev/%s", at, links[i][1]);

		r = symlink(links[i][0], link) < 0 ? -errno : 0;
	}
	if (r < 0 || mkdir(shm, 0755) < 0 || mount("shm", shm, "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777") < 0)
		return r < 0 ? r : -errno;
	if (mount("devpts", pts, "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620") < 0)
		return -errno;
	return 0;
}

/* Where a container around us covers parts of /proc, the kernel gives no new one (user_namespaces(7)): then that. */
static int make_proc(const char *at)
{
	_free_ char *to = xasprintf("%s/proc", at);
	const int r = path_mkdirs(to, 0755);

	if (r < 0 || mount("proc", to, "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == 0)
		return r;
	return errno == EPERM ? show(at, "/proc", WRITABLE) : -errno;
}

static int make_empty(const char *at)
{
	static const char *const each[] = { "/tmp", "/var/tmp", "/run" };
	int r = 0;

	for (size_t i = 0; i < array_len(each) && r == 0; i++) {
		_free_ char *path = xasprintf("%s%s", at, each[i]);

		r = path_mkdirs(path, 0755);
		if (r == 0 && i < 2 && chmod(path, 01777) < 0)
			r = -errno;
	}
	return r;
}

static int fill(const struct helper_root *root, const char **ret_what)
{
	int r = show_system(root->at, ret_what);

	if (r == 0)
		r = make_empty(*ret_what = root->at);
	if (r == 0 && root->shown != NULL)
		r = show(root->at, *ret_what = root->shown, READ_ONLY);
	if (r == 0 && root->writable != NULL)
		r = show(root->at, *ret_what = root->writable, WRITABLE);
	if (r == 0) {
		*ret_what = "/dev";
		r = make_devices(root->at);
	}
	if (r == 0) {
		*ret_what = "/proc";
		r = make_proc(root->at);
	}
	return r;
}

int helper_root_enter(const struct helper_root *root, const char **ret_what)
{
	int r;

	(void)setsid();                                  /* or it could type into our terminal (TIOCSTI) */
	(void)umask(022);
	*ret_what = root->at;
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("root", root->at, "tmpfs", MS_NOSUID, "mode=0755") < 0 ||
	    mount(NULL, root->at, NULL, MS_UNBINDABLE, NULL) < 0)    /* what is shown may hold this very place */
		return -errno;
	r = fill(root, ret_what);
	if (r < 0)
		return r;
	*ret_what = root->at;
	return mount(NULL, root->at, NULL, MS_PRIVATE, NULL) < 0 || chdir(root->at) < 0 ||
	       syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0 ? -errno : 0;
}
