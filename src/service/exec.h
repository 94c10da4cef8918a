/*
 * One more command inside a running session, with our stdin, stdout and stderr.
 */
#pragma once

#include "service/session.h"

struct exec {
	bool tty;
	const char *const *argv;
	size_t argc;
	const struct strv *env;          /* KEY=value, over the session's own */
	const char *cwd, *user;          /* NULL: the session's */
};

/*
 * Run it to its end. The exit code as a shell has it (126, 127 when it could not be run, 128 + n), or -errno. The
 * command never gets a descriptor of ours: bytes are carried over pipes or a terminal of the container. Blocks.
 */
int exec_run(const struct session *s, const struct exec *x, struct err *err);
