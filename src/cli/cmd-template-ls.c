#include "cli/listing.h"
#include "cli/command.h"

#include "service/describe.h"

struct options { int form; bool quiet; };

static const struct arg_option rows[] = {
	{ 'q', "quiet", NULL, "only the names", ARG_FLAG, offsetof(struct options, quiet) },
	LISTING_OPTION(struct options, form),
};

/* What the list tells about one. A template that cannot be read is listed, with the reason. */
struct line { char *image, *description; struct err err; };

static void release_line(struct line *l)
{
	free(l->image);
	free(l->description);
	err_release(&l->err);
}

static char *text_of(const struct json_node *tree, const char *key)
{
	const struct json_node *n = json_tree_get(tree, key);

	return n != NULL && n->kind == NODE_STRING ? xstrdup(n->text) : NULL;
}

static void look(const struct templates *t, const struct template_entry *e, struct line *ret)
{
	_json_tree_ *tree = template_read(&t->dirs, e->path, NULL, &ret->err);

	ret->image = text_of(tree, "image");
	ret->description = text_of(tree, "description");
}

static void add_table(const struct templates *t, const struct template_list *all, struct str *out)
{
	struct listing l;

	listing_begin(&l, "NAME|FROM|IMAGE|DESCRIPTION");
	for (size_t i = 0; i < all->items.len; i++) {
		const struct template_entry *e = &all->items.items[i];
		_cleanup_(release_line) struct line line = { 0 };

		look(t, e, &line);
		listing_cell(&l, e->name);
		listing_cell(&l, e->is_shipped ? "pterm" : "you");
		listing_cell(&l, line.image);
		listing_cell(&l, line.err.no ? err_msg(&line.err) : line.description);
	}
	listing_end(&l, out);
}

static void add_json(const struct templates *t, const struct template_list *all, struct str *out)
{
	struct json_writer w = JSON_WRITER(out);

	json_begin(&w, NULL, '[');
	for (size_t i = 0; i < all->items.len; i++) {
		const struct template_entry *e = &all->items.items[i];
		_cleanup_(release_line) struct line line = { 0 };

		look(t, e, &line);
		json_begin(&w, NULL, '{');
		json_put_str(&w, "name", e->name);
		json_put_str(&w, "path", e->path);
		json_put_bool(&w, "shipped", e->is_shipped);
		json_put_str(&w, "image", line.image);
		json_put_str(&w, "description", line.description);
		json_put_str(&w, "error", line.err.no ? err_msg(&line.err) : NULL);
		json_end(&w, '}');
	}
	json_end(&w, ']');
}

static int run(void *options, struct arg_words *words, struct err *err)
{
	const struct options *o = options;
	_cleanup_(template_list_release) struct template_list all = { 0 };
	_cleanup_(house_close) struct house house;
	_templates_ t = { 0 };
	_str_ out = STR_INIT;
	int r;

	house_find(&house);
	templates_of(&house, &t);
	r = template_list(&t.dirs, &all, err);
	if (r < 0)
		return r;
	for (size_t i = 0; o->quiet && i < all.items.len; i++)
		str_addf(&out, "%s\n", all.items.items[i].name);
	if (o->quiet)
		return command_print(&out, err);
	if (o->form == LISTING_JSON)
		add_json(&t, &all, &out);
	else
		add_table(&t, &all, &out);
	return listing_print(o->form, &out, err);
}

const struct command cmd_template_ls = {
	.name = "template ls",
	.args = "",
	.summary = "list templates, yours and those that came with pterm",
	.group = GROUP_SESSIONS,
	.parser = { rows, array_len(rows), 0 },
	.options_size = sizeof(struct options),
	.run = run,
};
