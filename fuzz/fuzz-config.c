/*
 * What people write: the JSON reader against the library's, a configuration, a template to its end, texts.
 * The first byte chooses.
 */
#include "config/config.h"
#include "config/interpolate.h"
#include "config/template.h"
#include "config/words.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const char *variable(const char *name)
{
	return name[0] == 'A' ? "a value" : NULL;
}

static const char *get(void *data, const char *name, struct err *err)
{
	return variable(name);
}

/* What we take the library takes, and what is written is read as the same. */
static void try_tree(const char *text, size_t n)
{
	_json_tree_ *tree = json_tree_parse(text, n, "f", NULL), *again = NULL, *third = NULL;
	_str_ out = STR_INIT, second = STR_INIT, last = STR_INIT, pretty = STR_INIT;

	if (tree == NULL)
		return;
	if (json_pretty(text, n, &pretty, NULL) < 0)
		abort();
	json_tree_write(tree, &out);
	again = json_tree_parse(out.buf, out.len, "f", NULL);
	if (again == NULL)
		abort();
	json_tree_write(again, &second);
	third = json_tree_parse(second.buf, second.len, "f", NULL);
	if (third == NULL)
		abort();
	json_tree_write(third, &last);
	if (!str_eq(second.buf, last.buf))       /* a fraction is rounded once, and may be a whole number then */
		abort();
}

static void try_template(const char *text, size_t n)
{
	static const struct template_context context = { .variable = variable, .user = "u", .home = "/",
	                                                 .session_id = "i", .session_name = "n" };
	_json_tree_ *tree = json_tree_parse(text, n, "f", NULL);
	_template_ t = { 0 };
	_err_ err = ERR_INIT;

	if (tree == NULL || shape_check(tree, &template_shape, SHAPE_TEMPLATE, &err) < 0)
		return;
	if (template_check(tree, &err) == 0 && template_resolve(tree, &context, &err) == 0)
		(void)template_decode(tree, "/dir/f.json", &t, &err);
}

static void try_texts(const char *text, size_t n)
{
	_free_ char *z = xstrndup(text, n);
	_strv_ words = { 0 }, names = { 0 };
	_str_ out = STR_INIT;
	_err_ err = ERR_INIT;

	(void)words_split(z, &words, &err);
	/* a default that is not needed is not looked at by the first, and is by the second */
	if (interpolate_names(z, &names, &err) == 0)
		(void)interpolate(z, get, NULL, &out, &err);
	if (out.len > 2 * INTERPOLATED_MAX)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const char *text = (const char *)data + 1;
	_err_ err = ERR_INIT;

	if (n == 0)
		return 0;
	switch (data[0] % 4) {
	case 0:
		try_tree(text, n - 1);
		break;
	case 1:
		(void)config_check_text(text, n - 1, "f", &err);
		break;
	case 2:
		try_template(text, n - 1);
		break;
	case 3:
		try_texts(text, n - 1);
	}
	return 0;
}
