#include "supervisor/supervisor.h"

#include "base/fd.h"
#include "base/hook.h"
#include "base/path.h"
#include "base/units.h"
#include "event/journal.h"
#include "supervisor/crash.h"
#include "supervisor/health.h"
#include "supervisor/join.h"
#include "supervisor/remains.h"
#include "supervisor/remove.h"
#include "term/input-log.h"
#include "wire/conn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#define LOG_MODULE "supervisor"
#include "base/log.h"

enum {
	STOP_HANGUP_MS = 2000,           /* a shell ends on HUP; what ignores it gets TERM after this */
	DRAIN_MS = 5000,                 /* a terminal that stays open though every process is gone */
	BACKOFF_FIRST_MS = 100, BACKOFF_MAX_MS = 60000,
	BACKOFF_FORGIVEN_MS = 10000,     /* a run that lasted so long begins the back-off anew */
};

enum input { IN_STARTED, IN_FAILED, IN_EXITED, IN_GONE, IN_STOP, IN_TIMEOUT, IN_COUNT };

typedef void step_fn(struct supervisor *s);

static void feed(struct supervisor *s, enum input in);

void supervisor_tell(struct supervisor *s, enum event_type type, int64_t number, const char *text)
{
	const struct event ev = { .type = type, .time_ms = time_now_ms(), .session = s->status.id, .name = s->status.name,
	                          .number = number, .text = text };

	hub_fire(&s->hub, &ev);
}

void supervisor_save(struct supervisor *s)
{
	_err_ err = ERR_INIT;

	s->status.position = s->ring ? (int64_t)ring_head(s->ring) : s->status.position;
	s->status.rows = s->size.rows;
	s->status.cols = s->size.cols;
	if (status_write(s->session_fd, &s->status, &err) < 0)
		log_warn("%s, ignoring", err_msg(&err));
}

/* --- what the container tells --- */

static void on_started(void *data)
{
	struct supervisor *s = data;

	feed(s, IN_STARTED);
}

/* No container can be made, and the command may run without one: not for what the command itself got wrong. */
static bool fall_back(struct supervisor *s, const struct err *err, int exit_code)
{
	_free_ char *why = NULL;

	if (exit_code != 125 || s->spec.fallback == NULL || s->has_fallen_back || s->stop_wanted || str_eq(err->code, "command"))
		return false;
	s->has_fallen_back = s->restart_wanted = true;
	why = xasprintf("no container can be made (%s): going on with the engine '%s'%s%s", err_msg(err), s->spec.fallback,
	                s->spec.fallback_loses ? ", without " : "", s->spec.fallback_loses ? s->spec.fallback_loses : "");
	supervisor_tell(s, EVENT_warned, -1, why);
	return true;
}

static void on_failed(void *data, const struct err *err, int exit_code)
{
	struct supervisor *s = data;

	if (fall_back(s, err, exit_code)) {
		feed(s, IN_FAILED);
		return;
	}
	/* somebody who is there to hear it asked for what cannot be: no session comes of it, and its name stays free */
	s->never_was = s->status.run == 1 && clients_wait_for_start(s) &&
	               (exit_code != 125 || !s->is_created || str_eq(err->code, "command"));
	s->status.reason = REASON_START_FAILED;
	s->status.exit_code = exit_code;
	s->status.signo = 0;
	status_set(&s->status.message, err_msg(err));
	err_set(&s->failure, err->no, err->code, "%s", err_msg(err));
	supervisor_tell(s, EVENT_failed, exit_code, err_msg(err));
	feed(s, IN_FAILED);
}

static void on_exited(void *data, int wait_status)
{
	struct supervisor *s = data;

	HOOK("supervisor.exited");
	status_set_exit(&s->status, wait_status);
	supervisor_save(s);                              /* it is said once: now whoever adopts us knows it */
	feed(s, IN_EXITED);
}

static void on_gone(void *data)
{
	struct supervisor *s = data;

	s->is_gone = true;
	feed(s, IN_GONE);
}

