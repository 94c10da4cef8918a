#include "cli/listing.h"
#include "cli/settings.h"

#include "cli/command.h"

static int run(void *options, struct arg_words *words, struct err *err)
{
	_str_ out = STR_INIT;

	config_schema(&out);
	return listing_print_pretty(&out, err);
}

const struct command cmd_config_schema = {
	.name = "config schema",
	.args = "",
	.summary = "print the JSON Schema of the configuration",
	.details = "For editors, and for programs that write the file. It is installed as share/pterm/schema/config.json, too.",
	.group = GROUP_HOST,
	.is_for_repair = true,
	.run = run,
};
