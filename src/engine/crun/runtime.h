/*
 * The OCI runtime program: crun, or runc or youki in its place.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>

enum runtime_kind { RUNTIME_CRUN, RUNTIME_RUNC, RUNTIME_YOUKI };
struct runtime { char path[4096]; char version[32]; enum runtime_kind kind; };

/* How a host is looked at: this one, or one that a test made up. */
struct runtime_look {
	const char *(*env)(const void *data, const char *name);
	bool (*is_program)(const void *data, const char *path);
	char *(*find)(const void *data, const char *name);     /* in $PATH, or as it stands when it has a slash; the caller frees */
	const void *data;
};
/*
 * $PTERM_CRUN (*ret_given), else the private one beside our programs (@libexec/crun/crun), where they are installed or
 * where tools/install-crun puts it, else the first of crun, runc, youki in $PATH. The caller frees; NULL: there is none.
 */
char *runtime_locate(const struct runtime_look *look, const char *libexec, bool *ret_given);
/*
 * The runtime of this host, as runtime_locate finds it. Its version is asked once and remembered in @cache_dir under the file's
 * identity. 0; or -errno, with what to do in @err: there is none (ENOENT), or it is older than crun 1.14, runc 1.1,
 * youki 0.3 (ENOTSUP).
 */
int runtime_find(struct runtime *ret, const char *libexec, const char *cache_dir, struct err *err);
const char *runtime_name(enum runtime_kind kind);
const char *runtime_oldest(enum runtime_kind kind);        /* the oldest version that pterm takes */
/* "crun version 1.21\n…" into kind and version; -EINVAL. */
int runtime_parse_version(const char *output, struct runtime *ret);
/* Compare "1.21" and "1.14" number by number: <0, 0, >0. */
int version_compare(const char *a, const char *b);
