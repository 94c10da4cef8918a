/*
 * PID 1 of a session's container: starts the session's command and the commands of `pterm exec`, each in a session of
 * its own and in the foreground of its terminal; reaps; reports exact exit statuses; ends everything when the command
 * has ended or the lifeline closes. It is static, waits in one poll and costs nothing in between.
 *
 * Not as PID 1 (engines without a container) it is a child subreaper, and ends its descendants one by one. What it is
 * told comes from its supervisor over the lifeline, see wire/init.h.
 */
#include "base/hook.h"
#include "wire/init.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { FDS_MAX = 4 };

struct running { struct running *next; uint32_t id; pid_t pid; };

struct init {
	int lifeline, signals, tty;
	struct running *running;
	bool has_main, is_over;
};

struct block { struct init_command *head; char *cwd, **argv, **env; size_t size; };

struct failure { int32_t no; uint32_t step; };

static void tell(const struct init *in, struct init_message m, int fd)
{
	union { char buf[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } control = { 0 };
	struct iovec iov = { .iov_base = &m, .iov_len = sizeof(m) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	m.magic = INIT_MAGIC;
	if (fd >= 0) {
		struct cmsghdr *c;

		msg.msg_control = control.buf;
		msg.msg_controllen = sizeof(control.buf);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	while (sendmsg(in->lifeline, &msg, MSG_NOSIGNAL) < 0 && errno == EINTR)
		;
}

/* --- the command block --- */

static char *take_string(char **at, char *end)
{
	char *z = *at, *nul = z < end ? memchr(z, '\0', (size_t)(end - z)) : NULL;

	if (nul != NULL)
		*at = nul + 1;
	return nul ? z : NULL;
}

static char **take_strings(char **at, char *end, uint32_t n)
{
	char **v = n < (1u << 24) ? calloc((size_t)n + 1, sizeof(*v)) : NULL;

	for (uint32_t i = 0; v != NULL && i < n; i++) {
		v[i] = take_string(at, end);
		if (v[i] == NULL) {
			free(v);
			return NULL;
		}
	}
	return v;
}

static void block_release(struct block *b)
{
	free(b->argv);
	free(b->env);
	if (b->head != NULL)
		munmap(b->head, b->size);
}

static bool block_map(struct block *b, int fd)
{
	struct stat st;
	char *at, *end;

	*b = (struct block){ 0 };
	if (fstat(fd, &st) < 0 || st.st_size < (off_t)sizeof(struct init_command))
		return false;
	b->size = (size_t)st.st_size;
	b->head = mmap(NULL, b->size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	if (b->head == MAP_FAILED) {
		b->head = NULL;
		return false;
	}
	at = (char *)(b->head + 1);
	end = (char *)b->head + b->size;
	b->cwd = take_string(&at, end);
	b->argv = take_strings(&at, end, b->head->argc);
	b->env = take_strings(&at, end, b->head->envc);
	return b->head->version == INIT_VERSION && b->head->group_count <= INIT_GROUPS_MAX && b->cwd != NULL &&
	       b->argv != NULL && b->env != NULL && b->argv[0] != NULL;
}

/* --- in the child --- */

static int become_user(const struct init_command *c)
{
	if (c->keep_user)
		return 0;
	if (setgroups(c->group_count, c->groups) < 0 || setresgid(c->gid, c->gid, c->gid) < 0 ||
	    setresuid(c->uid, c->uid, c->uid) < 0)
		return -1;
	return 0;
}

static int enter_directory(const struct block *b)
{
	const char *home = NULL;

	if (*b->cwd != '\0')
		return chdir(b->cwd);
	for (char **e = b->env; *e != NULL; e++)
		if (strncmp(*e, "HOME=", 5) == 0)
			home = *e + 5;
	if (home == NULL || chdir(home) < 0)
		return chdir("/");
	return 0;
}

static void reset_signals(void)
{
	sigset_t none;

	for (int s = 1; s < NSIG; s++)
		if (s != SIGKILL && s != SIGSTOP)
			signal(s, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void take_terminal(int slave)
{
	(void)ioctl(slave, TIOCSCTTY, 0);
	for (int fd = 0; fd <= 2; fd++)
		(void)dup2(slave, fd);
}

_noreturn_ static void run_command(const struct block *b, int slave, const int stdio[3], int report)
{
	struct failure f = { .step = INIT_STEP_TERMINAL };

	(void)setsid();
	if (slave >= 0) {
		take_terminal(slave);
	} else {
		for (int fd = 0; fd <= 2; fd++)
			if (dup2(stdio[fd], fd) < 0)
				goto failed;
	}
	reset_signals();
	f.step = INIT_STEP_USER;
	if (become_user(b->head) < 0)
		goto failed;
	f.step = INIT_STEP_DIRECTORY;
	if (enter_directory(b) < 0)
		goto failed;
	f.step = INIT_STEP_EXEC;
	HOOK("init.executing");
	environ = b->env;
	if (b->argv[0][0] == '-') {                      /* a login shell: the file is the name without the dash's path */
		const char *shell = getenv("SHELL");

		execv(shell && *shell ? shell : "/bin/sh", b->argv);
	} else {
		execvp(b->argv[0], b->argv);
	}
failed:
	f.no = errno;
	(void)!write(report, &f, sizeof(f));
	_exit(127);
}

/* End our descendants, who all come to us when their parents die, until none is left. */
static void kill_descendants(void)
{
	char text[8192];

	for (;;) {
		const int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
		const ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

		if (fd >= 0)
			close(fd);
		if (n <= 0)
			return;
		text[n] = '\0';
		for (char *p = text, *end;; p = end) {
			const long pid = strtol(p, &end, 10);

			if (end == p || (*end != ' ' && *end != '\0'))
				break;
			(void)kill((pid_t)pid, SIGKILL);
		}
		(void)waitpid(-1, NULL, 0);
	}
}

/* --- commands that leave nothing behind --- */

static int64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* The wait status of @pid, or -1: it took longer than @limit_ms, or somebody wants it to end. Reaps what else ends. */
static int await_command(pid_t pid, int limit_ms)
{
	const int64_t due = now_ms() + limit_ms;
	sigset_t wanted;

	sigemptyset(&wanted);
	sigaddset(&wanted, SIGCHLD);
	sigaddset(&wanted, SIGHUP);
	sigaddset(&wanted, SIGTERM);
	for (;;) {
		const int64_t left = due - now_ms();
		const struct timespec t = { .tv_sec = left / 1000, .tv_nsec = left % 1000 * 1000000 };
		int status, signo;
		pid_t ended;

		while ((ended = waitpid(-1, &status, WNOHANG)) > 0)
			if (ended == pid)
				return status;
		signo = left > 0 ? sigtimedwait(&wanted, NULL, &t) : -1;
		if (left <= 0 || signo == SIGHUP || signo == SIGTERM)
			return -1;
	}
}

/* Between init and a command that is to be whole: everything below comes to us, and ends with us. */
_noreturn_ static void guard_command(const struct block *b, const int stdio[3], int report, int limit_ms)
{
	struct failure f = { .step = INIT_STEP_FORK };
	pid_t pid;
	int status;

	(void)setpgid(0, 0);                             /* what is sent to the command's group comes to us */
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	pid = fork();
	if (pid == 0)
		run_command(b, -1, stdio, report);
	if (pid < 0) {
		f.no = errno;
		(void)!write(report, &f, sizeof(f));
		_exit(127);
	}
	close(report);
	status = await_command(pid, limit_ms);
	kill_descendants();
	if (status < 0) {
		reset_signals();
		(void)kill(getpid(), SIGALRM);
	}
	_exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

/* --- starting and ending --- */

/* Before the command can look: the supervisor, who has the other end, may come later. */
static void set_size(int slave, const struct init_command *c)
{
	const struct winsize size = { .ws_row = c->rows, .ws_col = c->cols };

	if (size.ws_row > 0 && size.ws_col > 0)
		(void)ioctl(slave, TIOCSWINSZ, &size);
}

static int open_terminal(const struct init_command *c, int *ret_slave)
{
	const int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	struct termios t;
	int unlock = 0, slave;

	if (master < 0)
		return -1;
	slave = ioctl(master, TIOCSPTLCK, &unlock) < 0 ? -1 : ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0) {
		close(master);
		return -1;
	}
	if (tcgetattr(slave, &t) == 0) {
		t.c_iflag |= IUTF8;
		(void)tcsetattr(slave, TCSANOW, &t);
	}
	set_size(slave, c);
	*ret_slave = slave;
	return master;
}

/* @limit_ms: of a command that is to be whole (INIT_WHOLE); 0: it is not. */
static struct failure spawn(const struct block *b, int slave, const int stdio[3], int limit_ms, pid_t *ret)
{
	struct failure f = { .step = INIT_STEP_FORK };
	int report[2];
	ssize_t n;

	if (pipe2(report, O_CLOEXEC) < 0) {
		f.no = errno;
		return f;
	}
	*ret = fork();
	if (*ret == 0 && limit_ms > 0)
		guard_command(b, stdio, report[1], limit_ms);
	if (*ret == 0)
		run_command(b, slave, stdio, report[1]);
	f.no = *ret < 0 ? errno : 0;
	close(report[1]);
	if (*ret > 0) {
		do
			n = read(report[0], &f, sizeof(f));
		while (n < 0 && errno == EINTR);
		if (n != (ssize_t)sizeof(f))
			f.no = 0;                        /* closed by a successful exec */
		else
			(void)waitpid(*ret, NULL, 0);
	}
	close(report[0]);
	return f;
}

static void start(struct init *in, const struct init_message *m, const int *fds, size_t fd_count)
{
	struct failure f = { .no = EPROTO, .step = INIT_STEP_COMMAND };
	const int *stdio = fds + 1;
	int master = -1, slave = -1;
	struct block b = { 0 };
	pid_t pid = -1;

	if (fd_count < 1 || !block_map(&b, fds[0]) || (!(m->flags & INIT_TTY) && fd_count < 4))
		goto done;
	if (m->flags & INIT_TTY) {
		if (m->id == 0)
			slave = in->tty;
		else if ((master = open_terminal(b.head, &slave)) < 0)
			slave = -1;
		if (slave < 0) {
			f = (struct failure){ .no = errno, .step = INIT_STEP_TERMINAL };
			goto done;
		}
		if (m->id == 0)
			set_size(slave, b.head);
	}
	f = spawn(&b, slave, stdio, m->flags & INIT_WHOLE && slave < 0 ? m->value : 0, &pid);
	HOOK("init.spawned");
done:
	if (f.no == 0) {
		struct running *r = calloc(1, sizeof(*r));

		if (r != NULL) {
			*r = (struct running){ .next = in->running, .id = m->id, .pid = pid };
			in->running = r;
		}
		in->has_main |= m->id == 0;
		tell(in, (struct init_message){ .op = INIT_STARTED, .id = m->id, .value = pid }, master);
	} else {
		tell(in, (struct init_message){ .op = INIT_FAILED, .id = m->id, .value = f.no, .step = f.step }, -1);
		in->is_over |= m->id == 0;
	}
	if (master >= 0) {
		close(master);
		close(slave);
	}
	block_release(&b);
}

static void send_signal(const struct init *in, const struct init_message *m)
{
	for (const struct running *r = in->running; r != NULL; r = r->next)
		if (r->id == m->id)
			(void)kill(m->flags & INIT_GROUP ? -r->pid : r->pid, m->value);
}

static void reap(struct init *in)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (struct running **at = &in->running; *at != NULL; at = &(*at)->next) {
			struct running *r = *at;

			if (r->pid != pid)
				continue;
			HOOK("init.reaped");
			tell(in, (struct init_message){ .op = INIT_EXITED, .id = r->id, .value = status }, -1);
			in->is_over |= r->id == 0;
			*at = r->next;
			free(r);
			break;
		}
	}
}

/* --- the loop --- */

static void on_signal(struct init *in)
{
	struct signalfd_siginfo si;

	while (read(in->signals, &si, sizeof(si)) == (ssize_t)sizeof(si)) {
		if (si.ssi_signo == SIGCHLD) {
			reap(in);
			continue;
		}
		/* from inside the container, or from someone who means the session: pass it on */
		const struct init_message m = { .id = 0, .value = (int32_t)si.ssi_signo };

		send_signal(in, &m);
	}
}

static void on_lifeline(struct init *in)
{
	union { char buf[CMSG_SPACE(sizeof(int) * FDS_MAX)]; struct cmsghdr align; } control;
	struct init_message m = { 0 };
	struct iovec iov = { .iov_base = &m, .iov_len = sizeof(m) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.buf,
	                      .msg_controllen = sizeof(control.buf) };
	const ssize_t n = recvmsg(in->lifeline, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	int fds[FDS_MAX];
	size_t fd_count = 0;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {                                    /* the supervisor is gone, and so are we */
		in->is_over = true;
		return;
	}
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c != NULL; c = CMSG_NXTHDR(&msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		fd_count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		fd_count = fd_count < FDS_MAX ? fd_count : FDS_MAX;
		memcpy(fds, CMSG_DATA(c), fd_count * sizeof(int));
	}
	if (n == (ssize_t)sizeof(m) && m.magic == INIT_MAGIC && m.op == INIT_RUN)
		start(in, &m, fds, fd_count);
	else if (n == (ssize_t)sizeof(m) && m.magic == INIT_MAGIC && m.op == INIT_SIGNAL)
		send_signal(in, &m);
	for (size_t i = 0; i < fd_count; i++)
		close(fds[i]);
}

static int take_over_stdio(void)
{
	const int tty = isatty(0) ? fcntl(0, F_DUPFD_CLOEXEC, 10) : -1;
	const int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (tty >= 0)
		(void)ioctl(tty, TIOCNOTTY);             /* the command will be its session's leader */
	for (int fd = 0; fd <= 2 && null >= 0; fd++)
		(void)dup2(null, fd);
	if (null > 2)
		close(null);
	return tty;
}

int main(void)
{
	struct init in = { .lifeline = INIT_LIFELINE_FD };
	sigset_t all;

	HOOK("init.start");
	if (fcntl(in.lifeline, F_SETFD, FD_CLOEXEC) < 0) {
		fputs("pterm-init is started by pterm in a container, not by hand\n", stderr);
		return 125;
	}
	/* nobody inside, root included, may trace us or look into /proc/1/fd; an exec makes the commands ordinary again */
	(void)prctl(PR_SET_DUMPABLE, 0);
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	in.signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	in.tty = take_over_stdio();
	if (getpid() != 1)
		(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	while (!in.is_over) {
		struct pollfd p[] = { { .fd = in.lifeline, .events = POLLIN }, { .fd = in.signals, .events = POLLIN } };

		if (poll(p, 2, -1) < 0 && errno != EINTR)
			break;
		if (p[1].revents)
			on_signal(&in);
		if (p[0].revents)
			on_lifeline(&in);
	}
	if (getpid() != 1)
		kill_descendants();
	return 0;                                        /* as PID 1: the kernel ends all others */
}
