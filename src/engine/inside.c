#include "engine/inside.h"

#include "base/fd.h"
#include "base/loop.h"
#include "base/units.h"
#include "wire/init.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct asked { uint32_t id; char *program; };

struct inside {
	int lifeline, console, pidfd;
	pid_t pid;
	struct watch *lifeline_watch, *console_watch, *pid_watch;
	bool has_started, has_exited, is_gone;   /* init says things once; what a taken-over one repeats is dropped */
	VEC(struct asked) asked;                 /* execs that init was told to start and has not answered */
};

/* --- commands --- */

/* Without a container the command lives in the caller's world: its home, not the image's, and its own agent's socket. */
static void use_own_world(const struct spec *spec, struct strv *env)
{
	static const char *const keys[] = { "HOME", "USER", "LOGNAME", "SHELL", "PATH" };

	for (size_t i = 0; i < array_len(keys); i++)
		if (getenv(keys[i]) != NULL)
			strv_set_env(env, keys[i], getenv(keys[i]));
	for (size_t i = 0; spec->ssh_agent != NULL && i < env->len; i++)
		if (str_eq(env->items[i], "SSH_AUTH_SOCK=" SSH_AGENT_INSIDE))
			strv_set_env(env, "SSH_AUTH_SOCK", spec->ssh_agent);
}

static void add_number(const char *text, struct init_command *head)
{
	uint64_t gid;

	if (head->group_count < INIT_GROUPS_MAX && parse_uint(text, 0, UINT32_MAX - 1, &gid) == 0)
		head->groups[head->group_count++] = (uint32_t)gid;
}

static void add_strings(struct str *out, const struct strv *v)
{
	for (size_t i = 0; i < v->len; i++)
		str_add(out, v->items[i], strlen(v->items[i]) + 1);
}

/* The command as init reads it, in a memfd, or -errno. */
static int command_fd(const struct container *c, const struct engine_exec *x)
{
	const struct spec_user *user = x->user;
	struct init_command head = { .version = INIT_VERSION, .uid = (uint32_t)user->uid, .gid = (uint32_t)user->gid,
	                             .argc = (uint32_t)x->argv->len,
	                             .rows = x->size.rows, .cols = x->size.cols,
	                             .keep_user = !(c->ops->features & ENGINE_ISOLATES) };
	_fd_ fd = memfd_create("pterm-command", MFD_CLOEXEC);
	_strv_ env = { 0 };
	_str_ out = STR_INIT;
	int r;

	strv_copy(&env, x->env);
	strv_set_env(&env, "PTERM_SESSION", c->place->id);
	if (head.keep_user)
		use_own_world(c->spec, &env);
	head.envc = (uint32_t)env.len;
	if (fd < 0)
		return -errno;
	for (size_t i = 0; i < user->groups.len; i++)
		add_number(user->groups.items[i], &head);
	str_add(&out, &head, sizeof(head));
	str_add(&out, x->cwd ? x->cwd : "", strlen(x->cwd ? x->cwd : "") + 1);
	add_strings(&out, x->argv);
	add_strings(&out, &env);
	r = fd_write_all(fd, out.buf, out.len);
	return r < 0 ? r : TAKE_FD(fd);
}

static int tell_init(const struct inside *in, struct init_message m, const int *fds, size_t fd_count)
{
	ssize_t n;

	m.magic = INIT_MAGIC;
	n = fd_send(in->lifeline, &m, sizeof(m), fds, fd_count);
	return n < 0 ? (int)n : 0;
}

static int run(struct container *c, uint32_t id, const struct engine_exec *x, struct err *err)
{
	_fd_ command = command_fd(c, x);
	const int fds[] = { command, x->stdio[0], x->stdio[1], x->stdio[2] };
	const struct init_message m = { .op = INIT_RUN, .id = id, .value = x->limit_ms,
	                                .flags = (x->tty ? INIT_TTY : 0) | (x->limit_ms > 0 ? INIT_WHOLE : 0) };
	int r = command < 0 ? command : tell_init(c->inside, m, fds, x->tty ? 1 : 4);

	return r < 0 ? err_set(err, -r, "init", "cannot tell the container's init what to run: %m") : 0;
}

static void login_shell(const struct spec *spec, struct strv *argv)
{
	strv_pushf(argv, "-%s", spec->user.shell ? strrchr(spec->user.shell, '/') ? strrchr(spec->user.shell, '/') + 1
	                                                                          : spec->user.shell : "sh");
}

