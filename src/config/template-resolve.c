/*
 * Parameters: where their values come from, and what a text with them is then. Command lines are divided into words
 * before, so that a value is never more than a part of one word.
 */
#include "config/template.h"

#include "base/near.h"
#include "config/interpolate.h"
#include "config/words.h"

#include <errno.h>

struct resolving {
	const struct template_context *c;
	bool may_name_session;           /* the value is used after the session was made */
	const char *key;                 /* of the template, for errors */
};

/* Values under these keys are used when the session has its name. */
static bool knows_session(const char *key)
{
	static const char *const keys[] = { "command", "environment", "hostname", "labels", "working_dir", "health",
	                                    "readiness" };

	for (size_t i = 0; i < array_len(keys); i++)
		if (str_eq(keys[i], key))
			return true;
	return false;
}

static const char *setting(const struct strv *settings, const char *name)
{
	const size_t n = strlen(name);

	for (size_t i = settings ? settings->len : 0; i-- > 0;)          /* the last one counts */
		if (strncmp(settings->items[i], name, n) == 0 && settings->items[i][n] == '=')
			return settings->items[i] + n + 1;
	return NULL;
}

static const char *own_parameter(const struct resolving *r, const char *name, struct err *err)
{
	const struct { const char *name, *value; bool is_of_session; } known[] = {
		{ "session.id", r->c->session_id, true }, { "session.name", r->c->session_name, true },
		{ "user.name", r->c->user, false }, { "user.home", r->c->home, false },
	};

	for (size_t i = 0; i < array_len(known); i++) {
		if (!str_eq(known[i].name, name))
			continue;
		if (known[i].is_of_session && !r->may_name_session)
			err_set(err, EINVAL, "bad-parameter",
			        "'%s' is needed before there is a session, so it cannot hold ${%s}: use "
			        "it in command, environment, hostname, labels or working_dir", r->key, name);
		return known[i].value;
	}
	err_set(err, EINVAL, "bad-parameter",
	        "there is no parameter '%s': with a dot there are session.id, session.name, "
	        "user.name and user.home", name);
	return NULL;
}

static const char *get(void *data, const char *name, struct err *err)
{
	const struct resolving *r = data;
	const char *value;

	if (strchr(name, '.') != NULL)
		return own_parameter(r, name, err);
	value = setting(r->c->settings, name);
	return value ? value : r->c->variable(name);
}

/* What a text became may be a number or true where no text can stand. */
static void read_scalar(struct json_node *n, const struct shape *s)
{
	_json_tree_ *read = NULL;

	if (!shape_is_scalar(s) || shape_takes(s, n->text))
		return;
	read = json_tree_parse(n->text, strlen(n->text), n->at.file, NULL);
	if (read == NULL || (read->kind != NODE_BOOL && read->kind != NODE_INT && read->kind != NODE_REAL))
		return;
	free(n->text);
	n->text = NULL;
	n->kind = read->kind;
	n->truth = read->truth;
	n->number = read->number;
	n->real = read->real;
}

static int resolve_text(struct json_node *n, const struct shape *s, struct resolving *r, struct err *err)
{
	_str_ out = STR_INIT;
	_err_ why = ERR_INIT;

	if (strstr(n->text, "${") == NULL)
		return 0;
	if (interpolate(n->text, get, r, &out, &why) < 0)
		return json_at_error(&n->at, err, "%s", err_msg(&why));
	free(n->text);
	n->text = xstrndup(out.buf, out.len);
	read_scalar(n, s);
	return 0;
}

static const struct shape *member_shape(const struct shape *s, const struct json_node *n,
                                        const struct json_node *member)
{
	if (s->type == SHAPE_EITHER)             /* of two alternatives one is a scalar, or neither a list nor an object */
		s = shape_is_scalar(s->of) ? s->other : s->of;
	if (s->type == SHAPE_OBJECT)
		return shape_field(s, member->key)->shape;
	return s->of;
}

static int resolve_node(struct json_node *n, const struct shape *s, struct resolving *r, struct err *err)
{
	int e = 0;

	if (n->kind == NODE_STRING)
		return resolve_text(n, s, r, err);
	for (size_t i = 0; i < n->items.len && e == 0; i++)
		e = resolve_node(n->items.items[i], member_shape(s, n, n->items.items[i]), r, err);
	return e;
}

/* A command line as the list of its words, each at the place of the line. */
static int divide(struct json_node *command, struct err *err)
{
	_strv_ words = { 0 };
	_err_ why = ERR_INIT;

	if (command == NULL || command->kind != NODE_STRING)
		return 0;
	if (words_split(command->text, &words, &why) < 0)
		return json_at_error(&command->at, err, "'command': %s", err_msg(&why));
	free(command->text);
	command->text = NULL;
	command->kind = NODE_LIST;
	for (size_t i = 0; i < words.len; i++) {
		struct json_node *word = xcalloc(1, sizeof(*word));

		*word = (struct json_node){ .kind = NODE_STRING, .at = command->at, .text = xstrdup(words.items[i]) };
		vec_push(&command->items, word);
	}
	return 0;
}

static int check_settings(const struct json_node *tree, const struct strv *settings, struct err *err)
{
	_strv_ names = { 0 };

	template_parameters(tree, &names);
	for (size_t i = 0; settings != NULL && i < settings->len; i++) {
		const size_t n = strcspn(settings->items[i], "=");
		_free_ char *name = xstrndup(settings->items[i], n), *shown = visible(name);
		struct near near = near_to(name);
		bool is_known = false;

		if (settings->items[i][n] != '=' || n == 0)
			return err_set(err, EINVAL, "bad-option", "--set: '%s' is no KEY=VALUE", shown);
		if (strchr(name, '.') != NULL)
			return err_set(err, EINVAL, "bad-option", "--set: '%s' is given by pterm, and cannot be set",
			               shown);
		for (size_t k = 0; k < names.len; k++) {
			is_known |= str_eq(names.items[k], name);
			near_offer(&near, names.items[k]);
		}
		if (!is_known)
			return err_set(err, EINVAL, "bad-option", "--set: the template has no parameter '%s'%s%s%s",
			               shown, near.best ? ": did you mean '" : "",
			               near.best ? near.best : "", near.best ? "'?" : "");
	}
	return 0;
}

int template_resolve(struct json_node *tree, const struct template_context *c, struct err *err)
{
	static const char *const probes[] = { "health", "readiness" };
	int e = check_settings(tree, c->settings, err);

	if (e == 0)
		e = divide(json_tree_get(tree, "command"), err);
	for (size_t i = 0; i < array_len(probes) && e == 0; i++)
		e = divide(json_tree_get(json_tree_get(tree, probes[i]), "command"), err);
	for (size_t i = 0; i < tree->items.len && e == 0; i++) {
		struct json_node *n = tree->items.items[i];
		struct resolving r = { .c = c, .may_name_session = knows_session(n->key), .key = n->key };

		e = resolve_node(n, shape_field(&template_shape, n->key)->shape, &r, err);
	}
	return e < 0 ? e : shape_check(tree, &template_shape, SHAPE_PLAIN, err);
}
