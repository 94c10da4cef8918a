#include "cli/command.h"

const struct command cmd_config = {
	.name = "config",
	.summary = "see and check the configuration",
	.details =
		"The configuration is config.json in $PTERM_HOME (~/.pachyterm). The later of these wins: the "
		"defaults, config.json, config.development.json (or staging, production) beside it where PTERM_ENV "
		"or \"environment\" says so, variables, options of a command. Every option is listed in "
		"docs/configuration.md.\n"
		"\n"
		"An unknown key or a wrong value is an error that names file, line and column: a setting that is "
		"quietly not used is worse than none.",
	.examples = "pterm config show --origin # what holds, and where each value was said",
	.group = GROUP_HOST,
};
