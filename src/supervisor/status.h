/*
 * status.json: what became of a session, for whoever asks without a supervisor to ask. It is written whole and
 * renamed into place by the supervisor, and, when that died, once by whoever finds out, under the session's lock.
 */
#pragma once

#include "base/json.h"

enum status_state { STATUS_STARTING, STATUS_RUNNING, STATUS_RESTARTING, STATUS_ENDED, STATUS_COUNT };
extern const char *const status_states[];

/* Why it ended. */
enum status_reason {
	REASON_NONE,
	REASON_EXITED,           /* the command ended by itself, with exit_code */
	REASON_SIGNALED,         /* a signal ended the command */
	REASON_OUT_OF_MEMORY,    /* the kernel ended it at its memory limit */
	REASON_STOPPED,          /* somebody stopped it: `by` */
	REASON_START_FAILED,     /* it could not be started: `message` */
	REASON_INIT_LOST,        /* the container's first process was killed: how the command ended is not known */
	REASON_SUPERVISOR_LOST,  /* the supervisor was killed, and the container ended with it */
	REASON_REBOOTED,         /* the machine was started again meanwhile */
	REASON_UNHEALTHY,        /* its health probe failed, and its restart policy ended that run */
	REASON_COUNT,
};

/* What a probe says of a session. */
enum probe_state { PROBE_NONE, PROBE_STARTING, PROBE_GOOD, PROBE_BAD };

struct status {
	char *id, *name, *engine, *image, *command;
	int state, reason;
	int64_t exit_code, signo;        /* as a shell would say it; the signal, 0 none */
	char *message, *by;
	int64_t pid, pid_start;          /* the supervisor, and when it was started (proc_start_time) */
	int64_t init_pid, helper_pid, helper_start;
	char *machine_id, *boot_id;
	int64_t created_ms, started_ms, ended_ms;
	int64_t run, restarts, adoptions;
	int64_t position;                /* bytes printed since birth, when last written */
	int health, readiness;           /* enum probe_state; NONE: there is no such probe */
	int64_t rows, cols;              /* of its terminal, then */
	struct strv labels;              /* KEY=value, from the spec */
	bool has_container;              /* false: the command runs on the bare host */
	bool records_input;              /* what is typed is recorded */
};
extern const struct json_object status_object;

int status_read(int dirfd, struct status *ret, struct err *err);
int status_write(int dirfd, const struct status *s, struct err *err);
void status_release(struct status *s);
/* Replace an owned string. */
void status_set(char **slot, const char *value);
/* Fill reason, signo and exit_code from how the command ended. */
void status_set_exit(struct status *s, int wait_status);
/*
 * One phrase for people: "exited with code 3", "killed by SIGTERM", "stopped by ann"; for a live session its state.
 */
void status_describe(const struct status *s, struct str *out);
/* How its last run ended, whatever the session does now. */
void status_describe_end(const struct status *s, struct str *out);
