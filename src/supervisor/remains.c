#include "supervisor/remains.h"

#include "base/fd.h"
#include "base/list.h"
#include "base/path.h"
#include "base/proc.h"
#include "engine/cgroup.h"

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
 * Is this, by its arguments, a process of session @id: "pterm-supervisor ID" or "… --adopt ID" (a sandbox too),
 * "pterm-init ID", or a runtime on its way ("crun … run … ID-RUN")? A killed supervisor may not have written down any pid.
 */
static bool is_of_session(const char *args, size_t n, void *id)
{
	const char *second = args + strlen(args) + 1, *last = args, *program = path_base(args);
	const size_t id_len = strlen(id);

	if (second >= args + n)
		return false;
	for (const char *at = second; at < args + n; at += strlen(at) + 1)
		last = at;
	if (str_eq(program, "pterm-supervisor"))
		return str_eq(last, id);
	if (str_eq(program, "pterm-init"))
		return str_eq(second, id);
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

void remains_end(const struct house *h, const char *id, int session_fd, const struct status *st)
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
		if (pids.items[i] != getpid())
			end_process(pids.items[i], is_container || st->has_container);
	vec_release(&pids);
	if (has_spec && spec_has_limits(&spec))
		cgroup_remove_of(id, (unsigned)st->run);
	house_place(h, id, &place);
	if (ops != NULL && ops->forget != NULL)
		ops->forget(&spec, &place);
}

static bool is_keeper(const char *args, size_t n, void *id)
{
	const char *second = args + strlen(args) + 1;

	return second < args + n && str_eq(path_base(args), "pterm-keeper") && str_eq(second, id);
}

void remains_await_keeper(const char *id)
{
	struct proc_list pids = { 0 };

	proc_find(is_keeper, (void *)id, &pids);
	for (size_t i = 0; i < pids.len; i++)
		await_end(pids.items[i]);
	vec_release(&pids);
}
