#include "http/handlers.h"

#include "base/fd.h"
#include "base/units.h"
#include "engine/spec.h"
#include "service/launch.h"

#include <errno.h>
#include <stdio.h>

enum { LIST_DEFAULT = 100, LIST_MOST = 1000, SPEC_MOST = 4 * 1024 * 1024, STOP_MOST_MS = 600000 };

/* --- how a session is told --- */

static void put_session(struct json_writer *w, const struct session *s)
{
	json_begin(w, NULL, '{');
	json_put_members(w, &status_object, &s->status);
	json_put_bool(w, "alive", s->is_alive);
	if (s->is_broken)
		json_put_bool(w, "broken", true);
	if (s->is_foreign)
		json_put_bool(w, "foreign", true);
	json_end(w, '}');
}

/* What it is now that something was done to it. */
static int tell_again(struct call *c, const struct session *s, int status, struct err *err)
{
	struct json_writer w = JSON_WRITER(&c->out);
	_session_ now = { 0 };
	int r = session_find(c->house, s->id, &now, err);

	if (r < 0)
		return r;
	put_session(&w, &now);
	return status;
}

int on_session_get(struct call *c, struct err *err)
{
	struct json_writer w = JSON_WRITER(&c->out);
	_session_ s = { 0 };
	const int r = call_session(c, &s, err);

	if (r < 0)
		return r;
	put_session(&w, &s);
	return 200;
}

int on_session_spec(struct call *c, struct err *err)
{
	_cleanup_(spec_release) struct spec spec = { 0 };
	_session_ s = { 0 };
	int r = call_session(c, &s, err);

	if (r == 0)
		r = spec_read(s.fd, "spec.json", &spec, err);
	if (r < 0)
		return r;
	json_encode(&c->out, &spec_object, &spec);
	return 200;
}

/* --- the list --- */

/* A cursor is the age and the id of the last that was told: what is made or removed meanwhile moves nothing. */
static int read_cursor(const char *text, int64_t *ret_ms, char ret_id[SESSION_ID_LEN + 1], struct err *err)
{
	const char *dash = text ? strchr(text, '-') : NULL;
	_free_ char *number = dash ? xstrndup(text, (size_t)(dash - text)) : NULL;
	uint64_t ms;

	*ret_ms = -1;
	ret_id[0] = '\0';
	if (text == NULL)
		return 0;
	if (dash == NULL || parse_uint(number, 0, INT64_MAX, &ms) < 0 || !id_check(dash + 1)) {
		err_set(err, EINVAL, "bad-parameter", "this cursor was not given by us");
		err_field(err, "cursor");
		return -EINVAL;
	}
	*ret_ms = (int64_t)ms;
	snprintf(ret_id, SESSION_ID_LEN + 1, "%s", dash + 1);
	return 0;
}

static int read_state(const char *text, int *ret, struct err *err)
{
	_str_ names = STR_INIT;

	*ret = -1;
	for (int i = 0; text != NULL && i < STATUS_COUNT; i++) {
		str_addf(&names, "%s%s", i > 0 ? ", " : "", status_states[i]);
		if (str_eq(text, status_states[i]))
			*ret = i;
	}
	if (text == NULL || *ret >= 0)
		return 0;
	err_set(err, EINVAL, "bad-parameter", "the parameter 'state' must be one of %s", names.buf);
	err_field(err, "state");
	return -EINVAL;
}

int on_session_list(struct call *c, struct err *err)
{
	struct json_writer w = JSON_WRITER(&c->out);
	const struct session *last = NULL;
	_session_list_ all = { 0 };
	uint64_t limit = LIST_DEFAULT, count = 0;
	char after[SESSION_ID_LEN + 1];
	int64_t after_ms = -1;
	bool has_more = false;
	int state = -1, r = call_number(c, "limit", 1, LIST_MOST, &limit, err);

	if (r == 0)
		r = read_cursor(target_query(&c->target, "cursor"), &after_ms, after, err);
	if (r == 0)
		r = read_state(target_query(&c->target, "state"), &state, err);
	if (r == 0)
		r = session_all(c->house, &all, err);
	if (r < 0)
		return r;
	json_begin(&w, NULL, '{');
	json_begin(&w, "sessions", '[');
	for (size_t i = 0; i < all.len && !has_more; i++) {
		const struct session *s = &all.items[i];

		if ((state >= 0 && s->status.state != state) || s->status.created_ms < after_ms ||
		    (s->status.created_ms == after_ms && strcmp(s->id, after) <= 0))
			continue;
		has_more = count == limit;
		if (has_more)
			break;
		put_session(&w, s);
		last = s;
		count++;
	}
	json_end(&w, ']');
	if (has_more) {
		_free_ char *next = xasprintf("%lld-%s", (long long)last->status.created_ms, last->id);

		json_put_str(&w, "next", next);
	}
	json_end(&w, '}');
	return 200;
}

/* --- making one --- */

