/*
 * Engines: ways to run a container. The supervisor knows this header and no engine; an operation that is NULL is not
 * offered (-ENOTSUP). Everything happens on the caller's loop and tells through struct container_events. `probe` and
 * `create` may run short programs (crun --version, newuidmap); `close`, `forget` and `remove` wait until what they
 * end has ended. Nothing else blocks for long.
 */
#pragma once

#include "base/err.h"
#include "base/proc.h"
#include "base/str.h"
#include "engine/spec.h"
#include "term/pty.h"

#include <stdbool.h>
#include <sys/types.h>

struct uv_loop_s;
struct container;

enum engine_features {
	ENGINE_ISOLATES = 1 << 0,        /* it is a container, not the bare host */
	ENGINE_IMAGES = 1 << 1,
	ENGINE_NETWORKS = 1 << 2,
	ENGINE_LIMITS = 1 << 3,
	ENGINE_HIDDEN = 1 << 4,          /* for tests: not listed, not a default */
};

/* Where one session's things are. All borrowed; absolute paths. */
struct place {
	const char *id;
	const char *session_dir;         /* records */
	const char *store_dir;           /* upper/ and work/ of this session */
	const char *home;                /* $PTERM_HOME and $PTERM_STORE: hidden from volumes that contain them */
	const char *store;
	const char *runtime_dir;         /* of this user: a tmpfs where there is one */
	const char *init_program;        /* pterm-init */
	const char *tree_program;        /* pterm-tree */
	const char *seccomp_file;
};

/* What another process needs to go on with a container that runs. */
struct engine_handles { int console, lifeline, init; pid_t init_pid; };

/* What a container tells. Each at most once, in this order, but for the exec pair and on_output. */
struct container_events {
	void (*on_output)(void *data);                                     /* its stream can be read */
	void (*on_writable)(void *data);                                   /* its stream takes input again */
	void (*on_started)(void *data);                                    /* the command was executed */
	void (*on_failed)(void *data, const struct err *err, int exit_code);   /* it could not be: 125, 126, 127 */
	void (*on_exited)(void *data, int wait_status);                    /* the command ended, exactly so */
	void (*on_gone)(void *data);                                       /* nothing of the container runs any more */
	void (*on_helper)(void *data, pid_t pid, uint64_t start_ticks);    /* a program beside it is about to run */
	void (*on_helper_failed)(void *data, const struct err *err);       /* it ended, or cannot do all; the container goes on */
	void (*on_exec_started)(void *data, uint32_t exec, int tty);       /* tty: the receiver's, or -1 */
	void (*on_exec_failed)(void *data, uint32_t exec, const struct err *err, int exit_code);
	void (*on_exec_exited)(void *data, uint32_t exec, int wait_status);
};

struct engine_exec { const struct strv *argv, *env; const char *cwd; const struct spec_user *user; bool tty;
                     struct term_size size; int stdio[3];
                     int32_t limit_ms; };    /* >0: without a terminal; what it starts ends with it, and after so long
                                                both are killed: SIGALRM is its status then, and never else */

struct engine_ops {
	const char *name, *summary;
	enum engine_features features;
	/* Is it usable here, our programs being in @libexec? 1, with what was found ("crun 1.21 at …"); 0, with the reason. */
	int (*probe)(const char *libexec, struct str *ret_found);
	/*
	 * Begin to run @c. 0: events will come. <0: see @err, none will. The container keeps its spec, place and loop,
	 * which must outlive it.
	 */
	int (*create)(struct container *c, struct err *err);
	/* The stream: bytes out. As read(2): bytes, 0 or -EIO at the end, -EAGAIN. */
	ssize_t (*read)(struct container *c, void *buf, size_t n);
	ssize_t (*write)(struct container *c, const void *buf, size_t n);
	void (*watch)(struct container *c, bool output, bool writable);    /* which of on_output, on_writable come */
	int (*resize)(struct container *c, struct term_size size);
	int (*signal)(struct container *c, int signo, bool whole_group);
	int (*kill)(struct container *c);                                  /* everything inside, at once */
	int (*exec)(struct container *c, uint32_t id, const struct engine_exec *x, struct err *err);
	int (*exec_signal)(struct container *c, uint32_t id, int signo);
	int (*stats)(struct container *c, struct proc_usage *ret, uint64_t *ret_memory_max);
	/* Its first process on this host, whose /proc/PID/root shows the container's files; 0: none (yet). */
	pid_t (*pid)(struct container *c);
	/* Its handles, borrowed. -EAGAIN while it is not whole. */
	int (*handles)(struct container *c, struct engine_handles *ret);
	/*
	 * In place of create: go on with a container that another process started, and whose handles are ours now (consumed).
	 * c->helper_pid and .helper_start name the program beside it. on_started does not come again.
	 */
	int (*adopt)(struct container *c, const struct engine_handles *h, struct err *err);
	void (*close)(struct container *c);                                /* forget; kills what still runs */
	/* Remove what a killed supervisor left outside of its session's directory; what ran has ended. */
	void (*forget)(const struct spec *spec, const struct place *place);
	/* Remove what the engine left on disk or in memory for this session: also for one whose supervisor died. */
	int (*remove)(const struct spec *spec, const struct place *place, struct err *err);
};

/* All engines, in the order of engines.def; ends in NULL. */
extern const struct engine_ops *const engines[];
const struct engine_ops *engine_find(const char *name);    /* NULL: no such engine */

struct container {
	const struct engine_ops *ops;
	struct uv_loop_s *loop;
	const struct spec *spec;
	const struct place *place;
	struct container_events on;
	void *data;
	unsigned run;                    /* how often this session was started: part of names that must be fresh */
	int join_user, join_net;         /* for NETWORK_SESSION: namespaces to enter, borrowed for `create`; else -1 */
	bool is_first;                   /* no command of this session was ever executed */
	struct inside *inside;           /* for engines that have a pterm-init, else NULL */
	struct network *network;         /* what network.c keeps of the helper that it started */
	void *own;                       /* the engine's */
	int log_fd;                      /* what the runtime said; -1 none */
	bool was_oom;                    /* the kernel ended something in it for want of memory */
	pid_t keeper_pid;                /* a child of ours that is none of the engine's; 0 none */
	pid_t starter_pid;               /* the process that starts it: the engine reaps it; 0 none */
	pid_t helper_pid;                /* a program beside it (network), 0 none */
	uint64_t helper_start;
};
