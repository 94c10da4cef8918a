/*
 * The engines without a container: a pterm-init as a plain child, which starts the command on a terminal of its own.
 * `process` is the fallback where no container can be made, and says so in the terminal; `fake` is the same without
 * the words, so that everything above an engine can be tested fast.
 */
#include "base/child.h"
#include "base/fd.h"
#include "base/loop.h"
#include "engine/inside.h"
#include "wire/init.h"

#include <unistd.h>

/* What a person reads before the command prints anything, and what they do not get of what they asked for. */
static void describe(const struct spec *spec, struct str *out)
{
	str_adds(out, "\r\npterm: this is NOT a container: the command runs directly on this host, as you.\r\n");
	if (spec->fallback_loses != NULL)
		str_addf(out, "pterm: not kept without one: %s\r\n", spec->fallback_loses);
	str_adds(out, "\r\n");
}

static int process_probe(const char *libexec, struct str *ret_found)
{
	str_adds(ret_found, "always there; isolates nothing");
	return 1;
}

static int direct_create(struct container *c, const char *words, struct err *err)
{
	const char *const argv[] = { c->place->init_program, c->place->id, NULL };
	_fd_ master = -1;
	_fd_ slave = -1;
	_fd_ lifeline = -1;
	pid_t pid;
	int r;

	r = pty_open((struct term_size){ (uint16_t)c->spec->rows, (uint16_t)c->spec->cols }, &master, &slave, err);
	if (r == 0)
		r = inside_open(c, &lifeline, err);
	if (r < 0)
		return r;
	if (words != NULL)
		(void)!write(slave, words, strlen(words));
	const struct child_fd fds[] = { { slave, 0 }, { slave, 1 }, { slave, 2 }, { lifeline, INIT_LIFELINE_FD } };
	const struct child child = { .argv = argv, .fds = fds, .fd_count = array_len(fds), .new_session = true };

	r = child_start(&child, &pid, err);
	if (r == 0)
		r = inside_set_console(c, TAKE_FD(master), err);
	if (r == 0)
		r = inside_set_init(c, pid, err);
	return r;
}

static int process_create(struct container *c, struct err *err)
{
	_str_ words = STR_INIT;

	describe(c->spec, &words);
	return direct_create(c, words.buf, err);
}

static int fake_create(struct container *c, struct err *err)
{
	return direct_create(c, NULL, err);
}

#define DIRECT_OPS \
	.probe = process_probe, .read = inside_read, .write = inside_write, .watch = inside_watch, \
	.resize = inside_resize, .signal = inside_signal, .kill = inside_kill, .exec = inside_exec, \
	.exec_signal = inside_exec_signal, .stats = inside_stats, .pid = inside_pid, \
	.handles = inside_handles, .adopt = inside_adopt, .close = inside_close

extern const struct engine_ops engine_process, engine_fake;

const struct engine_ops engine_process = {
	.name = "process",
	.summary = "no container: the command runs directly on the host (the fallback)",
	.create = process_create,
	DIRECT_OPS,
};

const struct engine_ops engine_fake = {
	.name = "fake",
	.summary = "as process, silent: for tests",
	.features = ENGINE_HIDDEN,
	.create = fake_create,
	DIRECT_OPS,
};