int inside_open(struct container *c, int *ret_fd, struct err *err)
{
	const struct spec *spec = c->spec;
	_strv_ shell = { 0 };
	struct engine_exec x = { .argv = &spec->command, .env = &spec->env, .cwd = spec->cwd, .user = &spec->user,
	                         .tty = true, .size = { (uint16_t)spec->rows, (uint16_t)spec->cols } };
	int pair[2], r;

	r = fd_socketpair(SOCK_SEQPACKET, pair);
	if (r < 0)
		return err_set(err, -r, "lifeline", "cannot make a container's lifeline: %m");
	c->inside = xcalloc(1, sizeof(*c->inside));
	*c->inside = (struct inside){ .lifeline = pair[0], .console = -1, .pidfd = -1 };
	if (spec->command.len == 0) {
		login_shell(spec, &shell);
		x.argv = &shell;
	}
	r = run(c, 0, &x, err);
	if (r < 0) {
		fd_close(pair[1]);
		return r;
	}
	*ret_fd = pair[1];
	return 0;
}

/* --- what init says --- */

static int failed_to_run(const struct container *c, const struct init_message *m, const char *program, struct err *err)
{
	static const char *const steps[INIT_STEP_COUNT] = {
		[INIT_STEP_COMMAND] = "read what to run", [INIT_STEP_TERMINAL] = "give it a terminal",
		[INIT_STEP_FORK] = "start a process", [INIT_STEP_USER] = "become its user",
		[INIT_STEP_DIRECTORY] = "enter its working directory",
	};
	const int no = m->value > 0 && m->value < 4096 ? m->value : EIO;
	const char *where = c->ops->features & ENGINE_ISOLATES ? " in the container" : "";
	_free_ char *shown = visible(program);

	if (m->step == INIT_STEP_DIRECTORY && m->id == 0 && c->spec->cwd != NULL) {
		_free_ char *cwd = visible(c->spec->cwd);

		err_set(err, no, "command", "cannot run '%s'%s: cannot enter its working directory '%s': %m", shown, where, cwd);
		return 125;
	}
	if (m->step != INIT_STEP_EXEC) {
		err_set(err, no, "command", "cannot run '%s'%s: cannot %s: %m", shown, where,
		        m->step < INIT_STEP_COUNT ? steps[m->step] : "begin");
		return 125;
	}
	if (no == ENOENT) {
		err_set(err, no, "command-not-found", "cannot run '%s'%s: command not found", shown, where);
		return 127;
	}
	err_set(err, no, "command-not-executable", "cannot run '%s'%s: %m", shown, where);
	return 126;
}

/* The program of an exec that init answers for; NULL: it was not asked for one. The caller frees. */
static char *take_asked(struct inside *in, uint32_t id)
{
	for (size_t i = 0; i < in->asked.len; i++) {
		char *program = in->asked.items[i].program;

		if (in->asked.items[i].id != id)
			continue;
		in->asked.items[i] = in->asked.items[--in->asked.len];
		return program;
	}
	return NULL;
}

static void on_failed(struct container *c, const struct init_message *m)
{
	const struct spec *spec = c->spec;
	_err_ err = ERR_INIT;
	int code;

	if (m->id != 0) {
		_free_ char *program = take_asked(c->inside, m->id);

		if (program == NULL)
			return;
		code = failed_to_run(c, m, program, &err);
		c->on.on_exec_failed(c->data, m->id, &err, code);
		return;
	}
	if (c->inside->has_started)
		return;
	c->inside->has_started = c->inside->has_exited = true;
	code = failed_to_run(c, m, spec->command.len > 0 ? spec->command.items[0] :
	                     spec->user.shell ? spec->user.shell : "/bin/sh", &err);
	c->on.on_failed(c->data, &err, code);
}

static void on_exited(struct container *c, const struct init_message *m)
{
	struct inside *in = c->inside;

	if (m->id != 0) {
		c->on.on_exec_exited(c->data, m->id, m->value);
	} else if (in->has_started && !in->has_exited) {
		in->has_exited = true;
		c->on.on_exited(c->data, m->value);
	}
}

static void on_message(struct container *c, const struct init_message *m, int *fds, size_t fd_count)
{
	struct inside *in = c->inside;
	const int tty = fd_count == 1 && pty_adopt(fds[0]) == 0 ? fds[0] : -1;

	switch (m->op) {
	case INIT_STARTED:
		if (m->id != 0) {
			free(take_asked(in, m->id));
			c->on.on_exec_started(c->data, m->id, tty);
			if (tty >= 0)
				fds[0] = -1;             /* consumed */
		} else if (!in->has_started) {
			in->has_started = true;
			c->on.on_started(c->data);
		}
		break;
	case INIT_FAILED:
		on_failed(c, m);
		break;
	case INIT_EXITED:                                /* it came since take_exit looked */
		on_exited(c, m);
		break;
	}
}

/*
 * An exit is said once. So it is taken from the lifeline only after it was acted upon and written down: if we are killed
 * in between, who adopts the container finds it there. True: there was one.
 */
