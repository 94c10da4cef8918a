#include "cli/open.h"

#include "service/exec.h"

#include <stdio.h>
#include <unistd.h>

struct options { struct strv env; const char *workdir, *user; bool tty, no_tty; };

static const struct arg_option rows[] = {
	{ 't', "tty", NULL, "with a terminal, also when yours is none", ARG_FLAG, offsetof(struct options, tty) },
	{ 'T', "no-tty", NULL, "without one: stdin, stdout and stderr apart, byte for byte", ARG_FLAG,
	  offsetof(struct options, no_tty) },
	{ 'e', "env", "KEY=VALUE", "set a variable", ARG_STRV, offsetof(struct options, env) },
	{ 'w', "workdir", "DIR", "where the command starts", ARG_STR, offsetof(struct options, workdir) },
	{ 'u', "user", "USER[:GROUP]", "run as this user of the image", ARG_STR, offsetof(struct options, user) },
};

static int run(void *options, struct arg_words *words, struct err *err)
{
	const struct options *o = options;
	struct exec x = { .tty = o->tty || (!o->no_tty && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO)),
	                  .argv = words->items + 1, .argc = words->len - 1, .env = &o->env, .cwd = o->workdir,
	                  .user = o->user, .in_fd = STDIN_FILENO };
	_house_ house = { 0 };
	_session_ s = { 0 };
	int r = open_session(&house, words->items[0], &s, err);

	if (r == 0)
		r = exec_run(&s, &x, err);
	if (r > 0 && err->no != 0)                       /* it could not be run */
		fprintf(stderr, "pterm exec: %s\n", err_msg(err));
	return r;
}

const struct command cmd_exec = {
	.name = "exec",
	.args = "SESSION COMMAND...",
	.summary = "run one more command inside a session's container",
	.details = "With a terminal when stdin and stdout are one. The exit code is the command's; 126 and 127 as in a shell when it "
		   "cannot be run.",
	.examples = "pterm exec build ps aux\npterm exec -T build tar c /work >work.tar",
	.parser = { rows, array_len(rows), 1 },
	.options_size = sizeof(struct options),
	.min_words = 2, .max_words = ANY_WORDS,
	.completes = "session",
	.run = run,
};
