/*
 * A tree without parameters as values in the words of `pterm new`.
 */
#include "config/template.h"

#include "base/path.h"
#include "base/units.h"

#include <errno.h>

void template_release(struct template *t)
{
	char **texts[] = { &t->name, &t->dir, &t->image, &t->working_dir, &t->network, &t->user, &t->hostname,
	                   &t->restart, &t->engine, &t->model, &t->gpu, &t->cpus, &t->build.containerfile, &t->build.context };
	struct strv *lists[] = { &t->command, &t->environment, &t->volumes, &t->ports, &t->tmpfs, &t->packages,
	                         &t->labels, &t->secrets, &t->build.arguments, &t->health.command, &t->readiness.command };

	for (size_t i = 0; i < array_len(texts); i++)
		free(*texts[i]);
	for (size_t i = 0; i < array_len(lists); i++)
		strv_release(lists[i]);
	*t = (struct template){ 0 };
}

/* --- values --- */

static char *text_of(const struct json_node *n)
{
	_str_ s = STR_INIT;

	if (n == NULL)
		return NULL;
	if (n->kind == NODE_STRING)
		return xstrdup(n->text);
	json_tree_write(n, &s);
	return str_take(&s);
}

static char *member_text(const struct json_node *map, const char *key)
{
	return text_of(json_tree_get(map, key));
}

/* shape_check has seen that it is one. A number is bytes, or seconds. */
static uint64_t member_size(const struct json_node *map, const char *key)
{
	_free_ char *text = member_text(map, key);
	uint64_t v = 0;

	return text != NULL && parse_size(text, &v) == 0 ? v : 0;
}

static uint64_t member_span(const struct json_node *map, const char *key)
{
	const struct json_node *n = json_tree_get(map, key);
	uint64_t v = 0;

	if (n != NULL && n->kind != NODE_STRING)
		return (uint64_t)(n->real * 1000);
	return n != NULL && parse_span_ms(n->text, &v) == 0 ? v : 0;
}

static uint64_t member_number(const struct json_node *map, const char *key)
{
	const struct json_node *n = json_tree_get(map, key);

	return n ? (uint64_t)n->number : 0;
}

static bool member_bool(const struct json_node *map, const char *key, bool otherwise)
{
	const struct json_node *n = json_tree_get(map, key);

	return n ? n->truth : otherwise;
}

static void take_list(const struct json_node *map, const char *key, struct strv *ret)
{
	const struct json_node *list = json_tree_get(map, key);

	for (size_t i = 0; list != NULL && i < list->items.len; i++)
		strv_take(ret, text_of(list->items.items[i]));
}

/* An object as KEY=value. */
static void take_pairs(const struct json_node *map, const char *key, struct strv *ret)
{
	const struct json_node *object = json_tree_get(map, key);

	for (size_t i = 0; object != NULL && i < object->items.len; i++) {
		_free_ char *value = text_of(object->items.items[i]);

		strv_pushf(ret, "%s=%s", object->items.items[i]->key, value);
	}
}

/* --- parts --- */

/* What a volume, tmpfs or port is about, as a part of its text: of two about the same the later holds. */
static const char *subject(const char *key, const char *text, size_t *ret_len)
{
	const char *colon = strchr(text, ':');

	if (str_eq(key, "volumes") && colon != NULL)
		text = colon + 1;
	*ret_len = strcspn(text, ":");
	return text;
}

static void drop_earlier(const char *key, struct strv *v)
{
	size_t kept = 0;

	for (size_t i = 0; i < v->len; i++) {
		size_t n, m;
		const char *mine = subject(key, v->items[i], &n);
		bool is_last = true;

		for (size_t k = i + 1; k < v->len && is_last; k++) {
			const char *other = subject(key, v->items[k], &m);

			is_last = n != m || memcmp(mine, other, n) != 0;
		}
		if (is_last)
			v->items[kept++] = v->items[i];
		else
			free(v->items[i]);
	}
	v->len = kept;
	if (v->items != NULL)
		v->items[kept] = NULL;
}

static void take_probe(const struct json_node *tree, const char *key, struct template_probe *ret)
{
	const struct json_node *p = json_tree_get(tree, key);

	if (p == NULL)
		return;
	ret->is_there = true;
	take_list(p, "command", &ret->command);
	ret->interval_ms = member_span(p, "interval");
	ret->timeout_ms = member_span(p, "timeout");
	ret->start_period_ms = member_span(p, "start_period");
	ret->retries = member_number(p, "retries");
}

