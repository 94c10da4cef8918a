#include "cli/open.h"
#include "cli/progress.h"
#include "cli/settings.h"
#include "engine/engine.h"
#include "service/describe.h"
#include "term/tty.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

struct options {
	const char *template, *image, *entrypoint, *network_session, *workdir, *user, *hostname, *restart, *cpus, *engine;
	const char *fallback, *keys;
	struct strv env, env_files, volumes, tmpfs, ports, labels, secrets, set, packages;
	bool detach, read_only, rm, ssh_agent, privileged, has_network, record_input;
	struct launch_probe health, readiness;
	uint64_t memory, pids, record;
	int network;
};

static const struct arg_option rows[] = {
	{ 'd', "detach", NULL, "leave it in the background: print its name once the command was executed", ARG_FLAG,
	  offsetof(struct options, detach) },
	{ 't', "template", "TEMPLATE", "as a template says, but for what other options say: see pterm template ls",
	  ARG_STR, offsetof(struct options, template) },
	{ 0, "set", "KEY=VALUE", "a parameter of the template", ARG_STRV, offsetof(struct options, set) },
	{ 0, "image", "IMAGE", "an image of the store or a registry, a directory or a tar; without it, pterm's small default "
	  "image", ARG_STR, offsetof(struct options, image) },
	{ 0, "entrypoint", "PROGRAM", "instead of the image's own entry point; empty: none", ARG_STR,
	  offsetof(struct options, entrypoint) },
	{ 0, "package", "NAME", "have this package of the image's distribution inside (apt, apk, dnf)", ARG_STRV,
	  offsetof(struct options, packages) },
	{ 'e', "env", "KEY[=VALUE]", "set a variable; without a value, yours", ARG_STRV, offsetof(struct options, env) },
	{ 0, "env-file", "FILE", "set the variables of a file of KEY=VALUE lines", ARG_STRV,
	  offsetof(struct options, env_files) },
	{ 'w', "workdir", "DIR", "where the command starts (the home directory)", ARG_STR, offsetof(struct options, workdir) },
	{ 'v', "volume", "SRC:DST[:OPTIONS]", "show a directory or file of yours inside, or a volume (a name without a slash)",
	  ARG_STRV, offsetof(struct options, volumes) },
	{ 'u', "user", "USER[:GROUP]", "run as this user of the image; on disk it is you", ARG_STR,
	  offsetof(struct options, user) },
	{ 0, "hostname", "NAME", "the host name inside (the session's name)", ARG_STR, offsetof(struct options, hostname) },
	{ 0, "read-only", NULL, "the root file system cannot be written", ARG_FLAG, offsetof(struct options, read_only) },
	{ 0, "tmpfs", "DST[:OPTIONS]", "an empty file system in memory", ARG_STRV, offsetof(struct options, tmpfs) },
	{ 0, "rm", NULL, "remove the session when it has ended", ARG_FLAG, offsetof(struct options, rm) },
	{ 0, "restart", "POLICY", "no, on-failure[:N] or always", ARG_STR, offsetof(struct options, restart) },
	{ 0, "health-cmd", "COMMAND", "run this inside by sh again and again: the session is healthy while it succeeds",
	  ARG_STR, offsetof(struct options, health.command) },
	{ 0, "health-interval", "SPAN", "pause between two (30s)", ARG_SPAN, offsetof(struct options, health.interval_ms) },
	{ 0, "health-timeout", "SPAN", "one that takes longer is killed, and has failed (30s)", ARG_SPAN,
	  offsetof(struct options, health.timeout_ms) },
	{ 0, "health-retries", "N", "so many failures in a row make it unhealthy (3)", ARG_UINT,
	  offsetof(struct options, health.retries), .min = 1, .max = PROBE_RETRIES_MAX },
	{ 0, "health-start-period", "SPAN", "failures this soon after a start do not count (0s)", ARG_SPAN,
	  offsetof(struct options, health.start_period_ms) },
	{ 0, "ready-cmd", "COMMAND", "the same, to tell when it is ready to serve", ARG_STR,
	  offsetof(struct options, readiness.command) },
	{ 0, "ready-interval", "SPAN", "pause between two (10s, and 1s until the first success)", ARG_SPAN,
	  offsetof(struct options, readiness.interval_ms) },
	{ 0, "ready-timeout", "SPAN", "as --health-timeout (30s)", ARG_SPAN, offsetof(struct options, readiness.timeout_ms) },
	{ 0, "ready-retries", "N", "so many failures in a row make it unready again (3)", ARG_UINT,
	  offsetof(struct options, readiness.retries), .min = 1, .max = PROBE_RETRIES_MAX },
	{ 0, "memory", "SIZE", "limit of memory, such as 512m", ARG_SIZE, offsetof(struct options, memory) },
	{ 0, "cpus", "NUMBER", "limit of CPU time, such as 0.5", ARG_STR, offsetof(struct options, cpus) },
	{ 0, "pids", "NUMBER", "limit of processes", ARG_UINT, offsetof(struct options, pids), .min = 1, .max = 4194304 },
	{ 0, "network", "KIND", "none (the default), private (out, never to this host), host, or session:NAME (that session's)",
	  ARG_CHOICE, offsetof(struct options, network), .choices = spec_networks,
	  .rest = offsetof(struct options, network_session), .given = offsetof(struct options, has_network) },
	{ 'p', "publish", "HOST:PORT", "a port of this host's loopback leads inside (with --network private)", ARG_STRV,
	  offsetof(struct options, ports) },
	{ 0, "secret", "NAME=SOURCE", "a file /run/secrets/NAME, from a file of yours or env:VARIABLE", ARG_STRV,
	  offsetof(struct options, secrets) },
	{ 0, "label", "KEY=VALUE", "a word of yours about it, for ls --label", ARG_STRV,
	  offsetof(struct options, labels) },
	{ 0, "ssh-agent", NULL, "your SSH agent can be used inside", ARG_FLAG, offsetof(struct options, ssh_agent) },
	{ 0, "engine", "NAME", "how to run it: see pterm engines", ARG_STR, offsetof(struct options, engine) },
	{ 0, "fallback", "ENGINE", "what to use when no container can be made: process", ARG_STR,
	  offsetof(struct options, fallback) },
	{ 0, "record", "SIZE", "how much of the output is kept (64m)", ARG_SIZE, offsetof(struct options, record) },
	{ 0, "record-input", NULL, "record what is typed too, but for what a password prompt reads", ARG_FLAG,
	  offsetof(struct options, record_input) },
	{ 0, "detach-keys", "KEYS", "the keys that detach (ctrl-\\,d)", ARG_STR, offsetof(struct options, keys) },
	{ 0, "privileged", NULL, "refused: see the text below", ARG_FLAG, offsetof(struct options, privileged) },
};

