/*
 * From files to one tree: finding templates, and putting one above what it extends. What then becomes of the tree is in
 * template-resolve.c and template-decode.c.
 */
#include "config/template.h"

#include "base/fd.h"
#include "base/near.h"
#include "base/path.h"
#include "config/interpolate.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>

enum { NAME_MAX_LEN = 63 };

/* --- where they are --- */

int template_name_check(const char *name, struct err *err)
{
	if (shape_takes(shape_field(&template_shape, "name")->shape, name))
		return 0;
	_free_ char *shown = visible(name);
	return err_set(err, EINVAL, "bad-name",
	               "'%s' cannot be a template's name: use 1 to %d letters, digits, '.', '_' and '-', "
	               "a letter or digit first", shown, NAME_MAX_LEN);
}

static bool has_entry(const struct template_list *l, const char *name)
{
	for (size_t i = 0; i < l->items.len; i++)
		if (str_eq(l->items.items[i].name, name))
			return true;
	return false;
}

static int add_dir(const char *path, bool is_shipped, struct template_list *ret, struct err *err)
{
	DIR *dir = opendir(path);

	if (dir == NULL)
		return errno == ENOENT ? 0 : err_set(err, errno, "templates", "cannot read '%s': %m", path);
	for (struct dirent *e; (e = readdir(dir)) != NULL;) {
		const size_t n = strlen(e->d_name);
		_free_ char *name = n > 5 && str_eq(e->d_name + n - 5, ".json") ? xstrndup(e->d_name, n - 5) : NULL;

		if (name == NULL || template_name_check(name, NULL) < 0 || has_entry(ret, name))
			continue;
		const struct template_entry entry = { .name = TAKE(name), .path = path_join(path, e->d_name),
		                                      .is_shipped = is_shipped };

		vec_push(&ret->items, entry);
	}
	closedir(dir);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct template_entry *)a)->name, ((const struct template_entry *)b)->name);
}

int template_list(const struct template_dirs *dirs, struct template_list *ret, struct err *err)
{
	int r = add_dir(dirs->own, false, ret, err);

	if (r == 0)
		r = add_dir(dirs->shipped, true, ret, err);
	if (r == 0 && ret->items.len > 0)
		qsort(ret->items.items, ret->items.len, sizeof(ret->items.items[0]), by_name);
	return r;
}

void template_list_release(struct template_list *l)
{
	for (size_t i = 0; i < l->items.len; i++) {
		free(l->items.items[i].name);
		free(l->items.items[i].path);
	}
	vec_release(&l->items);
}

static int no_such(const struct template_dirs *dirs, const char *name, struct err *err)
{
	_cleanup_(template_list_release) struct template_list all = { 0 };
	struct near near = near_to(name);

	(void)template_list(dirs, &all, NULL);
	for (size_t i = 0; i < all.items.len; i++)
		near_offer(&near, all.items.items[i].name);
	return err_set(err, ENOENT, "no-such-template", "there is no template '%s': %s%s%s", name,
	               near.best ? "did you mean '" : "pterm template ls shows what there is",
	               near.best ? near.best : "", near.best ? "'?" : "");
}

static char *find_in(const char *dir, const char *name)
{
	_free_ char *path = xasprintf("%s/%s.json", dir, name);

	return path_exists(AT_FDCWD, path) ? TAKE(path) : NULL;
}

char *template_find(const struct template_dirs *dirs, const char *ref, struct err *err)
{
	char *path;

	if (strchr(ref, '/') != NULL) {
		_free_ char *shown = visible(ref);

		if (path_exists(AT_FDCWD, ref))
			return xstrdup(ref);
		err_set(err, ENOENT, "no-such-template", "there is no template in a file '%s'", shown);
		return NULL;
	}
	if (template_name_check(ref, err) < 0)
		return NULL;
	path = find_in(dirs->own, ref);
	if (path == NULL)
		path = find_in(dirs->shipped, ref);
	if (path == NULL)
		(void)no_such(dirs, ref, err);
	return path;
}

