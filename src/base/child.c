#include "base/child.h"

#include "base/fd.h"
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHILD_FD_MAX = 16, CHILD_KEEP_FROM = 64, CHILD_OUTPUT_MAX = 64 * 1024 };

static const struct child_fd *wanted_at(const struct child *c, int to)
{
	for (size_t i = 0; i < c->fd_count; i++)
		if (c->fds[i].to == to)
			return &c->fds[i];
	return NULL;
}

/* In the child of vfork: only system calls, and nothing of the parent's memory is changed. */
static int arrange_fds(const struct child *c, const int *also_keep, size_t also_count)
{
	int from[CHILD_FD_MAX], keep[CHILD_FD_MAX + 5];
	size_t n = 0;

	if (c->fd_count > CHILD_FD_MAX)
		return E2BIG;
	for (size_t i = 0; i < c->fd_count; i++) {           /* out of the way of every target */
		from[i] = fcntl(c->fds[i].from, F_DUPFD_CLOEXEC, CHILD_KEEP_FROM);
		if (from[i] < 0)
			return errno;
	}
	for (int to = 0; to <= 2; to++) {
		if (wanted_at(c, to) == NULL) {
			const int null = open("/dev/null", O_RDWR | O_CLOEXEC);

			if (null < 0 || (null != to && dup2(null, to) < 0))
				return errno;
			if (null == to)
				(void)fd_set_cloexec(to, false);
		}
		keep[n++] = to;
	}
	for (size_t i = 0; i < c->fd_count; i++) {
		if (dup2(from[i], c->fds[i].to) < 0)
			return errno;
		keep[n++] = c->fds[i].to;
	}
	for (size_t i = 0; i < also_count; i++)
		keep[n++] = also_keep[i];
	fd_close_from(3, keep, n);
	return 0;
}

static void reset_signals(void)
{
	static const char by_default[64];        /* struct sigaction as the kernel has it; SIG_DFL is 0 */
	sigset_t none;

	for (int s = 1; s < NSIG; s++)
		if (s != SIGKILL && s != SIGSTOP)
			signal(s, SIG_DFL);
	/* those below SIGRTMIN are glibc's own, which it hides; whoever started us may still have them ignored */
	for (int s = SIGSYS + 1; s < SIGRTMIN; s++)
		(void)syscall(SYS_rt_sigaction, s, by_default, NULL, (size_t)(_NSIG / 8));
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* What happens between fork and exec. @keep: descriptors above all targets, close-on-exec. 0 or an errno. */
static int become_child(const struct child *c, pid_t parent, const int *keep, size_t keep_count)
{
	reset_signals();
	if (c->new_session)
		(void)setsid();
	if (c->dies_with_parent && (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent))
		return ECHILD;
	return arrange_fds(c, keep, keep_count);
}

static int run_child(const struct child *c, const char *path, pid_t parent)
{
	const int r = become_child(c, parent, NULL, 0);

	if (r != 0)
		return r;
	execve(path, (char *const *)c->argv, c->env ? c->env : environ);
	return errno;
}

char *child_find(const char *name)
{
	const char *path = getenv("PATH");

	if (strchr(name, '/') != NULL)
		return access(name, X_OK) == 0 ? xstrdup(name) : NULL;
	if (path == NULL)
		path = PATH_DEFAULT;
	while (*path != '\0') {
		const size_t n = strcspn(path, ":");
		_free_ char *at = xasprintf("%.*s/%s", (int)n, path, name);

		if (n > 0 && access(at, X_OK) == 0)
			return TAKE(at);
		path += n + (path[n] == ':');
	}
	return NULL;
}

int child_start(const struct child *c, pid_t *ret_pid, struct err *err)
{
	_free_ char *path = c->program ? xstrdup(c->program) : child_find(c->argv[0]);
	volatile int failed = 0;                     /* vfork shares our memory: the child leaves its errno here */
	const pid_t parent = getpid();
	sigset_t all, old;
	pid_t pid;

	if (path == NULL)
		return err_set(err, ENOENT, "no-program", "cannot find the program '%s'", c->argv[0]);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);        /* no handler of ours may run in the child */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
	pid = vfork();
#pragma GCC diagnostic pop
	if (pid == 0) {
		failed = run_child(c, path, parent);
		_exit(127);
	}
	failed = pid < 0 ? errno : failed;
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (pid < 0)
		return err_set(err, failed, "fork", "cannot start '%s': %m", path);
	if (failed != 0) {
		(void)child_wait(pid);
		return err_set(err, failed, "exec", "cannot start '%s': %m", path);
	}
	*ret_pid = pid;
	return 0;
}

/* --- a child that waits --- */

struct held {
	const struct child *child;
	const char *path;
	child_before_fn *before;
	void *data;
	int fd, kept_fd;
};

