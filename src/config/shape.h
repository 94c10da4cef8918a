/*
 * Shapes: what a value in a file that people write may be, as a table. From one table come the check with its errors,
 * the JSON Schema (2020-12) and the reference in docs/. A pattern is a POSIX extended regular expression that means the
 * same in JSON Schema: anchored, and no bracket classes with names.
 */
#pragma once

#include "base/json.h"
#include "base/json-tree.h"

enum shape_type {
	SHAPE_STRING,            /* matches .pattern, where there is one */
	SHAPE_BOOL,
	SHAPE_INT,               /* from .min to .max */
	SHAPE_NUMBER,            /* from .min to .max, and may have a fraction */
	SHAPE_SIZE,              /* "512m", or bytes */
	SHAPE_SPAN,              /* "90s", or seconds */
	SHAPE_CHOICE,            /* one of .choices, which end in NULL */
	SHAPE_LIST,              /* of .of */
	SHAPE_MAP,               /* to .of; the keys match .pattern */
	SHAPE_OBJECT,            /* with .fields and no others */
	SHAPE_EITHER,            /* .of, or .other: told apart by the kind of JSON value */
};

struct shape {
	enum shape_type type;
	const char *wanted;      /* "an absolute path": for errors and the reference; NULL: by the type */
	const char *pattern;
	int64_t min, max;        /* no range where they are equal */
	const char *const *choices;
	const struct shape *of, *other;
	const struct shape_field *fields;
	size_t count;
};

struct shape_field {
	const char *key;
	const struct shape *shape;
	const char *help;
	const char *fallback;    /* its default as JSON, for the schema; NULL: none */
};

extern const struct shape shape_text, shape_bool, shape_size, shape_span, shape_texts;

enum shape_mode {
	SHAPE_PLAIN,
	SHAPE_TEMPLATE,          /* null is allowed for a member, and a text with "${" wherever a scalar is */
};

/*
 * Check a value. 0; or -EINVAL with "FILE:LINE:COLUMN: 'key' must be …, not …" in @err, or the unknown key and the
 * nearest known one.
 */
int shape_check(const struct json_node *n, const struct shape *shape, enum shape_mode mode, struct err *err);
/* Is @text right for a scalar @shape? As shape_check says of a string, but without a place: "must be …, not '…'". */
bool shape_takes(const struct shape *shape, const char *text);
/* The field of an object, or NULL. */
const struct shape_field *shape_field(const struct shape *object, const char *key);
bool shape_is_scalar(const struct shape *shape);
/* "a size such as 512m". */
void shape_wanted(const struct shape *shape, struct str *out);
/* What a value is, for an error: "'x'", "a list", "3". */
void shape_shown(const struct json_node *n, struct str *out);
/* The whole JSON Schema of files of @shape. */
void shape_schema(const struct shape *shape, enum shape_mode mode, const char *title, struct str *out);
