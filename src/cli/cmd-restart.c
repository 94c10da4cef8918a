#include "cli/each.h"
#include "cli/settings.h"

#include <errno.h>

struct options { uint64_t timeout_ms; bool all, has_timeout; };

static const struct arg_option rows[] = {
	{ 't', "time", "SPAN", "how long stopping may take before KILL (10s); 0: at once", ARG_SPAN,
	  offsetof(struct options, timeout_ms), .given = offsetof(struct options, has_timeout) },
	{ 'a', "all", NULL, "every session", ARG_FLAG, offsetof(struct options, all) },
};

static int restart(struct house *h, struct session *s, void *data, struct err *err)
{
	const struct options *o = data;
	_conn_ conn = { 0 };
	int r = session_restart(h, s, settings_stop_ms(o->has_timeout, o->timeout_ms), &conn, err);

	if (r < 0)
		return r;
	r = await_start(&conn, "restart", s->status.name, err);
	return r > 0 ? err_set(err, ECANCELED, "start-failed", "session '%s' was not started again", s->status.name) : r;
}

static int run(void *options, struct arg_words *words, struct err *err)
{
	const struct options *o = options;

	return each_session("restart", words, o->all, restart, options, err);
}

const struct command cmd_restart = {
	.name = "restart",
	.args = "[SESSION...]",
	.summary = "stop a session's command and start it again; viewers stay",
	.parser = { rows, array_len(rows), 0 },
	.options_size = sizeof(struct options),
	.max_words = ANY_WORDS,
	.completes = "session",
	.run = run,
};
