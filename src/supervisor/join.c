#include "supervisor/join.h"

#include "base/fd.h"
#include "base/proc.h"
#include "supervisor/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

enum { ARGUMENTS_MAX = 4096 };

/* Is @pid the first process of session @id's container? */
static bool is_init_of(pid_t pid, const char *id)
{
	_str_ args = STR_INIT;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	return file_read(AT_FDCWD, path, ARGUMENTS_MAX, &args) == 0 && strlen(args.buf) + 1 < args.len &&
	       str_eq(args.buf + strlen(args.buf) + 1, id);
}

static bool has_ended(int pidfd)
{
	return poll(&(struct pollfd){ .fd = pidfd, .events = POLLIN }, 1, 0) != 0;
}

/* The session that @s joins: its status, and a pidfd of its first process. */
static int find(const struct supervisor *s, struct status *ret, int *ret_pidfd, struct err *err)
{
	const char *id = s->spec.network_session;
	_fd_ dir = id == NULL ? -1 : openat(s->house->sessions_fd, id, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_fd_ pidfd = -1;
	int r;

	if (dir < 0)
		return err_set(err, ENOENT, "no-such-session", "the session whose network this one has (%s) is no more: make this "
		               "one anew", id ? id : "none");
	r = status_read(dir, ret, err);
	if (r < 0)
		return r;
	pidfd = ret->state == STATUS_RUNNING && ret->init_pid > 0 ? proc_pidfd((pid_t)ret->init_pid) : -1;
	if (pidfd < 0 || !is_init_of((pid_t)ret->init_pid, id))
		return err_set(err, ESRCH, "not-running", "session '%s', whose network this one has, does not run: pterm start %s "
		               "starts it", ret->name, ret->name);
	*ret_pidfd = TAKE_FD(pidfd);
	return 0;
}

static int check_map(const struct supervisor *s, const struct status *other, struct err *err)
{
	_fd_ dir = openat(s->house->sessions_fd, other->id, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_(spec_release) struct spec spec = { 0 };
	const int r = dir < 0 ? -errno : spec_read(dir, "spec.json", &spec, err);

	if (r < 0)
		return r;
	return spec.map != NULL && s->spec.map != NULL && str_eq(spec.map, s->spec.map) ? 0 :
	       err_set(err, EINVAL, "other-map", "session '%s' has another map of ids than this one: make this one anew",
	               other->name);
}

int join_open(struct supervisor *s, struct err *err)
{
	_cleanup_(status_release) struct status other = { 0 };
	_fd_ pidfd = -1;
	char path[64];
	int r;

	if (s->spec.network != NETWORK_SESSION)
		return 0;
	r = find(s, &other, &pidfd, err);
	if (r == 0)
		r = check_map(s, &other, err);
	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)other.init_pid);
	s->container.join_user = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)other.init_pid);
	s->container.join_net = open(path, O_RDONLY | O_CLOEXEC);
	/* the pid was its own all the time only if it has not ended yet */
	if (s->container.join_user >= 0 && s->container.join_net >= 0 && !has_ended(pidfd))
		return 0;
	r = err_set(err, errno ? errno : ESRCH, "join", "cannot enter the network of session '%s': %m", other.name);
	join_close(s);
	return r;
}

void join_close(struct supervisor *s)
{
	s->container.join_user = fd_close(s->container.join_user);
	s->container.join_net = fd_close(s->container.join_net);
}

static void on_end(void *data, int events)
{
	struct supervisor *s = data;

	join_forget(s);
	supervisor_tell(s, EVENT_warned, -1, "the session whose network this one has ended: what it reached through that one, it "
	                "reaches no more; started again, it enters that one's new network");
}

void join_watch(struct supervisor *s)
{
	_cleanup_(status_release) struct status other = { 0 };
	_fd_ pidfd = -1;

	if (s->spec.network != NETWORK_SESSION)
		return;
	join_forget(s);
	if (find(s, &other, &pidfd, NULL) < 0) {
		on_end(s, 0);
		return;
	}
	s->joined_pidfd = TAKE_FD(pidfd);
	s->joined_watch = watch_new(&s->loop, s->joined_pidfd, LOOP_READ, on_end, s);
}

void join_forget(struct supervisor *s)
{
	s->joined_watch = watch_free(s->joined_watch);
	s->joined_pidfd = fd_close(s->joined_pidfd);
}
