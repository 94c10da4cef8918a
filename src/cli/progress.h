/*
 * How far something is, on standard error: a bar where that is a terminal, else a line for each step.
 */
#pragma once

#include "base/progress.h"

/* Show what is told to the result. One at a time; static storage. */
const struct progress *progress_show(void);
/* End the bar, if there is one, before anything else is written. */
void progress_clear(void);
