#include "supervisor/keeper.h"

#include "base/child.h"
#include "base/fd.h"
#include "base/units.h"
#include "supervisor/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOG_MODULE "keeper"
#include "base/log.h"

enum { GOODBYE_MS = 5000, HIGH_FD = 32 };

static int status_memfd(const struct supervisor *s)
{
	_fd_ fd = memfd_create("pterm-status", MFD_CLOEXEC);
	_str_ text = STR_INIT;
	int r;

	if (fd < 0)
		return -errno;
	json_encode(&text, &status_object, &s->status);
	r = fd_write_all(fd, text.buf, text.len);
	return r < 0 ? r : TAKE_FD(fd);
}

/* All handles, borrowed but for STATUS, which is the caller's. Their number, or -errno. */
static int collect(struct supervisor *s, int fds[HANDLE_COUNT])
{
	struct engine_handles own;

	for (int i = 0; i < HANDLE_COUNT; i++)
		fds[i] = -1;
	fds[HANDLE_STATUS] = status_memfd(s);
	if (fds[HANDLE_STATUS] < 0)
		return fds[HANDLE_STATUS];
	fds[HANDLE_LOCK] = s->lock_fd;
	fds[HANDLE_LISTEN] = s->listen_fd;
	fds[HANDLE_RING] = ring_fd(s->ring);
	if (!s->has_container || s->container.ops->handles == NULL || s->container.ops->handles(&s->container, &own) < 0)
		return HANDLE_CONSOLE;
	fds[HANDLE_CONSOLE] = own.console;
	fds[HANDLE_LIFELINE] = own.lifeline;
	fds[HANDLE_INIT] = own.init;
	return HANDLE_COUNT;
}

static void forget(struct keeper *k)
{
	k->watch = watch_free(k->watch);
	k->leash = fd_close(k->leash);
	if (k->pid > 0)
		(void)child_wait(k->pid);
	k->pid = 0;
}

static void on_leash(void *data, int events)
{
	struct supervisor *s = data;
	char byte;

	if (recv(s->keeper.leash, &byte, 1, MSG_DONTWAIT) < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	forget(&s->keeper);                              /* killed: the next one */
	if (s->state != STATE_ENDED)
		keeper_hold(s);
}

static int start(struct supervisor *s)
{
	const char *const argv[] = { s->house->keeper_program, s->place.id, s->house->supervisor_program, NULL };
	_fd_ theirs = -1;
	_err_ err = ERR_INIT;
	int pair[2], r;

	r = fd_socketpair(SOCK_SEQPACKET, pair);
	if (r < 0)
		return r;
	theirs = pair[1];
	const struct child_fd fds[] = { { theirs, KEEPER_LEASH_FD }, { 2, 2 } };
	const struct child c = { .argv = argv, .fds = fds, .fd_count = array_len(fds), .new_session = true };

	r = child_start(&c, &s->keeper.pid, &err);
	if (r < 0) {
		log_warn("%s: the session ends if its supervisor is killed", err_msg(&err));
		s->keeper.pid = 0;
		fd_close(pair[0]);
		return r;
	}
	s->container.keeper_pid = s->keeper.pid;         /* an engine that ends orphans spares it */
	s->keeper.leash = pair[0];
	s->keeper.watch = watch_new(&s->loop, s->keeper.leash, LOOP_READ, on_leash, s);
	return 0;
}

void keeper_adopt(struct supervisor *s, int leash)
{
	if (leash < 0)
		return;
	s->keeper = (struct keeper){ .leash = leash };
	s->keeper.watch = watch_new(&s->loop, leash, LOOP_READ, on_leash, s);
}

static int say(int leash, enum keeper_op op, const int *fds, size_t n)
{
	const struct keeper_message m = { .magic = KEEPER_MAGIC, .op = op };
	const ssize_t sent = fd_send(leash, &m, sizeof(m), fds, n);

	return sent < 0 ? (int)sent : 0;
}

/* @fds as collect gave them: @n of them, or -errno. */
static void hold(struct supervisor *s, int fds[HANDLE_COUNT], int n)
{
	if (n < 0 || say(s->keeper.leash, KEEPER_HOLD, fds, (size_t)n) < 0)
		log_warn("cannot give the keeper its handles: the session ends if its supervisor is killed");
	fd_close(fds[HANDLE_STATUS]);
}

void keeper_hold(struct supervisor *s)
{
	int fds[HANDLE_COUNT], n;

	if (s->keeper.leash < 0 && start(s) < 0)
		return;
	n = collect(s, fds);
	hold(s, fds, n);
}

static void await_end(struct keeper *k)
{
	(void)poll(&(struct pollfd){ .fd = k->leash, .events = POLLIN }, 1, GOODBYE_MS);         /* closed when it exits */
	forget(k);
}

/*
 * Never do two of them hold: both would start a supervisor when we are killed. So the old one lets go first, and at
 * once the new one, which is there already, takes hold: a kill right in between ends the session.
 */
void keeper_renew(struct supervisor *s)
{
	struct keeper old = s->keeper;
	int fds[HANDLE_COUNT], n;

	s->keeper = (struct keeper){ .leash = -1 };
	if (old.leash >= 0 && start(s) < 0) {
		s->keeper = old;
		keeper_hold(s);
		return;
	}
	if (old.leash < 0) {
		keeper_hold(s);
		return;
	}
	old.watch = watch_free(old.watch);
	n = collect(s, fds);
	(void)say(old.leash, KEEPER_RELEASE, NULL, 0);
	hold(s, fds, n);
	await_end(&old);
}

void keeper_release(struct supervisor *s)
{
	if (s->keeper.leash < 0)
		return;
	if (say(s->keeper.leash, KEEPER_RELEASE, NULL, 0) == 0)
		await_end(&s->keeper);
	else
		forget(&s->keeper);
}

int keeper_exec(struct supervisor *s, const char *program)
{
	char *const argv[] = { (char *)"pterm-supervisor", (char *)"--adopt", (char *)s->place.id, NULL };
	int fds[HANDLE_COUNT], high[HANDLE_COUNT], leash, n;
	_fd_ probe = open(program, O_RDONLY | O_CLOEXEC);

	if (probe < 0 || access(program, X_OK) < 0)
		return -errno;
	n = collect(s, fds);
	if (n < 0)
		return n;
	/* what stands at the numbers below is needed until the exec: away from there first, all of it */
	leash = s->keeper.leash < 0 ? -1 : fcntl(s->keeper.leash, F_DUPFD_CLOEXEC, HIGH_FD);
	for (int i = 0; i < n; i++)
		high[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, HIGH_FD);
	for (int i = 0; i < n; i++)
		(void)dup2(high[i], ADOPT_HANDLES_FD + i);
	for (int i = n; i < HANDLE_COUNT; i++)
		(void)close(ADOPT_HANDLES_FD + i);
	if (leash >= 0)
		(void)dup2(leash, ADOPT_LEASH_FD);
	else
		(void)close(ADOPT_LEASH_FD);
	execv(program, argv);
	_exit(127);                                      /* our descriptors are gone: the keeper knows what to do */
}
