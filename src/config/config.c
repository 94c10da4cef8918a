#include "config/config.h"

#include "base/fd.h"
#include "base/near.h"
#include "base/path.h"
#include "base/units.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

const char *const config_sources[] = { "unset", "default", "file", "environment file", "variable", NULL };

/* --- what options may be --- */

static const char *const environment_names[] = { "development", "staging", "production", NULL };
static const char *const network_names[] = { "none", "private", "host", NULL };
static const char *const log_level_names[] = { "emerg", "alert", "crit", "err", "warning", "notice", "info", "debug",
                                              NULL };

static const struct shape is_environments = { .type = SHAPE_CHOICE, .choices = environment_names },
	is_networks = { .type = SHAPE_CHOICE, .choices = network_names },
	is_network_program = { .type = SHAPE_STRING, .pattern = "^(.*/)?(pasta|slirp4netns)$",
	                       .wanted = "pasta or slirp4netns, maybe with its path" },
	is_log_levels = { .type = SHAPE_CHOICE, .choices = log_level_names },
	is_path = { .type = SHAPE_STRING, .pattern = "^/", .wanted = "an absolute path" },
	is_name = { .type = SHAPE_STRING, .pattern = ".", .wanted = "a text that is not empty" },
	is_id_range = { .type = SHAPE_STRING, .pattern = "^[0-9]+:[0-9]+$",
	                .wanted = "START:COUNT such as 1900000000:65536" },
	is_cpus = { .type = SHAPE_NUMBER, .min = 0, .max = 100000 },
	is_pids = { .type = SHAPE_INT, .min = 0, .max = 4194304 },
	is_count = { .type = SHAPE_INT, .min = 0, .max = INT64_MAX };
#define is_size shape_size
#define is_span shape_span
#define is_flag shape_bool

#define ROW(key_, shape_, fallback_, variable_, help_, passed_on_) \
	{ .key = (key_), .shape = &is_##shape_, .fallback = (fallback_), .variable = (variable_), .help = (help_), \
	  .is_passed_on = (passed_on_) },
#define OPTION(id, key, shape, fallback, variable, help) ROW(key, shape, fallback, variable, help, false)
#define OPTION_PASSED_ON(id, key, shape, fallback, variable, help) ROW(key, shape, fallback, variable, help, true)
const struct option config_options[OPTION_COUNT] = {
#include "config/options.def"
};

/* --- the shape of a file: options without a dot, and sections with the others --- */

static struct shape_field top[OPTION_COUNT], members[OPTION_COUNT];
static struct shape sections[OPTION_COUNT], whole = { .type = SHAPE_OBJECT, .fields = top };
static char section_names[OPTION_COUNT][32], fallbacks[OPTION_COUNT][64];

/* A default as JSON. */
static const char *json_of(const struct option *o, char *ret, size_t size)
{
	const bool is_bare = o->shape->type == SHAPE_BOOL || o->shape->type == SHAPE_INT || o->shape->type == SHAPE_NUMBER;
	_str_ s = STR_INIT;
	struct json_writer w = JSON_WRITER(&s);

	if (o->fallback == NULL)
		return NULL;
	if (is_bare)
		json_put_raw(&w, NULL, o->fallback);
	else
		json_put_str(&w, NULL, o->fallback);
	snprintf(ret, size, "%s", s.buf);
	return ret;
}

/* The field of a section's object, made where it is new. */
static struct shape *section_of(const char *key, size_t n)
{
	for (size_t i = 0; i < whole.count; i++)
		if (strncmp(top[i].key, key, n) == 0 && top[i].key[n] == '\0')
			return &sections[i];
	snprintf(section_names[whole.count], sizeof(section_names[0]), "%.*s", (int)n, key);
	top[whole.count] = (struct shape_field){ .key = section_names[whole.count], .shape = &sections[whole.count] };
	sections[whole.count] = (struct shape){ .type = SHAPE_OBJECT };
	return &sections[whole.count++];
}

/* Rows of a section stand together in options.def, so its fields are a run of members[]. */
static const struct shape *file_shape(void)
{
	if (whole.count > 0)
		return &whole;
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		const struct option *o = &config_options[i];
		const char *dot = strchr(o->key, '.');
		const struct shape_field field = { .key = dot ? dot + 1 : o->key, .shape = o->shape, .help = o->help,
		                                   .fallback = json_of(o, fallbacks[i], sizeof(fallbacks[i])) };

		if (dot == NULL) {
			top[whole.count++] = field;
			continue;
		}
		struct shape *section = section_of(o->key, (size_t)(dot - o->key));

		members[i] = field;
		if (section->count++ == 0)
			section->fields = &members[i];
	}
	return &whole;
}

static const struct json_node *find_node(const struct json_node *root, const char *key)
{
	const char *dot = strchr(key, '.');
	_free_ char *section = dot ? xstrndup(key, (size_t)(dot - key)) : NULL;

	return dot ? json_tree_get(json_tree_get(root, section), dot + 1) : json_tree_get(root, key);
}

