#include "cli/command.h"
#include "cli/listing.h"

#include "base/text.h"
#include "service/doctor.h"

struct doctor_options { int form; };

static void write_json(const struct diagnosis *d, struct str *out)
{
	struct json_writer w = JSON_WRITER(out);

	json_begin(&w, NULL, '{');
	json_begin(&w, "checks", '[');
	for (size_t i = 0; i < d->findings.len; i++) {
		const struct finding *f = &d->findings.items[i];

		json_begin(&w, NULL, '{');
		json_put_str(&w, "name", checks[i].name);
		json_put_str(&w, "status", check_status_names[f->status]);
		json_put_str(&w, "found", f->found.buf);
		json_put_str(&w, "fix", f->fix.len > 0 ? f->fix.buf : NULL);
		json_end(&w, '}');
	}
	json_end(&w, ']');
	json_put_bool(&w, "ok", d->count[CHECK_PROBLEM] == 0);
	json_end(&w, '}');
}

enum { STATUS_COLUMNS = 9, NAME_COLUMNS = 15, LEFT = STATUS_COLUMNS + NAME_COLUMNS };

/* @text wrapped for a terminal; whole in a pipe. */
static void write_wrapped(struct str *out, const char *text, size_t at, size_t width)
{
	text_wrap(out, text, at, LEFT, width > LEFT + 20 ? width : SIZE_MAX);
}

/* A fix is one line however long it is: it is there to be copied. */
static void write_finding(struct str *out, const struct check *c, const struct finding *f, size_t width)
{
	str_addf(out, "%-*s%-*s", STATUS_COLUMNS, check_status_names[f->status], NAME_COLUMNS, c->name);
	write_wrapped(out, f->found.buf, LEFT, width);
	if (f->status == CHECK_OK)
		return;
	text_pad(out, LEFT);
	str_adds(out, "why: ");
	write_wrapped(out, c->why, LEFT + 5, width);
	if (f->fix.len > 0) {
		text_pad(out, LEFT);
		str_addf(out, "fix: %s\n", f->fix.buf);
	}
}

static void write_table(const struct diagnosis *d, struct str *out)
{
	const size_t width = listing_width(), problems = d->count[CHECK_PROBLEM], warnings = d->count[CHECK_WARNING];

	str_addf(out, "%-*s%-*sFOUND\n", STATUS_COLUMNS, "STATUS", NAME_COLUMNS, "CHECK");
	for (size_t i = 0; i < d->findings.len; i++)
		write_finding(out, &checks[i], &d->findings.items[i], width);
	str_addf(out, "\n%zu problem%s, %zu warning%s\n", problems, problems == 1 ? "" : "s", warnings,
	         warnings == 1 ? "" : "s");
}

static int doctor_command(void *options, struct arg_words *words, struct err *err)
{
	const struct doctor_options *o = options;
	_str_ out = STR_INIT;
	struct diagnosis d;
	struct host host;
	int r;

	host_init(&host);
	doctor_run(&host, &d);
	if (o->form == LISTING_JSON)
		write_json(&d, &out);
	else
		write_table(&d, &out);
	r = listing_print(o->form, &out, err);
	if (r == 0)
		r = d.count[CHECK_PROBLEM] > 0;
	diagnosis_release(&d);
	host_release(&host);
	return r;
}

static const struct arg_option doctor_options[] = {
	LISTING_OPTION(struct doctor_options, form),
};

const struct command cmd_doctor = {
	.name = "doctor",
	.summary = "check what this host lacks for pterm, and say how to fix it",
	.details = "Every check is one row: its status (ok, warning or problem), its name and what was found. A warning means "
	           "that something of pterm cannot be used here; a problem means that sessions cannot start. Both come with "
	           "the reason and the fix.\n\n"
	           "Nothing needs to run, and nothing is changed.\n\n"
	           "The exit status is 0 when there is no problem, and 1 when there is one.",
	.examples = "pterm doctor # what is missing here\n"
	            "pterm doctor -o json | jq -r '.checks[].fix // empty' # only the fixes",
	.group = GROUP_HOST,
	.parser = { doctor_options, array_len(doctor_options) },
	.options_size = sizeof(struct doctor_options),
	.is_for_repair = true,
	.run = doctor_command,
};
