#include "image/helper.h"

#include "base/child.h"
#include "base/fd.h"
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { TICK_MS = 100, SAID_MAX = 256 * 1024 };

/* The text of a quoted field: msg="…" with \" and \n inside. */
static char *unquote(const char *p)
{
	_str_ out = STR_INIT;

	for (; *p != '\0' && *p != '"'; p++) {
		if (*p == '\\' && p[1] != '\0')
			p++;
		str_addc(&out, *p);
	}
	return str_take(&out);
}

/* The last line that is not empty, and not one that the program only adds below an error. */
static char *last_line(const char *said)
{
	_free_ char *copy = xstrdup(said);
	char *best = NULL, *save = NULL;

	for (char *line = strtok_r(copy, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save))
		if (line[strspn(line, " \t")] != '\0' && !str_starts(line, "exit status") && strstr(line, "level=info") == NULL)
			best = line;
	return xstrdup(best ? best : "");
}

char *helper_message(const char *said)
{
	_free_ char *line = last_line(said);
	const char *msg = strstr(line, "msg=\""), *from;
	_free_ char *plain = msg ? unquote(msg + strlen("msg=\"")) : NULL;

	if (plain != NULL)
		return TAKE(plain);
	from = str_starts(line, "FATA[") && strchr(line, ']') ? strchr(line, ']') + 1 : line;
	if (str_starts(from, "Error: "))
		from += strlen("Error: ");
	from += strspn(from, " ");
	if (str_starts(from, "error during command execution: "))
		from += strlen("error during command execution: ");
	return xstrdup(from);
}

/* What to do about it, where that is known; and the number that goes with it. */
static const char *advice(const char *message, int *no)
{
	static const struct { const char *part; int no; const char *advice; } known[] = {
		{ "no space left on device", ENOSPC, "" },
		{ "disk quota exceeded", EDQUOT, "" },
		{ "unauthorized", EACCES, " (log in first: skopeo login REGISTRY, or give --creds USER:PASSWORD)" },
		{ "authentication required", EACCES, " (log in first: skopeo login REGISTRY, or give --creds USER:PASSWORD)" },
		{ "server gave HTTP response to HTTPS client", EPROTO,
		  " (for a registry without TLS: --tls-verify=false, or insecure = true in registries.conf)" },
		{ "manifest unknown", ENOENT, " (the registry has no such tag)" },
		{ "name unknown", ENOENT, " (the registry has no such repository)" },
		{ "no such host", EHOSTUNREACH, "" },
		{ "connection refused", ECONNREFUSED, "" },
	};

	*no = EIO;
	for (size_t i = 0; i < array_len(known); i++)
		if (strcasestr(message, known[i].part) != NULL) {
			*no = known[i].no;
			return known[i].advice;
		}
	return "";
}

static int not_there(const struct helper *h, const char *verb, const char *what, struct err *err)
{
	return err_set(err, ENOENT, "no-program", "cannot %s '%s': the program %s, which %s, is not installed: install the "
	               "package %s", verb, what, h->program, h->does, h->package);
}

/* Read what comes from both pipes until they end. */
static void collect(int out, int said, const struct helper_run *run, struct str *text)
{
	struct pollfd p[2] = { { .fd = out, .events = POLLIN }, { .fd = said, .events = POLLIN } };

	while (p[0].fd >= 0 || p[1].fd >= 0) {
		if (poll(p, 2, run->on_tick ? TICK_MS : -1) < 0 && errno != EINTR)
			return;
		if (run->on_tick != NULL)
			run->on_tick(run->data);
		for (int i = 0; i < 2; i++) {
			char buf[16384];
			ssize_t n;

			if (p[i].fd < 0 || p[i].revents == 0)
				continue;
			n = read(p[i].fd, buf, sizeof(buf));
			if (n < 0 && errno == EINTR)
				continue;
			if (n <= 0)
				p[i].fd = -1;
			else if (i == 0 && run->out != NULL && run->out->len <= run->out_max)
				str_add(run->out, buf, (size_t)n);
			else if (i == 1 && text->len < SAID_MAX)
				str_add(text, buf, (size_t)n);
		}
	}
}

/* What the child in the new namespaces needs. */
struct inside {
	const char *path;
	char *const *argv, *const *env;
	const struct helper_root *root;
	int null, out, said, parent;     /* .parent: a pidfd, since in a PID namespace of its own it has no parent */
};

