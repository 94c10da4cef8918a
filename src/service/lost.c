#include "service/lost.h"

#include "base/fd.h"
#include "base/hook.h"
#include "base/list.h"
#include "base/path.h"
#include "base/proc.h"
#include "base/units.h"
#include "event/journal.h"
#include "supervisor/crash.h"
#include "supervisor/lock.h"
#include "supervisor/remains.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

/* A session of --rm is kept too: a crash is worth a look, and crash/ is what there is to look at. */
static void write_down(int session_fd, struct status *st)
{
	const bool rebooted = st->boot_id != NULL && !str_eq(st->boot_id, proc_boot_id());
	const bool was_never = st->pid == 0;             /* no supervisor has come so far as to write itself down */
	struct event ev = { .type = EVENT_ended, .session = st->id, .name = st->name };
	_fd_ log = openat(session_fd, "runtime.log", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	_str_ why = STR_INIT;

	st->state = STATUS_ENDED;
	st->reason = rebooted ? REASON_REBOOTED : was_never ? REASON_START_FAILED : REASON_SUPERVISOR_LOST;
	st->exit_code = was_never ? 125 : 128 + SIGKILL;
	st->signo = was_never ? 0 : SIGKILL;
	st->ended_ms = (int64_t)time_now_ms();
	status_set(&st->message, rebooted ? "the machine was started again while the session ran" :
	           was_never ? "its start was cut short: pterm or the session's supervisor was killed" :
	           "the session's supervisor was killed, and its container ended with it");
	st->pid = st->pid_start = st->init_pid = st->helper_pid = st->helper_start = 0;
	(void)crash_write(session_fd, st, log);
	status_describe(st, &why);
	ev.number = st->exit_code;
	ev.time_ms = (uint64_t)st->ended_ms;
	ev.text = why.buf;
	(void)journal_append(session_fd, &ev);
}

int lost_settle(const struct house *h, const char *id, int session_fd, struct status *status, bool *ret_alive,
                struct err *err)
{
	_fd_ guard = session_guard(session_fd);
	_fd_ lock = session_lock(session_fd);
	_cleanup_(status_release) struct status now = { 0 };
	int r;

	*ret_alive = lock == -EBUSY;
	if (lock < 0 && lock != -EBUSY)
		return err_set(err, -lock, "lock", "cannot lock session %s: %m", id);
	if (*ret_alive)                                  /* what was just read is its supervisor's own word */
		return 0;
	r = status_read(session_fd, &now, err);          /* somebody may have settled it, or it may have ended, meanwhile */
	if (r == 0 && now.state != STATUS_ENDED) {
		if (now.boot_id != NULL && str_eq(now.boot_id, proc_boot_id())) {
			remains_end(h, id, session_fd, &now);
			remains_await_keeper(id);
		}
		(void)unlinkat(session_fd, "control.sock", 0);
		HOOK("settle.ended");
		write_down(session_fd, &now);
		HOOK("settle.described");
		r = status_write(session_fd, &now, err);
	}
	if (r == 0) {
		status_release(status);
		*status = now;
		now = (struct status){ 0 };
	}
	return r;
}
