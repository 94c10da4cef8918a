#include "image/copy.h"

#include "base/child.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/proc.h"
#include "base/str.h"
#include "base/units.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the container's end */

struct container { int root, userns; };          /* userns -1: ours */

static void container_close(struct container *c)
{
	c->root = fd_close(c->root);
	c->userns = fd_close(c->userns);
}

/* A session without a container (engine "process") is in our own namespace, which cannot be entered. */
static bool is_own_userns(int fd)
{
	struct stat theirs, ours;

	return fstat(fd, &theirs) == 0 && stat("/proc/self/ns/user", &ours) == 0 &&
	       theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino;
}

/* The pidfd makes sure that all three are of one process: the pid may have been another's before, never after. */
static int container_open(pid_t init, struct container *ret, struct err *err)
{
	_cleanup_(container_close) struct container c = { -1, -1 };
	_fd_ pidfd = proc_pidfd(init);
	char path[64];
	int r = 0;

	if (pidfd < 0)
		return err_set(err, -pidfd, "not-running", "the container is not running: %m");
	snprintf(path, sizeof(path), "/proc/%d/root", (int)init);
	c.root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (c.root < 0)
		r = errno;
	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)init);
	c.userns = open(path, O_RDONLY | O_CLOEXEC);
	if (c.userns < 0 && r == 0)
		r = errno;
	struct pollfd ended = { .fd = pidfd, .events = POLLIN };

	if (poll(&ended, 1, 0) != 0)             /* readable: it has ended (pidfd_open(2)) */
		return err_set(err, ESRCH, "not-running", "the container has ended");
	if (r != 0)
		return err_set(err, r, "copy", "cannot reach the files of process %d: %m", (int)init);
	if (is_own_userns(c.userns))
		c.userns = fd_close(c.userns);
	*ret = c;
	c = (struct container){ -1, -1 };
	return 0;
}

/* ---- the two ends of the pipe */

enum { FD_DIR = 3, FD_REPORT = 4, FD_USERNS = 5 };

struct end {
	struct strv argv;
	pid_t pid;
	int said, report;            /* pipes from it */
	int code;
	struct str text, figures;
};
#define END_INIT { .pid = -1, .said = -1, .report = -1, .text = STR_INIT, .figures = STR_INIT }

static void end_release(struct end *e)
{
	strv_release(&e->argv);
	e->said = fd_close(e->said);
	e->report = fd_close(e->report);
	if (e->pid > 0) {                        /* the other could not be started */
		kill(e->pid, SIGTERM);
		(void)child_wait(e->pid);
	}
	str_release(&e->text);
	str_release(&e->figures);
}

static void end_begin(struct end *e, const char *tree_program, const char *verb, int userns)
{
	strv_push(&e->argv, tree_program);
	strv_push(&e->argv, verb);
	strv_pushf(&e->argv, "--report=%d", FD_REPORT);
	if (userns >= 0)
		strv_pushf(&e->argv, "--userns=%d", FD_USERNS);
	else
		strv_push(&e->argv, "--here");
}

/*
 * Start it with @dir as its root and @stream as its descriptor @stream_to, inside user namespace @userns unless -1.
 */
static int end_start(struct end *e, int dir, int userns, int stream, int stream_to, struct err *err)
{
	int said[2], report[2], r;

	if (pipe2(said, O_CLOEXEC) < 0)
		return err_set(err, errno, "pipe", "cannot copy: %m");
	e->said = said[0];
	if (pipe2(report, O_CLOEXEC) < 0) {
		r = err_set(err, errno, "pipe", "cannot copy: %m");
		fd_close(said[1]);
		return r;
	}
	e->report = report[0];
	const struct child_fd fds[] = { { stream, stream_to }, { said[1], 2 }, { dir, FD_DIR }, { report[1], FD_REPORT },
	                                { userns, FD_USERNS } };
	const struct child c = { .argv = (const char *const *)e->argv.items, .fds = fds,
	                         .fd_count = array_len(fds) - (userns < 0) };

	r = child_start(&c, &e->pid, err);
	fd_close(said[1]);
	fd_close(report[1]);
	return r;
}