static bool take_exit(struct container *c)
{
	struct inside *in = c->inside;
	struct init_message m;
	const ssize_t n = recv(in->lifeline, &m, sizeof(m), MSG_PEEK | MSG_DONTWAIT);

	if (n != (ssize_t)sizeof(m) || m.magic != INIT_MAGIC || m.op != INIT_EXITED)
		return false;
	on_exited(c, &m);
	if (c->inside == in)
		(void)recv(in->lifeline, &m, sizeof(m), MSG_DONTWAIT);
	return true;
}

/* Read what init has said. False at the end. */
static bool read_lifeline(struct container *c)
{
	for (int rounds = 0; rounds < 64; rounds++) {
		struct init_message m;
		int fds[FD_PASS_MAX];
		size_t fd_count;
		ssize_t n;

		if (take_exit(c)) {
			if (c->inside == NULL)
				return false;
			continue;
		}
		n = fd_recv(c->inside->lifeline, &m, sizeof(m), fds, &fd_count, MSG_DONTWAIT);

		if (n == -EAGAIN)
			return true;
		if (n == (ssize_t)sizeof(m) && m.magic == INIT_MAGIC)
			on_message(c, &m, fds, fd_count);
		for (size_t i = 0; i < fd_count; i++)
			fd_close(fds[i]);
		if (n <= 0 || c->inside == NULL)
			return false;
	}
	return true;
}

static void on_lifeline(void *data, int events)
{
	struct container *c = data;

	if (!read_lifeline(c) && c->inside != NULL)
		watch_set(c->inside->lifeline_watch, 0);         /* the process's own end is what counts */
}

static void on_console(void *data, int events)
{
	struct container *c = data;

	if (events & LOOP_WRITE)
		c->on.on_writable(c->data);
	if ((events & LOOP_READ) && c->inside != NULL)
		c->on.on_output(c->data);
}

