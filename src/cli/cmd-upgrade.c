#include "cli/each.h"

struct options { bool all; };

static const struct arg_option rows[] = {
	{ 'a', "all", NULL, "every session", ARG_FLAG, offsetof(struct options, all) },
};

static int upgrade(struct house *h, struct session *s, void *data, struct err *err)
{
	return s->is_alive || s->is_foreign ? session_upgrade(h, s, err) : 0;
}

static int run(void *options, struct arg_words *words, struct err *err)
{
	const struct options *o = options;

	return each_session("upgrade", words, o->all, upgrade, NULL, err);
}

const struct command cmd_upgrade = {
	.name = "upgrade",
	.args = "[SESSION...]",
	.summary = "hand a running session over to this build",
	.details = "The session's supervisor becomes that of the pterm which is called, while the command runs on and notices nothing; "
		   "who is attached comes back by itself. For use after pterm was installed anew. One that has ended needs no upgrade.",
	.parser = { rows, array_len(rows), 0 },
	.options_size = sizeof(struct options),
	.max_words = ANY_WORDS,
	.completes = "session",
	.run = run,
};
