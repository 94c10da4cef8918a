/*
 * The keeper of one session: it holds duplicates of the supervisor's handles (wire/keeper.h), so that when the
 * supervisor is killed the terminal stays open, the container's lifeline is not cut, and whoever connects only waits.
 * Then it starts `pterm-supervisor --adopt`, which goes on where the other one was. It is static, waits in one poll and
 * costs nothing in between. Started by the supervisor, with the leash as descriptor 3:
 *
 *   pterm-keeper ID SUPERVISOR-PROGRAM
 */
#include "base/hook.h"
#include "wire/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	FIRST_HELD_FD = 32,              /* above every number that a child of ours is given */
	TRIES_MAX = 5,                   /* supervisors in a row that end before they have taken the session over */
	PAUSE_FIRST_MS = 10, PAUSE_MAX_MS = 1000,
};

struct keeper {
	const char *id, *program;
	int leash, supervisor;           /* a pidfd */
	bool is_parent;                  /* of the supervisor: it was started by us */
	int fds[KEEPER_FDS_MAX];
	size_t fd_count;
	int tries, pause_ms;
};

static void drop_fds(int *fds, size_t *n)
{
	while (*n > 0)
		close(fds[--*n]);
}

/* Take what the supervisor says. False: the session has ended. */
static bool take(struct keeper *k)
{
	union { char buf[CMSG_SPACE(sizeof(int) * KEEPER_FDS_MAX)]; struct cmsghdr align; } control;
	struct keeper_message m;
	struct iovec iov = { .iov_base = &m, .iov_len = sizeof(m) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.buf,
	                      .msg_controllen = sizeof(control.buf) };
	const ssize_t n = recvmsg(k->leash, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	int fds[KEEPER_FDS_MAX];
	size_t fd_count = 0;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n <= 0) {                                    /* closed: what counts is whether the process is there */
		close(k->leash);
		k->leash = -1;
		return true;
	}
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c != NULL; c = CMSG_NXTHDR(&msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		fd_count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(fds, CMSG_DATA(c), fd_count * sizeof(int));
	}
	if (n == (ssize_t)sizeof(m) && m.magic == KEEPER_MAGIC && m.op == KEEPER_RELEASE)
		return false;
	if (n != (ssize_t)sizeof(m) || m.magic != KEEPER_MAGIC || m.op != KEEPER_HOLD) {        /* not for us */
		drop_fds(fds, &fd_count);
		return true;
	}
	drop_fds(k->fds, &k->fd_count);
	for (size_t i = 0; i < fd_count; i++) {
		k->fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, FIRST_HELD_FD);
		close(fds[i]);
	}
	k->fd_count = fd_count;
	k->tries = 0;
	return true;
}

static int pidfd_of(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

/* Who made our end of the leash; -1 when they have gone already: then our parent is somebody else. */
static int starter(int leash)
{
	struct ucred made_by = { 0 };
	socklen_t len = sizeof(made_by);
	int fd;

	if (getsockopt(leash, SOL_SOCKET, SO_PEERCRED, &made_by, &len) < 0)
		return -1;
	fd = pidfd_of(made_by.pid);
	if (fd >= 0 && getppid() != made_by.pid) {
		close(fd);
		return -1;
	}
	return fd;
}

static void become_supervisor(const struct keeper *k, int leash)
{
	char *const argv[] = { (char *)"pterm-supervisor", (char *)"--adopt", (char *)k->id, NULL };
	const int leash_high = fcntl(leash, F_DUPFD_CLOEXEC, FIRST_HELD_FD);
	sigset_t none;

	HOOK_FORGET();
	(void)dup2(leash_high, ADOPT_LEASH_FD);
	for (int i = 0; i < HANDLE_COUNT; i++) {
		if (i < (int)k->fd_count)
			(void)dup2(k->fds[i], ADOPT_HANDLES_FD + i);
		else
			(void)close(ADOPT_HANDLES_FD + i);
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execv(k->program, argv);
	_exit(127);
}

/* Start a supervisor on what we hold. False: it cannot even be tried. */
static bool start_supervisor(struct keeper *k)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return false;
	pid = fork();
	if (pid == 0)
		become_supervisor(k, pair[1]);
	close(pair[1]);
	if (k->leash >= 0)
		close(k->leash);
	if (k->supervisor >= 0)
		close(k->supervisor);
	k->leash = pair[0];
	k->supervisor = pid > 0 ? pidfd_of(pid) : -1;
	k->is_parent = true;
	return k->supervisor >= 0;
}

/* The supervisor is gone. One that was killed is replaced at once; one that fails by itself after a pause, ever longer. */
static bool replace(struct keeper *k)
{
	siginfo_t si = { 0 };
	bool was_killed = true;

	if (k->is_parent && waitid(P_PIDFD, (id_t)k->supervisor, &si, WEXITED) == 0)
		was_killed = si.si_code == CLD_KILLED && si.si_status == SIGKILL;
	if (k->fd_count == 0 || k->tries++ >= TRIES_MAX)
		return false;
	if (was_killed) {
		k->pause_ms = 0;
	} else {
		k->pause_ms = k->pause_ms == 0 ? PAUSE_FIRST_MS : k->pause_ms < PAUSE_MAX_MS ? 2 * k->pause_ms : PAUSE_MAX_MS;
		(void)poll(NULL, 0, k->pause_ms);
	}
	return start_supervisor(k);
}

int main(int argc, char **argv)
{
	static struct keeper k = { .leash = KEEPER_LEASH_FD };

	if (argc != 3 || fcntl(k.leash, F_SETFD, FD_CLOEXEC) < 0) {
		fputs("pterm-keeper is started by a session's supervisor, not by hand\n", stderr);
		return 125;
	}
	k.id = argv[1];
	k.program = argv[2];
	k.supervisor = starter(k.leash);
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	for (;;) {
		struct pollfd p[] = { { .fd = k.leash, .events = POLLIN }, { .fd = k.supervisor, .events = POLLIN } };

		if (poll(p, 2, k.leash < 0 && k.supervisor < 0 ? 0 : -1) < 0 && errno != EINTR)
			break;
		if (k.leash >= 0 && (p[0].revents || p[1].revents)) {
			if (!take(&k))                   /* its last word first, also when it is gone already */
				break;
			if (p[0].revents & POLLIN)
				continue;
		}
		if ((p[1].revents || k.supervisor < 0) && !replace(&k))
			break;
	}
	return 0;                                        /* what we held closes: were we the last, the container ends */
}
