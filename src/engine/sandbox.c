#include "engine/sandbox.h"

#include "base/child.h"
#include "base/fd.h"
#include "base/hook.h"
#include "base/path.h"
#include "engine/fill.h"
#include "wire/init.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OVERLAY_OPTIONS_MAX = 4095 };             /* mount(2): the data are one page */

char *sandbox_bundle(const struct place *place)
{
	return path_join(place->runtime_dir, "bundle");
}

void sandbox_release(struct sandbox *s)
{
	strv_release(&s->runtime);
	for (size_t i = 0; i < s->files.len; i++)
		str_release(&s->files.items[i].text);
	vec_release(&s->files);
	for (size_t i = 0; i < s->secrets.len; i++)
		str_wipe(&s->secrets.items[i].value);
	vec_release(&s->secrets);
	for (size_t i = 0; i < s->trees.len; i++)
		fd_close(s->trees.items[i]);
	vec_release(&s->trees);
	s->lower_tree = fd_close(s->lower_tree);
	s->init_tree = fd_close(s->init_tree);
	s->lifeline = fd_close(s->lifeline);
	s->control = fd_close(s->control);
	s->log = fd_close(s->log);
	s->tree_program = fd_close(s->tree_program);
	s->join_net = fd_close(s->join_net);
}

/* --- idmapped trees, made outside by real root --- */

int sandbox_tree(const char *path, const struct idmap *map, bool read_only, struct err *err)
{
	_fd_ tree = (int)syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV };
	_fd_ ns = -1;

	if (tree < 0)
		return err_set(err, errno, "volume", "cannot mount '%s': %m", path);
	if (map == NULL)
		return TAKE_FD(tree);
	ns = idmap_namespace(map, err);
	if (ns < 0)
		return ns;
	attr.userns_fd = (uint64_t)ns;
	if (read_only)
		attr.attr_set |= MOUNT_ATTR_RDONLY;
	if (syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr)) < 0)
		return err_set(err, errno, "volume", "cannot map the owners of the files below '%s': %m (its file system, or one "
		               "mounted below it, has no idmapped mounts; give a directory on ext4, xfs, btrfs or tmpfs)",
		               path);
	return TAKE_FD(tree);
}

/* --- inside the sandbox process --- */

static int fail(const struct sandbox *s, const char *fmt, ...) _printf_(2, 3);
static int fail(const struct sandbox *s, const char *fmt, ...)
{
	struct sandbox_report report = { .say = SANDBOX_FAILED, .value = errno };
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(report.text, sizeof(report.text), fmt, ap);
	va_end(ap);
	(void)fd_send(s->control, &report, sizeof(report), NULL, 0);
	return -1;
}

static int tell(const struct sandbox *s, enum sandbox_say say, int value, int fd)
{
	struct sandbox_report report = { .say = say, .value = value };

	return (int)fd_send(s->control, &report, sizeof(report), &fd, fd >= 0 ? 1 : 0);
}

