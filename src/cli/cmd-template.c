#include "cli/command.h"

const struct command cmd_template = {
	.name = "template",
	.summary = "keep descriptions of sessions, for pterm new -t",
	.details =
		"A template is a JSON file NAME.json in $PTERM_HOME/templates (~/.pachyterm/templates), or one that "
		"came with pterm; of two with the same name yours is used. Where a TEMPLATE is wanted a path works "
		"too, when it has a '/'. Every key is described in docs/templates.md.",
	.examples =
		"pterm template edit python-dev # make one, or change one\n"
		"pterm new -t python-dev # a session of it",
	.group = GROUP_SESSIONS,
};
