/*
 * Commands that do the same to several sessions: go on after a failure, say each, and tell the worst.
 */
#pragma once

#include "cli/open.h"

/* 0 or -errno with @err, as everywhere; @data is the command's own. */
typedef int each_fn(struct house *h, struct session *s, void *data, struct err *err);

/* @fn for each of @words (references), or for all sessions of this machine when @all. The exit code, or -errno. */
int each_session(const char *command, const struct arg_words *words, bool all, each_fn *fn, void *data, struct err *err);
/* The same, broken sessions too. */
int each_session_any(const char *command, const struct arg_words *words, bool all, each_fn *fn, void *data,
                     struct err *err);