/* --- values --- */

const char *config_getenv(const char *name)
{
	const char *v = getenv(name);

	return v != NULL && *v != '\0' ? v : NULL;
}

static void release_value(struct config_value *v)
{
	free(v->text);
	free(v->origin);
	*v = (struct config_value){ 0 };
}

void config_release(struct config *c)
{
	for (size_t i = 0; i < OPTION_COUNT; i++)
		release_value(&c->values[i]);
}

/* Read @text by the type of @shape. False: it is none. */
static bool read_value(const struct shape *s, const char *text, struct config_value *v)
{
	uint64_t n = 0;
	char *end;

	switch (s->type) {
	case SHAPE_BOOL:
		v->number = str_eq(text, "true") || str_eq(text, "1");
		return v->number || str_eq(text, "false") || str_eq(text, "0");
	case SHAPE_INT:
		if (parse_uint(text, (uint64_t)s->min, (uint64_t)s->max, &n) < 0)
			return false;
		break;
	case SHAPE_NUMBER:
		v->real = strtod(text, &end);
		return *text != '\0' && *end == '\0' && strspn(text, "0123456789.eE+-") == strlen(text) &&
		       v->real >= (double)s->min && v->real <= (double)s->max;
	case SHAPE_SIZE:
		if (parse_size(text, &n) < 0)
			return false;
		break;
	case SHAPE_SPAN:
		if (parse_span_ms(text, &n) < 0)
			return false;
		break;
	case SHAPE_CHOICE:
		while (s->choices[n] != NULL && !str_eq(s->choices[n], text))
			n++;
		if (s->choices[n] == NULL)
			return false;
		break;
	default:
		break;
	}
	v->number = (int64_t)n;
	return true;
}

static bool has_pattern(const struct shape *s)
{
	return s->type == SHAPE_STRING || s->type == SHAPE_SIZE || s->type == SHAPE_SPAN;
}

static int set_value(struct config_value *v, const struct option *o, const char *text, enum config_source source,
                     const char *origin, struct err *err)
{
	struct config_value new = { .source = source };
	_str_ wanted = STR_INIT;

	/* a default is right, as a test sees: patterns are compiled for what people write only, which is seldom */
	if (!read_value(o->shape, text, &new) ||
	    (source != SOURCE_DEFAULT && has_pattern(o->shape) && !shape_takes(o->shape, text))) {
		_free_ char *shown = visible(text);

		shape_wanted(o->shape, &wanted);
		return err_set(err, EINVAL, "bad-config", "%s: '%s' must be %s, not '%s'", origin, o->key, wanted.buf,
		               shown);
	}
	new.text = xstrdup(text);
	new.origin = origin ? xstrdup(origin) : NULL;
	release_value(v);
	*v = new;
	return 0;
}

/* --- files --- */

/* A text has no quotes as a value; all else is as JSON writes it. */
static void node_text(const struct json_node *n, struct str *out)
{
	if (n->kind == NODE_STRING)
		str_adds(out, n->text);
	else
		json_tree_write(n, out);
}

static int check_root(const struct json_node *root, struct err *err)
{
	const struct json_node *environment = json_tree_get(root, "environment");
	const char *name = path_base(root->at.file);
	const int r = shape_check(root, file_shape(), SHAPE_PLAIN, err);

	if (r == 0 && environment != NULL && !str_eq(name, "config.json") && config_is_file(name))
		return json_at_error(&environment->key_at, err,
		                     "'environment' chooses this file, so it cannot stand in it: set "
		                     "it in config.json or in PTERM_ENV");
	return r;
}

/* 0 with the root, NULL when there is no such file. */
static int read_file(const char *path, const char *file, struct json_node **ret, struct err *err)
{
	_json_tree_ *root = NULL;
	int r;

	*ret = NULL;
	if (!path_exists(AT_FDCWD, path))
		return 0;
	root = json_tree_read(AT_FDCWD, path, file, err);
	if (root == NULL)
		return err && err->no ? -err->no : -EINVAL;
	r = check_root(root, err);
	if (r == 0)
		*ret = TAKE(root);
	return r;
}

static int take_file(const struct json_node *root, enum config_source source, struct config *c, struct err *err)
{
	int r = 0;

	for (size_t i = 0; root != NULL && i < OPTION_COUNT && r == 0; i++) {
		const struct json_node *n = find_node(root, config_options[i].key);
		_free_ char *origin = n ? xasprintf("%s:%d:%d", n->at.file, n->at.line, n->at.column) : NULL;
		_str_ text = STR_INIT;

		if (n == NULL)
			continue;
		node_text(n, &text);
		r = set_value(&c->values[i], &config_options[i], text.buf, source, origin, err);
	}
	return r;
}

