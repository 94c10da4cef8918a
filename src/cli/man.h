/*
 * Manual pages in roff (man(7)), made from the table of commands.
 */
#pragma once

#include "cli/command.h"

/* The page of one command, pterm-CMD(1), for a command of a group that of the group; with NULL pterm(1). */
void man_page(const struct command *c, struct str *out);
