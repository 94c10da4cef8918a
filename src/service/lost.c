#include "service/lost.h"

#include "base/fd.h"
#include "base/hook.h"
#include "base/list.h"
#include "base/path.h"
#include "base/proc.h"
#include "base/units.h"
#include "engine/cgroup.h"
#include "event/journal.h"
#include "supervisor/crash.h"
#include "supervisor/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
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

/*
 * Is this, by its arguments, a process of session @id: "pterm-supervisor ID" (a sandbox too), "pterm-init ID", or a
 * runtime on its way ("crun … run … ID-RUN")? A killed supervisor may not have written down any pid.
 */
static bool is_of_session(const char *args, size_t n, void *id)
{
	const char *second = args + strlen(args) + 1, *last = args, *program = path_base(args);
	const size_t id_len = strlen(id);

	if (second >= args + n)
		return false;
	if (str_eq(program, "pterm-supervisor") || str_eq(program, "pterm-init"))
		return str_eq(second, id);
	for (const char *at = second; at < args + n; at += strlen(at) + 1)
		last = at;
	return strncmp(last, id, id_len) == 0 && last[id_len] == '-' && last[id_len + 1] != '\0' &&
	       strspn(last + id_len + 1, "0123456789") == strlen(last + id_len + 1);
}

/*
 * In a container they die at once. On the bare host init first ends what it started, and only one that cannot is
 * killed.
 */
static void end_process(pid_t pid, bool is_container)
{
	_fd_ fd = proc_pidfd(pid);
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (fd < 0 || proc_signal(fd, is_container ? SIGKILL : SIGCONT) < 0)
		return;
	if (poll(&p, 1, END_MS) == 0 && !is_container && proc_signal(fd, SIGKILL) == 0)
		(void)poll(&p, 1, END_MS);
}

/*
 * What a killed supervisor leaves: processes that mostly are about to end by themselves, the program beside the
 * container, a cgroup, its socket, and what the runtime wrote down.
 */
static void end_remains(const struct house *h, const char *id, int session_fd, const struct status *st)
{
	_cleanup_(place_release) struct place place = { 0 };
	_cleanup_(spec_release) struct spec spec = { 0 };
	const bool has_spec = spec_read(session_fd, "spec.json", &spec, NULL) == 0;
	const struct engine_ops *ops = has_spec ? engine_find(spec.engine) : NULL;
	const bool is_container = ops != NULL && (ops->features & ENGINE_ISOLATES) && spec.fallback == NULL;
	struct proc_list pids = { 0 };

	if (st->helper_pid > 0 &&
	    proc_signal_known((pid_t)st->helper_pid, (uint64_t)st->helper_start, SIGKILL) == 0)
		await_end((pid_t)st->helper_pid);
	proc_find(is_of_session, (void *)id, &pids);
	for (size_t i = 0; i < pids.len; i++)
		end_process(pids.items[i], is_container || st->has_container);
	vec_release(&pids);
	(void)unlinkat(session_fd, "control.sock", 0);
	if (has_spec && spec_has_limits(&spec))
		cgroup_remove_of(id, (unsigned)st->run);
	house_place(h, id, &place);
	if (ops != NULL && ops->forget != NULL)
		ops->forget(&spec, &place);
}

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
		if (now.boot_id != NULL && str_eq(now.boot_id, proc_boot_id()))
			end_remains(h, id, session_fd, &now);
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
