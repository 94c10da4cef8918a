/*
 * The configuration of a process that lives long: files are watched, a valid change is taken over at once, an invalid one
 * is told and the last good configuration stays. Editors and deployments that write beside and rename are understood;
 * several changes within RELOAD_SETTLE_MS are one.
 */
#pragma once

#include "config/config.h"

struct uv_loop_s;
struct reload;

enum { RELOAD_SETTLE_MS = 50 };

/* @now is valid until the next call; with @err (not NULL) the files are invalid, and @now is as before. */
typedef void reload_fn(void *data, const struct config *now, const struct err *err);

/*
 * Load the configuration in directory @dir, which must be there, and watch it. @fn is called from the loop after each change
 * that makes a difference, and once for each change that is invalid. 0 or -errno: an invalid configuration is no start.
 */
int reload_new(struct uv_loop_s *loop, const char *dir, const char *(*variable)(const char *name), reload_fn *fn,
               void *data, struct reload **ret, struct err *err);
const struct config *reload_config(const struct reload *r);
struct reload *reload_free(struct reload *r);             /* NULL is fine; returns NULL */