static int load_file(const char *dir, const char *name, enum config_source source, struct config *c, struct err *err)
{
	_free_ char *path = path_join(dir, name);
	_json_tree_ *root = NULL;
	int r = read_file(path, path, &root, err);

	return r < 0 ? r : take_file(root, source, c, err);
}

static int take_variable(size_t i, const char *(*variable)(const char *name), struct config *c, struct err *err)
{
	const struct option *o = &config_options[i];
	const char *text = variable(o->variable);

	return text == NULL ? 0 : set_value(&c->values[i], o, text, SOURCE_VARIABLE, o->variable, err);
}

int config_load(const char *dir, const char *(*variable)(const char *name), struct config *ret, struct err *err)
{
	_config_ c = { 0 };
	const char *environment;
	int r = 0;

	for (size_t i = 0; i < OPTION_COUNT && r == 0; i++)
		if (config_options[i].fallback != NULL)
			r = set_value(&c.values[i], &config_options[i], config_options[i].fallback, SOURCE_DEFAULT,
			              NULL, err);
	if (r == 0)
		r = load_file(dir, "config.json", SOURCE_FILE, &c, err);
	if (r == 0)
		r = take_variable(OPTION_environment, variable, &c, err);
	environment = config_text(&c, OPTION_environment);
	if (r == 0 && environment != NULL) {
		_free_ char *name = xasprintf("config.%s.json", environment);

		r = load_file(dir, name, SOURCE_ENVIRONMENT, &c, err);
	}
	for (size_t i = 0; i < OPTION_COUNT && r == 0; i++)
		r = take_variable(i, variable, &c, err);
	if (r < 0)
		return r;
	config_release(ret);
	*ret = c;
	c = (struct config){ 0 };
	return 0;
}

int config_check(const char *path, const char *file, struct err *err)
{
	_str_ text = STR_INIT;
	const int r = file_read(AT_FDCWD, path, JSON_TEXT_MAX + 1, &text);

	if (r < 0 && r != -EFBIG)
		return err_set(err, -r, "bad-config", "cannot read '%s': %m", file);
	return r == -EFBIG ? err_set(err, EFBIG, "bad-config", "%s: it is larger than %d KiB", file,
	                             JSON_TEXT_MAX / 1024)
	                   : config_check_text(text.buf, text.len, file, err);
}

int config_check_text(const char *text, size_t n, const char *file, struct err *err)
{
	_config_ c = { 0 };
	_json_tree_ *root = json_tree_parse(text, n, file, err);
	int r;

	if (root == NULL)
		return err && err->no ? -err->no : -EINVAL;
	r = check_root(root, err);
	return r < 0 ? r : take_file(root, SOURCE_FILE, &c, err);
}

const char *config_meant_variable(const char *name)
{
	struct near near = near_to(name);

	if (!str_starts(name, "PTERM_"))
		return NULL;
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		if (str_eq(config_options[i].variable, name))
			return NULL;
		near_offer(&near, config_options[i].variable);
	}
	return near.best;
}

bool config_is_file(const char *name)
{
	if (str_eq(name, "config.json"))
		return true;
	for (size_t i = 0; environment_names[i] != NULL; i++) {
		_free_ char *one = xasprintf("config.%s.json", environment_names[i]);

		if (str_eq(one, name))
			return true;
	}
	return false;
}

/* --- using it --- */

bool config_equal(const struct config *a, const struct config *b)
{
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		const struct config_value *v = &a->values[i], *w = &b->values[i];

		if ((v->text == NULL) != (w->text == NULL) || (v->text != NULL && !str_eq(v->text, w->text)))
			return false;
	}
	return true;
}

const char *config_text(const struct config *c, enum config_option o)
{
	return c->values[o].text;
}

int64_t config_number(const struct config *c, enum config_option o, int64_t otherwise)
{
	return c->values[o].text ? c->values[o].number : otherwise;
}

void config_pass_on(const struct config *c)
{
	for (size_t i = 0; i < OPTION_COUNT; i++)
		if (config_options[i].is_passed_on && c->values[i].source >= SOURCE_FILE)
			(void)setenv(config_options[i].variable, c->values[i].text, 1);
}

/* --- what people and programs read about it --- */

void config_schema(struct str *out)
{
	shape_schema(file_shape(), SHAPE_PLAIN, "The configuration of pterm: config.json, config.ENVIRONMENT.json",
	             out);
}

void config_reference(struct str *out)
{
	str_adds(out,
	         "| option | variable | what it may be | default | what it is |\n| --- | --- | --- | --- | --- |\n");
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		const struct option *o = &config_options[i];
		_str_ wanted = STR_INIT;

		shape_wanted(o->shape, &wanted);
		str_addf(out, "| `%s` | `%s` | %s | %s%s%s | %s |\n", o->key, o->variable, wanted.buf,
		         o->fallback ? "`" : "", o->fallback ? o->fallback : "", o->fallback ? "`" : "", o->help);
	}
}