static int make_bundle(const struct sandbox *s)
{
	_free_ char *bundle = sandbox_bundle(s->place);

	if (mount("pterm", bundle, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0700,size=16m") < 0)
		return fail(s, "cannot mount a tmpfs on '%s': %m", bundle);
	if (chdir(bundle) < 0)
		return fail(s, "cannot enter '%s': %m", bundle);
	for (size_t i = 0; i < s->files.len; i++) {
		const struct sandbox_file *f = &s->files.items[i];
		_fd_ fd = open(f->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

		if (fd < 0 || fd_write_all(fd, f->text.buf, f->text.len) < 0)
			return fail(s, "cannot write '%s/%s': %m", bundle, f->name);
		(void)fchmod(fd, 0644);
	}
	return 0;
}

/* Files that the session's user can read, in a directory that it can enter, and nobody else but root inside. */
static int write_secrets(const struct sandbox *s)
{
	const uid_t uid = (uid_t)s->spec->user.uid;
	const gid_t gid = (gid_t)s->spec->user.gid;
	_fd_ dir = -1;

	if (s->secrets.len == 0)
		return 0;
	if (mkdir(SANDBOX_SECRETS, 0700) < 0 || (dir = open(SANDBOX_SECRETS, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return fail(s, "cannot make a place for secrets: %m");
	for (size_t i = 0; i < s->secrets.len; i++) {
		const struct sandbox_secret *secret = &s->secrets.items[i];
		_fd_ fd = openat(dir, secret->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0400);

		if (fd < 0 || fd_write_all(fd, secret->value.buf, secret->value.len) < 0 || fchmod(fd, 0400) < 0 ||
		    fchown(fd, uid, gid) < 0)
			return fail(s, "cannot write the secret '%s': %m", secret->name);
	}
	return fchmod(dir, 0500) < 0 || fchown(dir, uid, gid) < 0 ? fail(s, "cannot give the secrets to the session's user: %m")
	                                                          : 0;
}

/* @name in the store directory, owned by the container's root, or an error. */
static int make_dir(const struct sandbox *s, int store, const char *name, mode_t mode)
{
	if (mkdirat(store, name, mode) < 0 && errno != EEXIST)
		return fail(s, "cannot make '%s/%s': %m", s->place->store_dir, name);
	return fchmodat(store, name, mode, 0) < 0 ? fail(s, "cannot set the mode of '%s/%s': %m", s->place->store_dir, name)
	                                          : 0;
}

static int attach_tree(const struct sandbox *s, int tree, const char *at)
{
	struct stat st;

	if (fstat(tree, &st) < 0)
		return fail(s, "cannot look at what is to be mounted on %s: %m", at);
	if (S_ISDIR(st.st_mode) ? mkdir(at, 0700) < 0 : mknod(at, S_IFREG | 0600, 0) < 0)
		return fail(s, "cannot make the mount point %s: %m", at);
	if (syscall(SYS_move_mount, tree, "", AT_FDCWD, at, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return fail(s, "cannot attach a mount on %s: %m", at);
	return 0;
}

/*
 * The list of lower layers, the highest first, by links in the bundle with short names: the options of a mount have one
 * page, which 40 paths would fill, and a path would have to be escaped.
 */
static int add_layers(const struct sandbox *s, struct str *options)
{
	const struct strv *layers = &s->spec->image.layers;

	for (size_t i = layers->len; i-- > 0;) {
		char name[24];

		if (s->lower_tree >= 0 && i == 0) {
			str_adds(options, "lower");
			break;
		}
		snprintf(name, sizeof(name), "%zx", i);
		if (symlink(layers->items[i], name) < 0)
			return fail(s, "cannot make a link to '%s': %m", layers->items[i]);
		str_addf(options, "%s%s", name, i > 0 ? ":" : "");
	}
	return 0;
}

static int mount_rootfs(const struct sandbox *s)
{
	const struct strv *layers = &s->spec->image.layers;
	_fd_ store = open(s->place->store_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_str_ options = STR_INIT;

	if (store < 0)
		return fail(s, "cannot open '%s': %m", s->place->store_dir);
	if (make_dir(s, store, "upper", 0755) < 0 || make_dir(s, store, "work", 0700) < 0)
		return -1;
	if (mkdir("rootfs", 0755) < 0)
		return fail(s, "cannot make the root file system's mount point: %m");
	if (s->lower_tree >= 0 && attach_tree(s, s->lower_tree, "lower") < 0)
		return -1;
	str_adds(&options, "userxattr,lowerdir=");
	if (add_layers(s, &options) < 0)
		return -1;
	str_addf(&options, ",upperdir=/proc/self/fd/%d/upper,workdir=/proc/self/fd/%d/work", store, store);
	if (options.len > OVERLAY_OPTIONS_MAX) {
		errno = E2BIG;
		return fail(s, "the image has too many layers for one overlay mount (%zu)", layers->len);
	}
	if (mount("overlay", "rootfs", "overlay", MS_NODEV, options.buf) < 0)
		return fail(s, "cannot mount the image '%s' with the session's files above it (in '%s'): %m%s",
		            s->spec->image.label ? s->spec->image.label : "", s->place->store_dir,
		            errno == EINVAL || errno == EOPNOTSUPP ?
		            "; that file system may not be able to hold an overlay: set PTERM_STORE to a local directory" : "");
	return 0;
}

/* The working directory that the image names, as its user's own. A link in the image never leads out of the root. */
static void make_cwd(const struct sandbox *s)
{
	_free_ char *path = xstrdup(s->spec->cwd ? s->spec->cwd : "/");
	_fd_ root = open("rootfs", O_PATH | O_DIRECTORY | O_CLOEXEC);

	for (char *end = path; s->spec->makes_cwd && root >= 0 && end != NULL;) {
		_fd_ above = -1;
		char *name;

		end = strchr(end + 1, '/');
		if (end != NULL)
			*end = '\0';
		name = strrchr(path, '/');
		if (name != NULL && name[1] != '\0') {
			*name = '\0';
			above = path_open_in_root(root, *path ? path : "/", O_RDONLY | O_DIRECTORY);
			*name = '/';
			if (above >= 0 && mkdirat(above, name + 1, 0755) == 0)
				(void)!fchownat(above, name + 1, (uid_t)s->spec->user.uid, (gid_t)s->spec->user.gid, AT_SYMLINK_NOFOLLOW);
		}
		if (end != NULL)
			*end = '/';
	}
}

static int attach_trees(const struct sandbox *s)
{
	for (size_t i = 0; i < s->trees.len; i++) {
		char at[32];

		snprintf(at, sizeof(at), "v%zu", i);
		if (attach_tree(s, s->trees.items[i], at) < 0)
			return -1;
	}
	return s->init_tree >= 0 ? attach_tree(s, s->init_tree, "init") : 0;
}

static int fill_volumes(const struct sandbox *s)
{
	_fd_ rootfs = open("rootfs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (s->tree_program < 0)
		return 0;
	for (size_t i = 0; i < s->spec->volumes.len; i++) {
		const struct spec_volume *v = &s->spec->volumes.items[i];
		_free_ char *tree = xasprintf("v%zu", i);
		_fd_ data = v->name == NULL ? -1 : open(i < s->trees.len ? tree : v->source, O_PATH | O_DIRECTORY | O_CLOEXEC);
		_err_ err = ERR_INIT;

		if (v->name == NULL)
			continue;
		if (data < 0)
			return fail(s, "cannot open volume '%s': %m", v->name);
		if (fill_volume(s->tree_program, rootfs, v, &s->spec->user, data, s->log, &err) < 0) {
			errno = err.no;
			return fail(s, "%s", err_msg(&err));
		}
	}
	return 0;
}

/* crun refuses hybrid cgroup hosts (>= 1.21), and a container of ours needs no cgroup: show it a v2 hierarchy. */
static int show_cgroup2(const struct sandbox *s)
{
	struct statfs fs;

	if (statfs("/sys/fs/cgroup", &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC)
		return 0;
	if (mount("cgroup2", "/sys/fs/cgroup", "cgroup2", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
		return fail(s, "cannot mount cgroup2 for the container runtime: %m");
	return 0;
}

/*
 * crun copies itself to where the container cannot overwrite it (CVE-2019-5736) and executes again, unless it already
 * runs from a read-only file system. So give it one: a read-only mount of its file that nobody else sees saves an
 * exec.
 */
static int read_only_copy(const char *program)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	_fd_ tree = (int)syscall(SYS_open_tree, AT_FDCWD, program, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (tree < 0 || syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return -1;
	return TAKE_FD(tree);
}

static pid_t start_runtime(const struct sandbox *s)
{
	enum { PROGRAM_FD = INIT_LIFELINE_FD + 1 };
	_fd_ program = read_only_copy(s->runtime.items[0]);
	const struct child_fd fds[] = { { s->log, 1 }, { s->log, 2 }, { s->lifeline, INIT_LIFELINE_FD },
	                                { program, PROGRAM_FD } };
	_free_ char *path = program >= 0 ? xasprintf("/proc/self/fd/%d", PROGRAM_FD) : NULL;
	char *const env[] = {
		(char *)"PATH=" PATH_DEFAULT,
#ifdef PTERM_HOOKS
		xasprintf("PTERM_HOOK=%s", getenv("PTERM_HOOK") ? getenv("PTERM_HOOK") : ""),
#endif
		NULL };
	const struct child c = { .program = path, .argv = (const char *const *)s->runtime.items, .env = env, .fds = fds,
	                         .fd_count = array_len(fds) - (program < 0), .dies_with_parent = true };
	_err_ err = ERR_INIT;
	pid_t pid;
	const int r = child_start(&c, &pid, &err);

	if (r < 0) {
		errno = -r;
		fail(s, "%s", err_msg(&err));
		return -1;
	}
	return pid;
}

/*
 * The runtime connects to console.sock and sends the master: at once on to the supervisor, output may be waiting.
 * False when it connects and sends none: it has failed, and its own words and exit code will say why.
 */
static bool pass_console(const struct sandbox *s, int listener)
{
	_fd_ from = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	char name[256];
	int fds[FD_PASS_MAX];
	size_t n = 0;

	if (from < 0 || fd_recv(from, name, sizeof(name), fds, &n, 0) < 0 || n != 1)
		return false;
	(void)tell(s, SANDBOX_CONSOLE, 0, fds[0]);
	fd_close(fds[0]);
	return true;
}

/* Wait for the runtime, passing the console on when it comes. Its wait status, or -1. */
static int run_runtime(const struct sandbox *s, pid_t pid, int listener)
{
	_fd_ ended = proc_pidfd(pid);
	bool has_console = false, is_listening = true;
	int status;

	for (;;) {
		struct pollfd p[] = { { .fd = ended, .events = POLLIN }, { .fd = is_listening ? listener : -1, .events = POLLIN } };

		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return -1;
		if (p[1].revents) {
			has_console = pass_console(s, listener);
			is_listening = false;
		}
		if (!p[0].revents)
			continue;
		status = child_wait(pid);
		if (status != 0 || has_console)
			return status;
		errno = EPROTO;
		(void)fail(s, "the container runtime sent no terminal");
		return -1;
	}
}

static int read_pid(const struct sandbox *s)
{
	_str_ text = STR_INIT;

	if (file_read(AT_FDCWD, "pid", 64, &text) < 0)
		return fail(s, "the container runtime wrote no pid file");
	return atoi(text.buf);
}

static int run_sandbox(const struct sandbox *s)
{
	_fd_ listener = -1;
	int root, status, pid;

	HOOK("sandbox.mapped");
	if (s->join_net >= 0 && setns(s->join_net, CLONE_NEWNET) < 0)
		return fail(s, "cannot enter the network of the other session: %m");
	if (make_bundle(s) < 0 || write_secrets(s) < 0 || mount_rootfs(s) < 0 || attach_trees(s) < 0 ||
	    fill_volumes(s) < 0 || show_cgroup2(s) < 0)
		return -1;
	make_cwd(s);                             /* what it cannot make, the command's start tells */
	HOOK("sandbox.mounted");
	listener = fd_listen_unix(AT_FDCWD, "console.sock", SOCK_STREAM);
	if (listener < 0)
		return fail(s, "cannot listen for the container's terminal: %s", strerror(-listener));
	pid = start_runtime(s);
	if (pid < 0)
		return -1;
	HOOK("sandbox.runtime-started");
	status = run_runtime(s, pid, listener);
	HOOK("sandbox.runtime-ended");
	if (status < 0)
		return -1;
	if (status != 0) {
		errno = EIO;
		return fail(s, WIFSIGNALED(status) ? "the container runtime was killed by signal %d" :
		            "the container runtime failed with exit code %d", child_exit_code(status) & 127);
	}
	pid = read_pid(s);
	if (pid > 0)
		(void)tell(s, SANDBOX_INIT, pid, -1);
	HOOK("sandbox.told");
	root = open(s->runtime_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root >= 0)
		(void)path_remove_tree(root, s->runtime_id);
	if (pid > 0 && s->stays) {
		char byte;

		fd_close(s->lifeline);
		(void)recv(s->control, &byte, 1, 0);     /* nothing comes: only its end */
	}
	return pid > 0 ? 0 : -1;
}

int sandbox_main(void *data)
{
	const struct sandbox *s = data;
	VEC(int) keep = { 0 };
	char byte;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (recv(s->control, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0)    /* our supervisor died before that */
		return 1;
	vec_push(&keep, s->lifeline);
	vec_push(&keep, s->control);
	vec_push(&keep, s->log);
	vec_push(&keep, s->tree_program);
	vec_push(&keep, s->join_net);
	vec_push(&keep, s->lower_tree);
	vec_push(&keep, s->init_tree);
	for (size_t i = 0; i < s->trees.len; i++)
		vec_push(&keep, s->trees.items[i]);
	fd_close_from(0, keep.items, keep.len);          /* the session's lock and ring are not ours to hold */
	(void)umask(022);
	return run_sandbox(s) < 0;
}
