#include "base/child.h"
#include "base/fd.h"
#include "base/list.h"
#include "base/proc.h"
#include "base/test.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* A child of this program that waits until its pipe is closed; it is under the name @name. */
struct waiting { pid_t pid; int fd; };

static struct waiting start_waiting(const char *name)
{
	int pipes[2];
	pid_t pid;
	char c;

	ASSERT_OK(pipe2(pipes, O_CLOEXEC));
	pid = fork();
	if (pid == 0) {
		fd_close_from(3, pipes, 1);              /* of the others' pipes too */
		(void)prctl(PR_SET_NAME, name);
		_exit(read(pipes[0], &c, 1) == 1 && read(pipes[0], &c, 1) == 0 ? 0 : 1);
	}
	ASSERT_OK(fd_write_all(pipes[1], "x", 1));
	fd_close(pipes[0]);
	return (struct waiting){ pid, pipes[1] };
}

static void end_waiting(struct waiting *w)
{
	fd_close(w->fd);
	(void)child_wait(w->pid);
}

TEST(a_process_is_known_by_pid_and_start)
{
	uint64_t ours = 0, again = 0, theirs = 0;
	struct waiting w = start_waiting("a) R 1 2 3");          /* a name that looks like the fields behind it */

	ASSERT_OK(proc_start_time(getpid(), &ours));
	ASSERT_OK(proc_start_time(getpid(), &again));
	ASSERT_EQ(again, ours);
	ASSERT_OK(proc_start_time(w.pid, &theirs));
	ASSERT(theirs >= ours);
	ASSERT_EQ(proc_signal_known(w.pid, theirs + 1, SIGKILL), -ESRCH);        /* another one of this pid */
	ASSERT_OK(proc_signal_known(w.pid, theirs, 0));
	ASSERT_OK(proc_signal_known(w.pid, theirs, SIGKILL));
	ASSERT_EQ(child_exit_code(child_wait(w.pid)), 128 + SIGKILL);
	ASSERT_EQ(proc_start_time(w.pid, &theirs), -ESRCH);
	ASSERT_EQ(proc_signal_known(w.pid, theirs, SIGKILL), -ESRCH);
	fd_close(w.fd);
}

TEST(a_pidfd_tells_its_process)
{
	struct waiting w = start_waiting("waits");
	_fd_ fd = proc_pidfd(w.pid);
	_fd_ other = open("/dev/null", O_RDONLY | O_CLOEXEC);

	ASSERT_OK(fd);
	ASSERT_EQ(proc_pidfd_pid(fd), w.pid);
	ASSERT_EQ(poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, 0), 0);
	end_waiting(&w);
	ASSERT_EQ(poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, 0), 1);
	ASSERT_EQ(proc_pidfd_pid(fd), 0);
	ASSERT_EQ(proc_pidfd_pid(other), 0);
	ASSERT_EQ(proc_pidfd_pid(-1), 0);
	ASSERT_EQ(proc_signal(fd, SIGKILL), -ESRCH);
}

TEST(descent)
{
	struct waiting w = start_waiting("waits");

	ASSERT(proc_is_below(w.pid, getpid()));
	ASSERT(proc_is_below(getpid(), getpid()));
	ASSERT(proc_is_below(w.pid, getppid()));
	ASSERT(!proc_is_below(getpid(), w.pid));
	ASSERT(!proc_is_below(getppid(), w.pid));
	end_waiting(&w);
	ASSERT(!proc_is_below(w.pid, getpid()));
}

