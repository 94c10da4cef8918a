/*
 * Running pterm-tree (image/tree.h) for the store: as root of a new user namespace with a map, in a directory that it
 * makes its own root. Several may run at once.
 */
#pragma once

#include "base/err.h"
#include "base/idmap.h"
#include "base/str.h"

enum { TREE_LIST_FD = 6 };               /* where .list is in the program: for --list */

struct tree_job {
	const char *program;             /* pterm-tree */
	const struct idmap *map;
	const char *const *argv;         /* argv[0] and --report 4 among them; ends in NULL */
	int in, out, dir;                /* its standard input and output, its root; -1: nothing */
	int lock;                        /* what it holds open: a lock that is free means that it has ended; -1 */
	int list;
};

struct tree_run { pid_t pid; int said, report; };
#define TREE_RUN_INIT { .pid = -1, .said = -1, .report = -1 }

/* Start it; needs a caller with one thread (idmap_clone). 0 with *ret, or -errno. */
int tree_start(const struct tree_job *job, struct tree_run *ret, struct err *err);
/*
 * Wait until it has ended: @ret->report becomes readable when it has something to say, and ends with it. What it said
 * goes to @said (its error, one line or more) and @report. Its exit code, or -errno.
 */
int tree_finish(struct tree_run *run, struct str *said, struct str *report, struct err *err);
/* End it now and forget what it has to say. */
void tree_abandon(struct tree_run *run);

/* The figure @name of a report; empty when it is not there. The caller frees. */
char *tree_figure(const struct str *report, const char *name);
/*
 * It ended with @code, not 0: an error "cannot VERB WHAT: …" with its own words and errno. Returns -errno.
 */
int tree_failed(int code, const char *verb, const char *what, const struct str *said, const struct str *report,
                struct err *err);

/* The SHA-256 of all that can be read from @fd, in hex. 0 or -errno. */
int tree_digest_of(const char *program, int fd, char ret[65], struct err *err);
