/*
 * The real host: what the checks look through when no test has made one up.
 */
#include "service/doctor.h"

#include "base/child.h"
#include "base/fd.h"
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/xattr.h>
#include <unistd.h>

static const char *real_env(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

static int real_run(const char *const *argv, struct str *ret_output)
{
	return child_run(argv, ret_output, NULL);
}

static int real_stat(const char *path, struct stat *ret)
{
	return stat(path, ret) < 0 ? -errno : 0;
}

static int real_statfs(const char *path, struct statfs *ret)
{
	return statfs(path, ret) < 0 ? -errno : 0;
}

static ssize_t real_xattr(const char *path, const char *name, void *value, size_t n)
{
	const ssize_t r = getxattr(path, name, value, n);

	return r < 0 ? -errno : r;
}

static int real_open(const char *path)
{
	_fd_ fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	return fd < 0 ? -errno : 0;
}

static bool real_has_no_new_privs(void)
{
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
}

/*
 * Does the process share the mounts of PID 1, and is its / another? Only who may look at PID 1 can tell. 1, 0, or -1.
 */
static int compare_with_first(void)
{
	const unsigned mask = STATX_INO | STATX_MNT_ID;
	struct stat our_mounts, first_mounts;
	struct statx ours, first;

	if (stat("/proc/self/ns/mnt", &our_mounts) < 0 || stat("/proc/1/ns/mnt", &first_mounts) < 0 ||
	    our_mounts.st_ino != first_mounts.st_ino)
		return -1;
	if (statx(AT_FDCWD, "/", 0, mask, &ours) < 0 || statx(AT_FDCWD, "/proc/1/root", 0, mask, &first) < 0)
		return -1;
	return ours.stx_ino != first.stx_ino || ours.stx_mnt_id != first.stx_mnt_id;
}

/* Who cannot look at PID 1 sees whether anything is mounted on /; a chroot into a mount point is missed then. */
static bool real_is_in_chroot(void)
{
	const int differs = compare_with_first();
	_str_ mounts = STR_INIT;

	if (differs >= 0)
		return differs;
	if (file_read(AT_FDCWD, "/proc/self/mountinfo", 1 << 22, &mounts) < 0)
		return false;
	for (const char *line = mounts.buf; *line != '\0'; line += strcspn(line, "\n"), line += *line == '\n') {
		char point[8] = "";

		/* id, parent, major:minor, root, mount point */
		if (sscanf(line, "%*s %*s %*s %*s %7s", point) == 1 && str_eq(point, "/"))
			return false;
	}
	return true;
}

/* What a child that tried something tells: the errno (0: all went well) and the step it was at. */
struct report { int no, step; };

static int try_in_child(int (*fn)(void *arg, int *step), void *arg, int *ret_step)
{
	struct report report = { .no = EIO };
	_fd_ from = -1;
	_fd_ to = -1;
	int pipes[2];
	pid_t pid;

	if (pipe2(pipes, O_CLOEXEC) < 0)
		return -errno;
	from = pipes[0];
	to = pipes[1];
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		report.no = -fn(arg, &report.step);
		(void)fd_write_all(to, &report, sizeof(report));
		_exit(0);
	}
	to = fd_close(to);
	(void)fd_read_all(from, &report, sizeof(report));     /* nothing arrives when it was killed: EIO stays */
	(void)child_wait(pid);
	*ret_step = report.step;
	return -report.no;
}

static int unshare_user(void *arg, int *step)
{
	(void)arg;
	(void)step;
	return unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0 ? -errno : 0;
}

static int real_make_userns(void)
{
	int step;

	return try_in_child(unshare_user, NULL, &step);
}

static int write_text(const char *path, const char *text)
{
	_fd_ fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd_write_all(fd, text, strlen(text));
}

/* A user namespace in which we are root and alone; needs neither subordinate ids nor newuidmap. */
static int become_root_inside(void)
{
	const unsigned uid = geteuid(), gid = getegid();
	char uid_map[32], gid_map[32];
	int r;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return -errno;
	snprintf(uid_map, sizeof(uid_map), "0 %u 1", uid);
	snprintf(gid_map, sizeof(gid_map), "0 %u 1", gid);
	r = write_text("/proc/self/setgroups", "deny");
	if (r == 0)
		r = write_text("/proc/self/uid_map", uid_map);
	return r == 0 ? write_text("/proc/self/gid_map", gid_map) : r;
}

