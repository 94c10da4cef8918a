#include "service/launch.h"

#include "base/fd.h"
#include "base/path.h"
#include "base/units.h"
#include "engine/engine.h"
#include "service/containerfile.h"
#include "service/packages.h"
#include "service/session.h"
#include "service/volume.h"
#include "term/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ENV_FILE_MAX = 1024 * 1024 };

/* --- image and user --- */

static void take_user(struct spec *spec, struct image_user *u)
{
	spec->user.uid = u->uid;
	spec->user.gid = u->gid;
	spec->user.name = u->name ? TAKE(u->name) : u->uid == 0 ? xstrdup("root") : xasprintf("%u", (unsigned)u->uid);
	spec->user.home = TAKE(u->home);
	spec->user.shell = TAKE(u->shell);
	for (size_t i = 0; i < u->gid_count; i++)
		strv_pushf(&spec->user.groups, "%u", (unsigned)u->gids[i]);
}

/* What the image itself says about running it, where nothing else was asked for. The environment comes first. */
static void take_run(const struct launch *l, struct spec *spec, struct oci_run *run)
{
	_strv_ asked = spec->command;
	const bool has_entrypoint = l->entrypoint != NULL;

	spec->command = (struct strv){ 0 };
	if (has_entrypoint && *l->entrypoint != '\0')
		strv_push(&spec->command, l->entrypoint);
	for (size_t i = 0; i < run->entrypoint.len && !has_entrypoint; i++)
		strv_push(&spec->command, run->entrypoint.items[i]);
	for (size_t i = 0; i < asked.len; i++)
		strv_push(&spec->command, asked.items[i]);
	for (size_t i = 0; i < run->cmd.len && asked.len == 0 && !has_entrypoint; i++)
		strv_push(&spec->command, run->cmd.items[i]);
	if (spec->cwd == NULL && run->workdir != NULL && run->workdir[0] == '/')
		spec->makes_cwd = (spec->cwd = TAKE(run->workdir)) != NULL;
	spec->env = run->env;
	run->env = (struct strv){ 0 };
}

static int resolve_image(const struct house *h, const struct launch *l, struct spec *spec, struct err *err)
{
	const bool joins = spec->network == NETWORK_SESSION;
	const struct packages_limits limits = { spec->memory_bytes, spec->pids, spec->cpus };
	_free_ char *built = NULL, *derived = NULL;
	const char *image;
	_images_use_ use = { 0 };
	_str_ text = STR_INIT;
	struct idmap map;
	int r = 0;

	if (joins && idmap_parse(spec->map, &map) < 0)
		return err_set(err, EINVAL, "bad-spec", "the session to be joined has no map of ids");
	if (l->build.context != NULL)
		r = containerfile_image(h, &l->build, &built, err);
	image = built ? built : l->image;
	if (r == 0 && l->packages.len > 0)
		r = packages_image(h, image, !l->never_pulls, &l->packages, &limits, &derived, err);
	if (r < 0)
		return r;
	r = images_use_by(h, derived ? derived : image, l->user, !l->never_pulls, joins ? &map : NULL, spec->map_name, &use, err);
	if (r < 0)
		return r;
	idmap_format(&use.map, &text);
	free(spec->map);
	free(spec->map_name);
	spec->map = str_take(&text);
	spec->map_name = TAKE(use.map_name);
	take_user(spec, &use.user);
	spec->image.label = TAKE(use.image.label);
	spec->image.digest = TAKE(use.image.digest);
	spec->image.layers = use.image.layers;
	use.image.layers = (struct strv){ 0 };
	take_run(l, spec, &use.image.config.run);
	return 0;
}

/* --- environment --- */

/* TZ as POSIX writes it, from the last line of the host's zone file (tzfile(5)): it needs no zone files inside. */
static void set_time_zone(struct strv *env)
{
	const char *given = getenv("TZ");
	_str_ zone = STR_INIT;
	char *line;

	if (given != NULL && *given != '\0') {
		strv_set_env(env, "TZ", given);
		return;
	}
	if (file_read(AT_FDCWD, "/etc/localtime", 64 * 1024, &zone) < 0 || zone.len < 8 || !str_starts(zone.buf, "TZif") ||
	    zone.buf[4] < '2' || zone.buf[zone.len - 1] != '\n')
		return;
	zone.buf[--zone.len] = '\0';
	line = memrchr(zone.buf, '\n', zone.len);
	if (line != NULL && line[1] != '\0')
		strv_set_env(env, "TZ", line + 1);
}

