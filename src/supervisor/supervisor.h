/*
 * The supervisor of one session: it owns the terminal, the ring, the recording and the container, and serves whoever
 * connects. Its life is a table of states and inputs (supervisor.c); viewers and programs are clients (client.c) and
 * all read the same ring. When the session has ended it writes the status, tells everybody and exits.
 */
#pragma once

#include "base/list.h"
#include "base/loop.h"
#include "engine/engine.h"
#include "event/hub.h"
#include "supervisor/house.h"
#include "supervisor/input.h"
#include "supervisor/keeper.h"
#include "supervisor/status.h"
#include "supervisor/terminal.h"
#include "term/recorder.h"
#include "term/ring.h"

#include <stdbool.h>
#include <uv.h>

enum { SUPERVISOR_RING_SIZE = 1024 * 1024, SUPERVISOR_CLIENTS_MAX = 256, EXEC_ENDS_MAX = 64 };

enum state { STATE_STARTING, STATE_RUNNING, STATE_DRAINING, STATE_WAITING, STATE_ENDED, STATE_COUNT };

struct exec_end { uint32_t exec; int wait_status; };

struct supervisor {
	uv_loop_t loop;
	const struct house *house;
	struct place place;
	struct spec spec;
	struct status status;
	int session_fd, lock_fd, listen_fd;      /* the directory; its lock, held for life; control.sock */
	enum state state;

	struct container container;
	bool has_container;              /* container_open, and not yet closed */
	bool is_gone, is_drained;        /* its processes; its output */
	bool is_created;                 /* the engine took it: processes were started */
	bool stop_wanted, restart_wanted, has_fallen_back;
	bool is_failing;                 /* this run is ended because it is not healthy */
	bool never_was;                  /* its first start was refused for what was asked: it leaves no record */
	struct err failure;              /* why this run could not start, told when all is written down */
	int stop_step;                   /* how far HUP, TERM, KILL has come */
	uint64_t stop_timeout_ms;
	uint64_t run_started_ns;

	struct input_queue input;
	struct ring *ring;
	size_t gathered;                 /* bytes read into it and not yet published */
	uint64_t published_ns;           /* when bytes were published last */
	struct recorder *recorder;       /* NULL: the recording cannot be opened */
	struct terminal terminal;
	bool record_failed;              /* bytes are missing in the recording: said once */

	struct keeper keeper;
	int joined_pidfd;                /* of the session whose network it has; -1 */
	struct watch *joined_watch;
	struct health *health;           /* its probes; NULL: it has none */

	struct link clients;
	size_t client_count;
	struct client *size_owner;       /* who typed last; NULL: nobody yet */
	struct term_size size;
	uint32_t last_exec, execs_over;  /* those up to the latter ended with their container */
	VEC(struct exec_end) exec_ends;  /* of clients of a supervisor before us, who have not come back yet */

	struct hub hub;
	struct watch *listen_watch;
	struct timer *life_timer, *bell_timer, *paint_timer, *gather_timer;
	uv_signal_t on_term, on_child;
};

/*
 * Run session @id to its end. @first: a connected control socket of whoever started us, or -1; @lock_fd: the
 * session's lock, taken by them; @listen_fd: its control.sock, which they made, so that whoever sees the lock taken
 * can connect. Blocks for the session's life. The process's exit code.
 */
int supervisor_run(const struct house *house, const char *id, int first, int lock_fd, int listen_fd);

/*
 * Go on with session @id in the place of a supervisor that is gone. The handles are ours now. Blocks for what is left of
 * the session's life. The process's exit code; not 0: it could not be taken over.
 */
int supervisor_adopt(const struct house *house, const char *id, const struct handles *h);

/* --- between the files of this folder --- */

/* supervisor.c */
void supervisor_begin(struct supervisor *s);              /* start the command */
void supervisor_go_on(struct supervisor *s, const struct engine_handles *h);     /* NULL: no container is left */
void supervisor_life_timer(void *supervisor);
void supervisor_stop(struct supervisor *s, const char *by, uint64_t timeout_ms);
void supervisor_restart(struct supervisor *s, const char *by, uint64_t timeout_ms);
/* End this run for not being healthy, and go on as its restart policy says; @why is a sentence. */
void supervisor_fail(struct supervisor *s, const char *why);
void supervisor_tell(struct supervisor *s, enum event_type type, int64_t number, const char *text);
void supervisor_save(struct supervisor *s);               /* write status.json */

/* output.c */
void output_ready(void *supervisor);                      /* the container's stream can be read */
void output_publish(void *supervisor);                    /* what was read is recorded, and told to the readers */
void output_tell_gaps(struct supervisor *s);              /* that the recording misses something, or does no longer */

/* client.c */
int clients_listen(struct supervisor *s, struct err *err);
bool clients_wait_for_start(const struct supervisor *s);  /* is there somebody who will hear how the start goes? */
void clients_first(struct supervisor *s, int fd);         /* of whoever started us: hears of the start and of the end */
void clients_ring(struct supervisor *s);                  /* there is more output */
void clients_started(struct supervisor *s);
void clients_failed(struct supervisor *s, const struct err *why, int exit_code);
void clients_health(struct supervisor *s);                /* what the probes say has changed */
void clients_ended(struct supervisor *s);
void clients_close(struct supervisor *s);                 /* all, after a last attempt to send what waits */
void clients_exec_started(struct supervisor *s, uint32_t exec, int tty);
void clients_exec_failed(struct supervisor *s, uint32_t exec, const struct err *why, int exit_code);
void clients_execs_over(struct supervisor *s);            /* their container is gone: whatever still ran was killed with it */
void clients_exec_exited(struct supervisor *s, uint32_t exec, int wait_status);
