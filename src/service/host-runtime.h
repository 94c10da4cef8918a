/*
 * Which OCI runtime pterm would use on a host that is looked at through struct host.
 */
#pragma once

#include "engine/crun/runtime.h"
#include "service/doctor.h"

struct host_runtime {
	char *path;                   /* NULL: there is none */
	bool is_given;                /* by $PTERM_CRUN */
	bool is_known;                /* it said that it is crun, runc or youki: .runtime has kind and version */
	struct runtime runtime;
	bool has_seccomp;
	struct str said;              /* the first line of --version, made visible */
};

/* 0, or -errno when there is one that does not run. */
int host_runtime_find(const struct host *h, struct host_runtime *ret);
void host_runtime_release(struct host_runtime *r);
