#include "cli/listing.h"
#include "cli/open.h"

#include "base/units.h"
#include "service/usage.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

enum { FIRST_MS = 500, REFRESH_MS = 1000 };

struct options { int form; bool once; };

static const struct arg_option rows[] = {
	{ 0, "once", NULL, "one table, and not one that is kept up to date", ARG_FLAG, offsetof(struct options, once) },
	LISTING_OPTION(struct options, form),
};

/*
 * One sample of those named, or of all that run. One that ended meanwhile is left out, if it was not asked for by
 * name.
 */
static int take_sample(const struct house *h, const struct arg_words *words, bool is_first, struct usage_list *ret,
                       struct err *err)
{
	_session_list_ all = { 0 };
	int r = 0;

	for (size_t i = 0; r == 0 && i < words->len; i++) {
		struct session s = { 0 };

		r = session_find(h, words->items[i], &s, err);
		if (r == 0)
			vec_push(&all, s);
	}
	if (words->len == 0)
		r = session_all(h, &all, err);
	for (size_t i = 0; r == 0 && i < all.len; i++) {
		_err_ why = ERR_INIT;
		struct usage u;

		if (words->len == 0 && !all.items[i].is_alive)
			continue;
		if (usage_ask(&all.items[i], &u, &why) == 0)
			vec_push(ret, u);
		else if (words->len > 0 && is_first)
			r = err_move(err, &why);
	}
	return r;
}

static void add_table(const struct usage_list *l, struct str *out)
{
	struct listing t;

	listing_begin(&t, "NAME|ID|CPU|MEMORY|LIMIT|PROCESSES");
	for (size_t i = 0; i < l->len; i++) {
		const struct usage *u = &l->items[i];
		_str_ memory = STR_INIT, limit = STR_INIT;

		str_add_size(&memory, u->memory_bytes);
		if (u->memory_max > 0)
			str_add_size(&limit, u->memory_max);
		listing_cell(&t, u->name);
		listing_cell(&t, u->id);
		listing_cellf(&t, "%.1f%%", u->cpu_percent);
		listing_cell(&t, memory.buf);
		listing_cell(&t, limit.buf);
		listing_cellf(&t, "%llu", (unsigned long long)u->pids);
	}
	listing_end(&t, out);
}

static void add_json(const struct usage_list *l, struct str *out)
{
	struct json_writer w = JSON_WRITER(out);

	json_begin(&w, NULL, '[');
	for (size_t i = 0; i < l->len; i++) {
		const struct usage *u = &l->items[i];

		json_begin(&w, NULL, '{');
		json_put_str(&w, "id", u->id);
		json_put_str(&w, "name", u->name);
		json_put_real(&w, "cpu_percent", u->cpu_percent);
		json_put_int(&w, "cpu_ns", (int64_t)u->cpu_ns);
		json_put_int(&w, "memory_bytes", (int64_t)u->memory_bytes);
		json_put_int(&w, "memory_max", (int64_t)u->memory_max);
		json_put_int(&w, "pids", (int64_t)u->pids);
		json_end(&w, '}');
	}
	json_end(&w, ']');
}

/* Over the last one: from the top left, each line's rest erased, and what is below. */
static int show_in_place(const struct usage_list *l, bool is_first, struct err *err)
{
	_str_ table = STR_INIT, out = STR_INIT;

	add_table(l, &table);
	str_adds(&out, is_first ? "\033[2J\033[H" : "\033[H");
	for (size_t i = 0; i < table.len; i++) {
		if (table.buf[i] == '\n')
			str_adds(&out, "\033[K");
		str_addc(&out, table.buf[i]);
	}
	str_adds(&out, "\033[J");
	return command_print(&out, err);
}

/* Whether somebody still looks after @ms. */
static bool waits(int ms)
{
	struct pollfd p = { .fd = STDOUT_FILENO };
	int r;

	do
		r = poll(&p, 1, ms);
	while (r < 0 && errno == EINTR);
	return r == 0;
}

static int run(void *options, struct arg_words *words, struct err *err)
{
	const struct options *o = options;
	const bool is_live = !o->once && o->form == LISTING_TABLE && isatty(STDOUT_FILENO);
	_usage_list_ before = { 0 };
	_house_ house = { 0 };
	int r = house_open(&house, err);

	if (r == 0)
		r = take_sample(&house, words, true, &before, err);
	for (bool is_first = true; r == 0 && (waits(is_first ? FIRST_MS : REFRESH_MS) || !is_live); is_first = false) {
		_usage_list_ now = { 0 };
		_str_ out = STR_INIT;

		r = take_sample(&house, words, false, &now, err);
		if (r < 0)
			return r;
		usage_compare(&before, &now);
		if (is_live) {
			r = show_in_place(&now, is_first, err);
		} else {
			(o->form == LISTING_JSON ? add_json : add_table)(&now, &out);
			return listing_print(o->form, &out, err);
		}
		usage_list_release(&before);
		before = now;
		now = (struct usage_list){ 0 };
	}
	return r;
}

const struct command cmd_stats = {
	.name = "stats",
	.args = "[SESSION...]",
	.summary = "show what running sessions use",
	.details = "Without a name, all that run. On a terminal the table is kept up to date until ctrl-c; in a pipe, with --once or as "
	           "JSON it is shown once. CPU is in parts of one core over the last second (over half a second when shown once).",
	.examples = "pterm stats\npterm stats -o json build | jq '.[0].memory_bytes'",
	.group = GROUP_LOOK,
	.parser = { rows, array_len(rows), 0 },
	.options_size = sizeof(struct options),
	.max_words = ANY_WORDS,
	.completes = "session",
	.run = run,
};
