#include "base/child.h"
#include "base/fd.h"
#include "base/list.h"
#include "base/proc.h"
#include "base/test.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define SH(script) (const char *const []){ "/bin/sh", "-c", script, NULL }

/* What a child with these descriptors, and its stdout besides, prints. */
static void output_of(const char *const *argv, const struct child_fd *more, size_t count, struct str *out)
{
	struct child_fd fds[8];
	const struct child c = { .argv = argv, .fds = fds, .fd_count = count + 1 };
	int pipes[2];
	pid_t pid;

	ASSERT_OK(pipe2(pipes, O_CLOEXEC));
	fds[0] = (struct child_fd){ pipes[1], 1 };
	for (size_t i = 0; i < count; i++)
		fds[i + 1] = more[i];
	ASSERT_OK(child_start(&c, &pid, NULL));
	fd_close(pipes[1]);
	ASSERT_OK(fd_slurp(pipes[0], 1 << 20, out));
	fd_close(pipes[0]);
	ASSERT_EQ(child_wait(pid), 0);
}

static bool has_ended(int pidfd, int wait_ms)
{
	return poll(&(struct pollfd){ .fd = pidfd, .events = POLLIN }, 1, wait_ms) == 1;
}

TEST(nothing_is_inherited_but_what_is_named)
{
	_fd_ loose = dup(STDOUT_FILENO);                 /* not close-on-exec, as a careless library leaves it */
	_fd_ given = open("/dev/zero", O_RDONLY);
	const struct child_fd seven = { given, 7 };
	_str_ out = STR_INIT;

	ASSERT(loose >= 0 && given >= 0);
	output_of(SH("readlink /proc/$$/fd/0; readlink /proc/$$/fd/7; cd /proc/$$/fd && echo *"), &seven, 1, &out);
	ASSERT_STREQ(out.buf, "/dev/null\n/dev/zero\n0 1 2 3 7\n");   /* 3: the shell looks at the directory */
}

TEST(descriptors_may_change_places)
{
	int a[2], b[2];
	_str_ out = STR_INIT;

	ASSERT_OK(pipe2(a, O_CLOEXEC));
	ASSERT_OK(pipe2(b, O_CLOEXEC));
	ASSERT_OK(fd_write_all(a[1], "a", 1));
	ASSERT_OK(fd_write_all(b[1], "b", 1));
	fd_close(a[1]);
	fd_close(b[1]);
	/* each to the other's number: where one is put, the other must have been moved away before */
	const struct child_fd fds[] = { { a[0], b[0] }, { b[0], a[0] }, { a[0], 0 } };
	_free_ char *script = xasprintf("cat /proc/self/fd/%d; cat /proc/self/fd/%d", a[0], b[0]);

	output_of(SH(script), fds, 3, &out);
	ASSERT_STREQ(out.buf, "ba");
	fd_close(a[0]);
	fd_close(b[0]);
}

TEST(signals_are_as_at_login)
{
	const uintptr_t ignored[8] = { 1 };              /* the kernel's struct sigaction; 1 is SIG_IGN */
	sigset_t set, old;
	_str_ out = STR_INIT;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, &old);
	signal(SIGINT, SIG_IGN);
	ASSERT_OK(syscall(SYS_rt_sigaction, SIGSYS + 1, ignored, NULL, (size_t)(_NSIG / 8)));
	output_of((const char *const []){ "grep", "^Sig\\(Blk\\|Ign\\)", "/proc/self/status", NULL }, NULL, 0,
	          &out);
	signal(SIGINT, SIG_DFL);
	sigprocmask(SIG_SETMASK, &old, &set);
	ASSERT_STREQ(out.buf, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
	ASSERT(sigismember(&set, SIGTERM));              /* ours were not touched */
}

TEST(what_cannot_be_executed_says_so_and_leaves_no_child)
{
	static const struct { const char *program; int r; } t[] = {
		{ "/nonexistent/program", -ENOENT }, { "pterm-no-such-program", -ENOENT }, { "/etc/passwd", -EACCES },
	};

	for (size_t i = 0; i < array_len(t); i++) {
		const char *const argv[] = { "x", NULL };
		/* @program is not looked up: the failure is the exec's own */
		const struct child c = { .argv = i == 1 ? (const char *const []){ t[i].program, NULL } : argv,
		                         .program = i == 1 ? NULL : t[i].program };
		_err_ err = ERR_INIT;
		pid_t pid;

		ASSERT_EQ(child_start(&c, &pid, &err), t[i].r);
		ASSERT(strstr(err.msg, t[i].program) != NULL);
		ASSERT_EQ(waitpid(-1, NULL, WNOHANG), -1);
		ASSERT_EQ(errno, ECHILD);
	}
}

TEST(run_tells_the_exit_code_and_what_was_said)
{
	static const struct { const char *script; int code; const char *output; } t[] = {
		{ "echo out; echo err >&2; exit 3", 3, "out\nerr\n" },
		{ "kill -9 $$", 128 + SIGKILL, "" },
		{ "cat", 0, "" },                        /* its input is empty, not ours */
	};
	_str_ much = STR_INIT;

	for (size_t i = 0; i < array_len(t); i++) {
		_str_ out = STR_INIT;

		ASSERT_EQ(child_run(SH(t[i].script), &out, NULL), t[i].code);
		ASSERT_STREQ(out.buf, t[i].output);
	}
	(void)child_run(SH("exec cat /dev/zero"), &much, NULL);          /* it says more than anybody wants: it is not waited for */
	ASSERT_EQ(much.len, 64 * 1024);
	ASSERT_EQ(child_run(SH("echo nobody listens && exit 4"), NULL, NULL), 4);
}