static int run_inside(void *data)
{
	const struct inside *in = data;
	const int high[3] = { fcntl(in->null, F_DUPFD_CLOEXEC, 64), fcntl(in->out, F_DUPFD_CLOEXEC, 64),
	                      fcntl(in->said, F_DUPFD_CLOEXEC, 64) };
	const char *what;
	int r;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (poll(&(struct pollfd){ .fd = in->parent, .events = POLLIN }, 1, 0) != 0)
		return 125;
	for (int i = 0; i < 3; i++)
		if (high[i] < 0 || dup2(high[i], i) < 0)
			return 125;
	r = in->root ? helper_root_enter(in->root, &what) : 0;
	if (r < 0) {
		dprintf(2, "cannot make a root of its own for it, at '%s': %s\n", what, strerror(-r));
		return 125;
	}
	execve(in->path, in->argv, in->env);
	dprintf(2, "cannot start it: %s\n", strerror(errno));
	return 125;
}

static int start_inside(const char *path, const struct helper_run *run, int out, int said, pid_t *ret, struct err *err)
{
	const int flags = CLONE_NEWNS | (run->root ? CLONE_NEWPID | CLONE_NEWIPC : 0);
	_fd_ null = open("/dev/null", O_RDWR | O_CLOEXEC);
	_fd_ self = proc_pidfd(getpid());
	struct inside in = { .path = path, .argv = run->argv->items, .env = run->env ? run->env : environ, .null = null,
	                     .root = run->root, .out = run->speaks ? 2 : out, .said = run->speaks ? 2 : said,
	                     .parent = self };

	if (self < 0)
		return err_set(err, -self, "process", "cannot run '%s': %m", path);
	*ret = idmap_clone(run->map, flags, run_inside, &in, err);
	return *ret < 0 ? *ret : 0;
}

static int start(const char *path, const struct helper_run *run, int out, int said, pid_t *ret, struct err *err)
{
	const struct child_fd fds[] = { { run->speaks ? 2 : out, 1 }, { run->speaks ? 2 : said, 2 } };
	const struct child c = { .argv = (const char *const *)run->argv->items, .program = path, .env = run->env, .fds = fds,
	                         .fd_count = array_len(fds), .dies_with_parent = true };

	return child_start(&c, ret, err);
}

static char *find_program(const struct helper *h)
{
	char *found = child_find(h->program);

	return found == NULL && h->place != NULL && access(h->place, X_OK) == 0 ? xstrdup(h->place) : found;
}

int helper_run(const struct helper *h, const struct helper_run *run, const char *verb, const char *what, struct err *err)
{
	_free_ char *found = find_program(h);
	_free_ char *shown = visible(what);
	_free_ char *message = NULL;
	_str_ said = STR_INIT;
	int out[2], told[2], r, no;
	pid_t pid;

	if (found == NULL)
		return not_there(h, verb, shown, err);
	if (pipe2(out, O_CLOEXEC) < 0)
		return err_set(err, errno, "pipe", "cannot run '%s': %m", h->program);
	_fd_ out_read = out[0];

	if (pipe2(told, O_CLOEXEC) < 0) {
		fd_close(out[1]);
		return err_set(err, errno, "pipe", "cannot run '%s': %m", h->program);
	}
	_fd_ said_read = told[0];

	r = run->map ? start_inside(found, run, out[1], told[1], &pid, err) : start(found, run, out[1], told[1], &pid, err);
	fd_close(out[1]);
	fd_close(told[1]);
	if (r < 0)
		return r;
	collect(out_read, said_read, run, &said);
	r = child_exit_code(child_wait(pid));
	if (run->said != NULL)
		str_add(run->said, said.buf, said.len);
	if (r == 0 && run->out != NULL && run->out->len > run->out_max)
		return err_set(err, EFBIG, "too-large", "cannot %s '%s': %s gave more than %zu bytes", verb, shown, h->program,
		               run->out_max);
	if (r == 0)
		return 0;
	message = helper_message(said.buf);
	{
		const char *what_to_do = advice(message, &no);
		_free_ char *clean = visible(message);

		if (*clean == '\0')
			return err_set(err, EIO, h->program, "cannot %s '%s': %s ended with exit code %d%s", verb, shown, h->program, r,
			               run->speaks ? "; it has said why above" : "");
		return err_set(err, no, h->program, "cannot %s '%s': %s: %s%s", verb, shown, h->program, clean, what_to_do);
	}
}