/* The file of what @path extends. An own template may extend the shipped one of its name. */
static char *find_extended(const struct template_dirs *dirs, const char *path, const struct json_node *extends,
                           struct err *err)
{
	const char *ref = extends->text;
	_free_ char *dir = xstrndup(path, (size_t)(path_base(path) - path));
	_free_ char *beside = ref[0] == '/' ? xstrdup(ref) : xasprintf("%s%s", dir, ref), *found = NULL;
	_err_ why = ERR_INIT;

	if (strchr(ref, '/') != NULL) {
		found = path_exists(AT_FDCWD, beside) ? TAKE(beside) : NULL;
		if (found == NULL)
			err_set(&why, ENOENT, "no-such-template", "there is no template in a file '%s'", beside);
	} else {
		found = template_find(dirs, ref, &why);
		if (found != NULL && str_eq(found, path)) {
			char *shipped = find_in(dirs->shipped, ref);

			if (shipped != NULL) {
				free(found);
				found = shipped;
			}
		}
	}
	if (found == NULL)
		json_at_error(&extends->at, err, "'extends': %s", err_msg(&why));
	return TAKE(found);
}

/* --- one above another --- */

/* In the place of the one that it replaces, where there is one. */
static void put_member(struct json_node *map, struct json_node *value)
{
	for (size_t i = 0; i < map->items.len; i++) {
		if (!str_eq(map->items.items[i]->key, value->key))
			continue;
		json_tree_free(map->items.items[i]);
		map->items.items[i] = value;
		return;
	}
	vec_push(&map->items, value);
}

/* @own over @base, which becomes both; consumes @own. */
static void merge_maps(struct json_node *base, struct json_node *own, bool is_top)
{
	for (size_t i = 0; i < own->items.len; i++) {
		struct json_node *value = own->items.items[i], *below = json_tree_get(base, value->key);

		if (value->kind == NODE_NULL) {
			json_tree_free(json_tree_take(base, value->key));
			json_tree_free(value);
		} else if (below != NULL && below->kind == NODE_MAP && value->kind == NODE_MAP) {
			merge_maps(below, value, false);
		} else if (below != NULL && below->kind == NODE_LIST && value->kind == NODE_LIST && is_top &&
		           template_joins(value->key)) {
			for (size_t k = 0; k < value->items.len; k++)
				vec_push(&below->items, value->items.items[k]);
			value->items.len = 0;
			json_tree_free(value);
		} else {
			put_member(base, value);
		}
	}
	own->items.len = 0;
	json_tree_free(own);
}

/* Names of files in trees live as long as the process: there are few, and a tree does not own them. */
static const char *keep_name(const char *path)
{
	static struct strv kept;

	for (size_t i = 0; i < kept.len; i++)
		if (str_eq(kept.items[i], path))
			return kept.items[i];
	strv_push(&kept, path);
	return kept.items[kept.len - 1];
}

static int circle(const struct strv *chain, const char *path, const struct json_at *at, struct err *err)
{
	_str_ text = STR_INIT;

	for (size_t i = 0; i < chain->len; i++)
		str_addf(&text, "%s extends ", path_base(chain->items[i]));
	str_adds(&text, path_base(path));
	return json_at_error(at, err, "'extends': templates go round in a circle: %s", text.buf);
}

static int check_chain(const struct strv *chain, const char *path, const struct json_at *at, struct err *err)
{
	for (size_t i = 0; i < chain->len; i++)
		if (str_eq(chain->items[i], path))
			return circle(chain, path, at, err);
	return chain->len < TEMPLATE_CHAIN_MAX ? 0 :
	       json_at_error(at, err, "'extends': more than %d templates extend each other", TEMPLATE_CHAIN_MAX);
}

/* Two spellings of a path must not hide a circle. */
static char *real_path(const char *path)
{
	char *real = realpath(path, NULL);

	return real ? real : xstrdup(path);
}

static struct json_node *read_merged(const struct template_dirs *dirs, const char *path, struct strv *chain,
                                     struct err *err)
{
	_free_ char *real = real_path(path);
	_json_tree_ *own = json_tree_read(AT_FDCWD, path, keep_name(path), err), *extends = NULL, *base = NULL;
	_free_ char *below = NULL, *below_real = NULL;

