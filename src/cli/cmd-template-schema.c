#include "cli/command.h"
#include "cli/listing.h"

#include "config/template.h"

static int run(void *options, struct arg_words *words, struct err *err)
{
	_str_ out = STR_INIT;

	template_schema(&out);
	return listing_print_pretty(&out, err);
}

const struct command cmd_template_schema = {
	.name = "template schema",
	.args = "",
	.summary = "print the JSON Schema of templates",
	.details = "For editors, and for programs that write them. It is installed as share/pterm/schema/template.json, too.",
	.group = GROUP_SESSIONS,
	.is_for_repair = true,
	.run = run,
};
