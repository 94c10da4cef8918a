#include "cli/command.h"

#include <errno.h>

static int help_run(void *options, struct arg_words *words, struct err *err)
{
	const struct command *c;
	_str_ out = STR_INIT;

	if (words->len > 0) {
		size_t used;
		const struct command *near;

		c = command_find(words->items, words->len, &used);
		if (c != NULL && used == words->len) {
			command_help(c, &out);
			return command_print(&out, err);
		}
		near = command_nearest(words->items[c ? 1 : 0], c);
		return err_set(err, EINVAL, "no-such-command", "there is no command '%s%s%s'%s%s%s", words->items[0],
		               c ? " " : "", c ? words->items[1] : "",
		               near ? ": did you mean '" : "", near ? near->name : "", near ? "'?" : "");
	}
	command_help(NULL, &out);
	return command_print(&out, err);
}

const struct command cmd_help = {
	.name = "help",
	.args = "[COMMAND]",
	.summary = "show the commands, or one of them in full",
	.group = GROUP_HOST,
	.max_words = 2,
	.completes = "command",
	.is_for_repair = true,
	.run = help_run,
};
