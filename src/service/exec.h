/*
 * One more command inside a running session: with our stdin, stdout and stderr, or for a program that takes its
 * output.
 */
#pragma once

#include "service/session.h"

/* What it wrote; false: enough, end it. */
typedef bool exec_output_fn(void *data, bool is_stderr, const char *bytes, size_t n);

struct exec {
	bool tty;                        /* with a terminal: then our stdin and stdout are one, and .output is NULL */
	const char *const *argv;
	size_t argc;
	const struct strv *env;          /* KEY=value, over the session's own */
	const char *cwd, *user;          /* NULL: the session's */
	int in_fd;                       /* its input; -1: none */
	exec_output_fn *output;          /* NULL: to our stdout and stderr, and our signals are passed on */
	void *output_data;
	uint64_t timeout_ms;             /* it is killed then; 0: never */
};

/*
 * Run it to its end. The exit code as a shell has it (128 + n for a signal; 126, 127 when it could not be run, and
 * @err says why); -ETIMEDOUT, -EFBIG (.output had enough): it was killed; another -errno. See @err. The command
 * never gets a descriptor of ours: bytes are carried over pipes or a terminal of the container. Blocks. With
 * .output it may be called in any thread.
 */
int exec_run(const struct session *s, const struct exec *x, struct err *err);