struct new_session {
	char *name, *image, *workdir, *user, *hostname, *engine, *fallback, *restart, *cpus;
	struct strv command, env, volumes, tmpfs, ports;
	int64_t memory_bytes, pids, record_bytes, rows, cols;
	int network;                     /* 1 + enum spec_network; 0: the default */
	bool read_only, remove_at_end, record_input;
};

static const char *const networks[] = { "default", "none", "private", "host", NULL };

static const struct json_field new_session_fields[] = {
	{ "name", FIELD_STR, offsetof(struct new_session, name) },
	{ "image", FIELD_STR, offsetof(struct new_session, image) },
	{ "command", FIELD_STRV, offsetof(struct new_session, command) },
	{ "env", FIELD_STRV, offsetof(struct new_session, env) },
	{ "workdir", FIELD_STR, offsetof(struct new_session, workdir) },
	{ "user", FIELD_STR, offsetof(struct new_session, user) },
	{ "hostname", FIELD_STR, offsetof(struct new_session, hostname) },
	{ "engine", FIELD_STR, offsetof(struct new_session, engine) },
	{ "fallback", FIELD_STR, offsetof(struct new_session, fallback) },
	{ "restart", FIELD_STR, offsetof(struct new_session, restart) },
	{ "network", FIELD_ENUM, offsetof(struct new_session, network), .names = networks },
	{ "volumes", FIELD_STRV, offsetof(struct new_session, volumes) },
	{ "tmpfs", FIELD_STRV, offsetof(struct new_session, tmpfs) },
	{ "ports", FIELD_STRV, offsetof(struct new_session, ports) },
	{ "memory_bytes", FIELD_INT, offsetof(struct new_session, memory_bytes), .min = 0, .max = INT64_MAX },
	{ "pids", FIELD_INT, offsetof(struct new_session, pids), .min = 0, .max = 4194304 },
	{ "cpus", FIELD_STR, offsetof(struct new_session, cpus) },
	{ "read_only", FIELD_BOOL, offsetof(struct new_session, read_only) },
	{ "remove_at_end", FIELD_BOOL, offsetof(struct new_session, remove_at_end) },
	{ "record_bytes", FIELD_INT, offsetof(struct new_session, record_bytes), .min = 0, .max = INT64_MAX },
	{ "record_input", FIELD_BOOL, offsetof(struct new_session, record_input) },
	{ "rows", FIELD_INT, offsetof(struct new_session, rows), .min = 0, .max = 1000 },
	{ "cols", FIELD_INT, offsetof(struct new_session, cols), .min = 0, .max = 1000 },
};
const struct json_object new_session_object =
	JSON_OBJECT("a new session", struct new_session, new_session_fields, true);

static int refuse_field(const char *field, const char *why, struct err *err)
{
	err_set(err, EINVAL, "bad-json", "a new session: '%s' %s", field, why);
	err_field(err, field);
	return -EINVAL;
}

/* "./src:/work", "src/x:/work": a path, and one that depends on the folder. The name of a volume has no slash. */
static bool is_relative(const char *volume)
{
	const size_t n = strcspn(volume, ":");

	return volume[0] != '/' && (volume[0] == '.' || memchr(volume, '/', n) != NULL);
}

/*
 * What means something else for a person at a prompt than for a request: the environment and the folder are the
 * daemon's.
 */
static int check_new(const struct new_session *n, struct err *err)
{
	for (size_t i = 0; i < n->env.len; i++)
		if (strchr(n->env.items[i], '=') == NULL)
			return refuse_field("env", "must be a list of KEY=value", err);
	for (size_t i = 0; i < n->volumes.len; i++)
		if (is_relative(n->volumes.items[i]))
			return refuse_field("volumes", "must be a list of SOURCE:TARGET with absolute paths, or names of volumes",
			                    err);
	if (n->image != NULL && n->image[0] == '.')
		return refuse_field("image", "must be a name or an absolute path", err);
	return n->name != NULL ? name_check(n->name, err) : 0;
}

/* What was asked for and is not there is no missing page. */
static int cannot(struct err *err)
{
	if (err->no == ENOENT)
		err->no = ENOTSUP;
	return -err->no;
}

static int make_spec(const struct call *c, struct spec *ret, struct err *err)
{
	const struct new_session *n = c->input;
	const struct launch l = {
		.name = n->name,
		.image = n->image,
		.user = n->user,
		.cwd = n->workdir,
		.hostname = n->hostname,
		.engine = n->engine,
		.fallback = n->fallback,
		.restart = n->restart,
		.env = n->env,
		.volumes = n->volumes,
		.tmpfs = n->tmpfs,
		.ports = n->ports,
		.command = (const char *const *)n->command.items,
		.command_len = n->command.len,
		.read_only = n->read_only,
		.remove_at_end = n->remove_at_end,
		.record_input = n->record_input,
		.memory_bytes = (uint64_t)n->memory_bytes,
		.pids = (uint64_t)n->pids,
		.record_bytes = (uint64_t)n->record_bytes,
		.cpus = n->cpus,
		.network = n->network > 0 ? n->network - 1 : NETWORK_NONE,
		.has_network = n->network > 0,
		.rows = (uint16_t)n->rows,
		.cols = (uint16_t)n->cols,
	};
	int r = check_new(n, err);

	if (r < 0)
		return r;
	r = launch_spec(c->house, &l, ret, err);
	return r < 0 ? cannot(err) : 0;
}

