#include "service/lost.h"

#include "base/fd.h"
#include "base/proc.h"
#include "base/units.h"
#include "engine/cgroup.h"
#include "event/journal.h"
#include "supervisor/crash.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

enum { END_MS = 10000 };

/* Wait for a process to be gone that is about to end by itself, or that we have killed. */
static void await_end(pid_t pid)
{
	_fd_ fd = pid > 0 ? proc_pidfd(pid) : -1;
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (fd >= 0)
		(void)poll(&p, 1, END_MS);
}

/* What a killed supervisor leaves: init, which ends when its lifeline closes; the program beside it; a cgroup. */
static void end_remains(const struct house *h, const char *id, int session_fd, const struct status *st)
{
	_cleanup_(place_release) struct place place = { 0 };
	_cleanup_(spec_release) struct spec spec = { 0 };

	if (st->helper_pid > 0 &&
	    proc_signal_known((pid_t)st->helper_pid, (uint64_t)st->helper_start, SIGKILL) == 0)
		await_end((pid_t)st->helper_pid);
	if (st->init_pid > 0 && proc_is_below((pid_t)st->init_pid, 1)) {
		_str_ name = STR_INIT;
		char path[64];

		snprintf(path, sizeof(path), "/proc/%d/comm", (int)st->init_pid);
		if (file_read(AT_FDCWD, path, 64, &name) == 0 && str_starts(name.buf, "pterm-init"))
			await_end((pid_t)st->init_pid);
	}
	if (spec_read(session_fd, "spec.json", &spec, NULL) < 0)
		return;
	house_place(h, id, st->name, &place);
	if (spec_has_limits(&spec))
		cgroup_remove_of(id, (unsigned)st->run);
	(void)unlinkat(session_fd, "control.sock", 0);
}

static void write_down(int session_fd, struct status *st)
{
	const bool rebooted = st->boot_id != NULL && !str_eq(st->boot_id, proc_boot_id());
	struct event ev = { .type = EVENT_ended, .session = st->id, .name = st->name, .number = st->exit_code };
	_str_ why = STR_INIT;

	st->state = STATUS_ENDED;
	st->reason = rebooted ? REASON_REBOOTED : REASON_SUPERVISOR_LOST;
	st->exit_code = 128 + SIGKILL;
	st->signo = SIGKILL;
	st->ended_ms = (int64_t)time_now_ms();
	status_set(&st->message, rebooted ? "the machine was started again while the session ran" :
	           "the session's supervisor was killed, and its container ended with it");
	st->pid = st->pid_start = st->init_pid = st->helper_pid = st->helper_start = 0;
	(void)crash_write(session_fd, st, -1);
	status_describe(st, &why);
	ev.time_ms = (uint64_t)st->ended_ms;
	ev.text = why.buf;
	(void)journal_append(session_fd, &ev);
}

int lost_settle(const struct house *h, const char *id, int session_fd, struct status *status, bool *ret_alive,
                struct err *err)
{
	_fd_ lock = openat(session_fd, "lock", O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	_cleanup_(status_release) struct status now = { 0 };
	int r;

	*ret_alive = false;
	if (lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) < 0) {
		*ret_alive = true;
		return 0;
	}
	if (lock < 0 && errno != ENOENT)
		return err_set(err, errno, "lock", "cannot open the lock of session %s: %m", id);
	r = status_read(session_fd, &now, err);          /* somebody may have settled it meanwhile */
	if (r == 0 && now.state != STATUS_ENDED) {
		if (now.boot_id != NULL && str_eq(now.boot_id, proc_boot_id()))
			end_remains(h, id, session_fd, &now);
		write_down(session_fd, &now);
		r = status_write(session_fd, &now, err);
	}
	if (r == 0) {
		status_release(status);
		*status = now;
		now = (struct status){ 0 };
	}
	return r;
}
