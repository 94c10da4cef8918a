/*
 * The configuration of this process. command.c loads it before a command runs.
 */
#pragma once

#include "config/config.h"

/* Load it, and pass on to other programs and the layers below what they read from variables. 0 or -errno: see @err. */
int settings_load(struct err *err);
/* What was loaded; the defaults when nothing could be. Valid until the process ends. */
const struct config *settings(void);
/* How long a stop may take: what the command line said, else stop.timeout. */
uint64_t settings_stop_ms(bool is_given, uint64_t given_ms);
