/*
 * What a terminal shows, for programs.
 */
#pragma once

#include "service/terminal.h"

/* One row: its runs of cells that look the same, and whether the next row goes on with the same line. */
void screen_json_row(const struct screen *s, unsigned row, struct str *out);
/* All of it as an object; @above: rows from screen_json_row, or NULL. */
void screen_json(const struct shown *shown, const struct strv *above, struct str *out);