static void on_helper(void *data, pid_t pid, uint64_t start_ticks)
{
	struct supervisor *s = data;

	s->status.helper_pid = pid;
	s->status.helper_start = (int64_t)start_ticks;
	supervisor_save(s);
}

/* The session goes on with less. What ended is no longer ours to end; one that only cannot do all still is. */
static void on_helper_failed(void *data, const struct err *err)
{
	struct supervisor *s = data;

	if (s->container.helper_pid == 0) {
		s->status.helper_pid = s->status.helper_start = 0;
		supervisor_save(s);
	}
	log_warn("%s", err_msg(err));
	supervisor_tell(s, EVENT_warned, -1, err_msg(err));
}

static void on_exec_started(void *data, uint32_t exec, int tty)
{
	if (!health_is_probe(exec))
		clients_exec_started(data, exec, tty);
}

static void on_exec_failed(void *data, uint32_t exec, const struct err *err, int exit_code)
{
	if (health_is_probe(exec))
		health_failed(data, exec, err, exit_code);
	else
		clients_exec_failed(data, exec, err, exit_code);
}

static void on_exec_exited(void *data, uint32_t exec, int wait_status)
{
	if (health_is_probe(exec))
		health_exited(data, exec, wait_status);
	else
		clients_exec_exited(data, exec, wait_status);
}

static const struct container_events events = {
	.on_output = output_ready, .on_writable = input_writable, .on_started = on_started, .on_failed = on_failed,
	.on_exited = on_exited, .on_gone = on_gone, .on_helper = on_helper, .on_helper_failed = on_helper_failed,
	.on_exec_started = on_exec_started, .on_exec_failed = on_exec_failed, .on_exec_exited = on_exec_exited,
};

/* --- steps of a life --- */

static void close_container(struct supervisor *s)
{
	if (!s->has_container)
		return;
	s->has_container = false;
	input_clear(s);                                  /* meant for this run */
	health_end(s);
	join_forget(s);
	s->container.ops->close(&s->container);
	clients_execs_over(s);
	if (s->container.was_oom && s->status.signo == SIGKILL &&
	    (s->status.reason == REASON_SIGNALED || s->status.reason == REASON_INIT_LOST))
		s->status.reason = REASON_OUT_OF_MEMORY;
	s->status.init_pid = s->status.helper_pid = s->status.helper_start = 0;
}

static int set_up_container(struct supervisor *s, const char *engine, struct err *err)
{
	const struct engine_ops *ops = engine_find(engine);

	if (ops == NULL)
		return err_set(err, EINVAL, "no-engine", "there is no engine '%s': see pterm engines", engine);
	s->container = (struct container){ .ops = ops, .loop = &s->loop, .spec = &s->spec, .place = &s->place, .on = events,
	                                   .data = s, .run = (unsigned)s->status.run,
	                                   .is_first = s->status.started_ms == 0, .log_fd = -1,
	                                   .join_user = -1, .join_net = -1, .keeper_pid = s->keeper.pid };
	s->has_container = true;
	status_set(&s->status.engine, engine);
	s->status.has_container = (ops->features & ENGINE_ISOLATES) != 0;
	return 0;
}

static int open_container(struct supervisor *s, const char *engine, struct err *err)
{
	int r = set_up_container(s, engine, err);

	if (r == 0)
		r = join_open(s, err);
	if (r == 0)
		r = s->container.ops->create(&s->container, err);
	join_close(s);
	s->is_created = r == 0;
	return r;
}

void supervisor_begin(struct supervisor *s)
{
	_err_ err = ERR_INIT;
	int r;

	s->state = STATE_STARTING;
	s->is_gone = s->is_drained = s->restart_wanted = s->is_failing = false;
	s->is_created = false;
	err_release(&s->failure);
	s->stop_step = 0;
	s->run_started_ns = time_mono_ns();
	s->status.state = STATUS_STARTING;
	s->status.run++;
	s->status.reason = REASON_NONE;
	s->status.exit_code = s->status.signo = s->status.ended_ms = 0;
	status_set(&s->status.message, NULL);
	health_forget(&s->status);
	if (s->status.run > 1)                           /* whoever adopts us begins a run of another number */
		supervisor_save(s);
	r = open_container(s, s->has_fallen_back ? s->spec.fallback : s->spec.engine, &err);
	if (r < 0)
		on_failed(s, &err, 125);
}

