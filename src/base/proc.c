#include "base/proc.h"

#include "base/fd.h"
#include "base/list.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct stat_line { pid_t parent; uint64_t ticks_user, ticks_system, start, rss_pages; };

static int read_stat(pid_t pid, struct stat_line *ret)
{
	char path[64];
	_str_ text = STR_INIT;
	unsigned long long v[25] = { 0 };
	const char *p;
	int r;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	r = file_read(AT_FDCWD, path, 4096, &text);
	if (r < 0)
		return r == -ENOENT ? -ESRCH : r;
	p = strrchr(text.buf, ')');              /* the name may hold anything, also ") R 1" */
	if (p == NULL || strlen(p) < 4)
		return -EINVAL;
	p += 3;                                  /* past ") S": field 4 follows */
	for (int field = 4; field <= 24; field++) {
		char *end;

		v[field] = strtoull(p, &end, 10);
		p = end;
	}
	*ret = (struct stat_line){ .parent = (pid_t)v[4], .ticks_user = v[14], .ticks_system = v[15],
	                           .start = v[22], .rss_pages = v[24] };
	return 0;
}

int proc_start_time(pid_t pid, uint64_t *ret_ticks)
{
	struct stat_line s;
	const int r = read_stat(pid, &s);

	if (r == 0)
		*ret_ticks = s.start;
	return r;
}

/* The parent, or -errno. */
static pid_t parent_of(pid_t pid)
{
	struct stat_line s;
	const int r = read_stat(pid, &s);

	return r < 0 ? r : s.parent;
}

bool proc_is_below(pid_t pid, pid_t ancestor)
{
	for (int depth = 0; pid > 1 && depth < 1000; depth++) {
		if (pid == ancestor)
			return true;
		pid = parent_of(pid);
	}
	return false;
}

int proc_pidfd(pid_t pid)
{
	const long fd = syscall(SYS_pidfd_open, pid, 0);

	return fd < 0 ? -errno : (int)fd;
}

pid_t proc_pidfd_pid(int pidfd)
{
	_free_ char *path = xasprintf("/proc/self/fdinfo/%d", pidfd);
	_str_ text = STR_INIT;
	const char *line;

	if (pidfd < 0 || file_read(AT_FDCWD, path, 4096, &text) < 0)
		return 0;
	line = strstr(text.buf, "\nPid:");
	return line != NULL ? (pid_t)(atoi(line + 5) > 0 ? atoi(line + 5) : 0) : 0;
}

int proc_signal(int pidfd, int signo)
{
	return syscall(SYS_pidfd_send_signal, pidfd, signo, NULL, 0) < 0 ? -errno : 0;
}

int proc_signal_known(pid_t pid, uint64_t start_ticks, int signo)
{
	_fd_ fd = proc_pidfd(pid);
	uint64_t start = 0;
	int r;

	if (fd < 0)
		return fd;
	r = proc_start_time(pid, &start);        /* read after the pidfd was taken: it cannot be reused in between */
	if (r < 0)
		return r;
	return start == start_ticks ? proc_signal(fd, signo) : -ESRCH;
}

void proc_find(proc_is_fn *is, void *data, struct proc_list *ret)
{
	DIR *dir = opendir("/proc");

	for (struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;) {
		_str_ args = STR_INIT;
		char path[300];

		if (!isdigit((unsigned char)e->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "%s/cmdline", e->d_name);
		if (file_read(dirfd(dir), path, 1 << 20, &args) == 0 && args.len > 0 && is(args.buf, args.len, data))
			vec_push(ret, (pid_t)atoi(e->d_name));
	}
	if (dir != NULL)
		closedir(dir);
}

static void push_children(pid_t pid, void *list)
{
	VEC(pid_t) *pids = list;
	char path[64];
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	tasks = opendir(path);
	if (tasks == NULL)
		return;
	for (struct dirent *e; (e = readdir(tasks)) != NULL;) {
		_str_ text = STR_INIT;
		char children[300];

		if (!isdigit((unsigned char)e->d_name[0]))
			continue;
		snprintf(children, sizeof(children), "%s/children", e->d_name);
		if (file_read(dirfd(tasks), children, 1 << 20, &text) < 0)
			continue;
		for (char *p = text.buf, *end;; p = end) {
			const long child = strtol(p, &end, 10);

			if (end == p)
				break;
			vec_push(pids, (pid_t)child);
		}
	}
	closedir(tasks);
}

void proc_tree_usage(pid_t root, struct proc_usage *ret)
{
	const uint64_t tick_ns = 1000000000ULL / (uint64_t)sysconf(_SC_CLK_TCK);
	const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	VEC(pid_t) pids = { 0 };

	*ret = (struct proc_usage){ 0 };
	vec_push(&pids, root);
	for (size_t i = 0; i < pids.len && i < 100000; i++) {
		struct stat_line s;

		if (read_stat(pids.items[i], &s) < 0)
			continue;
		ret->pids++;
		ret->cpu_ns += (s.ticks_user + s.ticks_system) * tick_ns;
		ret->memory_bytes += s.rss_pages * page;
		push_children(pids.items[i], &pids);
	}
	vec_release(&pids);
}

void proc_reap_others(const pid_t *known, size_t n)
{
	_str_ text = STR_INIT;

	if (file_read(AT_FDCWD, "/proc/thread-self/children", 1 << 20, &text) < 0)
		return;
	for (char *p = text.buf, *end;; p = end) {
		const pid_t pid = (pid_t)strtol(p, &end, 10);
		bool is_known = false;

		if (end == p)
			return;
		for (size_t i = 0; i < n; i++)
			is_known |= known[i] == pid;
		if (!is_known)
			(void)waitpid(pid, NULL, WNOHANG);
	}
}

static const char *one_line(char *to, size_t size, const char *override, const char *path)
{
	_str_ text = STR_INIT;

	if (to[0] != '\0')
		return to;
	if (override != NULL && *override != '\0') {
		snprintf(to, size, "%s", override);
		return to;
	}
	if (file_read(AT_FDCWD, path, 4096, &text) == 0) {
		text.buf[strcspn(text.buf, " \n")] = '\0';
		snprintf(to, size, "%s", text.buf);
	}
	return to;
}

const char *proc_boot_id(void)
{
	static char id[64];

	return one_line(id, sizeof(id), getenv("PTERM_TEST_BOOT_ID"), "/proc/sys/kernel/random/boot_id");
}

const char *proc_machine_id(void)
{
	static char id[128];

	one_line(id, sizeof(id), getenv("PTERM_TEST_MACHINE_ID"), "/etc/machine-id");
	if (id[0] == '\0' && gethostname(id, sizeof(id) - 1) < 0)
		snprintf(id, sizeof(id), "unknown");
	return id;
}

int signal_parse(const char *text)
{
	char *end;
	const long number = strtol(text, &end, 10);

	if (*text != '\0' && *end == '\0')
		return number > 0 && number < NSIG ? (int)number : -EINVAL;
	if (strncasecmp(text, "SIG", 3) == 0)
		text += 3;
	for (int s = 1; s < NSIG; s++) {
		const char *name = sigabbrev_np(s);

		if (name != NULL && strcasecmp(name, text) == 0)
			return s;
	}
	if (strncasecmp(text, "RTMIN+", 6) == 0) {
		const long n = strtol(text + 6, &end, 10);

		if (text[6] != '\0' && *end == '\0' && n >= 0 && SIGRTMIN + n <= SIGRTMAX)
			return SIGRTMIN + (int)n;
	}
	return -EINVAL;
}

const char *signal_name(int signo)
{
	const char *name = sigabbrev_np(signo);

	return name ? name : "unknown";
}
