#include "cli/command.h"

#include "service/describe.h"

/* One line: "NAME: ok", or what is wrong. True: it is right. */
static bool check_one(const struct templates *t, const char *ref, struct str *out)
{
	_err_ err = ERR_INIT;
	_json_tree_ *tree = template_read(&t->dirs, ref, NULL, &err);
	_free_ char *shown = visible(tree ? ref : err_msg(&err));

	str_addf(out, "%s%s\n", shown, tree ? ": ok" : "");
	return tree != NULL;
}

static int run(void *options, struct arg_words *words, struct err *err)
{
	_cleanup_(template_list_release) struct template_list all = { 0 };
	_cleanup_(house_close) struct house house;
	_templates_ t = { 0 };
	_str_ out = STR_INIT;
	bool ok = true;
	int r = 0;

	house_find(&house);
	templates_of(&house, &t);
	for (size_t i = 0; i < words->len; i++)
		ok &= check_one(&t, words->items[i], &out);
	if (words->len == 0)
		r = template_list(&t.dirs, &all, err);
	for (size_t i = 0; i < all.items.len; i++)
		ok &= check_one(&t, all.items.items[i].name, &out);
	if (r == 0)
		r = command_print(&out, err);
	return r < 0 ? r : !ok;
}

const struct command cmd_template_check = {
	.name = "template check",
	.args = "[TEMPLATE...]",
	.summary = "check templates, or all of them",
	.details =
		"What is wrong is told with file, line, column, the key and what was expected, and the exit code is "
		"1. Values of parameters are not looked at: they are known when a session is made.",
	.group = GROUP_SESSIONS,
	.max_words = ANY_WORDS,
	.completes = "names:templates",
	.run = run,
};
