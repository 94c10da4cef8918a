#include "cli/command.h"
#include "cli/listing.h"

#include "engine/engine.h"

struct options { int form; };

static const struct arg_option rows[] = { LISTING_OPTION(struct options, form) };

static void add_row(struct listing *l, const struct engine_ops *e)
{
	_str_ found = STR_INIT;
	const bool is_usable = e->probe(&found) == 1;

	listing_cell(l, e->name);
	listing_cell(l, is_usable ? "yes" : "no");
	listing_cell(l, e->summary);
	listing_cell(l, found.buf);
}

static void add_object(struct json_writer *w, const struct engine_ops *e)
{
	_str_ found = STR_INIT;
	const bool is_usable = e->probe(&found) == 1;

	json_begin(w, NULL, '{');
	json_put_str(w, "name", e->name);
	json_put_bool(w, "usable", is_usable);
	json_put_bool(w, "isolates", (e->features & ENGINE_ISOLATES) != 0);
	json_put_str(w, "summary", e->summary);
	json_put_str(w, "found", found.buf);
	json_end(w, '}');
}

static int run(void *options, struct arg_words *words, struct err *err)
{
	const struct options *o = options;
	_str_ out = STR_INIT;
	struct json_writer w = JSON_WRITER(&out);
	struct listing l;

	if (o->form == LISTING_JSON) {
		json_begin(&w, NULL, '[');
		for (size_t i = 0; engines[i] != NULL; i++)
			if (!(engines[i]->features & ENGINE_HIDDEN))
				add_object(&w, engines[i]);
		json_end(&w, ']');
		return listing_print(LISTING_JSON, &out, err);
	}
	listing_begin(&l, "NAME|USABLE|WHAT|FOUND");
	for (size_t i = 0; engines[i] != NULL; i++)
		if (!(engines[i]->features & ENGINE_HIDDEN))
			add_row(&l, engines[i]);
	listing_end(&l, &out);
	return listing_print(LISTING_TABLE, &out, err);
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