static struct launch to_launch(const struct options *o, const struct arg_words *words)
{
	const struct term_size size = tty_size(isatty(STDOUT_FILENO) ? STDOUT_FILENO : STDIN_FILENO);
	const bool has_person = !o->detach && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);

	struct launch l = {
		.name = words->before_dashes > 0 ? words->items[0] : NULL,
		.image = o->image, .entrypoint = o->entrypoint, .user = o->user, .cwd = o->workdir, .hostname = o->hostname, .engine = o->engine,
		/* a person sees what it says; a program gets it only when it asked */
		.fallback = o->fallback, .may_fall_back = has_person && o->engine == NULL,
		.restart = o->restart, .command = words->items + words->before_dashes,
		.command_len = words->len - words->before_dashes, .read_only = o->read_only, .remove_at_end = o->rm,
		.ssh_agent = o->ssh_agent, .record_input = o->record_input, .health = o->health, .readiness = o->readiness,
		.memory_bytes = o->memory, .pids = o->pids, .record_bytes = o->record, .cpus = o->cpus, .network = o->network,
		.network_session = o->network_session, .has_network = o->has_network, .rows = size.rows, .cols = size.cols,
	};

	strv_copy(&l.env, &o->env);
	strv_copy(&l.env_files, &o->env_files);
	strv_copy(&l.volumes, &o->volumes);
	strv_copy(&l.tmpfs, &o->tmpfs);
	strv_copy(&l.ports, &o->ports);
	strv_copy(&l.labels, &o->labels);
	strv_copy(&l.secrets, &o->secrets);
	strv_copy(&l.packages, &o->packages);
	return l;
}

/* What the template says where no option does. */
static int use_template(const struct house *h, const struct options *o, struct launch *l, struct template *t,
                        char **ret_mark, struct err *err)
{
	_templates_ all = { 0 };
	int r;

	if (o->template == NULL && o->set.len > 0)
		return err_set(err, EINVAL, "bad-option", "--set gives a template's parameter: add -t TEMPLATE");
	if (o->template == NULL)
		return 0;
	templates_of(h, &all);
	r = templates_load(&all, o->template, &o->set, t, ret_mark, err);
	l->session_mark = *ret_mark;
	return r < 0 ? r : launch_use_template(l, t, err);
}

/* The session; where @name is only the template's wish, by it or the first of NAME-2, NAME-3 … that is free. */
static int create(const struct house *h, const struct spec *spec, const char *name, bool is_wish,
                  const struct message_attach *first, struct session *s, struct conn *conn, struct err *err)
{
	enum { TRIES = 1000 };
	int r = session_create(h, spec, name, first, s, conn, err);

	for (int i = 2; is_wish && r == -EEXIST && i < TRIES; i++) {
		_free_ char *next = xasprintf("%.*s-%d", SESSION_NAME_MAX - 4, name, i);

		err_release(err);
		r = session_create(h, spec, next, first, s, conn, err);
	}
	return r;
}