static void run_started(struct supervisor *s)
{
	s->state = STATE_RUNNING;
	s->status.state = STATUS_RUNNING;
	s->status.started_ms = (int64_t)time_now_ms();
	HOOK("supervisor.started");
	s->status.init_pid = s->container.ops->pid ? s->container.ops->pid(&s->container) : 0;
	(void)s->container.ops->resize(&s->container, s->size);  /* it may have another since the start was asked for */
	input_writable(s);                              /* what was typed while it started */
	clients_started(s);
	supervisor_save(s);
	supervisor_tell(s, EVENT_started, s->status.run, NULL);
	keeper_hold(s);
	health_begin(s);
	join_watch(s);
	if (s->stop_wanted || s->restart_wanted)
		feed(s, IN_STOP);
}

static bool wants_restart(const struct supervisor *s)
{
	if (s->restart_wanted)
		return true;
	if (s->stop_wanted || s->status.reason == REASON_START_FAILED)
		return false;
	if (s->spec.restart == RESTART_ALWAYS)
		return true;
	return s->spec.restart == RESTART_ON_FAILURE && (s->status.exit_code != 0 || s->is_failing) &&
	       (s->spec.restart_max == 0 || s->status.restarts < s->spec.restart_max);
}

static uint64_t or_default(int64_t ms, uint64_t otherwise)
{
	return ms > 0 ? (uint64_t)ms : otherwise;
}

/* Twice as long after each restart, and never longer than the longest. */
static uint64_t back_off(const struct spec *spec, uint64_t restarts)
{
	const uint64_t longest = or_default(spec->restart_longest_ms, BACKOFF_MAX_MS);
	uint64_t ms = or_default(spec->restart_first_ms, BACKOFF_FIRST_MS);

	for (uint64_t i = 0; i < restarts && ms < longest; i++)
		ms *= 2;
	return min_u64(ms, longest);
}

static void begin_again(struct supervisor *s)
{
	const uint64_t ran_ms = (time_mono_ns() - s->run_started_ns) / 1000000;
	uint64_t wait_ms = 0;

	if (ran_ms >= or_default(s->spec.restart_forgiven_ms, BACKOFF_FORGIVEN_MS))
		s->status.restarts = 0;
	if (!s->restart_wanted)
		wait_ms = back_off(&s->spec, (uint64_t)s->status.restarts);
	s->status.restarts += !s->restart_wanted;
	s->state = STATE_WAITING;
	s->status.state = STATUS_RESTARTING;
	supervisor_save(s);
	keeper_hold(s);                                  /* the handles of what is gone keep nothing open */
	supervisor_tell(s, EVENT_restarting, (int64_t)wait_ms, NULL);
	timer_start(s->life_timer, wait_ms);
}

static void end_session(struct supervisor *s)
{
	_err_ err = ERR_INIT;
	_str_ why = STR_INIT;

	HOOK("supervisor.ending");
	s->state = STATE_ENDED;
	s->status.state = STATUS_ENDED;
	s->status.ended_ms = (int64_t)time_now_ms();
	s->status.pid = s->status.pid_start = 0;
	terminal_close(s);
	if (s->recorder != NULL) {
		recorder_settle(s->recorder);
		output_tell_gaps(s);
	}
	s->recorder = recorder_free(s->recorder);
	s->input.log = input_log_close(s->input.log);
	(void)unlinkat(s->session_fd, "control.sock", 0);        /* one that has ended has none, whenever we are killed */
	supervisor_save(s);
	s->listen_watch = watch_free(s->listen_watch);
	s->listen_fd = fd_close(s->listen_fd);           /* who still waits to be let in sees the end, and the status */
	HOOK("supervisor.ended");
	status_describe(&s->status, &why);
	supervisor_tell(s, EVENT_ended, s->status.exit_code, why.buf);
	if ((s->spec.remove_at_end || s->never_was) && session_remove(s->house, s->place.id, &err) < 0)
		log_warn("%s, ignoring", err_msg(&err));
	if (s->failure.no != 0)                          /* only now: who hears of it finds the record complete */
		clients_failed(s, &s->failure, (int)s->status.exit_code);
	clients_ended(s);
	keeper_release(s);
	uv_stop(&s->loop);
}