/* "KEY=value", or "KEY" for the caller's own value. */
static int add_variable(struct strv *env, const char *text, const char *where, struct err *err)
{
	const char *equals = strchr(text, '=');
	_free_ char *key = equals ? xstrndup(text, (size_t)(equals - text)) : xstrdup(text);

	if (*key == '\0' || strpbrk(key, " \t\n") != NULL) {
		_free_ char *shown = visible(text);

		return err_set(err, EINVAL, "bad-env", "%s: '%s' is no KEY=VALUE", where, shown);
	}
	if (equals != NULL)
		strv_set_env(env, key, equals + 1);
	else if (getenv(key) != NULL)
		strv_set_env(env, key, getenv(key));
	return 0;
}

static int add_env_file(struct strv *env, const char *path, struct err *err)
{
	_str_ text = STR_INIT;
	char *save = NULL;
	int r = file_read(AT_FDCWD, path, ENV_FILE_MAX, &text);

	if (r < 0)
		return err_set(err, -r, "bad-env", "cannot read the environment file '%s': %m", path);
	if (strlen(text.buf) != text.len)
		return err_set(err, EINVAL, "bad-env", "the environment file '%s' is no text", path);
	for (char *line = strtok_r(text.buf, "\n", &save); line != NULL && r == 0; line = strtok_r(NULL, "\n", &save)) {
		line += strspn(line, " \t");
		line[strcspn(line, "\r")] = '\0';
		if (*line != '\0' && *line != '#')
			r = add_variable(env, line, path, err);
	}
	return r;
}

static int build_env(const struct launch *l, struct spec *spec, struct err *err)
{
	struct strv image = spec->env, *env = &spec->env;
	const char *lang = getenv("LANG");
	int r = 0;

	spec->env = (struct strv){ 0 };
	strv_set_env(env, "PATH", PATH_DEFAULT);
	strv_set_env(env, "TERM", "xterm-256color");
	strv_set_env(env, "COLORTERM", "truecolor");
	strv_set_env(env, "LANG", lang && *lang ? lang : "C.UTF-8");
	strv_set_env(env, "HOME", spec->user.home);
	strv_set_env(env, "USER", spec->user.name);
	strv_set_env(env, "LOGNAME", spec->user.name);
	strv_set_env(env, "SHELL", spec->user.shell);
	set_time_zone(env);
	for (size_t i = 0; i < image.len; i++)
		(void)add_variable(env, image.items[i], "image", NULL);
	strv_release(&image);
	if (spec->ssh_agent != NULL)
		strv_set_env(env, "SSH_AUTH_SOCK", engine_find(spec->engine)->features & ENGINE_ISOLATES ? SSH_AGENT_INSIDE
		             : spec->ssh_agent);
	for (size_t i = 0; i < l->env_files.len && r == 0; i++)
		r = add_env_file(env, l->env_files.items[i], err);
	for (size_t i = 0; i < l->env.len && r == 0; i++)
		r = add_variable(env, l->env.items[i], "-e", err);
	return r;
}

/* --- volumes, ports, limits --- */

static int add_volume(const struct house *h, const char *text, bool makes_sources, struct spec *spec, struct err *err)
{
	struct spec_volume v = { 0 };
	_free_ char *shown = visible(text);
	char real[4096];
	int r = spec_volume_parse(text, &v, err);

	if (r < 0)
		return r;
	if (v.name != NULL)
		v.source = volume_path(h, v.name);       /* it is made when the session is (volumes_claim) */
	vec_push(&spec->volumes, v);
	if (v.name != NULL)
		return 0;
	if (makes_sources && str_starts(v.source, "./") && path_mkdirs(v.source, 0777) < 0)
		return err_set(err, errno, "bad-volume", "volume '%s': cannot make '%s': %m", shown, v.source);
	if (realpath(v.source, real) == NULL)
		return err_set(err, errno, "bad-volume", "volume '%s': cannot use '%s': %m", shown, v.source);
	if (path_is_under(real, h->home) || path_is_under(real, h->store) || path_is_under(real, h->runtime))
		return err_set(err, EPERM, "bad-volume", "volume '%s': pterm's own directory cannot be given to a container",
		               shown);
	free(spec->volumes.items[spec->volumes.len - 1].source);
	spec->volumes.items[spec->volumes.len - 1].source = xstrdup(real);
	return 0;
}

