/*
 * What a supervisor and the pterm-init of its container say to each other over the lifeline, a SOCK_SEQPACKET pair:
 * one struct init_message a packet, with descriptors. Both ends come from one build and start together, so the layout
 * is plain C. What init says is input from a stranger: the container may have taken it over.
 *
 * A command travels in a memfd: struct init_command, then NUL-terminated strings: the working directory ("" for the
 * home), the arguments, the environment.
 */
#pragma once

#include "base/macros.h"

enum { INIT_LIFELINE_FD = 3, INIT_VERSION = 1, INIT_MAGIC = 0x70746900, INIT_GROUPS_MAX = 64 };

enum init_op {
	INIT_RUN = 1,            /* to init: start command @id (0 is the session's own). fds: the command; without a
	                            terminal then stdin, stdout, stderr. INIT_WHOLE: all that it starts, in whatever session
	                            and group, ends with it; after @value ms both are killed, and SIGALRM is its status;
	                            no other signal is, but 128 + its number as the exit code */
	INIT_SIGNAL,             /* to init: signal @value to command @id, or with INIT_GROUP to its process group */
	INIT_STARTED,            /* from init: command @id was executed; with a terminal of its own, fds: the master */
	INIT_FAILED,             /* from init: it could not be: errno @value at step @step */
	INIT_EXITED,             /* from init: command @id ended with wait status @value */
	INIT_OP_COUNT,
};

enum init_flag { INIT_TTY = 1 << 0, INIT_GROUP = 1 << 1, INIT_WHOLE = 1 << 2 };
enum init_step { INIT_STEP_COMMAND, INIT_STEP_TERMINAL, INIT_STEP_FORK, INIT_STEP_USER, INIT_STEP_DIRECTORY,
                 INIT_STEP_EXEC, INIT_STEP_COUNT };

struct init_message { uint32_t magic, op, flags, id; int32_t value; uint32_t step; };

struct init_command {
	uint32_t version, uid, gid, group_count, argc, envc;
	uint16_t rows, cols;
	uint32_t keep_user;      /* nonzero: run as whoever init is (engines without a user namespace) */
	uint32_t groups[INIT_GROUPS_MAX];
};
