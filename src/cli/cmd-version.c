#include "cli/command.h"
#include "cli/listing.h"

struct version_options { bool is_short; int form; };

static int version_run(void *options, struct arg_words *words, struct err *err)
{
	_str_ out = STR_INIT;

	str_adds(&out, "pterm " PTERM_VERSION "\n");
	return command_print(&out, err);
}

static const struct arg_option version_options[] = {
	{ 0, "short", NULL, "only pterm's own version", ARG_FLAG, offsetof(struct version_options, is_short) },
	LISTING_OPTION(struct version_options, form),
};

const struct command cmd_version = {
	.name = "version",
	.summary = "show the version of pterm and of the runtime it uses",
	.group = GROUP_HOST,
	.parser = { version_options, array_len(version_options) },
	.options_size = sizeof(struct version_options),
	.run = version_run,
};