/* The run is over, and its output is in the ring. Only when the container is closed its cgroup tells why it was killed. */
static void finish_run(struct supervisor *s)
{
	_fd_ log = s->has_container && s->container.log_fd >= 0 ? fcntl(s->container.log_fd, F_DUPFD_CLOEXEC, 3) : -1;

	output_publish(s);
	timer_stop(s->life_timer);
	if (s->stop_wanted && !s->restart_wanted)
		s->status.reason = REASON_STOPPED;
	else if (s->is_failing && !s->restart_wanted)
		s->status.reason = REASON_UNHEALTHY;
	close_container(s);
	if (crash_is_one(&s->status)) {
		int r;

		if (s->recorder != NULL)
			recorder_settle(s->recorder);
		r = crash_write(s->session_fd, &s->status, log);
		if (r < 0)
			log_warn("cannot write crash/: %s, ignoring", strerror(-r));
	}
	if (wants_restart(s))
		begin_again(s);
	else
		end_session(s);
}

static void read_the_rest(struct supervisor *s)
{
	for (int rounds = 0; !s->is_drained && rounds < 4096; rounds++) {
		const uint64_t before = ring_head(s->ring);

		output_ready(s);
		if (ring_head(s->ring) == before)
			break;
	}
}

static void drain(struct supervisor *s)
{
	if (s->state != STATE_DRAINING) {
		s->state = STATE_DRAINING;
		supervisor_tell(s, EVENT_exited, s->status.exit_code, NULL);
		timer_start(s->life_timer, DRAIN_MS);
	}
	if (!s->is_gone)
		return;
	read_the_rest(s);                                /* every process is gone: nothing can come any more */
	finish_run(s);
}

static void lost_init(struct supervisor *s)
{
	s->status.reason = REASON_INIT_LOST;
	s->status.exit_code = 128 + SIGKILL;
	s->status.signo = SIGKILL;
	status_set(&s->status.message, "the container's first process was killed before it could report how the command ended");
	if (s->state == STATE_STARTING)
		err_set(&s->failure, ECHILD, "init-lost",
		        "the container's first process was killed while the command was started");
	drain(s);
}

static void stop_now(struct supervisor *s)
{
	(void)s->container.ops->kill(&s->container);
}

/* HUP and CONT, later TERM, later KILL: interactive shells ignore TERM and end on HUP. Without time, KILL at once. */
static void stop_step(struct supervisor *s)
{
	struct container *c = &s->container;

	health_end(s);                                   /* what is stopped is not asked how it is */
	if (s->stop_timeout_ms == 0) {
		stop_now(s);
		return;
	}
	switch (s->stop_step++) {
	case 0:
		(void)c->ops->signal(c, SIGHUP, true);
		(void)c->ops->signal(c, SIGCONT, true);
		timer_start(s->life_timer, min_u64(STOP_HANGUP_MS, s->stop_timeout_ms / 2));
		break;
	case 1:
		(void)c->ops->signal(c, SIGTERM, true);
		timer_start(s->life_timer, s->stop_timeout_ms - min_u64(STOP_HANGUP_MS, s->stop_timeout_ms / 2));
		break;
	default:
		stop_now(s);
	}
}

static void give_up_draining(struct supervisor *s)
{
	stop_now(s);
	s->is_gone = true;
	drain(s);
}