static void end_finish(struct end *e)
{
	int status;

	(void)fd_slurp(e->said, 64 * 1024, &e->text);
	(void)fd_slurp(e->report, 4096, &e->figures);
	status = child_wait(e->pid);
	e->pid = -1;
	e->code = status < 0 ? -1 : child_exit_code(status);
	e->text.buf[e->text.len = strcspn(e->text.buf, "\n")] = '\0';
}

static uint64_t end_figure(const struct end *e, const char *name, uint64_t otherwise)
{
	const char *at = strstr(e->figures.buf, name);
	_free_ char *number = NULL;
	uint64_t n;

	if (at == NULL)
		return otherwise;
	at += strlen(name);
	at += *at == ' ';
	number = xstrndup(at, strcspn(at, "\n"));
	return parse_uint(number, 0, INT32_MAX, &n) < 0 ? otherwise : n;
}

static int end_failed(const struct end *e, const char *what, struct err *err)
{
	_free_ char *shown = visible(what);
	_free_ char *why = visible(e->text.buf);
	const int no = (int)end_figure(e, "errno", EIO);

	if (e->text.len == 0)
		return err_set(err, EIO, "copy", "cannot copy '%s': pterm-tree ended with exit code %d", shown, e->code);
	if (str_starts(why, "cannot copy"))
		return err_set(err, no > 0 ? no : EIO, "copy", "%s", why);
	return err_set(err, no > 0 ? no : EIO, "copy", "cannot copy '%s': %s", shown, why);
}

/* What the packer says comes first: it makes the unpacker fail. A packer that says nothing lost its reader. */
static int finish_both(struct end *packer, struct end *unpacker, const char *what, struct err *err)
{
	end_finish(packer);
	end_finish(unpacker);
	if (packer->code != 0 && packer->text.len > 0 && end_figure(packer, "errno", 0) != EPIPE)
		return end_failed(packer, what, err);
	if (unpacker->code != 0)
		return end_failed(unpacker, what, err);
	if (packer->code != 0)
		return end_failed(packer, what, err);
	return (int)(end_figure(packer, "skipped", 0) + end_figure(unpacker, "skipped", 0));
}

/* Where an end works: a directory, and the user namespace to enter (-1: stay). */
struct site { int dir, userns; };

static int run_both(struct end *packer, struct site from, struct end *unpacker, struct site to, const char *what,
                    struct err *err)
{
	int stream[2], r;

	if (pipe2(stream, O_CLOEXEC) < 0)
		return err_set(err, errno, "pipe", "cannot copy: %m");
	r = end_start(packer, from.dir, from.userns, stream[1], 1, err);
	fd_close(stream[1]);
	if (r == 0)
		r = end_start(unpacker, to.dir, to.userns, stream[0], 0, err);
	fd_close(stream[0]);
	return r < 0 ? r : finish_both(packer, unpacker, what, err);
}

/* ---- the host's end */

static int host_failed(const char *path, struct err *err)
{
	const int no = errno;
	_free_ char *shown = visible(path);

	return err_set(err, no, "copy", "cannot copy '%s': %m", shown);
}

/* @path without slashes at its end, of which *ret_had says whether there were any. The caller frees. */
static char *without_slashes(const char *path, bool *ret_had)
{
	size_t n = strlen(path);

	*ret_had = n > 1 && path[n - 1] == '/';
	while (n > 1 && path[n - 1] == '/')
		n--;
	return xstrndup(path, n);
}

