#include "cli/listing.h"
#include "cli/open.h"

#include "base/units.h"
#include "service/events.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

struct options { int form; bool follow; const char *since; };

static const struct arg_option rows[] = {
	{ 'f', "follow", NULL, "go on with what happens from now on", ARG_FLAG, offsetof(struct options, follow) },
	{ 0, "since", "WHEN", "only from a time on, or from a span ago such as 10m (0s: only what is new)", ARG_STR,
	  offsetof(struct options, since) },
	LISTING_OPTION(struct options, form),
};

/* Rows have the same widths whether they come at once or one by one. */
static void add_row(struct str *out, const char *time, const char *event, const char *name, const char *details)
{
	_free_ char *shown_event = visible(event), *shown_name = visible(name), *shown = visible(details);

	str_addf(out, "%-24s  %-18s  %-16s  %s\n", time, shown_event, shown_name, shown);
}

static void add_entry(struct str *out, const struct entry *e)
{
	_str_ details = STR_INIT;

	if (e->text != NULL)
		str_adds(&details, e->text);
	else if (str_eq(e->event, "session.started"))
		str_addf(&details, "run %lld", (long long)e->number);
	else if (str_eq(e->event, "session.exited"))
		str_addf(&details, "code %lld", (long long)e->number);
	else if (str_starts(e->event, "viewer."))
		str_addf(&details, "process %lld", (long long)e->number);
	else if (e->number >= 0)
		str_addf(&details, "%lld", (long long)e->number);
	add_row(out, e->time, e->event, e->name ? e->name : e->session ? e->session : "-", details.len > 0 ? details.buf : "-");
}

static void add_json(struct str *out, const struct entry *e)
{
	_str_ text = STR_INIT;
	struct json_writer w = JSON_WRITER(&text);

	json_begin(&w, NULL, '{');
	json_put_str(&w, "time", e->time);
	json_put_str(&w, "event", e->event);
	json_put_str(&w, "session", e->session);
	json_put_str(&w, "name", e->name);
	if (e->number >= 0)
		json_put_int(&w, "number", e->number);
	json_put_str(&w, "text", e->text);
	json_end(&w, '}');
	listing_add_json(out, text.buf);
	str_addc(out, '\n');
}

static int print_new(struct events *ev, const struct options *o, uint64_t since_ms, struct err *err)
{
	_entry_list_ l = { 0 };
	_str_ out = STR_INIT;
	int r = events_take(ev, &l, err);

	for (size_t i = 0; r == 0 && i < l.len; i++)
		if (l.items[i].time_ms >= since_ms)
			(o->form == LISTING_JSON ? add_json : add_entry)(&out, &l.items[i]);
	return r < 0 || out.len == 0 ? r : command_print(&out, err);
}

/* 1: something may be new; 0: nobody reads what we print any more. */
static int await(const struct events *ev)
{
	struct pollfd p[] = { { .fd = events_fd(ev), .events = POLLIN }, { .fd = STDOUT_FILENO } };

	while (poll(p, array_len(p), -1) < 0)
		if (errno != EINTR)
			return 0;
	return (p[1].revents & (POLLERR | POLLNVAL)) == 0;
}

static int find_ids(const struct house *h, const struct arg_words *words, struct strv *ret, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < words->len; i++) {
		_session_ s = { 0 };

		r = session_find(h, words->items[i], &s, err);
		if (r == 0)
			strv_push(ret, s.id);
	}
	return r;
}

static int run(void *options, struct arg_words *words, struct err *err)
{
	_cleanup_(events_closep) struct events *ev = NULL;
	const struct options *o = options;
	_house_ house = { 0 };
	_strv_ ids = { 0 };
	uint64_t since_ms = 0;
	int r;

	if (o->since != NULL && parse_instant_ms(o->since, time_now_ms(), &since_ms) < 0) {
		_free_ char *shown = visible(o->since);

		return err_set(err, EINVAL, "bad-option", "--since: '%s' is no time such as 2026-11-22T15:04:05Z and no span such "
		               "as 10m", shown);
	}
	r = house_open(&house, err);
	if (r == 0)
		r = find_ids(&house, words, &ids, err);
	if (r == 0)
		r = events_open(&ev, &house, &ids, o->follow, err);
	if (r == 0 && o->form == LISTING_TABLE) {
		_str_ head = STR_INIT;

		add_row(&head, "TIME", "EVENT", "SESSION", "DETAILS");
		r = command_print(&head, err);
	}
	if (r == 0)
		r = print_new(ev, o, since_ms, err);
	while (r == 0 && o->follow && !events_are_over(ev) && await(ev) == 1)
		r = print_new(ev, o, since_ms, err);
	return r;
}

const struct command cmd_events = {
	.name = "events",
	.args = "[SESSION...]",
	.summary = "show what has happened to sessions",
	.details =
		"Of the sessions named, or of all that are still listed, in order of time. With -f it goes on with what happens, in new "
		"sessions too, until ctrl-c, or until the sessions named are removed.\n"
		"\n"
		"As JSON it is one object a line.",
	.examples = "pterm events --since 1h\npterm events -f --since 0s -o json # only what is new, for programs",
	.group = GROUP_LOOK,
	.parser = { rows, array_len(rows), 0 },
	.options_size = sizeof(struct options),
	.max_words = ANY_WORDS,
	.completes = "session",
	.run = run,
};
