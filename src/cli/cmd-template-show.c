#include "cli/command.h"
#include "cli/listing.h"

#include "service/describe.h"
#include "service/session.h"

#include <errno.h>

struct options { struct strv set; bool resolved, parameters; };

static const struct arg_option rows[] = {
	{ 0, "resolved", NULL, "with its parameters replaced, as pterm new would", ARG_FLAG,
	  offsetof(struct options, resolved) },
	{ 0, "set", "KEY=VALUE", "a parameter, for --resolved", ARG_STRV, offsetof(struct options, set) },
	{ 0, "parameters", NULL, "only the names of its parameters", ARG_FLAG, offsetof(struct options, parameters) },
};

/* Values that a shown template cannot have stand there as their parameters. */
static int resolve(struct json_node *tree, const struct strv *settings, struct err *err)
{
	const struct template_context context = { .settings = settings, .variable = config_getenv,
	                                          .user = session_actor(),
	                                          .home = getenv("HOME") ? getenv("HOME") : "/",
	                                          .session_id = "${session.id}", .session_name = "${session.name}" };

	return template_resolve(tree, &context, err);
}

static int run(void *options, struct arg_words *words, struct err *err)
{
	const struct options *o = options;
	_cleanup_(house_close) struct house house;
	_templates_ t = { 0 };
	_json_tree_ *tree = NULL;
	_strv_ names = { 0 };
	_str_ text = STR_INIT;
	int r = 0;

	house_find(&house);
	templates_of(&house, &t);
	tree = template_read(&t.dirs, words->items[0], NULL, err);
	if (tree == NULL)
		return err->no ? -err->no : -EINVAL;
	if (o->parameters) {
		template_parameters(tree, &names);
		for (size_t i = 0; i < names.len; i++)
			str_addf(&text, "%s\n", names.items[i]);
		return command_print(&text, err);
	}
	if (o->resolved || o->set.len > 0)
		r = resolve(tree, &o->set, err);
	json_tree_write(tree, &text);
	return r < 0 ? r : listing_print_pretty(&text, err);
}

const struct command cmd_template_show = {
	.name = "template show",
	.args = "TEMPLATE",
	.summary = "show a template with all that it extends",
	.examples = "pterm template show python-dev --set VERSION=3.12 # as pterm new would see it",
	.group = GROUP_SESSIONS,
	.parser = { rows, array_len(rows), 0 },
	.options_size = sizeof(struct options),
	.min_words = 1, .max_words = 1,
	.completes = "names:templates",
	.run = run,
};
