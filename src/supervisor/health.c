#include "supervisor/health.h"

#include "base/child.h"
#include "base/fd.h"
#include "base/units.h"
#include "supervisor/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOG_MODULE "health"
#include "base/log.h"

#define PROBE_EXEC 0x80000000u           /* in the number of an exec: it is a probe */

enum { SOON_MS = 1000, RECORD_MAX = 1 << 20, READ_AT_ONCE = 64 * 1024 };

struct probe {
	struct supervisor *s;
	const struct spec_probe *spec;
	int *state;                      /* in the status */
	struct probe_record *record;
	struct timer *timer;
	uint32_t exec;                   /* the one that runs; 0: none */
	uint64_t began_ns;
	int out;                         /* what it prints; -1: none runs */
	struct watch *out_watch;
	struct str output;
};

struct health {
	struct probe probes[PROBE_KIND_COUNT];
	size_t count;
	struct health_record record;     /* as many probes, in the same order */
	uint32_t last;
};

/* --- health.json --- */

static const struct json_field result_fields[] = {
	{ "time_ms", FIELD_INT, offsetof(struct probe_result, time_ms) },
	{ "took_ms", FIELD_INT, offsetof(struct probe_result, took_ms) },
	{ "exit_code", FIELD_INT, offsetof(struct probe_result, exit_code) },
	{ "timed_out", FIELD_BOOL, offsetof(struct probe_result, timed_out) },
	{ "output", FIELD_STR, offsetof(struct probe_result, output) },
};
static const struct json_object result_object = JSON_OBJECT("a probe's result", struct probe_result, result_fields, false);
static const struct json_field probe_fields[] = {
	{ "kind", FIELD_ENUM, offsetof(struct probe_record, kind), .names = spec_probe_kinds, .required = true },
	{ "failing", FIELD_INT, offsetof(struct probe_record, failing) },
	{ "results", FIELD_OBJV, offsetof(struct probe_record, results), .object = &result_object },
};
static const struct json_object probe_object = JSON_OBJECT("a probe's record", struct probe_record, probe_fields, false);
static const struct json_field record_fields[] = {
	{ "probes", FIELD_OBJV, offsetof(struct health_record, probes), .object = &probe_object },
};
const struct json_object health_record_object = JSON_OBJECT("health.json", struct health_record, record_fields, false);

int health_read(int session_fd, struct health_record *ret, struct err *err)
{
	_str_ text = STR_INIT;
	const int r = file_read(session_fd, "health.json", RECORD_MAX, &text);

	*ret = (struct health_record){ 0 };
	if (r < 0)
		return r == -ENOENT ? 0 : err_set(err, -r, "health", "cannot read health.json: %m");
	return json_decode(text.buf, text.len, &health_record_object, ret, err);
}

void health_record_release(struct health_record *r)
{
	json_release(&health_record_object, r);
}

static void write_record(const struct supervisor *s)
{
	_str_ text = STR_INIT;
	int r;

	json_encode(&text, &health_record_object, &s->health->record);
	str_addc(&text, '\n');
	r = file_write(s->session_fd, "health.json", text.buf, text.len, 0600);
	if (r < 0)
		log_warn("cannot write health.json: %s, ignoring", strerror(-r));
}

static void add_result(struct probe_record *r, struct probe_result result)
{
	if (r->results.len >= PROBE_RESULTS_MAX) {
		free(r->results.items[0].output);
		memmove(r->results.items, r->results.items + 1, --r->results.len * sizeof(*r->results.items));
	}
	vec_push(&r->results, result);
}

/* --- judging --- */

enum probe_state probe_judge(const struct spec_probe *p, enum probe_state state, bool is_good, uint64_t age_ms,
                             int64_t *failing)
{
	if (is_good) {
		*failing = 0;
		return PROBE_GOOD;
	}
	if (state == PROBE_STARTING && (p->kind == PROBE_READINESS || age_ms < (uint64_t)p->start_period_ms))
		return state;
	return ++*failing >= p->retries ? PROBE_BAD : state;
}

uint64_t probe_pause_ms(const struct spec_probe *p, enum probe_state state, uint64_t age_ms)
{
	const bool is_early = state == PROBE_STARTING &&
	                      (p->kind == PROBE_READINESS || age_ms < (uint64_t)p->start_period_ms);

	return is_early ? min_u64((uint64_t)p->interval_ms, SOON_MS) : (uint64_t)p->interval_ms;
}

static uint64_t age_ms(const struct supervisor *s)
{
	const uint64_t now = time_now_ms(), started = (uint64_t)s->status.started_ms;

	return now > started ? now - started : 0;
}

