#include "cli/man.h"

#include <errno.h>

static int man_run(void *options, struct arg_words *words, struct err *err)
{
	size_t used = 0;
	const struct command *c = command_find(words->items, words->len, &used);
	_str_ out = STR_INIT;

	if (words->len > used)
		return err_set(err, EINVAL, "no-such-command", "there is no command '%s'", words->items[words->len - 1]);
	man_page(c, &out);
	return command_print(&out, err);
}

const struct command cmd_man = {
	.name = "__man",
	.args = "[COMMAND]",
	.summary = "print the manual page of pterm, or of one command, in roff",
	.group = GROUP_HOST,
	.max_words = 2,
	.is_for_repair = true,
	.run = man_run,
	.hidden = true,
};
