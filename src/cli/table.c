/*
 * The table of commands, and nothing else: a test program that brings a table of its own does not link this.
 */
#include "cli/command.h"

#define COMMAND(x) extern const struct command cmd_##x;
#define GROUP(x) COMMAND(x)
#define HIDDEN(x) COMMAND(x)
#define SUB(x, y) extern const struct command cmd_##x##_##y;
#include "cli/commands.def"
#undef COMMAND
#undef SUB
#define COMMAND(x) &cmd_##x,
#define SUB(x, y) &cmd_##x##_##y,
const struct command *const commands[] = {
#include "cli/commands.def"
	NULL
};
