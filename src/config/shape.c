#include "config/shape-patterns.h"

#include "base/near.h"
#include "base/units.h"

#include <errno.h>
#include <regex.h>

const struct shape shape_text = { .type = SHAPE_STRING }, shape_bool = { .type = SHAPE_BOOL },
	shape_size = { .type = SHAPE_SIZE }, shape_span = { .type = SHAPE_SPAN },
	shape_texts = { .type = SHAPE_LIST, .wanted = "a list of texts", .of = &shape_text };

void shape_wanted(const struct shape *s, struct str *out)
{
	static const char *const by_type[] = {
		[SHAPE_STRING] = "a text", [SHAPE_BOOL] = "true or false", [SHAPE_INT] = "a whole number",
		[SHAPE_NUMBER] = "a number", [SHAPE_SIZE] = "a size such as 512m or 2g", [SHAPE_LIST] = "a list",
		[SHAPE_SPAN] = "a span of time such as 10s, 5m or 7d", [SHAPE_MAP] = "an object",
		[SHAPE_OBJECT] = "an object",
	};

	if (s->wanted != NULL) {
		str_adds(out, s->wanted);
	} else if (s->type == SHAPE_CHOICE) {
		for (size_t i = 0; s->choices[i] != NULL; i++)
			str_addf(out, "%s%s", i ? ", " : "one of ", s->choices[i]);
	} else if (s->type == SHAPE_EITHER) {
		shape_wanted(s->of, out);
		str_adds(out, ", or ");
		shape_wanted(s->other, out);
	} else {
		str_adds(out, by_type[s->type]);
		if (s->min != s->max && s->max == INT64_MAX)
			str_addf(out, " of at least %lld", (long long)s->min);
		else if (s->min != s->max)
			str_addf(out, " from %lld to %lld", (long long)s->min, (long long)s->max);
	}
}

void shape_shown(const struct json_node *n, struct str *out)
{
	enum { SHOWN_MAX = 60 };

	if (n->kind == NODE_STRING) {
		_free_ char *begin = xstrndup(n->text, SHOWN_MAX), *shown = visible(begin);

		str_addf(out, "'%s%s'", shown, strlen(n->text) > SHOWN_MAX ? "…" : "");
	} else if (n->kind == NODE_LIST || n->kind == NODE_MAP) {
		str_adds(out, n->kind == NODE_LIST ? "a list" : "an object");
	} else {
		json_tree_write(n, out);
	}
}

bool shape_is_scalar(const struct shape *s)
{
	return s->type != SHAPE_LIST && s->type != SHAPE_MAP && s->type != SHAPE_OBJECT &&
	       !(s->type == SHAPE_EITHER && !shape_is_scalar(s->of) && !shape_is_scalar(s->other));
}

const struct shape_field *shape_field(const struct shape *object, const char *key)
{
	for (size_t i = 0; i < object->count; i++)
		if (str_eq(object->fields[i].key, key))
			return &object->fields[i];
	return NULL;
}

/* --- scalars --- */

static bool matches(const char *pattern, const char *text)
{
	regex_t re;
	bool ok;

	if (pattern == NULL)
		return true;
	if (regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB) != 0)
		abort();                                 /* a pattern of ours */
	ok = regexec(&re, text, 0, NULL, 0) == 0;
	regfree(&re);
	return ok;
}

static bool in_range(const struct shape *s, double v)
{
	return s->min == s->max || (v >= (double)s->min && v <= (double)s->max);
}

bool shape_takes(const struct shape *s, const char *text)
{
	uint64_t v;

	switch (s->type) {
	case SHAPE_STRING:
		return matches(s->pattern, text);
	case SHAPE_CHOICE:
		for (size_t i = 0; s->choices[i] != NULL; i++)
			if (str_eq(s->choices[i], text))
				return true;
		return false;
	case SHAPE_SIZE:
		return matches(SIZE_PATTERN, text) && parse_size(text, &v) == 0;
	case SHAPE_SPAN:
		return matches(SPAN_PATTERN, text) && parse_span_ms(text, &v) == 0;
	case SHAPE_EITHER:
		return shape_takes(s->of, text) || shape_takes(s->other, text);
	default:
		return false;
	}
}

/* Is a value of this kind what @s is about? Whether it is right is another question. */
static bool is_of_kind(const struct shape *s, enum node_kind kind)
{
	switch (s->type) {
	case SHAPE_STRING:
	case SHAPE_CHOICE:
		return kind == NODE_STRING;
	case SHAPE_BOOL:
		return kind == NODE_BOOL;
	case SHAPE_INT:
		return kind == NODE_INT;
	case SHAPE_NUMBER:
		return kind == NODE_INT || kind == NODE_REAL;
	case SHAPE_SIZE:
		return kind == NODE_STRING || kind == NODE_INT;
	case SHAPE_SPAN:
		return kind == NODE_STRING || kind == NODE_INT || kind == NODE_REAL;
	case SHAPE_LIST:
		return kind == NODE_LIST;
	case SHAPE_MAP:
	case SHAPE_OBJECT:
		return kind == NODE_MAP;
	case SHAPE_EITHER:
		return is_of_kind(s->of, kind) || is_of_kind(s->other, kind);
	}
	return false;
}

