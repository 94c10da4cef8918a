#include "cli/command.h"
#include "cli/listing.h"
#include "cli/settings.h"

#include "base/units.h"
#include "service/gc.h"

#include <errno.h>
#include <stdio.h>

struct options { const char *keep_for, *keep, *max_disk; bool dry_run; int form; };

static const struct arg_option rows[] = {
	{ 0, "keep-for", "SPAN", "remove sessions that ended longer ago, such as 7d", ARG_STR,
	  offsetof(struct options, keep_for) },
	{ 0, "keep", "N", "remove all but the N ended sessions that ended last", ARG_STR, offsetof(struct options, keep) },
	{ 0, "max-disk", "SIZE", "remove the oldest until all ended ones together take no more, such as 2g", ARG_STR,
	  offsetof(struct options, max_disk) },
	{ 'n', "dry-run", NULL, "only say what would be done", ARG_FLAG, offsetof(struct options, dry_run) },
	LISTING_OPTION(struct options, form),
};

static int bad(const char *option, const char *value, const char *wanted, struct err *err)
{
	_free_ char *shown = visible(value);

	return err_set(err, EINVAL, "bad-option", "%s: '%s' is no %s", option, shown, wanted);
}

/* The policy of gc.* where no option says another. */
static void use_config(const struct config *c, struct gc_policy *ret)
{
	*ret = (struct gc_policy){
		.has_keep_for = config_text(c, OPTION_gc_keep_for) != NULL, .has_keep = config_text(c, OPTION_gc_keep) != NULL,
		.has_max_disk = config_text(c, OPTION_gc_max_disk) != NULL,
		.keep_for_ms = (uint64_t)config_number(c, OPTION_gc_keep_for, 0),
		.keep = (uint64_t)config_number(c, OPTION_gc_keep, 0),
		.max_disk = (uint64_t)config_number(c, OPTION_gc_max_disk, 0),
	};
}

static int read_policy(const struct options *o, struct gc_policy *ret, struct err *err)
{
	use_config(settings(), ret);
	ret->is_dry_run = o->dry_run;
	ret->has_keep_for |= o->keep_for != NULL;
	ret->has_keep |= o->keep != NULL;
	ret->has_max_disk |= o->max_disk != NULL;
	if (o->keep_for != NULL && parse_span_ms(o->keep_for, &ret->keep_for_ms) < 0)
		return bad("--keep-for", o->keep_for, "span of time such as 90s, 2h or 7d", err);
	if (o->keep != NULL && parse_uint(o->keep, 0, INT64_MAX, &ret->keep) < 0)
		return bad("--keep", o->keep, "number", err);
	if (o->max_disk != NULL && parse_size(o->max_disk, &ret->max_disk) < 0)
		return bad("--max-disk", o->max_disk, "size such as 500m or 2g", err);
	return 0;
}

static const char *done(const struct gc_deed *d, bool is_dry_run)
{
	if (d->failure != NULL)
		return "failed";
	if (d->kind == GC_LOST)
		return "settled";
	if (d->kind == GC_REST)
		return "finished";
	return is_dry_run ? "would remove" : "removed";
}

static void add_table(const struct gc_report *r, bool is_dry_run, struct str *out)
{
	struct listing l;

	listing_begin(&l, "DONE|WHAT|NAME|WHY|SIZE");
	for (size_t i = 0; i < r->deeds.len; i++) {
		const struct gc_deed *d = &r->deeds.items[i];
		_str_ size = STR_INIT;

		if (d->bytes > 0)
			str_add_size(&size, d->bytes);
		listing_cell(&l, done(d, is_dry_run));
		listing_cell(&l, gc_kinds[d->kind]);
		listing_cell(&l, d->name);
		listing_cell(&l, d->why);
		listing_cell(&l, size.buf);
	}
	listing_end(&l, out);
}

static void add_json(const struct gc_report *r, bool is_dry_run, struct str *out)
{
	struct json_writer w = JSON_WRITER(out);

	json_begin(&w, NULL, '[');
	for (size_t i = 0; i < r->deeds.len; i++) {
		const struct gc_deed *d = &r->deeds.items[i];

		json_begin(&w, NULL, '{');
		json_put_str(&w, "done", done(d, is_dry_run));
		json_put_str(&w, "what", gc_kinds[d->kind]);
		json_put_str(&w, "name", d->name);
		json_put_str(&w, "why", d->why);
		json_put_int(&w, "bytes", (int64_t)d->bytes);
		json_put_str(&w, "failure", d->failure);
		json_end(&w, '}');
	}
	json_end(&w, ']');
}

static void tell_failures(const struct gc_report *r)
{
	for (size_t i = 0; i < r->deeds.len; i++) {
		const struct gc_deed *d = &r->deeds.items[i];

		if (d->failure != NULL) {
			_free_ char *name = visible(d->name), *why = visible(d->failure);

			fprintf(stderr, "pterm gc: cannot remove '%s': %s\n", name, why);
		}
	}
}

static int run(void *options, struct arg_words *words, struct err *err)
{
	const struct options *o = options;
	struct gc_report report = { 0 };
	struct gc_policy policy;
	_house_ house = { 0 };
	_str_ out = STR_INIT;
	int r = read_policy(o, &policy, err);

	if (r == 0)
		r = house_open(&house, err);
	if (r == 0)
		r = gc_run(&house, &policy, &report, err);
	if (r < 0)
		return r;
	if (o->form == LISTING_JSON)
		add_json(&report, o->dry_run, &out);
	else if (report.deeds.len > 0)
		add_table(&report, o->dry_run, &out);
	else
		str_adds(&out, "nothing to do\n");
	r = listing_print(o->form, &out, err);
	tell_failures(&report);
	if (r == 0 && report.failures > 0)
		r = EXIT_PTERM;
	gc_report_release(&report);
	return r;
}

const struct command cmd_gc = {
	.name = "gc",
	.args = "",
	.summary = "clear away what was cut short, and ended sessions by a policy",
	.details =
		"The options here win over gc.* in the configuration. Without a policy no session is removed: only "
		"what crashes left is finished (removals and starts that were cut short, names without a session), "
		"and sessions whose supervisor was killed are told so. It is safe at any time: nothing that runs is "
		"touched, and no session of another machine. What was cut short is finished by every listing, with "
		"--dry-run too.\n"
		"\n"
		"With several limits a session stays if all of them let it.",
	.examples =
		"pterm gc --keep-for 7d --keep 100 # from cron\n"
		"pterm gc --max-disk 2g --dry-run # what would that remove?",
	.group = GROUP_HOST,
	.parser = { rows, array_len(rows), 0 },
	.options_size = sizeof(struct options),
	.run = run,
};