static const char *const overlay_steps[] = { "a user namespace for it", "mounting one", "making a file in it",
                                             "removing a file of a lower layer" };

static int use_overlay(void *dir, int *step)
{
	_fd_ fd = -1;
	int r;

	*step = 0;
	r = become_root_inside();
	if (r < 0)
		return r;
	*step = 1;
	if (chdir(dir) < 0 ||
	    mount("overlay", "merged", "overlay", 0, "userxattr,lowerdir=lower,upperdir=upper,workdir=work") < 0)
		return -errno;
	*step = 2;
	fd = open("merged/new", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	*step = 3;
	return unlink("merged/old") < 0 ? -errno : 0;
}

/* A fresh directory in @dir, open, and its path. The descriptor, or -errno. */
static int make_scratch(const char *dir, char **ret_path)
{
	_free_ char *path = path_join(dir, ".pterm-doctor-XXXXXX");
	int fd;

	if (mkdtemp(path) == NULL)
		return -errno;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	*ret_path = TAKE(path);
	return fd;
}

static int real_use_overlay(const char *dir, const char **ret_step)
{
	static const char *const names[] = { "lower", "upper", "work", "merged" };
	_free_ char *path = NULL;
	_fd_ fd = make_scratch(dir, &path);
	int r = 0, step = 0;

	*ret_step = "making a directory";
	if (fd < 0)
		return fd;
	for (size_t i = 0; i < array_len(names) && r == 0; i++)
		r = mkdirat(fd, names[i], 0700) < 0 ? -errno : 0;
	if (r == 0)
		r = file_write(fd, "lower/old", "x", 1, 0600);
	if (r == 0) {
		r = try_in_child(use_overlay, path, &step);
		*ret_step = overlay_steps[step];
	}
	(void)fchmodat(fd, "work/work", 0700, 0);        /* the overlay made it with mode 0 */
	(void)path_remove_tree(AT_FDCWD, path);
	return r;
}

static int use_files(int fd, const char **ret_step)
{
	_fd_ file = -1;
	_fd_ sock = -1;
	int r;

	*ret_step = "making a file";
	r = file_write(fd, "file", "x", 1, 0600);
	if (r < 0)
		return r;
	*ret_step = "extended attributes";
	file = openat(fd, "file", O_RDONLY | O_CLOEXEC);
	if (file < 0 || fsetxattr(file, "user.pterm", "x", 1, 0) < 0)
		return -errno;
	*ret_step = "sockets";
	sock = fd_listen_unix(fd, "socket", SOCK_STREAM);
	return sock < 0 ? sock : 0;
}

static int real_use_files(const char *dir, const char **ret_step)
{
	_free_ char *path = NULL;
	_fd_ fd = make_scratch(dir, &path);
	int r;

	*ret_step = "making a directory";
	if (fd < 0)
		return fd;
	r = use_files(fd, ret_step);
	(void)path_remove_tree(AT_FDCWD, path);
	return r;
}

static char *own_program(void)
{
	char exe[4096];
	const ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	return n > 0 ? xstrndup(exe, (size_t)n) : xstrdup("pterm");
}

void host_init(struct host *h)
{
	const uid_t uid = geteuid();
	const struct passwd *pw = getpwuid(uid);

	*h = (struct host){
		.root = "", .uid = uid, .user = pw ? xstrdup(pw->pw_name) : xasprintf("%u", (unsigned)uid),
		.program = own_program(),
		.env = real_env, .run = real_run, .stat = real_stat, .statfs = real_statfs, .xattr = real_xattr,
		.open = real_open, .has_no_new_privs = real_has_no_new_privs, .is_in_chroot = real_is_in_chroot,
		.make_userns = real_make_userns, .use_overlay = real_use_overlay, .use_files = real_use_files,
	};
	house_find(&h->house);
	h->home = h->house.home;
	h->store = h->house.store;
	h->libexec = h->house.libexec;
	h->data = h->house.data;
	h->default_image = h->house.default_image;
}

void host_release(struct host *h)
{
	free(h->user);
	free(h->program);
	house_close(&h->house);
	*h = (struct host){ 0 };
}
