#include "cli/each.h"

#include "base/proc.h"

#include <errno.h>
#include <signal.h>

struct options { const char *signal; int signo; };

static const struct arg_option rows[] = {
	{ 's', "signal", "SIGNAL", "name or number (KILL)", ARG_STR, offsetof(struct options, signal) },
};

static int send_signal(struct house *h, struct session *s, void *data, struct err *err)
{
	return session_signal(s, ((struct options *)data)->signo, err);
}

static int run(void *options, struct arg_words *words, struct err *err)
{
	struct options *o = options;

	o->signo = o->signal ? signal_parse(o->signal) : SIGKILL;
	if (o->signo < 0) {
		_free_ char *shown = visible(o->signal);

		return err_set(err, EINVAL, "bad-option", "--signal: there is no signal '%s'", shown);
	}
	return each_session("kill", words, false, send_signal, o, err);
}

const struct command cmd_kill = {
	.name = "kill",
	.args = "SESSION...",
	.summary = "send the command of a session a signal",
	.details = "KILL ends everything in the container at once.",
	.parser = { rows, array_len(rows), 0 },
	.options_size = sizeof(struct options),
	.min_words = 1, .max_words = ANY_WORDS,
	.completes = "session",
	.run = run,
};