static void tell_change(struct probe *p, const struct probe_result *last)
{
	static const enum event_type events[PROBE_KIND_COUNT][2] = {
		[PROBE_HEALTH] = { EVENT_healthy, EVENT_unhealthy }, [PROBE_READINESS] = { EVENT_ready, EVENT_unready },
	};
	struct supervisor *s = p->s;
	const bool is_good = *p->state == PROBE_GOOD;
	_free_ char *output = visible(last->output ? last->output : "");
	_free_ char *why = NULL;

	if (last->timed_out)
		why = xasprintf("its %s probe took longer than %lld ms", spec_probe_kinds[p->spec->kind], (long long)p->spec->timeout_ms);
	else
		why = xasprintf("its %s probe ended with exit code %lld%s%s", spec_probe_kinds[p->spec->kind],
		                (long long)last->exit_code, *output ? ": " : "", output);
	supervisor_save(s);
	supervisor_tell(s, events[p->spec->kind][!is_good], p->record->failing, is_good ? NULL : why);
	clients_health(s);
	if (p->spec->kind == PROBE_HEALTH && !is_good && s->spec.restart != RESTART_NO)
		supervisor_fail(s, why);
}

/* @output is consumed. */
static void judge(struct probe *p, int exit_code, bool timed_out, char *output)
{
	const uint64_t took_ns = time_mono_ns() - p->began_ns;
	const struct probe_result result = { .time_ms = (int64_t)time_now_ms(), .took_ms = (int64_t)(took_ns / 1000000),
	                                     .exit_code = exit_code, .timed_out = timed_out, .output = output };
	const int before = *p->state;

	add_result(p->record, result);
	*p->state = (int)probe_judge(p->spec, (enum probe_state)before, exit_code == 0 && !timed_out, age_ms(p->s),
	                             &p->record->failing);
	write_record(p->s);
	timer_start(p->timer, probe_pause_ms(p->spec, (enum probe_state)*p->state, age_ms(p->s)));
	if (*p->state != before)
		tell_change(p, &result);                 /* last: it may end all probes */
}

/* --- running --- */

static void close_output(struct probe *p)
{
	p->out_watch = watch_free(p->out_watch);
	p->out = fd_close(p->out);
}

/*
 * Read some of what there is, and keep as much as is shown; never until nothing is left, since who writes may be
 * faster. False at the end.
 */
