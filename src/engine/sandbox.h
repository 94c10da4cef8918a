/*
 * The sandbox process: a child in a user, mount and cgroup namespace of its own, in which the session's overlay is
 * mounted and crun is run. It ends when the container is there (but see `stays`); its mounts die with the last
 * process that sees them, so there is nothing to clean up after a crash. Its bundle is a tmpfs that only this mount
 * namespace sees, at the same place for every session.
 */
#pragma once

#include "base/list.h"
#include "engine/engine.h"

enum sandbox_say { SANDBOX_CONSOLE = 1, SANDBOX_INIT, SANDBOX_FAILED };

/* What the sandbox process tells its supervisor over `control` (SOCK_SEQPACKET): one of these a packet. */
struct sandbox_report {
	uint32_t say;            /* CONSOLE: fds: the console's master. INIT: value is the pid. FAILED: value is an errno */
	int32_t value;
	char text[1024];         /* FAILED: a sentence */
};

struct sandbox_file { const char *name; struct str text; };
struct sandbox_secret { const char *name; struct str value; };       /* the name is the spec's */

struct sandbox {
	const struct spec *spec;
	const struct place *place;
	struct strv runtime;             /* the argument list of crun; run in the bundle */
	const char *runtime_root, *runtime_id;   /* where it keeps state: removed once the command runs */
	VEC(struct sandbox_file) files;  /* to be written into the bundle, config.json among them */
	VEC(struct sandbox_secret) secrets;      /* to be written below SANDBOX_SECRETS in the bundle, for the session's user */
	VEC(int) trees;                  /* detached mounts, to become <bundle>/v0, v1 …; idmapped where root asked */
	int lower_tree;                  /* such a mount to be the lowest layer instead of the directory; -1 none */
	int init_tree;                   /* one of pterm-init, where the mapped root cannot go (below /root); -1: by its path */
	int lifeline, control, log;
	int join_net;                    /* a network namespace to enter; -1: the runtime makes one, or it is the host's */
	int tree_program;                /* pterm-tree, to fill named volumes that are empty; -1: they are left so */
	bool stays;                      /* until it is killed: an empty cgroup is removed by systemd, with what it counted */
};

#define SANDBOX_SECRETS "secrets"

/* <runtime_dir>/bundle: where the bundle is mounted, in each sandbox's own mount namespace. */
char *sandbox_bundle(const struct place *place);
/*
 * The body of the sandbox process, for idmap_clone. Its exit code says nothing; what it has to say goes over control.
 */
int sandbox_main(void *sandbox);
void sandbox_release(struct sandbox *s);
/*
 * A detached copy of the mount tree at @path with @map (NULL: as it is) applied (root only): the descriptor, or
 * -errno with @err.
 */
int sandbox_tree(const char *path, const struct idmap *map, bool read_only, struct err *err);
