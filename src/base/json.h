/*
 * JSON: one table per object, used to read it, to write it and to free what was read. The JSON library is
 * included in json.c only. What is not a fixed object is written piece by piece with the writer.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>

enum field_type {
	FIELD_STR,                /* char *, owned, NULL when absent; no NUL inside */
	FIELD_TEXT,               /* struct str, owned, NUL inside is fine (json_decode_row) */
	FIELD_BOOL,               /* bool */
	FIELD_INT,                /* int64_t, checked against min and max when they differ */
	FIELD_REAL,               /* double */
	FIELD_STRV,               /* struct strv, of strings */
	FIELD_MAP,                /* struct strv of KEY=value: an object of strings whose keys hold no "=" */
	FIELD_OBJ,                /* a struct in place, described by .object */
	FIELD_OBJV,               /* VEC(struct …) described by .object */
	FIELD_ENUM,               /* int, an index into .names, which ends in NULL */
};

struct json_object;
struct json_field {
	const char *key;
	enum field_type type;
	size_t offset;
	bool required;
	int64_t min, max;
	const struct json_object *object;
	const char *const *names;
};

struct json_object {
	const char *what;                        /* as in "a session spec", for error messages */
	size_t size;
	const struct json_field *fields;
	size_t count;
	bool strict;                             /* an unknown key is an error (what a person wrote), not skipped (what a
	                                            newer version wrote) */
};
#define JSON_OBJECT(what_, type_, fields_, strict_) \
	{ .what = (what_), .size = sizeof(type_), .fields = (fields_), .count = array_len(fields_), .strict = (strict_) }

/*
 * Read @text into @out, which holds the defaults. Nesting is limited, NUL inside strings refused. 0 or -EINVAL with
 * the key at fault in @err; then @out may be partly filled and is released by the caller as well.
 */
int json_decode(const char *text, size_t n, const struct json_object *object, void *out, struct err *err);
/*
 * The same for an array: its first value is the first field, and so on; what comes behind the last is skipped.
 * Members that own something are replaced, so one @out reads many rows.
 */
int json_decode_row(const char *text, size_t n, const struct json_object *row, void *out, struct err *err);
/* Free every owned member and clear the struct. */
void json_release(const struct json_object *object, void *in);

struct json_writer { struct str *out; bool needs_comma; };
#define JSON_WRITER(str_) { .out = (str_) }

/* @key is NULL inside an array and at the top. Strings are made valid UTF-8 (U+FFFD for what is not). */
void json_begin(struct json_writer *w, const char *key, char open);   /* '{' or '[' */
void json_end(struct json_writer *w, char close);
void json_put_str(struct json_writer *w, const char *key, const char *value);   /* NULL: nothing is written */
void json_put_int(struct json_writer *w, const char *key, int64_t value);
void json_put_real(struct json_writer *w, const char *key, double value);
void json_put_bool(struct json_writer *w, const char *key, bool value);
void json_put_strv(struct json_writer *w, const char *key, const struct strv *v);
void json_put_raw(struct json_writer *w, const char *key, const char *text);    /* valid JSON already */
/* The whole object by its table; NULL strings and empty lists are left out. */
void json_put_object(struct json_writer *w, const char *key, const struct json_object *object, const void *in);
/* Its members alone, into an object that is begun. */
void json_put_members(struct json_writer *w, const struct json_object *object, const void *in);
/* The whole object as a text of its own. */
void json_encode(struct str *out, const struct json_object *object, const void *in);
/*
 * The member @key of the object that @text is, as JSON text of its own appended to @out. 1; 0: there is none (or it
 * is null); or -EINVAL.
 */
int json_member(const char *text, size_t n, const char *key, struct str *out, struct err *err);
/* Check that @text is one JSON value, and indent it for people into @out. */
int json_pretty(const char *text, size_t n, struct str *out, struct err *err);
