#include "cli/listing.h"
#include "cli/open.h"

#include "supervisor/health.h"

struct options { int form; };

static const struct arg_option rows[] = { LISTING_OPTION(struct options, form) };

static void add(struct listing *l, const char *what, const char *value)
{
	listing_cell(l, what);
	listing_cell(l, value);
}

static void add_network(struct listing *l, const struct house *h, const struct spec *spec)
{
	_session_ other = { 0 };

	listing_cell(l, "network");
	if (spec->network != NETWORK_SESSION)
		listing_cell(l, spec_networks[spec->network]);
	else if (session_find(h, spec->network_session, &other, NULL) == 0)
		listing_cellf(l, "that of session %s", other.status.name);
	else
		listing_cellf(l, "that of session %s, which is no more", spec->network_session);
}

static void add_probes(struct listing *l, const struct session *s)
{
	_health_record_ record = { 0 };

	if (health_read(s->fd, &record, NULL) < 0)
		return;
	for (size_t i = 0; i < record.probes.len; i++) {
		const struct probe_record *p = &record.probes.items[i];
		const struct probe_result *last = p->results.len > 0 ? &p->results.items[p->results.len - 1] : NULL;

		const char *output = last != NULL && last->output != NULL ? last->output : "";

		listing_cell(l, spec_probe_kinds[p->kind]);
		if (last == NULL)
			listing_cell(l, "not asked yet");
		else if (last->timed_out)
			listing_cellf(l, "took too long%s%s", *output ? ": " : "", output);
		else
			listing_cellf(l, "exit code %lld%s%s", (long long)last->exit_code, *output ? ": " : "", output);
	}
}

static void add_table(const struct house *h, const struct session *s, const struct spec *spec, struct str *out)
{
	_free_ char *dir = xasprintf("%s/%s", h->sessions, s->id);
	_str_ state = STR_INIT;
	struct listing l;

	status_describe(&s->status, &state);
	listing_begin(&l, "WHAT|VALUE");
	add(&l, "name", s->status.name);
	add(&l, "id", s->id);
	add(&l, "state", state.buf);
	if (s->status.message != NULL)
		add(&l, "because", s->status.message);
	add(&l, "engine", s->status.engine);
	add(&l, "image", s->status.image);
	add(&l, "command", s->status.command);
	add(&l, "user", spec->user.name);
	add(&l, "hostname", spec->hostname);
	add_network(&l, h, spec);
	add(&l, "restart", spec_restarts[spec->restart]);
	for (size_t i = 0; i < spec->volumes.len; i++) {
		const struct spec_volume *v = &spec->volumes.items[i];
		_free_ char *text = xasprintf("%s on %s%s", v->name ? v->name : v->source, v->target,
		                              v->read_only ? ", read-only" : "");

		add(&l, "volume", text);
	}
	for (size_t i = 0; i < spec->secrets.len; i++) {
		const struct spec_secret *secret = &spec->secrets.items[i];
		_free_ char *text = xasprintf(SECRETS_INSIDE "/%s, from the %s %s", secret->name,
		                              secret->file ? "file" : "variable",
		                              secret->file ? secret->file : secret->variable);

		add(&l, "secret", text);
	}
	for (size_t i = 0; i < spec->labels.len; i++)
		add(&l, "label", spec->labels.items[i]);
	add_probes(&l, s);
	add(&l, "directory", dir);
	listing_end(&l, out);
}

static int run(void *options, struct arg_words *words, struct err *err)
{
	const struct options *o = options;
	_house_ house = { 0 };
	_session_ s = { 0 };
	_cleanup_(spec_release) struct spec spec = { 0 };
	_str_ out = STR_INIT;
	_health_record_ probes = { 0 };
	struct json_writer w = JSON_WRITER(&out);
	int r = open_session(&house, words->items[0], &s, err);

	if (r == 0)
		r = spec_read(s.fd, "spec.json", &spec, err);
	if (r < 0)
		return r;
	if (o->form == LISTING_TABLE) {
		add_table(&house, &s, &spec, &out);
		return listing_print(LISTING_TABLE, &out, err);
	}
	json_begin(&w, NULL, '{');
	json_put_object(&w, "status", &status_object, &s.status);
	json_put_bool(&w, "alive", s.is_alive);
	json_put_object(&w, "spec", &spec_object, &spec);
	if (health_read(s.fd, &probes, NULL) == 0 && probes.probes.len > 0)
		json_put_object(&w, "health", &health_record_object, &probes);
	json_end(&w, '}');
	return listing_print(LISTING_JSON, &out, err);
}

const struct command cmd_inspect = {
	.name = "inspect",
	.args = "SESSION",
	.summary = "tell all about a session",
	.group = GROUP_LOOK,
	.parser = { rows, array_len(rows), 0 },
	.options_size = sizeof(struct options),
	.min_words = 1, .max_words = 1,
	.completes = "session",
	.run = run,
};