/* In the child: wait for the word, then become the program. Returns with the errno of what failed. */
static int run_held(struct held *h, int kept_fd, pid_t parent)
{
	char go;
	int r;

	h->kept_fd = kept_fd < 0 ? -1 : fcntl(kept_fd, F_DUPFD_CLOEXEC, CHILD_KEEP_FROM);
	const int keep[] = { h->fd, h->kept_fd };

	r = become_child(h->child, parent, keep, h->kept_fd < 0 ? 1 : 2);
	if (fd_read_all(h->fd, &go, 1) < 0)
		_exit(125);                          /* our parent gave up or died */
	if (r == 0 && h->before != NULL)
		r = h->before(h->data, h->kept_fd);
	if (r != 0)
		return r;
	execve(h->path, (char *const *)h->child->argv, h->child->env ? h->child->env : environ);
	return errno;
}

/* As fork(2), but no handler of ours, atfork or signal, runs in the child. */
static pid_t fork_quietly(void)
{
	sigset_t all, old;
	pid_t pid;
	int no;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	pid = (pid_t)syscall(SYS_clone, (unsigned long)SIGCHLD, NULL, NULL, NULL, 0UL);
	if (pid == 0)
		return 0;
	no = errno;
	sigprocmask(SIG_SETMASK, &old, NULL);
	errno = no;
	return pid;
}

int child_hold(const struct child *c, child_before_fn *before, void *data, int kept_fd, struct child_held *ret,
               struct err *err)
{
	_free_ char *path = c->program ? xstrdup(c->program) : child_find(c->argv[0]);
	struct held h = { .child = c, .path = path, .before = before, .data = data };
	_fd_ ours = -1;
	_fd_ theirs = -1;
	const pid_t parent = getpid();
	int pair[2], r;
	pid_t pid;

	if (path == NULL)
		return err_set(err, ENOENT, "no-program", "cannot find the program '%s'", c->argv[0]);
	r = fd_socketpair(SOCK_STREAM, pair);
	if (r < 0)
		return err_set(err, -r, "socketpair", "cannot start '%s': %m", path);
	ours = pair[0];
	theirs = pair[1];
	pid = fork_quietly();
	if (pid < 0)
		return err_set(err, errno, "fork", "cannot start '%s': %m", path);
	if (pid == 0) {
		fd_close(ours);                      /* or we would never see its end */
		h.fd = fcntl(theirs, F_DUPFD_CLOEXEC, CHILD_KEEP_FROM);
		r = run_held(&h, kept_fd, parent);
		(void)fd_write_all(h.fd, &r, sizeof(r));
		_exit(127);
	}
	*ret = (struct child_held){ .pid = pid, .fd = TAKE_FD(ours) };
	return 0;
}

int child_go(struct child_held *h, struct err *err)
{
	ssize_t n = fd_send(h->fd, "", 1, NULL, 0);
	int failed = 0, r;

	r = n == 1 ? fd_read_all(h->fd, &failed, sizeof(failed)) : 0;
	h->fd = fd_close(h->fd);
	if (n == 1 && r < 0)                         /* the end: the exec closed it */
		return 0;
	(void)child_wait(h->pid);
	if (n != 1)
		return err_set(err, ECHILD, "exec", "a program was killed before it was started");
	return err_set(err, failed > 0 ? failed : EIO, "exec", "cannot start a program: %m");
}

int child_wait(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return status;
}

int child_exit_code(int wait_status)
{
	return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

/* What is past the maximum is not read: the child meets a closed pipe. */
static void collect_output(int fd, struct str *ret)
{
	const size_t most = ret->len + CHILD_OUTPUT_MAX;

	(void)fd_slurp(fd, most, ret);
	if (ret->len > most)
		ret->buf[ret->len = most] = '\0';
}

int child_run(const char *const *argv, struct str *ret_output, struct err *err)
{
	_fd_ out_read = -1;
	_fd_ out_write = -1;
	int pipes[2], r;
	pid_t pid;

	if (pipe2(pipes, O_CLOEXEC) < 0)
		return err_set(err, errno, "pipe", "cannot run '%s': %m", argv[0]);
	out_read = pipes[0];
	out_write = pipes[1];
	const struct child_fd fds[] = { { out_write, 1 }, { out_write, 2 } };
	const struct child c = { .argv = argv, .fds = fds, .fd_count = ret_output ? 2 : 0 };

	r = child_start(&c, &pid, err);
	if (r < 0)
		return r;
	out_write = fd_close(out_write);
	if (ret_output != NULL)
		collect_output(out_read, ret_output);
	out_read = fd_close(out_read);
	r = child_wait(pid);
	return r < 0 ? err_set(err, -r, "wait", "cannot wait for '%s': %m", argv[0]) : child_exit_code(r);
}
