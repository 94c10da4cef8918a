/*
 * The table of commands, and nothing else: a test program that brings a table of its own does not link this.
 */
#include "cli/command.h"

#define COMMAND(x) extern const struct command cmd_##x;
#define HIDDEN(x) COMMAND(x)
#include "cli/commands.def"
#undef COMMAND
#define COMMAND(x) &cmd_##x,
const struct command *const commands[] = {
#include "cli/commands.def"
	NULL
};