static void on_init_ended(void *data, int events)
{
	struct container *c = data;
	struct inside *in = c->inside;
	siginfo_t si;

	if (waitid(P_PIDFD, (id_t)in->pidfd, &si, WEXITED | WNOHANG) < 0 && errno != ECHILD &&
	    errno != EBADF)                              /* no pidfd: see inside_set_init */
		return;
	watch_set(in->pid_watch, 0);
	while (c->inside != NULL && in->lifeline_watch != NULL && read_lifeline(c)) {
		char byte;

		if (recv(in->lifeline, &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0)
			break;
	}
	if (c->inside == NULL || in->is_gone)
		return;
	in->is_gone = true;
	c->on.on_gone(c->data);
}

/* --- setting up --- */

static int watch_or_fail(struct watch **ret, struct container *c, int fd, watch_fn *fn, struct err *err)
{
	*ret = watch_new(c->loop, fd, LOOP_READ, fn, c);
	return *ret ? 0 : err_set(err, EIO, "loop", "cannot watch a descriptor of the container");
}

int inside_set_console(struct container *c, int fd, struct err *err)
{
	struct inside *in = c->inside;
	int r = pty_adopt(fd);

	if (r < 0) {
		fd_close(fd);
		return err_set(err, -r, "console", "the container runtime sent something that is no terminal: %m");
	}
	in->console = fd;
	(void)pty_set_size(fd, (struct term_size){ (uint16_t)c->spec->rows, (uint16_t)c->spec->cols });
	return watch_or_fail(&in->console_watch, c, fd, on_console, err);
}

/* Only now is init listened to: whoever hears that the command has started may ask for init's pid. */
int inside_set_init(struct container *c, pid_t pid, struct err *err)
{
	struct inside *in = c->inside;
	int r;

	in->pid = pid;
	in->pidfd = proc_pidfd(pid);
	if (in->pidfd == -ESRCH)                         /* it was quick, and has ended: what it said waits in the lifeline */
		in->pidfd = eventfd(1, EFD_CLOEXEC);     /* as readable as its pidfd would be */
	if (in->pidfd < 0)
		return err_set(err, -in->pidfd, "init-gone", "the container's first process is gone: %m");
	r = watch_or_fail(&in->lifeline_watch, c, in->lifeline, on_lifeline, err);
	if (r == 0)
		r = watch_or_fail(&in->pid_watch, c, in->pidfd, on_init_ended, err);
	return r;
}

int inside_handles(struct container *c, struct engine_handles *ret)
{
	const struct inside *in = c->inside;

	if (in == NULL || in->pid <= 0 || in->is_gone || in->console < 0 || !in->has_started)
		return -EAGAIN;
	*ret = (struct engine_handles){ .console = in->console, .lifeline = in->lifeline, .init = in->pidfd, .init_pid = in->pid };
	return 0;
}

int inside_adopt(struct container *c, const struct engine_handles *h, struct err *err)
{
	struct inside *in = c->inside = xcalloc(1, sizeof(*in));
	int r;

	*in = (struct inside){ .lifeline = h->lifeline, .console = h->console, .pidfd = h->init, .pid = h->init_pid,
	                       .has_started = true };
	r = pty_adopt(in->console);
	if (r < 0)
		return err_set(err, -r, "console", "what was handed over is no terminal: %m");
	r = watch_or_fail(&in->console_watch, c, in->console, on_console, err);
	if (r == 0)
		r = watch_or_fail(&in->lifeline_watch, c, in->lifeline, on_lifeline, err);
	if (r == 0)
		r = watch_or_fail(&in->pid_watch, c, in->pidfd, on_init_ended, err);
	return r;
}

pid_t inside_pid(struct container *c)
{
	return c->inside && !c->inside->is_gone ? c->inside->pid : 0;
}

bool inside_has_ended(struct container *c, int wait_ms)
{
	struct pollfd p = { .fd = c->inside ? c->inside->pidfd : -1, .events = POLLIN };

	return p.fd >= 0 && poll(&p, 1, wait_ms) == 1;
}

/* --- operations --- */

ssize_t inside_read(struct container *c, void *buf, size_t n)
{
	const ssize_t got = c->inside->console < 0 ? 0 : read(c->inside->console, buf, n);

	return got < 0 ? -errno : got;
}

ssize_t inside_write(struct container *c, const void *buf, size_t n)
{
	const ssize_t put = c->inside->console < 0 ? -1 : write(c->inside->console, buf, n);

	return put < 0 ? (c->inside->console < 0 ? -EPIPE : -errno) : put;
}

void inside_watch(struct container *c, bool output, bool writable)
{
	if (c->inside->console_watch != NULL)
		watch_set(c->inside->console_watch, (output ? LOOP_READ : 0) | (writable ? LOOP_WRITE : 0));
}

int inside_resize(struct container *c, struct term_size size)
{
	return c->inside->console < 0 ? 0 : pty_set_size(c->inside->console, size);
}

int inside_signal(struct container *c, int signo, bool whole_group)
{
	return tell_init(c->inside, (struct init_message){ .op = INIT_SIGNAL, .value = signo,
	                                                   .flags = whole_group ? INIT_GROUP : 0 }, NULL, 0);
}

int inside_kill(struct container *c)
{
	struct inside *in = c->inside;

	if (!(c->ops->features & ENGINE_ISOLATES)) {             /* no namespace ends with it: it ends what it started */
		(void)inside_hang_up(c);
		return 0;
	}
	return in->pidfd < 0 ? -ESRCH : proc_signal(in->pidfd, SIGKILL);
}

int inside_hang_up(struct container *c)
{
	if (c->inside == NULL)
		return 0;
	(void)shutdown(c->inside->lifeline, SHUT_WR);
	return c->inside->console >= 0;
}

int inside_exec(struct container *c, uint32_t id, const struct engine_exec *x, struct err *err)
{
	const int r = run(c, id, x, err);

	if (r == 0)
		vec_push(&c->inside->asked, ((struct asked){ .id = id, .program = xstrdup(x->argv->items[0]) }));
	return r;
}

int inside_exec_signal(struct container *c, uint32_t id, int signo)
{
	return tell_init(c->inside, (struct init_message){ .op = INIT_SIGNAL, .id = id, .value = signo,
	                                                   .flags = INIT_GROUP }, NULL, 0);
}

int inside_stats(struct container *c, struct proc_usage *ret, uint64_t *ret_memory_max)
{
	if (inside_pid(c) == 0)
		return -ESRCH;
	proc_tree_usage(c->inside->pid, ret);
	*ret_memory_max = (uint64_t)c->spec->memory_bytes;
	return 0;
}

void inside_close(struct container *c)
{
	struct inside *in = c->inside;

	if (in == NULL)
		return;
	if (!in->is_gone && in->pidfd >= 0) {
		(void)inside_kill(c);
		if (c->ops->features & ENGINE_ISOLATES) {
			(void)poll(&(struct pollfd){ .fd = in->pidfd, .events = POLLIN }, 1, -1);        /* an adopted one is no child */
			(void)waitid(P_PIDFD, (id_t)in->pidfd, &(siginfo_t){ 0 }, WEXITED | WNOHANG);
		}
	}
	watch_free(in->lifeline_watch);
	watch_free(in->console_watch);
	watch_free(in->pid_watch);
	for (size_t i = 0; i < in->asked.len; i++)
		free(in->asked.items[i].program);
	vec_release(&in->asked);
	fd_close(in->lifeline);
	fd_close(in->console);
	fd_close(in->pidfd);
	free(in);
	c->inside = NULL;
}