static void take_build(const struct json_node *tree, struct template_build *ret)
{
	const struct json_node *b = json_tree_get(tree, "build");

	if (b == NULL)
		return;
	ret->is_there = true;
	ret->containerfile = b->kind == NODE_STRING ? xstrdup(b->text) : member_text(b, "containerfile");
	ret->context = member_text(b, "context");
	take_pairs(b, "args", &ret->arguments);
}

/* Its paths are relative to the template's file. */
static void place_build(const char *dir, struct template_build *b)
{
	char *context = path_join(dir, b->context ? b->context : ".");

	free(b->context);
	b->context = context;
	if (b->containerfile != NULL) {
		char *file = path_join(dir, b->containerfile);

		free(b->containerfile);
		b->containerfile = file;
	}
}

/* A path in a template is relative to where pterm is called, as with -v. */
static void take_secrets(const struct json_node *tree, struct strv *ret)
{
	const struct json_node *all = json_tree_get(tree, "secrets");

	for (size_t i = 0; all != NULL && i < all->items.len; i++) {
		const struct json_node *s = all->items.items[i], *file = json_tree_get(s, "file");

		if (file != NULL)
			strv_pushf(ret, "%s=%s", s->key, file->text);
		else
			strv_pushf(ret, "%s=env:%s", s->key, json_tree_get(s, "environment")->text);
	}
}

static void take_lists(const struct json_node *tree, struct template *t)
{
	take_list(tree, "command", &t->command);
	take_list(tree, "volumes", &t->volumes);
	take_list(tree, "ports", &t->ports);
	take_list(tree, "tmpfs", &t->tmpfs);
	take_list(tree, "packages", &t->packages);
	drop_earlier("volumes", &t->volumes);
	drop_earlier("ports", &t->ports);
	drop_earlier("tmpfs", &t->tmpfs);
	drop_earlier("packages", &t->packages);
	take_pairs(tree, "environment", &t->environment);
	take_pairs(tree, "labels", &t->labels);
	take_secrets(tree, &t->secrets);
}

static char *name_of(const struct json_node *tree, const char *path)
{
	const char *base = path_base(path), *dot = strstr(base, ".json");
	char *name = member_text(tree, "name");

	return name ? name : dot ? xstrndup(base, (size_t)(dot - base)) : xstrdup(base);
}

int template_decode(const struct json_node *tree, const char *path, struct template *t, struct err *err)
{
	const struct json_node *limits = json_tree_get(tree, "limits"), *gpu = json_tree_get(tree, "gpu"),
	                       *privileged = json_tree_get(tree, "privileged"),
	                       *command = json_tree_get(tree, "command");

	if (privileged != NULL && privileged->truth)
		return json_at_error(&privileged->at, err,
		                     "'privileged' is refused: a container that may do everything confines "
		                     "nothing");
	if (command != NULL && command->items.len == 0)
		return json_at_error(&command->at, err, "'command' is empty: leave it out for the user's shell");
	*t = (struct template){
		.name = name_of(tree, path), .dir = xstrndup(path, (size_t)(path_base(path) - path)),
		.image = member_text(tree, "image"), .working_dir = member_text(tree, "working_dir"),
		.network = member_text(tree, "network"), .user = member_text(tree, "user"),
		.hostname = member_text(tree, "hostname"), .restart = member_text(tree, "restart"),
		.engine = member_text(tree, "engine"), .model = member_text(tree, "model"),
		.cpus = member_text(limits, "cpus"), .memory_bytes = member_size(limits, "memory"),
		.pids = member_number(limits, "pids"), .is_background = !member_bool(tree, "interactive", true),
		.readonly = member_bool(tree, "readonly", false),
	};
	if (gpu != NULL && !(gpu->kind == NODE_BOOL && !gpu->truth))
		t->gpu = text_of(gpu);
	take_lists(tree, t);
	take_build(tree, &t->build);
	if (t->build.is_there)
		place_build(t->dir, &t->build);
	take_probe(tree, "health", &t->health);
	take_probe(tree, "readiness", &t->readiness);
	return 0;
}
