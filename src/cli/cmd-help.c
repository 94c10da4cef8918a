#include "cli/command.h"

#include <errno.h>

static int help_run(void *options, struct arg_words *words, struct err *err)
{
	const struct command *c = NULL;
	_str_ out = STR_INIT;

	if (words->len > 0) {
		c = command_find(words->items[0]);
		if (c == NULL) {
			const struct command *near = command_nearest(words->items[0]);

			return err_set(err, EINVAL, "no-such-command", "there is no command '%s'%s%s%s", words->items[0],
			               near ? ": did you mean '" : "", near ? near->name : "", near ? "'?" : "");
		}
	}
	command_help(c, &out);
	return command_print(&out, err);
}

const struct command cmd_help = {
	.name = "help",
	.args = "[COMMAND]",
	.summary = "show the commands, or one of them in full",
	.group = GROUP_HOST,
	.max_words = 1,
	.completes = "command",
	.run = help_run,
};
