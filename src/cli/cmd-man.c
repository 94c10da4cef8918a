#include "cli/man.h"

#include <errno.h>

static int man_run(void *options, struct arg_words *words, struct err *err)
{
	const struct command *c = words->len > 0 ? command_find(words->items[0]) : NULL;
	_str_ out = STR_INIT;

	if (words->len > 0 && c == NULL)
		return err_set(err, EINVAL, "no-such-command", "there is no command '%s'", words->items[0]);
	man_page(c, &out);
	return command_print(&out, err);
}

const struct command cmd_man = {
	.name = "__man",
	.args = "[COMMAND]",
	.summary = "print the manual page of pterm, or of one command, in roff",
	.group = GROUP_HOST,
	.max_words = 1,
	.run = man_run,
	.hidden = true,
};
