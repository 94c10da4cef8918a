#include "cli/open.h"

static int run(void *options, struct arg_words *words, struct err *err)
{
	_house_ house = { 0 };
	_session_ s = { 0 };
	const int r = open_session(&house, words->items[0], &s, err);

	return r < 0 ? r : session_rename(&house, &s, words->items[1], err);
}

const struct command cmd_rename = {
	.name = "rename",
	.args = "SESSION NAME",
	.summary = "give a session another name",
	.min_words = 2, .max_words = 2,
	.completes = "session",
	.run = run,
};
