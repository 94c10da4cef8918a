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
	const struct message_signal m = { .signo = ((struct options *)data)->signo };
	_conn_ conn = { 0 };
	struct frame f;
	int r = session_connect(s, &conn, err);

	if (r == 0)
		r = conn_send_json(&conn, MESSAGE_SIGNAL, &message_signal_object, &m);
	return r < 0 ? r : conn_expect(&conn, MESSAGE_OK, &f, 30000, err);
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