static int add_places(const struct house *h, const struct launch *l, struct spec *spec, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < l->volumes.len && r == 0; i++)
		r = add_volume(h, l->volumes.items[i], l->makes_sources, spec, err);
	for (size_t i = 0; i < l->tmpfs.len && r == 0; i++) {
		struct spec_tmpfs t = { 0 };

		r = spec_tmpfs_parse(l->tmpfs.items[i], &t, err);
		if (r == 0)
			vec_push(&spec->tmpfs, t);
	}
	for (size_t i = 0; i < l->ports.len && r == 0; i++) {
		struct spec_port p;

		r = spec_port_parse(l->ports.items[i], &p, err);
		if (r == 0)
			vec_push(&spec->ports, p);
	}
	return r;
}

/* Is it there to be read? Only where it comes from is kept: what it is is read again at each start. */
static int add_secret(const char *text, struct spec *spec, struct err *err)
{
	_cleanup_(str_wipe) struct str value = STR_INIT;
	struct spec_secret s, *kept;
	char real[4096];
	int r = spec_secret_parse(text, &s, err);

	if (r < 0)
		return r;
	vec_push(&spec->secrets, s);
	kept = &spec->secrets.items[spec->secrets.len - 1];
	for (size_t i = 0; i + 1 < spec->secrets.len; i++)
		if (str_eq(spec->secrets.items[i].name, s.name))
			return err_set(err, EINVAL, "bad-option", "there are two secrets '%s'", s.name);
	if (spec->secrets.len > SECRETS_MAX)
		return err_set(err, E2BIG, "bad-option", "a session can have at most %d secrets", SECRETS_MAX);
	if (s.file != NULL && realpath(s.file, real) != NULL) {          /* the supervisor has another working directory */
		free(kept->file);
		kept->file = xstrdup(real);
	}
	return spec_secret_read(kept, &value, err);
}

static int add_label(const char *text, struct spec *spec, struct err *err)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/-";
	const size_t n = strcspn(text, "=");
	_free_ char *key = xstrndup(text, n), *shown = visible(text);

	if (text[n] != '=' || n == 0 || n > 63 || strspn(text, letters) != n || strchr("._/-", text[0]) != NULL)
		return err_set(err, EINVAL, "bad-option", "'%s' is no label: write KEY=VALUE, with a key of letters, digits, '.', '_', "
		               "'/' and '-'", shown);
	strv_set_env(&spec->labels, key, text + n + 1);
	return 0;
}

static int add_secrets_and_labels(const struct launch *l, struct spec *spec, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < l->secrets.len && r == 0; i++)
		r = add_secret(l->secrets.items[i], spec, err);
	for (size_t i = 0; i < l->labels.len && r == 0; i++)
		r = add_label(l->labels.items[i], spec, err);
	return r;
}

static int add_ssh_agent(struct spec *spec, struct err *err)
{
	const char *sock = getenv("SSH_AUTH_SOCK");
	struct stat st;

	if (sock == NULL || *sock != '/' || stat(sock, &st) < 0 || !S_ISSOCK(st.st_mode))
		return err_set(err, ENOENT, "no-ssh-agent", "--ssh-agent: SSH_AUTH_SOCK names no socket, so there is no agent to "
		               "share (start one: eval $(ssh-agent))");
	spec->ssh_agent = xstrdup(sock);
	return 0;
}

static int parse_cpus(const char *text, double *ret, struct err *err)
{
	char *end;
	const double v = strtod(text, &end);

	if (*text == '\0' || *end != '\0' || !(v >= 0.01 && v <= 100000))
		return err_set(err, EINVAL, "bad-option", "--cpus: '%s' is not a number of CPUs such as 0.5 or 2", text);
	*ret = v;
	return 0;
}

static int parse_restart(const char *text, struct spec *spec, struct err *err)
{
	uint64_t max = 0;

	if (text == NULL || str_eq(text, "no"))
		spec->restart = RESTART_NO;
	else if (str_eq(text, "always"))
		spec->restart = RESTART_ALWAYS;
	else if (str_eq(text, "on-failure") ||
	         (str_starts(text, "on-failure:") && parse_uint(text + strlen("on-failure:"), 1, 1000000, &max) == 0))
		spec->restart = RESTART_ON_FAILURE;
	else
		return err_set(err, EINVAL, "bad-option", "--restart: '%s' is not one of no, on-failure, on-failure:N, always",
		               text);
	spec->restart_max = (int64_t)max;
	if (spec->remove_at_end && spec->restart != RESTART_NO)
		return err_set(err, EINVAL, "bad-option", "--rm and --restart contradict each other");
	return 0;
}