/* Everything that is said about it, by the command line, the template and the configuration. */
static int make_spec(const struct house *h, const struct options *o, struct launch *l, struct template *t,
                     struct spec *spec, struct err *err)
{
	_free_ char *mark = NULL;
	int r = use_template(h, o, l, t, &mark, err);

	if (r < 0)
		return r;
	launch_use_config(l, settings());
	if (l->name == NULL)
		l->name = t->name;
	return launch_spec(h, l, spec, err);
}

static int run(void *options, struct arg_words *words, struct err *err)
{
	_cleanup_(spec_release) struct spec spec = { 0 };
	const struct options *o = options;
	_house_ house = { 0 };
	_session_ s = { 0 };
	_conn_ conn = { 0 };
	struct message_attach first;
	_template_ t = { 0 };
	_launch_ l = { 0 };
	struct view v;
	bool is_named, is_background;
	int r;

	if (o->privileged)
		return err_set(err, EPERM, "privileged", "--privileged is refused: a container that may do everything confines "
		               "nothing; give it what it needs with -v, -u, --network or --ssh-agent");
	if (words->before_dashes > 1)
		return err_set(err, EINVAL, "bad-option", "only one name is expected: the command follows after --");
	l = to_launch(o, words);
	is_named = l.name != NULL;
	if (is_named && name_check(l.name, err) < 0)
		return -err->no;
	r = open_view(o->keys, 0, &v, err);
	if (r == 0)
		r = house_open(&house, err);
	house.progress = progress_show();
	if (r == 0)
		r = make_spec(&house, o, &l, &t, &spec, err);
	progress_clear();
	first = view_attach(&v);
	is_background = o->detach || t.is_background;
	if (r == 0)
		r = create(&house, &spec, l.name, !is_named && t.name != NULL, is_background ? NULL : &first, &s, &conn,
		           err);
	if (r < 0)
		return r;
	if (is_background)
		return await_start(&conn, "new", s.status.name, err);
	v.conn = &conn;
	v.session_fd = s.fd;
	v.is_asked = true;
	return show_session(&v, s.status.name, err);
}

const struct command cmd_new = {
	.name = "new",
	.args = "[NAME] [-- COMMAND...]",
	.summary = "start a session: a command, or your shell, in a container of its own",
	.details =
		"The session gets a terminal, is recorded, and goes on when this window closes. Without a command "
		"it runs the login shell of its user. pterm's exit code is that of the command; after a detach it "
		"is 0.\n"
		"\n"
		"A container has its own files, processes, users and network. It sees none of your files but those "
		"given with -v, and what it makes there belongs to you.\n"
		"\n"
		"When no container can be made on this host, a person at a terminal gets the command without one, "
		"which is announced and recorded; programs get an error unless they ask for it with --fallback "
		"process. What it cannot have then is said there; but nothing goes on without a limit, a network of "
		"its own or a read-only place that was asked for.\n"
		"\n"
		"With -t it is made from a template; other options and a command win over what the template says, "
		"and variables, volumes, ports and labels are added to its own. Where no NAME is given it has the "
		"template's, with a number where there is one already.\n"
		"\n"
		"A secret is a file in memory that only the session's user can read. It is read again at each "
		"start; neither spec.json nor inspect nor a log holds it.\n"
		"\n"
		"A volume is a name without a slash: a directory that pterm keeps, and that outlives the session (pterm volume). "
		"OPTIONS are ro, and owned: no session of another name may use it.\n"
		"\n"
		"With --package the session runs on the image and these packages of its own distribution; they are installed once for each "
		"image and list, in a session of their own.\n"
		"\n"
		"With --restart a session that becomes unhealthy is stopped and started again, as if its command had failed.\n"
		"\n"
		"--network session:NAME enters the user and network namespaces of a session that runs: the two reach each other at "
		"127.0.0.1, and what one may reach outside, the other may. Nothing else is shared.\n"
		"\n"
		"There is no --privileged: it would undo the confinement that pterm is for.",
	.examples =
		"pterm new # a shell\n"
		"pterm new build -v $PWD:/work -w /work -- make # a command in your directory\n"
		"pterm new -t python-dev --set VERSION=3.12 # from a template\n"
		"pterm new -d --restart on-failure:3 server -- ./server # in the background",
	.parser = { rows, array_len(rows), 0 },
	.options_size = sizeof(struct options),
	.max_words = ANY_WORDS,
	.run = run,
};