static void stop_waiting(struct supervisor *s)
{
	timer_stop(s->life_timer);
	s->status.reason = REASON_STOPPED;
	if (s->restart_wanted)
		supervisor_begin(s);
	else
		end_session(s);
}

static step_fn *const steps[STATE_COUNT][IN_COUNT] = {
	[STATE_STARTING] = { [IN_STARTED] = run_started, [IN_FAILED] = finish_run, [IN_GONE] = lost_init,
	                     [IN_STOP] = stop_now, [IN_EXITED] = drain },
	[STATE_RUNNING]  = { [IN_EXITED] = drain, [IN_GONE] = lost_init, [IN_STOP] = stop_step, [IN_TIMEOUT] = stop_step,
	                     [IN_FAILED] = finish_run },
	[STATE_DRAINING] = { [IN_GONE] = drain, [IN_TIMEOUT] = give_up_draining, [IN_FAILED] = finish_run },
	[STATE_WAITING]  = { [IN_TIMEOUT] = supervisor_begin, [IN_STOP] = stop_waiting },
};

static void feed(struct supervisor *s, enum input in)
{
	step_fn *step = steps[s->state][in];

	if (step != NULL)
		step(s);
}

void supervisor_life_timer(void *data)
{
	feed(data, IN_TIMEOUT);
}

void supervisor_stop(struct supervisor *s, const char *by, uint64_t timeout_ms)
{
	const bool again = s->stop_wanted;

	s->stop_wanted = true;
	s->restart_wanted = false;
	s->stop_timeout_ms = timeout_ms;
	if (!again)
		status_set(&s->status.by, by);
	if (again && timeout_ms > 0 && s->state == STATE_RUNNING)
		return;                                          /* it is on its way */
	feed(s, IN_STOP);
}

void supervisor_restart(struct supervisor *s, const char *by, uint64_t timeout_ms)
{
	s->restart_wanted = true;
	s->stop_timeout_ms = timeout_ms;
	status_set(&s->status.by, by);
	feed(s, IN_STOP);
}

void supervisor_fail(struct supervisor *s, const char *why)
{
	if (s->state != STATE_RUNNING || s->stop_wanted || s->restart_wanted || s->is_failing)
		return;
	s->is_failing = true;
	s->stop_timeout_ms = STOP_TIMEOUT_MS;
	status_set(&s->status.message, why);
	feed(s, IN_STOP);
}

/* What was going on when the supervisor before us was killed goes on; a start that was cut short is begun again. */
void supervisor_go_on(struct supervisor *s, const struct engine_handles *h)
{
	const struct engine_ops *ops = engine_find(s->status.engine);
	_err_ err = ERR_INIT;

	if (s->status.state == STATUS_ENDED) {           /* it only could not say so any more */
		end_session(s);
		return;
	}
	if (s->status.state != STATUS_RUNNING || h == NULL) {
		remains_end(s->house, s->place.id, s->session_fd, &s->status);
		clients_execs_over(s);
		if (s->status.state != STATUS_RUNNING) {
			supervisor_begin(s);
			return;
		}
		s->is_gone = s->is_drained = true;
		lost_init(s);
		return;
	}
	s->state = STATE_RUNNING;
	s->run_started_ns = time_mono_ns();
	if (set_up_container(s, ops ? ops->name : "", &err) < 0 || ops->adopt == NULL)
		abort();                                 /* an engine that gave handles takes them */
	s->container.helper_pid = (pid_t)s->status.helper_pid;
	s->container.helper_start = (uint64_t)s->status.helper_start;
	if (s->container.ops->adopt(&s->container, h, &err) < 0) {
		log_err("%s", err_msg(&err));
		s->status.reason = REASON_SUPERVISOR_LOST;
		status_set(&s->status.message, err_msg(&err));
		finish_run(s);
		return;
	}
	if (s->status.reason != REASON_NONE)             /* the command has ended already */
		feed(s, IN_EXITED);
	else {
		health_go_on(s);
		join_watch(s);
	}
}