/* Open the directory that holds @path (without slashes at its end). -1 and errno. */
static int open_holder(const char *path)
{
	const char *base = path_base(path);
	_free_ char *above = xstrndup(path, (size_t)(base - path));

	return open(*above ? above : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/*
 * The directory for the host's packer, and what it is to pack there. It may be confined to that directory, so what is
 * followed (a link with a slash behind it) is opened here.
 */
static int open_source(const char *path, struct strv *argv, int *ret_dir, struct err *err)
{
	bool had_slash;
	_free_ char *clean = without_slashes(path, &had_slash);
	const char *base = path_base(clean);
	const bool is_contents = *base == '\0' || str_eq(base, ".") || str_eq(base, "..");
	_fd_ dir = -1;

	if (is_contents || had_slash)
		dir = open(clean, O_PATH | O_DIRECTORY | O_CLOEXEC);
	else
		dir = open_holder(clean);
	if (*path == '\0')
		errno = ENOENT;
	if (dir < 0 || *path == '\0')
		return host_failed(path, err);
	if (had_slash && !is_contents)
		strv_pushf(argv, "--name=%s", base);
	strv_push(argv, "--");
	if (is_contents || had_slash)
		strv_push(argv, ".");
	else
		strv_push(argv, base);
	*ret_dir = TAKE_FD(dir);
	return 0;
}

/* The directory for the host's unpacker, and where in it the copy goes. */
static int open_destination(const char *path, struct strv *argv, int *ret_dir, struct err *err)
{
	bool had_slash;
	_free_ char *clean = without_slashes(path, &had_slash);
	_fd_ dir = -1;

	if (*path == '\0') {
		errno = ENOENT;
		return host_failed(path, err);
	}
	dir = open(clean, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir >= 0) {
		strv_push(argv, "--to=.");
	} else {
		dir = open_holder(clean);
		if (dir < 0)
			return host_failed(path, err);
		strv_pushf(argv, "--to=%s%s", path_base(clean), had_slash ? "/" : "");
	}
	*ret_dir = TAKE_FD(dir);
	return 0;
}

int copy_out(const char *tree_program, pid_t init, const char *path, const char *host_path, struct err *err)
{
	_cleanup_(container_close) struct container c = { -1, -1 };
	_cleanup_(end_release) struct end packer = END_INIT;
	_cleanup_(end_release) struct end unpacker = END_INIT;
	_fd_ dir = -1;
	int r = container_open(init, &c, err);

	if (r < 0)
		return r;
	end_begin(&packer, tree_program, "pack", c.userns);
	strv_push(&packer.argv, "--");
	strv_push(&packer.argv, path);
	end_begin(&unpacker, tree_program, "unpack", -1);
	strv_push(&unpacker.argv, "--strip-setuid");
	strv_pushf(&unpacker.argv, "--owner=%u:%u", (unsigned)geteuid(), (unsigned)getegid());
	r = open_destination(host_path, &unpacker.argv, &dir, err);
	if (r < 0)
		return r;
	return run_both(&packer, (struct site){ c.root, c.userns }, &unpacker, (struct site){ dir, -1 }, path, err);
}

int copy_in(const char *tree_program, pid_t init, const char *host_path, const char *path, uid_t uid, gid_t gid,
            struct err *err)
{
	_cleanup_(container_close) struct container c = { -1, -1 };
	_cleanup_(end_release) struct end packer = END_INIT;
	_cleanup_(end_release) struct end unpacker = END_INIT;
	_fd_ dir = -1;
	int r = container_open(init, &c, err);

	if (r < 0)
		return r;
	end_begin(&packer, tree_program, "pack", -1);
	r = open_source(host_path, &packer.argv, &dir, err);
	if (r < 0)
		return r;
	end_begin(&unpacker, tree_program, "unpack", c.userns);
	strv_push(&unpacker.argv, "--strip-setuid");
	strv_pushf(&unpacker.argv, "--owner=%u:%u", c.userns < 0 ? (unsigned)geteuid() : (unsigned)uid,
	           c.userns < 0 ? (unsigned)getegid() : (unsigned)gid);
	strv_pushf(&unpacker.argv, "--to=%s", path);
	return run_both(&packer, (struct site){ dir, -1 }, &unpacker, (struct site){ c.root, c.userns }, host_path, err);
}

static int finish_one(struct end *e, const char *what, struct err *err)
{
	end_finish(e);
	return e->code != 0 ? end_failed(e, what, err) : (int)end_figure(e, "skipped", 0);
}

int copy_out_tar(const char *tree_program, pid_t init, const char *path, int out_fd, struct err *err)
{
	_cleanup_(container_close) struct container c = { -1, -1 };
	_cleanup_(end_release) struct end packer = END_INIT;
	int r = container_open(init, &c, err);

	if (r < 0)
		return r;
	end_begin(&packer, tree_program, "pack", c.userns);
	strv_push(&packer.argv, "--");
	strv_push(&packer.argv, path);
	r = end_start(&packer, c.root, c.userns, out_fd, 1, err);
	return r < 0 ? r : finish_one(&packer, path, err);
}

int copy_in_tar(const char *tree_program, pid_t init, int in_fd, const char *path, uid_t uid, gid_t gid, struct err *err)
{
	_cleanup_(container_close) struct container c = { -1, -1 };
	_cleanup_(end_release) struct end unpacker = END_INIT;
	_fd_ dir = -1;
	int r = container_open(init, &c, err);

	if (r < 0)
		return r;
	dir = path_open_in_root(c.root, path, O_PATH | O_DIRECTORY);
	if (dir < 0) {
		_free_ char *shown = visible(path);

		return err_set(err, -dir, "copy", "cannot unpack in '%s': %m", shown);
	}
	end_begin(&unpacker, tree_program, "unpack", c.userns);
	strv_push(&unpacker.argv, "--strip-setuid");
	strv_pushf(&unpacker.argv, "--owner=%u:%u", c.userns < 0 ? (unsigned)geteuid() : (unsigned)uid,
	           c.userns < 0 ? (unsigned)getegid() : (unsigned)gid);
	r = end_start(&unpacker, dir, c.userns, in_fd, 0, err);
	return r < 0 ? r : finish_one(&unpacker, path, err);
}

/* ---- directories, with their owners */

static void dir_packer(struct end *e, const char *tree_program, int userns)
{
	end_begin(e, tree_program, "pack", userns);
	strv_push(&e->argv, "--fifos");
	strv_push(&e->argv, "--");
	strv_push(&e->argv, ".");
}

int copy_dir_out(const char *tree_program, int dir, int userns, int out_fd, const char *shown, struct err *err)
{
	_cleanup_(end_release) struct end packer = END_INIT;
	int r;

	dir_packer(&packer, tree_program, userns);
	r = end_start(&packer, dir, userns, out_fd, 1, err);
	return r < 0 ? r : finish_one(&packer, shown, err);
}

int copy_dir_in(const char *tree_program, int dir, int userns, int in_fd, const char *shown, struct err *err)
{
	_cleanup_(end_release) struct end unpacker = END_INIT;
	int r;

	end_begin(&unpacker, tree_program, "unpack", userns);
	strv_push(&unpacker.argv, "--plain");
	r = end_start(&unpacker, dir, userns, in_fd, 0, err);
	return r < 0 ? r : finish_one(&unpacker, shown, err);
}

int copy_dir_between(const char *tree_program, int from, int from_userns, int to, int to_userns, const char *shown,
                     struct err *err)
{
	_cleanup_(end_release) struct end packer = END_INIT;
	_cleanup_(end_release) struct end unpacker = END_INIT;

	dir_packer(&packer, tree_program, from_userns);
	end_begin(&unpacker, tree_program, "unpack", to_userns);
	strv_push(&unpacker.argv, "--plain");
	return run_both(&packer, (struct site){ from, from_userns }, &unpacker, (struct site){ to, to_userns }, shown, err);
}
