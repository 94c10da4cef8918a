#include "cli/listing.h"
#include "cli/settings.h"

#include "cli/command.h"

struct options { int form; bool origin; };

static const struct arg_option rows[] = {
	{ 0, "origin", NULL, "tell where each value was said", ARG_FLAG, offsetof(struct options, origin) },
	LISTING_OPTION(struct options, form),
};

static void add_table(const struct config *c, bool origin, struct str *out)
{
	struct listing l;

	listing_begin(&l, origin ? "OPTION|VALUE|FROM" : "OPTION|VALUE");
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		const struct config_value *v = &c->values[i];

		listing_cell(&l, config_options[i].key);
		listing_cell(&l, v->text);
		if (origin)
			listing_cell(&l, v->origin ? v->origin : v->source == SOURCE_DEFAULT ? "default" : NULL);
	}
	listing_end(&l, out);
}

/* A value as JSON: whether 512m is a text or a number is not told by how it was said. */
static void put_value(struct json_writer *w, const struct option *o, const struct config_value *v)
{
	const enum shape_type type = o->shape->type;

	if (type == SHAPE_BOOL)
		json_put_bool(w, "value", v->number != 0);
	else if (type == SHAPE_INT)
		json_put_int(w, "value", v->number);
	else if (type == SHAPE_NUMBER)
		json_put_real(w, "value", v->real);
	else
		json_put_str(w, "value", v->text);
}

static void add_json(const struct config *c, struct str *out)
{
	struct json_writer w = JSON_WRITER(out);

	json_begin(&w, NULL, '[');
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		json_begin(&w, NULL, '{');
		json_put_str(&w, "option", config_options[i].key);
		if (c->values[i].text != NULL)
			put_value(&w, &config_options[i], &c->values[i]);
		json_put_str(&w, "source", config_sources[c->values[i].source]);
		json_put_str(&w, "origin", c->values[i].origin);
		json_put_str(&w, "variable", config_options[i].variable);
		json_end(&w, '}');
	}
	json_end(&w, ']');
}

static int run(void *options, struct arg_words *words, struct err *err)
{
	const struct options *o = options;
	_str_ out = STR_INIT;

	if (o->form == LISTING_JSON)
		add_json(settings(), &out);
	else
		add_table(settings(), o->origin, &out);
	return listing_print(o->form, &out, err);
}

const struct command cmd_config_show = {
	.name = "config show",
	.args = "",
	.summary = "show every option with its value",
	.group = GROUP_HOST,
	.parser = { rows, array_len(rows), 0 },
	.options_size = sizeof(struct options),
	.run = run,
};
