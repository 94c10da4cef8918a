/*
 * Shapes as JSON Schema, draft 2020-12. test/schema.py holds what it takes against what the decoder takes.
 */
#include "config/shape-patterns.h"

static void put_schema(struct json_writer *w, const char *key, const struct shape *s, enum shape_mode mode,
                       const char *help, const char *fallback);

static void put_type(struct json_writer *w, const char *type, const char *pattern)
{
	json_put_str(w, "type", type);
	json_put_str(w, "pattern", pattern);
}

/* One of several: { type, pattern }. */
static void put_alternative(struct json_writer *w, const char *type, const char *pattern)
{
	json_begin(w, NULL, '{');
	put_type(w, type, pattern);
	if (str_eq(type, "integer") || str_eq(type, "number"))
		json_put_int(w, "minimum", 0);
	json_end(w, '}');
}

static void put_range(struct json_writer *w, const struct shape *s)
{
	if (s->min == s->max)
		return;
	json_put_int(w, "minimum", s->min);
	if (s->max != INT64_MAX)
		json_put_int(w, "maximum", s->max);
}

static void put_object(struct json_writer *w, const struct shape *s, enum shape_mode mode)
{
	json_put_str(w, "type", "object");
	if (s->type == SHAPE_MAP) {
		if (s->pattern != NULL) {
			json_begin(w, "propertyNames", '{');
			json_put_str(w, "pattern", s->pattern);
			json_end(w, '}');
		}
		put_schema(w, "additionalProperties", s->of, mode, NULL, NULL);
		return;
	}
	json_begin(w, "properties", '{');
	for (size_t i = 0; i < s->count; i++)
		put_schema(w, s->fields[i].key, s->fields[i].shape, mode, s->fields[i].help, s->fields[i].fallback);
	json_end(w, '}');
	json_put_bool(w, "additionalProperties", false);
}

/* The members of a schema object for @s by itself. */
static void put_shape(struct json_writer *w, const struct shape *s, enum shape_mode mode)
{
	switch (s->type) {
	case SHAPE_STRING:
		put_type(w, "string", s->pattern);
		break;
	case SHAPE_BOOL:
		put_type(w, "boolean", NULL);
		break;
	case SHAPE_INT:
	case SHAPE_NUMBER:
		put_type(w, s->type == SHAPE_INT ? "integer" : "number", NULL);
		put_range(w, s);
		break;
	case SHAPE_SIZE:
	case SHAPE_SPAN:
		json_begin(w, "anyOf", '[');
		put_alternative(w, s->type == SHAPE_SIZE ? "integer" : "number", NULL);
		put_alternative(w, "string", s->type == SHAPE_SIZE ? SIZE_PATTERN : SPAN_PATTERN);
		json_end(w, ']');
		break;
	case SHAPE_CHOICE:
		json_begin(w, "enum", '[');
		for (size_t i = 0; s->choices[i] != NULL; i++)
			json_put_str(w, NULL, s->choices[i]);
		json_end(w, ']');
		break;
	case SHAPE_LIST:
		json_put_str(w, "type", "array");
		put_schema(w, "items", s->of, mode, NULL, NULL);
		break;
	case SHAPE_MAP:
	case SHAPE_OBJECT:
		put_object(w, s, mode);
		break;
	case SHAPE_EITHER:
		json_begin(w, "anyOf", '[');
		put_schema(w, NULL, s->of, mode, NULL, NULL);
		put_schema(w, NULL, s->other, mode, NULL, NULL);
		json_end(w, ']');
		break;
	}
}

static void put_schema(struct json_writer *w, const char *key, const struct shape *s, enum shape_mode mode,
                       const char *help, const char *fallback)
{
	const bool takes_null = mode == SHAPE_TEMPLATE && key != NULL && !str_eq(key, "items");
	const bool takes_parameters = mode == SHAPE_TEMPLATE && shape_is_scalar(s) && !(s->type == SHAPE_STRING &&
	                              s->pattern == NULL);

	json_begin(w, key, '{');
	json_put_str(w, "description", help);
	if (fallback != NULL)
		json_put_raw(w, "default", fallback);
	if (takes_null || takes_parameters) {
		json_begin(w, "anyOf", '[');
		json_begin(w, NULL, '{');
		put_shape(w, s, mode);
		json_end(w, '}');
		if (takes_null)
			put_alternative(w, "null", NULL);
		if (takes_parameters)
			put_alternative(w, "string", PARAMETER_PATTERN);
		json_end(w, ']');
	} else {
		put_shape(w, s, mode);
	}
	json_end(w, '}');
}

void shape_schema(const struct shape *s, enum shape_mode mode, const char *title, struct str *out)
{
	struct json_writer w = JSON_WRITER(out);

	json_begin(&w, NULL, '{');
	json_put_str(&w, "$schema", "https://json-schema.org/draft/2020-12/schema");
	json_put_str(&w, "title", title);
	put_shape(&w, s, mode);
	json_end(&w, '}');
}
