#include "image/tree-run.h"

#include "base/child.h"
#include "base/fd.h"
#include "base/units.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What the child in the new user namespace needs, made ready before: it may not allocate (idmap.h). */
struct body { int program, fds[TREE_LIST_FD + 1]; pid_t parent; const char *const *argv; };

static int run_body(void *arg)
{
	const struct body *b = arg;
	int high[array_len(b->fds)];

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != b->parent)
		return 125;
	for (size_t i = 0; i < array_len(b->fds); i++)
		high[i] = fcntl(b->fds[i], F_DUPFD_CLOEXEC, 64);
	for (size_t i = 0; i < array_len(b->fds); i++)
		if (high[i] < 0 || dup2(high[i], (int)i) < 0)
			return 125;
	syscall(SYS_execveat, b->program, "", (char *const *)b->argv, environ, AT_EMPTY_PATH);
	dprintf(2, "cannot start it: %s\n", strerror(errno));
	return 125;
}

int tree_start(const struct tree_job *job, struct tree_run *ret, struct err *err)
{
	int said[2] = { -1, -1 }, report[2] = { -1, -1 };
	_fd_ null = open("/dev/null", O_RDWR | O_CLOEXEC);
	/* opened here: inside the namespace its directory may be out of reach */
	_fd_ program = open(job->program, O_PATH | O_CLOEXEC);
	pid_t pid;

	if (program < 0)
		return err_set(err, errno, "no-program", "cannot find the program '%s': %m", job->program);
	if (null < 0 || pipe2(said, O_CLOEXEC) < 0 || pipe2(report, O_CLOEXEC) < 0) {
		pid = err_set(err, errno, "pipe", "cannot run '%s': %m", job->program);
	} else {
		struct body b = { .program = program, .parent = getpid(), .argv = job->argv,
			.fds = { job->in, job->out, said[1], job->dir, report[1], job->lock, job->list } };

		for (size_t i = 0; i < array_len(b.fds); i++)
			if (b.fds[i] < 0)
				b.fds[i] = null;
		pid = idmap_clone(job->map, 0, run_body, &b, err);
	}
	fd_close(said[1]);
	fd_close(report[1]);
	if (pid < 0) {
		fd_close(said[0]);
		fd_close(report[0]);
		return pid;
	}
	*ret = (struct tree_run){ pid, said[0], report[0] };
	return 0;
}

int tree_finish(struct tree_run *run, struct str *said, struct str *report, struct err *err)
{
	int status;

	(void)fd_slurp(run->said, 64 * 1024, said);
	(void)fd_slurp(run->report, 4096, report);
	run->said = fd_close(run->said);
	run->report = fd_close(run->report);
	status = child_wait(run->pid);
	run->pid = -1;
	return status < 0 ? err_set(err, -status, "wait", "cannot wait for pterm-tree: %m") : child_exit_code(status);
}

void tree_abandon(struct tree_run *run)
{
	if (run->pid > 0) {
		(void)kill(run->pid, SIGKILL);
		(void)child_wait(run->pid);
	}
	run->said = fd_close(run->said);
	run->report = fd_close(run->report);
	run->pid = -1;
}

char *tree_figure(const struct str *report, const char *name)
{
	for (const char *line = report->buf; *line != '\0'; line += line[0] == '\n') {
		const size_t n = strlen(name), len = strcspn(line, "\n");

		if (strncmp(line, name, n) == 0 && line[n] == ' ')
			return xstrndup(line + n + 1, len - n - 1);
		line += len;
	}
	return xstrdup("");
}

int tree_failed(int code, const char *verb, const char *what, const struct str *said, const struct str *report,
                struct err *err)
{
	_free_ char *number = tree_figure(report, "errno");
	_free_ char *line = xstrndup(said->buf, strcspn(said->buf, "\n"));
	_free_ char *why = visible(line);
	uint64_t no = EIO;

	if (parse_uint(number, 1, 4095, &no) < 0)
		no = EIO;
	if (*why == '\0')
		return err_set(err, (int)no, "image-unpack", "cannot %s %s: pterm-tree ended with exit code %d", verb, what, code);
	return err_set(err, (int)no, "image-unpack", "cannot %s %s: %s", verb, what, why);
}

int tree_digest_of(const char *program, int fd, char ret[65], struct err *err)
{
	const char *const argv[] = { program, "digest", "--report", "4", NULL };
	int report[2], r;
	_str_ text = STR_INIT;
	_free_ char *digest = NULL;
	pid_t pid;

	if (pipe2(report, O_CLOEXEC) < 0)
		return err_set(err, errno, "pipe", "cannot run '%s': %m", program);
	const struct child_fd fds[] = { { fd, 0 }, { report[1], 4 } };
	const struct child c = { .argv = argv, .fds = fds, .fd_count = array_len(fds), .dies_with_parent = true };

	r = child_start(&c, &pid, err);
	fd_close(report[1]);
	if (r == 0) {
		(void)fd_slurp(report[0], 4096, &text);
		r = child_wait(pid);
		digest = tree_figure(&text, "sha256");
		r = r != 0 || strlen(digest) != 64 ? err_set(err, EIO, "digest", "cannot make out the digest of what was read") : 0;
	}
	fd_close(report[0]);
	if (r == 0)
		memcpy(ret, digest, 65);
	return r;
}
