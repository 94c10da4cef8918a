/*
 * Which OCI runtime pterm would use: $PTERM_CRUN, else the crun that was installed with pterm, else crun in PATH.
 */
#pragma once

#include "service/doctor.h"

enum { CRUN_MIN_MAJOR = 1, CRUN_MIN_MINOR = 14 };

struct host_runtime {
	char *path;                   /* NULL: there is none */
	const char *from;             /* "PTERM_CRUN", "pterm" or "PATH" */
	char *name, *version;         /* as it calls itself: "crun", "1.21"; NULL when it did not say */
	bool has_seccomp;
	struct str said;              /* the first line of --version, or why it did not run */
};

/* 0, or -errno when there is one that does not run. */
int host_runtime_find(const struct host *h, struct host_runtime *ret);
void host_runtime_release(struct host_runtime *r);
/* Is @version ("1.8.1") at least @major.@minor? */
bool version_at_least(const char *version, unsigned major, unsigned minor);