static int add_probe(const struct launch_probe *l, enum probe_kind kind, struct spec *spec, struct err *err)
{
	const uint64_t interval = kind == PROBE_HEALTH ? HEALTH_INTERVAL_MS : READY_INTERVAL_MS;
	const char *option = kind == PROBE_HEALTH ? "health" : "ready";
	struct spec_probe p = { .kind = (int)kind };

	if (l->command == NULL && l->argv == NULL) {
		if (l->interval_ms != 0 || l->timeout_ms != 0 || l->retries != 0 || l->start_period_ms != 0)
			return err_set(err, EINVAL, "bad-option", "--%s-interval and its kind say how --%s-cmd is run: give that too",
			               option, option);
		return 0;
	}
	if ((l->command != NULL && *l->command == '\0') || l->interval_ms > PROBE_SPAN_MAX || l->timeout_ms > PROBE_SPAN_MAX ||
	    l->start_period_ms > PROBE_SPAN_MAX || l->retries > PROBE_RETRIES_MAX)
		return err_set(err, EINVAL, "bad-option", "--%s-cmd must be a command, its spans of time at most a day, and its retries "
		               "at most %d", option, PROBE_RETRIES_MAX);
	if (l->command != NULL) {
		strv_push(&p.command, "/bin/sh");
		strv_push(&p.command, "-c");
		strv_push(&p.command, l->command);
	} else {
		strv_copy(&p.command, l->argv);
	}
	p.interval_ms = (int64_t)(l->interval_ms ? l->interval_ms : interval);
	p.timeout_ms = (int64_t)(l->timeout_ms ? l->timeout_ms : PROBE_TIMEOUT_MS);
	p.retries = (int64_t)(l->retries ? l->retries : PROBE_RETRIES);
	p.start_period_ms = (int64_t)l->start_period_ms;
	vec_push(&spec->probes, p);
	return 0;
}

static int check_hostname(const char *name, struct err *err)
{
	const size_t n = strlen(name);

	if (n >= 1 && n <= 63 && strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") == n &&
	    name[0] != '-' && name[0] != '.')
		return 0;
	_free_ char *shown = visible(name);
	return err_set(err, EINVAL, "bad-option", "--hostname: '%s' is no host name: use letters, digits, '.' and '-'", shown);
}

static char *host_name_for(const struct launch *l)
{
	char *name;

	if (l->hostname != NULL)
		return xstrdup(l->hostname);
	name = xstrdup(l->name ? l->name : "pterm");
	for (char *p = name; *p != '\0'; p++)
		if (*p == '_')
			*p = '-';
	return name;
}

static int check_engine(const char *name, const char *option, struct err *err)
{
	if (engine_find(name) != NULL)
		return 0;
	_free_ char *shown = visible(name);
	return err_set(err, EINVAL, "no-engine", "--%s: there is no engine '%s': see pterm engines", option, shown);
}

/* --- what an engine cannot do --- */

/* An option of `new`. What confines or limits must be had or refused; the rest may be missing after a fall back. */
struct wish { const char *option; bool is_there, confines; enum engine_features needs; };

enum { WISH_COUNT = 16 };

static void list_wishes(const struct launch *l, const struct spec *spec, struct wish ret[WISH_COUNT])
{
	const bool has_private_network = l->has_network && l->network != NETWORK_HOST;
	bool has_guarded_volume = false;

	for (size_t i = 0; i < spec->volumes.len; i++)
		has_guarded_volume |= spec->volumes.items[i].read_only;
	const struct wish all[WISH_COUNT] = {
		{ "--memory", l->memory_bytes > 0, true, ENGINE_LIMITS },
		{ "--cpus", l->cpus != NULL, true, ENGINE_LIMITS },
		{ "--pids", l->pids > 0, true, ENGINE_LIMITS },
		{ "--network", has_private_network, true, ENGINE_NETWORKS },
		{ "--publish", l->ports.len > 0, true, ENGINE_NETWORKS },
		{ "--read-only", l->read_only, true, ENGINE_ISOLATES },
		{ "--volume SRC:DST:ro", has_guarded_volume, true, ENGINE_ISOLATES },
		{ "--volume", l->volumes.len > 0, false, ENGINE_ISOLATES },
		{ "--secret", l->secrets.len > 0, true, ENGINE_ISOLATES },
		{ "--user", l->user != NULL, false, ENGINE_ISOLATES },
		{ "--tmpfs", l->tmpfs.len > 0, false, ENGINE_ISOLATES },
		{ "--hostname", l->hostname != NULL, false, ENGINE_ISOLATES },
		{ "--package", l->packages.len > 0, false, ENGINE_IMAGES },
		{ "--image", l->image != NULL, false, ENGINE_IMAGES },
		{ "build", l->build.context != NULL, false, ENGINE_IMAGES },
		{ "--entrypoint", l->entrypoint != NULL, false, ENGINE_IMAGES },
	};

	memcpy(ret, all, sizeof(all));
}