static bool is_right(const struct json_node *n, const struct shape *s)
{
	if (!is_of_kind(s, n->kind))
		return false;
	if (s->type == SHAPE_SIZE && n->kind == NODE_INT)
		return n->number >= 0;
	if (s->type == SHAPE_SPAN && n->kind != NODE_STRING)
		return n->real >= 0 && n->real < 1e12;
	if (n->kind == NODE_STRING)
		return shape_takes(s, n->text);
	return (s->type != SHAPE_INT && s->type != SHAPE_NUMBER) || in_range(s, n->real);
}

/* --- the whole --- */

struct check { enum shape_mode mode; struct str path; struct err *err; };

static int check(struct check *c, const struct json_node *n, const struct shape *s);

static int must_be(struct check *c, const struct json_node *n, const struct shape *s)
{
	_str_ wanted = STR_INIT, shown = STR_INIT;
	_free_ char *path = visible(c->path.buf);

	shape_wanted(s, &wanted);
	shape_shown(n, &shown);
	if (c->path.len == 0)
		return json_at_error(&n->at, c->err, "it must be %s, not %s", wanted.buf, shown.buf);
	return json_at_error(&n->at, c->err, "'%s' must be %s, not %s", path, wanted.buf, shown.buf);
}

static int unknown_key(struct check *c, const struct json_node *n, const struct shape *s)
{
	_free_ char *before = visible(c->path.buf), *key = visible(n->key);
	struct near near = near_to(n->key);

	for (size_t i = 0; i < s->count; i++)
		near_offer(&near, s->fields[i].key);
	return json_at_error(&n->key_at, c->err, "unknown key '%s%s%s'%s%s%s", before, *before ? "." : "", key,
	                     near.best ? ": did you mean '" : "", near.best ? near.best : "", near.best ? "'?" : "");
}

static int check_member(struct check *c, const struct json_node *n, const struct shape *s)
{
	const size_t before = c->path.len;
	int r;

	str_addf(&c->path, "%s%s", before > 0 ? "." : "", n->key);
	r = c->mode == SHAPE_TEMPLATE && n->kind == NODE_NULL ? 0 : check(c, n, s);
	c->path.buf[c->path.len = before] = '\0';
	return r;
}

static int check_map(struct check *c, const struct json_node *n, const struct shape *s)
{
	int r = 0;

	for (size_t i = 0; i < n->items.len && r == 0; i++) {
		const struct json_node *item = n->items.items[i];
		const struct shape_field *f = s->type == SHAPE_OBJECT ? shape_field(s, item->key) : NULL;

		if (s->type == SHAPE_OBJECT && f == NULL)
			return unknown_key(c, item, s);
		if (s->type == SHAPE_MAP && !matches(s->pattern, item->key)) {
			_free_ char *path = visible(c->path.buf), *key = visible(item->key);

			return json_at_error(&item->key_at, c->err, "'%s' cannot be a key of '%s'", key, path);
		}
		r = check_member(c, item, f ? f->shape : s->of);
	}
	return r;
}

static int check_list(struct check *c, const struct json_node *n, const struct shape *s)
{
	const size_t before = c->path.len;
	int r = 0;

	for (size_t i = 0; i < n->items.len && r == 0; i++) {
		str_addf(&c->path, "[%zu]", i);
		r = check(c, n->items.items[i], s->of);
		c->path.buf[c->path.len = before] = '\0';
	}
	return r;
}

static int check(struct check *c, const struct json_node *n, const struct shape *s)
{
	if (c->mode == SHAPE_TEMPLATE && shape_is_scalar(s) && n->kind == NODE_STRING &&
	    strstr(n->text, PARAMETER_MARK) != NULL)
		return 0;
	if (s->type == SHAPE_EITHER && is_of_kind(s, n->kind)) {
		/* a kind that both are of: a number and a text, say */
		if (is_of_kind(s->of, n->kind) != is_of_kind(s->other, n->kind))
			return check(c, n, is_of_kind(s->of, n->kind) ? s->of : s->other);
		return is_right(n, s->of) || is_right(n, s->other) ? 0 : must_be(c, n, s);
	}
	if (!is_right(n, s))
		return must_be(c, n, s);
	if (n->kind == NODE_LIST)
		return check_list(c, n, s);
	return n->kind == NODE_MAP ? check_map(c, n, s) : 0;
}

int shape_check(const struct json_node *n, const struct shape *shape, enum shape_mode mode, struct err *err)
{
	struct check c = { .mode = mode, .path = STR_INIT, .err = err };
	const int r = check(&c, n, shape);

	str_release(&c.path);
	return r;
}