/* How its start went; a reason why it could not be is the request's. */
static int tell_start(struct call *c, struct session *s, struct conn *conn, int status, struct err *err)
{
	struct json_writer w = JSON_WRITER(&c->out);
	const int r = session_await_start(conn, &s->status, err);

	if (r != 0) {
		err->no = r > 0 ? ENOTSUP : err->no;
		return -err->no;
	}
	s->is_alive = s->status.state != STATUS_ENDED;
	put_session(&w, s);
	return status;
}

int on_session_new(struct call *c, struct err *err)
{
	const struct new_session *n = c->input;
	_cleanup_(spec_release) struct spec spec = { 0 };
	_session_ s = { 0 };
	_conn_ conn = { 0 };
	int r = make_spec(c, &spec, err);

	if (r == 0)
		r = session_create(c->house, &spec, n->name, NULL, &s, &conn, err);
	if (r < 0)
		return r;
	call_header(c, "Location", "/api/v1/sessions/%s", s.id);
	return tell_start(c, &s, &conn, 201, err);
}

/* --- changing one --- */

struct new_name { char *name; };
static const struct json_field new_name_fields[] = {
	{ "name", FIELD_STR, offsetof(struct new_name, name), .required = true },
};
const struct json_object new_name_object = JSON_OBJECT("a change", struct new_name, new_name_fields, true);

struct stop { int64_t timeout_ms; bool now; };
static const struct json_field stop_fields[] = {
	{ "timeout_ms", FIELD_INT, offsetof(struct stop, timeout_ms), .min = 0, .max = STOP_MOST_MS },
	{ "now", FIELD_BOOL, offsetof(struct stop, now) },
};
const struct json_object stop_object = JSON_OBJECT("a stop", struct stop, stop_fields, true);

struct signal_request { char *signal; };
static const struct json_field signal_fields[] = {
	{ "signal", FIELD_STR, offsetof(struct signal_request, signal), .required = true },
};
const struct json_object signal_object = JSON_OBJECT("a signal", struct signal_request, signal_fields, true);

static uint64_t stop_ms(const struct call *c)
{
	const struct stop *s = c->input;

	return s->now ? 0 : s->timeout_ms > 0 ? (uint64_t)s->timeout_ms : STOP_TIMEOUT_MS;
}

int on_session_patch(struct call *c, struct err *err)
{
	const struct new_name *n = c->input;
	_session_ s = { 0 };
	int r = name_check(n->name, err);

	if (r == 0)
		r = call_session(c, &s, err);
	if (r == 0)
		r = session_rename(c->house, &s, n->name, err);
	return r < 0 ? r : tell_again(c, &s, 200, err);
}

int on_session_delete(struct call *c, struct err *err)
{
	_session_ s = { 0 };
	bool force = false;
	int r = call_flag(c, "force", &force, err);

	if (r == 0)
		r = session_find_any(c->house, c->params[0], &s, err);
	if (r < 0)
		return r;
	r = force ? session_remove_forced(c->house, &s, err) : session_discard(c->house, &s, err);
	return r < 0 ? r : 204;
}

int on_session_start(struct call *c, struct err *err)
{
	_session_ s = { 0 };
	_conn_ conn = { 0 };
	int r = call_session(c, &s, err);

	if (r == 0)
		r = session_start(c->house, &s, NULL, &conn, err);
	return r < 0 ? r : tell_start(c, &s, &conn, 200, err);
}

int on_session_restart(struct call *c, struct err *err)
{
	_session_ s = { 0 };
	_conn_ conn = { 0 };
	int r = call_session(c, &s, err);

	if (r == 0)
		r = session_restart(c->house, &s, stop_ms(c), &conn, err);
	return r < 0 ? r : tell_start(c, &s, &conn, 200, err);
}

int on_session_stop(struct call *c, struct err *err)
{
	_session_ s = { 0 };
	_err_ gone = ERR_INIT;
	int r = call_session(c, &s, err);

	if (r == 0)
		r = session_stop(&s, stop_ms(c), err);
	if (r < 0)
		return r;
	r = tell_again(c, &s, 200, &gone);
	if (r == -ENOENT)                                /* with its end it was to be removed */
		return 204;
	return r < 0 ? err_move(err, &gone) : r;
}

int on_session_signal(struct call *c, struct err *err)
{
	const struct signal_request *m = c->input;
	const int signo = signal_parse(m->signal);
	_session_ s = { 0 };
	int r;

	if (signo <= 0) {
		_free_ char *shown = visible(m->signal);

		err_set(err, EINVAL, "bad-json", "a signal: '%s' is none", shown);
		err_field(err, "signal");
		return -EINVAL;
	}
	r = call_session(c, &s, err);
	if (r == 0)
		r = session_signal(&s, signo, err);
	return r < 0 ? r : 204;
}
