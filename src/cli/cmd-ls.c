#include "cli/listing.h"
#include "cli/open.h"

#include "base/units.h"

struct options { int form; bool quiet, running; struct strv labels; };

static const struct arg_option rows[] = {
	LISTING_OPTION(struct options, form),
	{ 'q', "quiet", NULL, "only the names", ARG_FLAG, offsetof(struct options, quiet) },
	{ 0, "running", NULL, "only those that run", ARG_FLAG, offsetof(struct options, running) },
	{ 'l', "label", "KEY[=VALUE]", "only those with this label; all of several", ARG_STRV,
	  offsetof(struct options, labels) },
};

static bool has_label(const struct session *s, const char *wanted)
{
	const size_t n = strlen(wanted);
	const bool with_value = strchr(wanted, '=') != NULL;

	for (size_t i = 0; i < s->status.labels.len; i++) {
		const char *label = s->status.labels.items[i];

		if (with_value ? str_eq(label, wanted) : strncmp(label, wanted, n) == 0 && label[n] == '=')
			return true;
	}
	return false;
}

static bool is_wanted(const struct options *o, const struct session *s)
{
	for (size_t i = 0; i < o->labels.len; i++)
		if (!has_label(s, o->labels.items[i]))
			return false;
	return !o->running || s->is_alive;
}

static void add_row(struct listing *l, const struct session *s, uint64_t now)
{
	_str_ state = STR_INIT, age = STR_INIT;

	if (s->is_foreign)
		str_addf(&state, "on another machine (%s)", s->status.machine_id);
	else if (s->is_broken)
		str_adds(&state, "broken: its status cannot be read");
	else
		status_describe(&s->status, &state);
	str_add_span(&age, now > (uint64_t)s->status.created_ms ? now - (uint64_t)s->status.created_ms : 0);
	listing_cell(l, s->status.name);
	listing_cell(l, s->id);
	listing_cell(l, state.buf);
	listing_cell(l, age.buf);
	listing_cell(l, s->status.has_container || s->status.engine == NULL ? s->status.image : "no container");
	listing_cell(l, s->status.command);
}

static void add_table(const struct session_list *all, const struct options *o, struct str *out)
{
	const uint64_t now = time_now_ms();
	struct listing l;

	listing_begin(&l, "NAME|ID|STATE|AGE|IMAGE|COMMAND");
	for (size_t i = 0; i < all->len; i++)
		if (is_wanted(o, &all->items[i]))
			add_row(&l, &all->items[i], now);
	listing_end(&l, out);
}

static void add_json(const struct session_list *all, const struct options *o, struct str *out)
{
	struct json_writer w = JSON_WRITER(out);

	json_begin(&w, NULL, '[');
	for (size_t i = 0; i < all->len; i++)
		if (is_wanted(o, &all->items[i]))
			json_put_object(&w, NULL, &status_object, &all->items[i].status);
	json_end(&w, ']');
}

static int run(void *options, struct arg_words *words, struct err *err)
{
	const struct options *o = options;
	_house_ house = { 0 };
	_session_list_ all = { 0 };
	_str_ out = STR_INIT;
	int r = house_open(&house, err);

	if (r == 0)
		r = session_all(&house, &all, err);
	if (r < 0)
		return r;
	if (o->quiet) {
		for (size_t i = 0; i < all.len; i++)
			if (is_wanted(o, &all.items[i]))
				str_addf(&out, "%s\n", all.items[i].status.name);
		return command_print(&out, err);
	}
	if (o->form == LISTING_JSON)
		add_json(&all, o, &out);
	else
		add_table(&all, o, &out);
	return listing_print(o->form, &out, err);
}

const struct command cmd_ls = {
	.name = "ls",
	.args = "",
	.summary = "list sessions",
	.examples = "pterm ls\npterm ls -o json # for programs",
	.group = GROUP_LOOK,
	.parser = { rows, array_len(rows), 0 },
	.options_size = sizeof(struct options),
	.run = run,
};