static bool lacks(const struct engine_ops *ops, const struct wish *w)
{
	return w->is_there && (ops->features & w->needs) != w->needs;
}

/* The engine that was asked for must do all that was asked for. */
static int check_wishes(const struct engine_ops *ops, const struct wish wishes[WISH_COUNT], struct err *err)
{
	for (size_t i = 0; i < WISH_COUNT; i++)
		if (lacks(ops, &wishes[i]))
			return err_set(err, ENOTSUP, "engine-cannot", "the engine '%s' cannot do %s: leave it out, or use an engine "
			               "that makes containers (pterm engines lists them)", ops->name, wishes[i].option);
	return 0;
}

/*
 * What may happen when no container can be made. A fallback that was asked for and an option that confines are refused
 * together; one that was not asked for is not taken then, and the session fails. What else is lost is told in time.
 */
static int set_fallback(const struct launch *l, const struct wish wishes[WISH_COUNT], struct spec *spec,
                        struct err *err)
{
	const struct engine_ops *ops = engine_find(l->fallback ? l->fallback : "process");
	_str_ lost = STR_INIT;

	if (ops == NULL)
		return check_engine(l->fallback, "fallback", err);
	if (l->fallback == NULL && !l->may_fall_back)
		return 0;
	for (size_t i = 0; i < WISH_COUNT; i++) {
		if (!lacks(ops, &wishes[i]))
			continue;
		if (wishes[i].confines && l->fallback == NULL)
			return 0;
		if (wishes[i].confines)
			return err_set(err, ENOTSUP, "engine-cannot", "--fallback %s: the engine '%s' cannot do %s, and nothing may "
			               "run without it: leave out one of the two", ops->name, ops->name, wishes[i].option);
		str_addf(&lost, "%s%s", lost.len > 0 ? ", " : "", wishes[i].option);
	}
	spec->fallback = xstrdup(ops->name);
	spec->fallback_loses = lost.len > 0 ? str_take(&lost) : NULL;
	return 0;
}

static int check_engine_can(const struct engine_ops *ops, const struct launch *l, struct spec *spec, struct err *err)
{
	struct wish wishes[WISH_COUNT];
	int r;

	list_wishes(l, spec, wishes);
	r = check_wishes(ops, wishes, err);
	if (r == 0 && spec->ports.len > 0 && spec->network != NETWORK_PRIVATE)
		r = err_set(err, EINVAL, "bad-option", "-p publishes ports of a network of the session's own: add --network "
		            "private");
	return r < 0 ? r : set_fallback(l, wishes, spec, err);
}

/* What one that joins @other must have of it; it is looked at again at each start (supervisor/join.h). */
static int take_network(const struct session *other, struct spec *spec, struct err *err)
{
	_cleanup_(spec_release) struct spec theirs = { 0 };
	const char *name = other->status.name;
	int r = spec_read(other->fd, "spec.json", &theirs, err);

	if (r < 0)
		return r;
	spec->network_joined = theirs.network == NETWORK_SESSION ? theirs.network_joined : theirs.network;
	if (!other->is_alive || other->is_foreign)
		return err_set(err, ESRCH, "not-running", "--network session:%s: session '%s' does not run here: start it first (pterm "
		               "start %s)", name, name, name);
	if (!other->status.has_container || theirs.map == NULL || theirs.map_name == NULL)
		return err_set(err, EINVAL, "bad-option", "--network session:%s: session '%s' has no container, and so no network of "
		               "its own", name, name);
	if (spec->network_joined == NETWORK_HOST)
		return err_set(err, EINVAL, "bad-option", "--network session:%s: session '%s' has the host's network: use --network "
		               "host", name, name);
	spec->network_session = xstrdup(other->id);
	spec->map = TAKE(theirs.map);
	spec->map_name = TAKE(theirs.map_name);
	return 0;
}