static bool read_output(struct probe *p)
{
	char buf[READ_AT_ONCE];
	const ssize_t n = read(p->out, buf, sizeof(buf));

	if (n > 0)
		str_add(&p->output, buf, min_size((size_t)n, PROBE_OUTPUT_MAX - min_size(p->output.len, PROBE_OUTPUT_MAX)));
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

static void on_output(void *data, int events)
{
	struct probe *p = data;

	if (!read_output(p))
		close_output(p);
}

/* What it printed, without the newline at its end; the caller's. */
static char *take_output(struct probe *p)
{
	if (p->out >= 0)
		(void)read_output(p);
	close_output(p);
	while (p->output.len > 0 && strchr("\r\n", p->output.buf[p->output.len - 1]) != NULL)
		p->output.buf[--p->output.len] = '\0';
	if (strlen(p->output.buf) != p->output.len) {    /* bytes 0 are no text */
		str_clear(&p->output);
		str_adds(&p->output, "(not text)");
	}
	return str_take(&p->output);
}

static int start(struct probe *p, struct err *err)
{
	struct supervisor *s = p->s;
	struct engine_exec x = { .argv = &p->spec->command, .env = &s->spec.env, .cwd = s->spec.cwd, .user = &s->spec.user,
	                         .limit_ms = (int32_t)p->spec->timeout_ms };
	_fd_ null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	_fd_ print = -1;
	int pipes[2];

	if (s->container.ops->exec == NULL)
		return err_set(err, ENOTSUP, "no-exec", "the engine '%s' cannot run a probe", s->container.ops->name);
	if (null < 0 || pipe2(pipes, O_CLOEXEC) < 0)
		return err_set(err, errno, "probe", "cannot run a probe: %m");
	p->out = pipes[0];
	print = pipes[1];
	(void)fd_set_nonblock(p->out, true);
	p->out_watch = watch_new(&s->loop, p->out, LOOP_READ, on_output, p);
	x.stdio[0] = null;
	x.stdio[1] = x.stdio[2] = print;
	p->exec = PROBE_EXEC | (++s->health->last & ~PROBE_EXEC);
	return s->container.ops->exec(&s->container, p->exec, &x, err);
}

static void could_not_run(struct probe *p, const struct err *why, int exit_code)
{
	p->exec = 0;
	close_output(p);
	judge(p, exit_code, false, xstrdup(err_msg(why)));
}

static void on_timer(void *data)
{
	struct probe *p = data;
	_err_ err = ERR_INIT;

	if (p->s->state != STATE_RUNNING || p->exec != 0)
		return;
	p->began_ns = time_mono_ns();
	str_clear(&p->output);
	if (start(p, &err) < 0)
		could_not_run(p, &err, 125);
}

static struct probe *find(struct supervisor *s, uint32_t exec)
{
	for (size_t i = 0; s->health != NULL && i < s->health->count; i++)
		if (s->health->probes[i].exec == exec)
			return &s->health->probes[i];
	return NULL;                                     /* of a run before, or of a supervisor before us */
}

bool health_is_probe(uint32_t exec)
{
	return (exec & PROBE_EXEC) != 0;
}

void health_failed(struct supervisor *s, uint32_t exec, const struct err *why, int exit_code)
{
	struct probe *p = find(s, exec);

	if (p != NULL)
		could_not_run(p, why, exit_code);
}

void health_exited(struct supervisor *s, uint32_t exec, int wait_status)
{
	struct probe *p = find(s, exec);
	const bool timed_out = WIFSIGNALED(wait_status) && WTERMSIG(wait_status) == SIGALRM;

	if (p == NULL)
		return;
	p->exec = 0;
	judge(p, child_exit_code(wait_status), timed_out, take_output(p));
}

/* --- a life --- */

static void make(struct supervisor *s)
{
	struct health *h = s->health = xcalloc(1, sizeof(*h));

	h->last = (uint32_t)s->status.adoptions << 20;   /* never a number that was used before */
	for (size_t i = 0; i < s->spec.probes.len && i < PROBE_KIND_COUNT; i++)
		vec_push(&h->record.probes, ((struct probe_record){ .kind = s->spec.probes.items[i].kind }));
	for (size_t i = 0; i < h->record.probes.len; i++) {
		struct probe *p = &h->probes[h->count++];

		*p = (struct probe){ .s = s, .spec = &s->spec.probes.items[i], .record = &h->record.probes.items[i], .out = -1,
		                     .output = STR_INIT };
		p->state = p->spec->kind == PROBE_HEALTH ? &s->status.health : &s->status.readiness;
		p->timer = timer_new(&s->loop, on_timer, p);
	}
}

static void begin(struct supervisor *s, bool is_new)
{
	if (s->spec.probes.len == 0)
		return;
	if (s->health == NULL)
		make(s);
	for (size_t i = 0; i < s->health->count; i++) {
		struct probe *p = &s->health->probes[i];

		if (is_new || *p->state == PROBE_NONE) {
			*p->state = PROBE_STARTING;
			p->record->failing = 0;
		}
		timer_start(p->timer, is_new ? 0 : probe_pause_ms(p->spec, (enum probe_state)*p->state, age_ms(s)));
	}
}

void health_forget(struct status *st)
{
	if (st->health != PROBE_NONE)
		st->health = PROBE_STARTING;
	if (st->readiness != PROBE_NONE)
		st->readiness = PROBE_STARTING;
}

void health_begin(struct supervisor *s)
{
	begin(s, true);
	if (s->spec.probes.len > 0)
		supervisor_save(s);
}

/* The results that the supervisor before us wrote down become ours. */
static void take_record(struct supervisor *s)
{
	_health_record_ before = { 0 };

	if (health_read(s->session_fd, &before, NULL) < 0)
		return;
	for (size_t i = 0; i < before.probes.len; i++) {
		struct probe_record *theirs = &before.probes.items[i];

		for (size_t j = 0; j < s->health->count; j++) {
			struct probe_record *ours = s->health->probes[j].record;

			if (ours->kind != theirs->kind || ours->results.len > 0)
				continue;
			ours->failing = theirs->failing;
			while (theirs->results.len > 0) {
				add_result(ours, theirs->results.items[0]);
				memmove(theirs->results.items, theirs->results.items + 1,
				        --theirs->results.len * sizeof(*theirs->results.items));
			}
		}
	}
}

void health_go_on(struct supervisor *s)
{
	if (s->spec.probes.len == 0)
		return;
	make(s);
	take_record(s);
	begin(s, false);
	if (s->status.health == PROBE_BAD && s->spec.restart != RESTART_NO)      /* it was about to be ended */
		supervisor_fail(s, s->status.message ? s->status.message : "it is not healthy");
}

void health_end(struct supervisor *s)
{
	for (size_t i = 0; s->health != NULL && i < s->health->count; i++) {
		struct probe *p = &s->health->probes[i];

		timer_stop(p->timer);
		p->exec = 0;
		close_output(p);
		if (p->spec->kind == PROBE_READINESS)
			*p->state = PROBE_BAD;
	}
}

void health_free(struct supervisor *s)
{
	if (s->health == NULL)
		return;
	health_end(s);
	for (size_t i = 0; i < s->health->count; i++) {
		timer_free(s->health->probes[i].timer);
		str_release(&s->health->probes[i].output);
	}
	health_record_release(&s->health->record);
	free(s->health);
	s->health = NULL;
}