	if (own == NULL || shape_check(own, &template_shape, SHAPE_TEMPLATE, err) < 0)
		return NULL;
	strv_push(chain, real);
	extends = json_tree_take(own, "extends");
	if (extends == NULL || extends->kind != NODE_STRING)
		return TAKE(own);
	if (strstr(extends->text, "${") != NULL) {
		json_at_error(&extends->at, err, "'extends' can hold no parameters");
		return NULL;
	}
	below = find_extended(dirs, path, extends, err);
	if (below == NULL)
		return NULL;
	below_real = real_path(below);
	if (check_chain(chain, below_real, &extends->at, err) < 0)
		return NULL;
	base = read_merged(dirs, below, chain, err);
	if (base == NULL)
		return NULL;
	/* what a template is called and says of itself is its own */
	json_tree_free(json_tree_take(base, "name"));
	json_tree_free(json_tree_take(base, "description"));
	merge_maps(base, TAKE(own), true);
	return TAKE(base);
}

/* --- what must hold of the whole --- */

static int check_texts(const struct json_node *n, struct strv *names, struct err *err)
{
	_err_ why = ERR_INIT;
	int r = 0;

	if (n->kind == NODE_STRING && interpolate_names(n->text, names, &why) < 0)
		return json_at_error(&n->at, err, "%s", err_msg(&why));
	for (size_t i = 0; i < n->items.len && r == 0; i++)
		r = check_texts(n->items.items[i], names, err);
	return r;
}

void template_parameters(const struct json_node *tree, struct strv *ret)
{
	(void)check_texts(tree, ret, NULL);
}

/* Null in a template that extends nothing takes nothing away. */
static void drop_nulls(struct json_node *n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n->items.len; i++) {
		struct json_node *item = n->items.items[i];

		if (n->kind == NODE_MAP && item->kind == NODE_NULL) {
			json_tree_free(item);
			continue;
		}
		drop_nulls(item);
		n->items.items[kept++] = item;
	}
	n->items.len = kept;
}

static int check_secrets(const struct json_node *secrets, struct err *err)
{
	for (size_t i = 0; secrets != NULL && i < secrets->items.len; i++) {
		const struct json_node *s = secrets->items.items[i];

		if ((json_tree_get(s, "file") == NULL) == (json_tree_get(s, "environment") == NULL))
			return json_at_error(&s->key_at, err, "the secret '%s' needs either 'file' or 'environment'",
			                     s->key);
	}
	return 0;
}

int template_check(struct json_node *tree, struct err *err)
{
	static const char *const probes[] = { "health", "readiness" };
	const struct json_node *privileged;
	_strv_ names = { 0 };
	int r;

	drop_nulls(tree);
	privileged = json_tree_get(tree, "privileged");
	if (privileged != NULL && privileged->kind == NODE_BOOL && privileged->truth)
		return json_at_error(&privileged->at, err,
		                     "'privileged' is refused: a container that may do everything confines "
		                     "nothing; give it what it needs with 'volumes', 'user', 'network' or 'tmpfs'");
	for (size_t i = 0; i < array_len(probes); i++) {
		const struct json_node *p = json_tree_get(tree, probes[i]);

		if (p != NULL && json_tree_get(p, "command") == NULL)
			return json_at_error(&p->at, err, "'%s' needs a 'command'", probes[i]);
	}
	r = check_secrets(json_tree_get(tree, "secrets"), err);
	return r < 0 ? r : check_texts(tree, &names, err);
}

struct json_node *template_read(const struct template_dirs *dirs, const char *ref, char **ret_path, struct err *err)
{
	_free_ char *path = template_find(dirs, ref, err);
	_json_tree_ *tree = NULL;
	_strv_ chain = { 0 };

	if (path == NULL)
		return NULL;
	tree = read_merged(dirs, path, &chain, err);
	if (tree == NULL)
		return NULL;
	if (template_check(tree, err) < 0)
		return NULL;
	if (ret_path != NULL)
		*ret_path = TAKE(path);
	return TAKE(tree);
}
