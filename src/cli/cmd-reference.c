/*
 * The tables of docs/configuration.md and docs/templates.md, from the tables of the decoders: `make docs` puts them
 * there, and test/config.bats looks whether they are current.
 */
#include "cli/command.h"
#include "cli/settings.h"

#include "config/template.h"

#include <errno.h>

static const struct { const char *what; void (*write)(struct str *out); } references[] = {
	{ "configuration", config_reference },
	{ "templates", template_reference },
};

static int run(void *options, struct arg_words *words, struct err *err)
{
	_str_ out = STR_INIT;

	for (size_t i = 0; i < array_len(references); i++) {
		if (str_eq(references[i].what, words->items[0])) {
			references[i].write(&out);
			return command_print(&out, err);
		}
	}
	return err_set(err, EINVAL, "usage", "there is no reference of '%s'", words->items[0]);
}

const struct command cmd_reference = {
	.name = "__reference",
	.args = "configuration|templates",
	.summary = "print a table of the documentation in Markdown",
	.group = GROUP_HOST,
	.min_words = 1,
	.max_words = 1,
	.is_for_repair = true,
	.run = run,
	.hidden = true,
};