/* --- held --- */

static int executable_of(pid_t pid, struct str *out)
{
	_free_ char *path = xasprintf("/proc/%d/exe", (int)pid);
	char target[4096];
	const ssize_t n = readlink(path, target, sizeof(target));

	str_clear(out);
	str_add(out, target, n > 0 ? (size_t)n : 0);
	return n < 0 ? -errno : 0;
}

static int before_writes(void *data, int kept_fd)
{
	return write(kept_fd, data, 6) == 6 ? 0 : errno;
}

static int before_fails(void *data, int kept_fd)
{
	return EUSERS;
}

TEST(a_held_child_runs_only_when_it_may)
{
	const char *const argv[] = { "/bin/sh", "-c", "echo program", NULL };
	_str_ ours = STR_INIT, theirs = STR_INIT, out = STR_INIT;
	struct child_held held;
	int pipes[2];

	ASSERT_OK(pipe2(pipes, O_CLOEXEC));
	const struct child_fd fds[] = { { pipes[1], 1 } };
	const struct child c = { .argv = argv, .fds = fds, .fd_count = 1 };

	ASSERT_OK(child_hold(&c, before_writes, (void *)"before", pipes[1], &held, NULL));
	ASSERT_OK(executable_of(getpid(), &ours));
	ASSERT_OK(executable_of(held.pid, &theirs));
	ASSERT_STREQ(theirs.buf, ours.buf);
	ASSERT_EQ(poll(&(struct pollfd){ .fd = pipes[0], .events = POLLIN }, 1, 0), 0);
	ASSERT_OK(child_go(&held, NULL));
	fd_close(pipes[1]);
	ASSERT_OK(fd_slurp(pipes[0], 4096, &out));
	ASSERT_STREQ(out.buf, "beforeprogram\n");
	ASSERT_EQ(child_wait(held.pid), 0);
	fd_close(pipes[0]);
}

TEST(a_held_child_that_cannot_run_is_reaped)
{
	const char *const argv[] = { "/bin/true", NULL };
	const struct child good = { .argv = argv }, bad = { .argv = argv, .program = "/etc/passwd" };
	struct child_held held;

	ASSERT_OK(child_hold(&good, before_fails, NULL, -1, &held, NULL));
	ASSERT_EQ(child_go(&held, NULL), -EUSERS);
	ASSERT_OK(child_hold(&bad, NULL, NULL, -1, &held, NULL));
	ASSERT_EQ(child_go(&held, NULL), -EACCES);
	ASSERT_OK(child_hold(&good, NULL, NULL, -1, &held, NULL));
	ASSERT_OK(kill(held.pid, SIGKILL));
	/* whether that is seen before or behind the exec is by chance */
	ASSERT(child_go(&held, NULL) == -ECHILD || child_exit_code(child_wait(held.pid)) == 128 + SIGKILL);
	ASSERT_EQ(waitpid(-1, NULL, WNOHANG), -1);
	ASSERT_EQ(errno, ECHILD);
}

TEST(a_held_child_ends_when_its_parent_gives_up)
{
	const char *const argv[] = { "/bin/true", NULL };
	const struct child c = { .argv = argv };
	struct child_held held;

	ASSERT_OK(child_hold(&c, NULL, NULL, -1, &held, NULL));
	fd_close(held.fd);
	ASSERT_EQ(child_exit_code(child_wait(held.pid)), 125);
}

/* In a process of its own: start one that dies with it, tell its pid, end. */
static void start_and_die(int to)
{
	const char *const argv[] = { "/bin/sleep", "1000", NULL };
	const struct child c = { .argv = argv, .dies_with_parent = true };
	pid_t pid;

	_exit(child_start(&c, &pid, NULL) < 0 || fd_write_all(to, &pid, sizeof(pid)) < 0);
}

TEST(a_child_dies_with_its_parent)
{
	_fd_ child = -1;
	int pipes[2];
	pid_t parent, pid;

	ASSERT_OK(pipe2(pipes, O_CLOEXEC));
	parent = fork();
	if (parent == 0)
		start_and_die(pipes[1]);
	ASSERT_OK(fd_read_all(pipes[0], &pid, sizeof(pid)));
	child = proc_pidfd(pid);
	ASSERT_EQ(child_wait(parent), 0);
	ASSERT(child == -ESRCH || has_ended(child, 60000));
	fd_close(pipes[0]);
	fd_close(pipes[1]);
}

TEST(programs_are_found_as_a_shell_finds_them)
{
	const char *path = getenv("PATH");
	_free_ char *before = path ? xstrdup(path) : NULL;
	_free_ char *sh = NULL, *none = NULL, *plain = NULL, *with_slash = NULL;

	setenv("PATH", "/nonexistent::/bin:/usr/bin", 1);
	sh = child_find("sh");
	none = child_find("pterm-no-such-program");
	plain = child_find("../etc/passwd");             /* a slash: not looked up, and not executable for anybody */
	with_slash = child_find("/bin/sh");
	if (before != NULL)
		setenv("PATH", before, 1);
	ASSERT_STREQ(sh, "/bin/sh");
	ASSERT(none == NULL && plain == NULL);
	ASSERT_STREQ(with_slash, "/bin/sh");
}
