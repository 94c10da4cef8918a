#include "cli/each.h"

#include "supervisor/remove.h"

struct options { bool force, all; };

static const struct arg_option rows[] = {
	{ 'f', "force", NULL, "stop those that run, at once", ARG_FLAG, offsetof(struct options, force) },
	{ 'a', "all", NULL, "every session that has ended; with -f every session", ARG_FLAG, offsetof(struct options, all) },
};

static int discard(struct house *h, struct session *s, void *data, struct err *err)
{
	const struct options *o = data;

	if (s->is_alive && o->all && !o->force)
		return 0;
	return o->force ? session_remove_forced(h, s, err) : session_discard(h, s, err);
}

static int run(void *options, struct arg_words *words, struct err *err)
{
	const struct options *o = options;
	_house_ house = { 0 };
	const int r = each_session_any("rm", words, o->all, discard, options, err);

	if (r >= 0 && house_open(&house, NULL) == 0)
		session_remove_rest(&house);
	return r;
}

const struct command cmd_rm = {
	.name = "rm",
	.args = "[SESSION...]",
	.summary = "remove sessions, with their files and recordings",
	.examples = "pterm rm build\npterm rm -af # all, whether they run or not",
	.parser = { rows, array_len(rows), 0 },
	.options_size = sizeof(struct options),
	.max_words = ANY_WORDS,
	.completes = "session",
	.run = run,
};