TEST(strangers_are_reaped_and_the_known_are_not)
{
	struct waiting known = start_waiting("known"), stranger = start_waiting("stranger");
	const pid_t keep[] = { 0, known.pid };
	siginfo_t si = { 0 };

	proc_reap_others(keep, 2);                       /* both run: it must not wait */
	fd_close(known.fd);
	fd_close(stranger.fd);
	ASSERT_OK(waitid(P_PID, (id_t)known.pid, &si, WEXITED | WNOWAIT));
	ASSERT_OK(waitid(P_PID, (id_t)stranger.pid, &si, WEXITED | WNOWAIT));
	proc_reap_others(keep, 2);
	ASSERT_EQ(waitpid(stranger.pid, NULL, WNOHANG), -1);
	ASSERT_EQ(errno, ECHILD);
	ASSERT_EQ(child_wait(known.pid), 0);
}

TEST(usage_is_that_of_the_whole_tree)
{
	struct proc_usage alone, more;
	struct waiting a, b;

	proc_tree_usage(getpid(), &alone);
	ASSERT_EQ(alone.pids, 1);
	ASSERT(alone.memory_bytes > 0);
	a = start_waiting("a");
	b = start_waiting("b");
	proc_tree_usage(getpid(), &more);
	ASSERT_EQ(more.pids, 3);
	ASSERT(more.cpu_ns >= alone.cpu_ns);
	end_waiting(&a);
	end_waiting(&b);
	proc_tree_usage(a.pid, &more);
	ASSERT_EQ(more.pids, 0);
}

/* A whole argument, not a part of one. */
static bool has_argument(const char *args, size_t n, void *data)
{
	for (size_t at = 0; at < n; at += strlen(args + at) + 1)
		if (str_eq(args + at, data))
			return true;
	return false;
}

TEST(processes_are_found_by_their_arguments)
{
	_free_ char *mark = xasprintf("1000.%d", (int)getpid());
	const char *const argv[] = { "/bin/sh", "-c", "echo; read x", mark, NULL };
	struct proc_list found = { 0 };
	int in[2], out[2];
	char runs;
	pid_t pid;

	ASSERT_OK(pipe2(in, O_CLOEXEC));
	ASSERT_OK(pipe2(out, O_CLOEXEC));
	const struct child_fd fds[] = { { in[0], 0 }, { out[1], 1 } };
	const struct child c = { .argv = argv, .fds = fds, .fd_count = 2 };

	ASSERT_OK(child_start(&c, &pid, NULL));
	ASSERT_OK(fd_read_all(out[0], &runs, 1));        /* in the first moment of a program its arguments are not there yet */
	proc_find(has_argument, mark, &found);
	ASSERT_EQ(found.len, 1);
	ASSERT_EQ(found.items[0], pid);
	ASSERT_OK(kill(pid, SIGKILL));
	(void)child_wait(pid);
	vec_release(&found);
	proc_find(has_argument, mark, &found);
	ASSERT_EQ(found.len, 0);
	vec_release(&found);
	for (int i = 0; i < 2; i++) {
		fd_close(in[i]);
		fd_close(out[i]);
	}
}

TEST(signals_by_name_and_number)
{
	static const struct { const char *text; int signo; } t[] = {
		{ "TERM", SIGTERM }, { "SIGTERM", SIGTERM }, { "sigkill", SIGKILL }, { "15", 15 }, { "0", -EINVAL },
		{ "-9", -EINVAL }, { "9x", -EINVAL }, { "", -EINVAL }, { "SIG", -EINVAL }, { "NONE", -EINVAL },
		{ "99999999999", -EINVAL }, { "RTMIN+", -EINVAL }, { "RTMIN+9999", -EINVAL },
	};

	for (size_t i = 0; i < array_len(t); i++)
		ASSERT_EQ(signal_parse(t[i].text), t[i].signo);
	ASSERT_EQ(signal_parse("rtmin+1"), SIGRTMIN + 1);
	ASSERT_STREQ(signal_name(SIGHUP), "HUP");
	ASSERT_STREQ(signal_name(-1), "unknown");
}

TEST(this_boot_and_machine_have_names)
{
	ASSERT_EQ(strlen(proc_boot_id()), 36);
	ASSERT(*proc_machine_id() != '\0');
}
