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
	int r;

	if (s->is_alive && o->all && !o->force)
		return 0;
	if (s->is_alive && o->force) {
		_free_ char *id = xstrdup(s->id);

		r = session_stop(s, 0, err);
		if (r < 0)
			return r;
		session_release(s);
		if (session_find_any(h, id, s, NULL) < 0)            /* it was one of --rm, and is gone already */
			return 0;
	}
	return session_discard(h, s, err);
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
