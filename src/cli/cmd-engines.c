#include "cli/command.h"
#include "cli/listing.h"

#include "service/engines.h"

struct options { int form; };

static const struct arg_option rows[] = { LISTING_OPTION(struct options, form) };

static void add_row(struct listing *l, const struct engine_found *e)
{
	listing_cell(l, e->ops->name);
	listing_cell(l, e->is_usable ? "yes" : "no");
	listing_cell(l, e->ops->summary);
	listing_cell(l, e->found.buf);
}

static void add_all(const struct engine_list *list, enum listing_form form, struct str *out)
{
	struct json_writer w = JSON_WRITER(out);
	struct listing l;

	if (form == LISTING_JSON) {
		json_begin(&w, NULL, '[');
		for (size_t i = 0; i < list->len; i++)
			engine_json(&list->items[i], &w);
		json_end(&w, ']');
		return;
	}
	listing_begin(&l, "NAME|USABLE|WHAT|FOUND");
	for (size_t i = 0; i < list->len; i++)
		add_row(&l, &list->items[i]);
	listing_end(&l, out);
}

static int run(void *options, struct arg_words *words, struct err *err)
{
	const struct options *o = options;
	_cleanup_(engine_list_release) struct engine_list list = { 0 };
	_str_ out = STR_INIT;

	engine_list(&list);
	add_all(&list, o->form, &out);
	return listing_print(o->form, &out, err);
}

const struct command cmd_engines = {
	.name = "engines",
	.summary = "list the ways to run a session, and which can be used here",
	.details = "The first that can be used is what new takes unless --engine names another. What is missing for one that cannot be "
	           "used, and how to get it, says pterm doctor.",
	.group = GROUP_HOST,
	.parser = { rows, array_len(rows), 0 },
	.options_size = sizeof(struct options),
	.run = run,
};
