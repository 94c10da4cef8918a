#include "cli/each.h"
#include "cli/settings.h"

struct options { uint64_t timeout_ms; bool all, has_timeout; };

static const struct arg_option rows[] = {
	{ 't', "time", "SPAN", "how long it may take before KILL (10s); 0: at once", ARG_SPAN,
	  offsetof(struct options, timeout_ms), .given = offsetof(struct options, has_timeout) },
	{ 'a', "all", NULL, "every session", ARG_FLAG, offsetof(struct options, all) },
};

static int stop(struct house *h, struct session *s, void *data, struct err *err)
{
	const struct options *o = data;

	return session_stop(s, settings_stop_ms(o->has_timeout, o->timeout_ms), err);
}

static int run(void *options, struct arg_words *words, struct err *err)
{
	const struct options *o = options;

	return each_session("stop", words, o->all, stop, options, err);
}

const struct command cmd_stop = {
	.name = "stop",
	.args = "[SESSION...]",
	.summary = "end the command of a session",
	.details = "The command's process group gets HUP and CONT, as when a terminal is closed; what goes on gets TERM, and at the end "
		   "of the time everything in the container is killed. The session stays listed: start begins it again, rm removes it.",
	.parser = { rows, array_len(rows), 0 },
	.options_size = sizeof(struct options),
	.max_words = ANY_WORDS,
	.completes = "session",
	.run = run,
};
