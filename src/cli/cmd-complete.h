/*
 * The part of `pterm __complete` that reads what `pterm ls -o json` says.
 */
#pragma once

#include "base/str.h"

/* Append the name of each session in @json, one a line; its id where the name is no plain word. */
void complete_sessions(const char *json, struct str *out);