static int join_network(const struct house *h, const struct launch *l, struct spec *spec, struct err *err)
{
	_session_ other = { 0 };
	int r;

	if (l->network_session != NULL && l->network != NETWORK_SESSION)
		return err_set(err, EINVAL, "bad-option", "--network: nothing follows '%s'", spec_networks[l->network]);
	if (spec->network != NETWORK_SESSION)
		return 0;
	if (l->network_session == NULL || *l->network_session == '\0')
		return err_set(err, EINVAL, "bad-option", "--network session: of which one? Say session:NAME");
	r = session_find(h, l->network_session, &other, err);
	return r < 0 ? err_wrap(err, "--network") : take_network(&other, spec, err);
}

static int fill(const struct house *h, const struct launch *l, struct spec *spec, struct err *err)
{
	const struct engine_ops *ops;
	int r;

	spec->engine = xstrdup(l->engine ? l->engine : engines[0]->name);
	r = check_engine(spec->engine, "engine", err);
	if (r < 0)
		return r;
	ops = engine_find(spec->engine);
	spec->read_only = l->read_only;
	spec->remove_at_end = l->remove_at_end;
	spec->network = ops->features & ENGINE_NETWORKS ? l->network : NETWORK_HOST;
	spec->memory_bytes = (int64_t)min_u64(l->memory_bytes, INT64_MAX);
	spec->pids = (int64_t)l->pids;
	spec->rows = l->rows ? l->rows : TERM_ROWS_DEFAULT;
	spec->cols = l->cols ? l->cols : TERM_COLS_DEFAULT;
	spec->record_bytes = (int64_t)(l->record_bytes ? l->record_bytes : RECORD_DEFAULT_MAX);
	spec->record_input = l->record_input;
	spec->restart_first_ms = (int64_t)l->restart_first_ms;
	spec->restart_longest_ms = (int64_t)l->restart_longest_ms;
	spec->restart_forgiven_ms = (int64_t)l->restart_forgiven_ms;
	spec->session_mark = l->session_mark ? xstrdup(l->session_mark) : NULL;
	spec->cwd = l->cwd ? xstrdup(l->cwd) : NULL;
	for (size_t i = 0; i < l->command_len; i++)
		strv_push(&spec->command, l->command[i]);
	if (l->cwd != NULL && l->cwd[0] != '/')
		return err_set(err, EINVAL, "bad-option", "--workdir: '%s' is no absolute path", l->cwd);
	spec->hostname = host_name_for(l);
	r = check_hostname(spec->hostname, err);
	if (r == 0 && l->cpus != NULL)
		r = parse_cpus(l->cpus, &spec->cpus, err);
	if (r == 0)
		r = parse_restart(l->restart, spec, err);
	if (r == 0)
		r = add_probe(&l->health, PROBE_HEALTH, spec, err);
	if (r == 0)
		r = add_probe(&l->readiness, PROBE_READINESS, spec, err);
	if (r == 0 && l->ssh_agent)
		r = add_ssh_agent(spec, err);
	if (r == 0)
		r = add_places(h, l, spec, err);
	if (r == 0)
		r = add_secrets_and_labels(l, spec, err);
	if (r == 0)
		r = check_engine_can(ops, l, spec, err);
	if (r == 0)
		r = join_network(h, l, spec, err);
	if (r == 0 && (ops->features & ENGINE_IMAGES))
		r = resolve_image(h, l, spec, err);
	else if (r == 0) {
		spec->user.name = xstrdup(session_actor());
		spec->user.home = xstrdup(getenv("HOME") ? getenv("HOME") : "/");
		spec->user.shell = xstrdup(getenv("SHELL") ? getenv("SHELL") : "/bin/sh");
		spec->cwd = spec->cwd ? spec->cwd : getcwd(NULL, 0);
	}
	return r < 0 ? r : build_env(l, spec, err);
}

void launch_release(struct launch *l)
{
	struct strv *lists[] = { &l->env, &l->env_files, &l->volumes, &l->tmpfs, &l->ports, &l->labels, &l->secrets,
	                         &l->packages, &l->build.args };

	for (size_t i = 0; i < array_len(lists); i++)
		strv_release(lists[i]);
	*l = (struct launch){ 0 };
}

int launch_spec(const struct house *h, const struct launch *l, struct spec *ret, struct err *err)
{
	_cleanup_(spec_release) struct spec spec = { 0 };
	const int r = fill(h, l, &spec, err);

	if (r < 0)
		return r;
	*ret = spec;
	spec = (struct spec){ 0 };
	return 0;
}
