#include "base/json.h"

#include "base/list.h"

#include <errno.h>
#include <jansson.h>

typedef VEC(char) any_vec;               /* the layout of every VEC */

static void *at(void *base, size_t offset)
{
	return (char *)base + offset;
}

static int decode_object(const json_t *j, const struct json_object *object, void *out, struct err *err);

static int wrong(struct err *err, const struct json_object *o, const char *key, const char *wanted)
{
	err_set(err, EINVAL, "bad-json", "%s: '%s' must be %s", o->what, key, wanted);
	err_field(err, key);
	return -EINVAL;
}

static int out_of_range(struct err *err, const struct json_object *o, const struct json_field *f)
{
	_free_ char *wanted = xasprintf("between %lld and %lld", (long long)f->min, (long long)f->max);

	return wrong(err, o, f->key, wanted);
}

static int decode_enum(const json_t *j, const struct json_field *f, const struct json_object *o, int *out,
                       struct err *err)
{
	_str_ choices = STR_INIT;

	for (int i = 0; f->names[i] != NULL; i++) {
		if (json_is_string(j) && str_eq(json_string_value(j), f->names[i])) {
			*out = i;
			return 0;
		}
		str_addf(&choices, "%s%s", i ? ", " : "one of ", f->names[i]);
	}
	return wrong(err, o, f->key, choices.buf);
}

static int decode_strings(const json_t *j, const struct json_field *f, const struct json_object *o, struct strv *out,
                          struct err *err)
{
	if (!json_is_array(j))
		return wrong(err, o, f->key, "a list of strings");
	strv_release(out);
	for (size_t i = 0; i < json_array_size(j); i++) {
		const json_t *item = json_array_get(j, i);

		if (!json_is_string(item))
			return wrong(err, o, f->key, "a list of strings");
		strv_push(out, json_string_value(item));
	}
	return 0;
}

static int decode_map(const json_t *j, const struct json_field *f, const struct json_object *o, struct strv *out,
                      struct err *err)
{
	const char *key;
	json_t *value;

	if (!json_is_object(j))
		return wrong(err, o, f->key, "an object of strings");
	strv_release(out);
	json_object_foreach((json_t *)j, key, value) {
		if (!json_is_string(value) || *key == '\0' || strchr(key, '=') != NULL)
			return wrong(err, o, f->key, "an object of strings, with keys that hold no '='");
		strv_pushf(out, "%s=%s", key, json_string_value(value));
	}
	return 0;
}

static int decode_objects(const json_t *j, const struct json_field *f, const struct json_object *o, any_vec *out,
                          struct err *err)
{
	const size_t n = json_array_size(j), size = f->object->size;

	if (!json_is_array(j))
		return wrong(err, o, f->key, "a list of objects");
	out->items = xcalloc(n, size);
	out->cap = n;
	for (out->len = 0; out->len < n;) {
		void *item = out->items + out->len++ * size;
		const int r = decode_object(json_array_get(j, out->len - 1), f->object, item, err);

		if (r < 0)
			return r;
	}
	return 0;
}

static int decode_field(const json_t *j, const struct json_field *f, const struct json_object *o, void *out,
                        struct err *err)
{
	void *slot = at(out, f->offset);

	switch (f->type) {
	case FIELD_STR:
		if (!json_is_string(j))
			return wrong(err, o, f->key, "a string");
		free(*(char **)slot);
		*(char **)slot = xstrdup(json_string_value(j));
		return 0;
	case FIELD_TEXT:
		if (!json_is_string(j))
			return wrong(err, o, f->key, "a string");
		str_clear(slot);
		str_add(slot, json_string_value(j), json_string_length(j));
		return 0;
	case FIELD_BOOL:
		if (!json_is_boolean(j))
			return wrong(err, o, f->key, "true or false");
		*(bool *)slot = json_is_true(j);
		return 0;
	case FIELD_INT:
		if (!json_is_integer(j))
			return wrong(err, o, f->key, "a whole number");
		if (f->min != f->max && (json_integer_value(j) < f->min || json_integer_value(j) > f->max))
			return out_of_range(err, o, f);
		*(int64_t *)slot = json_integer_value(j);
		return 0;
	case FIELD_REAL:
		if (!json_is_number(j))
			return wrong(err, o, f->key, "a number");
		*(double *)slot = json_number_value(j);
		return 0;
	case FIELD_STRV:
		return decode_strings(j, f, o, slot, err);
	case FIELD_MAP:
		return decode_map(j, f, o, slot, err);
	case FIELD_OBJ:
		return decode_object(j, f->object, slot, err);
	case FIELD_OBJV:
		return decode_objects(j, f, o, slot, err);
	case FIELD_ENUM:
		return decode_enum(j, f, o, slot, err);
	}
	return wrong(err, o, f->key, "of a known type");
}

static int check_unknown(const json_t *j, const struct json_object *object, struct err *err)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)j, key, value) {
		bool known = false;

		for (size_t i = 0; i < object->count; i++)
			known |= str_eq(key, object->fields[i].key);
		if (!known) {
			_free_ char *shown = visible(key);

			err_set(err, EINVAL, "bad-json", "%s: unknown key '%s'", object->what, shown);
			err_field(err, shown);
			return -EINVAL;
		}
	}
	return 0;
}

static int missing(struct err *err, const struct json_object *o, const char *key)
{
	err_set(err, EINVAL, "bad-json", "%s: '%s' is missing", o->what, key);
	err_field(err, key);
	return -EINVAL;
}

static int decode_object(const json_t *j, const struct json_object *object, void *out, struct err *err)
{
	int r;

	if (!json_is_object(j))
		return err_set(err, EINVAL, "bad-json", "%s must be an object", object->what);
	if (object->strict && (r = check_unknown(j, object, err)) < 0)
		return r;
	for (size_t i = 0; i < object->count; i++) {
		const struct json_field *f = &object->fields[i];
		const json_t *value = json_object_get(j, f->key);

		if ((value == NULL || json_is_null(value)) && f->required)
			return missing(err, object, f->key);
		if (value == NULL || json_is_null(value))
			continue;
		r = decode_field(value, f, object, out, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The text's value, or NULL with @err. */
static json_t *parse(const char *text, size_t n, size_t flags, const struct json_object *object, struct err *err)
{
	json_error_t why;
	json_t *j = json_loadb(text, n, JSON_REJECT_DUPLICATES | flags, &why);
	_free_ char *shown = j == NULL ? visible(why.text) : NULL;

	if (j == NULL)
		err_set(err, EINVAL, "bad-json", "%s is not JSON: line %d, column %d: %s", object->what, why.line, why.column,
		        shown);
	return j;
}

int json_decode(const char *text, size_t n, const struct json_object *object, void *out, struct err *err)
{
	json_t *j = parse(text, n, 0, object, err);
	const int r = j != NULL ? decode_object(j, object, out, err) : -EINVAL;

	json_decref(j);
	return r;
}

int json_decode_row(const char *text, size_t n, const struct json_object *row, void *out, struct err *err)
{
	json_t *j = parse(text, n, JSON_ALLOW_NUL, row, err);
	int r = j != NULL ? 0 : -EINVAL;

	if (j != NULL && (!json_is_array(j) || json_array_size(j) < row->count))
		r = err_set(err, EINVAL, "bad-json", "%s must be a list of %zu values", row->what, row->count);
	for (size_t i = 0; r == 0 && i < row->count; i++)
		r = decode_field(json_array_get(j, i), &row->fields[i], row, out, err);
	json_decref(j);
	return r;
}

void json_release(const struct json_object *object, void *in)
{
	for (size_t i = 0; i < object->count; i++) {
		const struct json_field *f = &object->fields[i];
		void *slot = at(in, f->offset);
		any_vec *v = slot;

		if (f->type == FIELD_STR)
			free(*(char **)slot);
		else if (f->type == FIELD_TEXT)
			str_release(slot);
		else if (f->type == FIELD_STRV || f->type == FIELD_MAP)
			strv_release(slot);
		else if (f->type == FIELD_OBJ)
			json_release(f->object, slot);
		if (f->type != FIELD_OBJV)
			continue;
		for (size_t k = 0; k < v->len; k++)
			json_release(f->object, v->items + k * f->object->size);
		free(v->items);
	}
	memset(in, 0, object->size);
}

static void write_text(struct str *out, const char *z, size_t n)
{
	str_addc(out, '"');
	while (n > 0) {
		const unsigned char c = (unsigned char)*z;
		const size_t len = utf8_len(z, n);

		if (c == '"' || c == '\\')
			str_addf(out, "\\%c", c);
		else if (c == '\n')
			str_adds(out, "\\n");
		else if (c < 0x20 || c == 0x7f)
			str_addf(out, "\\u%04x", c);
		else if (len == 0)
			str_adds(out, "\xef\xbf\xbd");
		else
			str_add(out, z, len);
		z += len ? len : 1;
		n -= len ? len : 1;
	}
	str_addc(out, '"');
}

static void write_key(struct json_writer *w, const char *key)
{
	if (w->needs_comma)
		str_addc(w->out, ',');
	w->needs_comma = true;
	if (key == NULL)
		return;
	write_text(w->out, key, strlen(key));
	str_addc(w->out, ':');
}

void json_begin(struct json_writer *w, const char *key, char open)
{
	write_key(w, key);
	str_addc(w->out, open);
	w->needs_comma = false;
}

void json_end(struct json_writer *w, char close)
{
	str_addc(w->out, close);
	w->needs_comma = true;
}

void json_put_str(struct json_writer *w, const char *key, const char *value)
{
	if (value == NULL)
		return;
	write_key(w, key);
	write_text(w->out, value, strlen(value));
}

void json_put_int(struct json_writer *w, const char *key, int64_t value)
{
	write_key(w, key);
	str_addf(w->out, "%lld", (long long)value);
}

void json_put_real(struct json_writer *w, const char *key, double value)
{
	write_key(w, key);
	str_addf(w->out, "%.6g", value);
}

void json_put_bool(struct json_writer *w, const char *key, bool value)
{
	json_put_raw(w, key, value ? "true" : "false");
}

void json_put_strv(struct json_writer *w, const char *key, const struct strv *v)
{
	json_begin(w, key, '[');
	for (size_t i = 0; i < v->len; i++)
		json_put_str(w, NULL, v->items[i]);
	json_end(w, ']');
}

void json_put_raw(struct json_writer *w, const char *key, const char *text)
{
	write_key(w, key);
	str_adds(w->out, text);
}

static void write_map(struct json_writer *w, const char *key, const struct strv *v)
{
	json_begin(w, key, '{');
	for (size_t i = 0; i < v->len; i++) {
		const size_t n = strcspn(v->items[i], "=");
		_free_ char *name = xstrndup(v->items[i], n);

		json_put_str(w, name, v->items[i] + n + (v->items[i][n] == '='));
	}
	json_end(w, '}');
}

static void write_field(struct json_writer *w, const struct json_field *f, const void *slot)
{
	const any_vec *v = slot;

	switch (f->type) {
	case FIELD_STR:
		json_put_str(w, f->key, *(char *const *)slot);
		break;
	case FIELD_TEXT:
		write_key(w, f->key);
		write_text(w->out, ((const struct str *)slot)->buf, ((const struct str *)slot)->len);
		break;
	case FIELD_BOOL:
		json_put_bool(w, f->key, *(const bool *)slot);
		break;
	case FIELD_INT:
		json_put_int(w, f->key, *(const int64_t *)slot);
		break;
	case FIELD_REAL:
		json_put_real(w, f->key, *(const double *)slot);
		break;
	case FIELD_STRV:
		if (((const struct strv *)slot)->len > 0)
			json_put_strv(w, f->key, slot);
		break;
	case FIELD_MAP:
		if (((const struct strv *)slot)->len > 0)
			write_map(w, f->key, slot);
		break;
	case FIELD_OBJ:
		json_put_object(w, f->key, f->object, slot);
		break;
	case FIELD_OBJV:
		if (v->len == 0)
			break;
		json_begin(w, f->key, '[');
		for (size_t i = 0; i < v->len; i++)
			json_put_object(w, NULL, f->object, v->items + i * f->object->size);
		json_end(w, ']');
		break;
	case FIELD_ENUM:
		json_put_str(w, f->key, f->names[*(const int *)slot]);
		break;
	}
}

void json_put_members(struct json_writer *w, const struct json_object *object, const void *in)
{
	for (size_t i = 0; i < object->count; i++)
		write_field(w, &object->fields[i], (const char *)in + object->fields[i].offset);
}

void json_put_object(struct json_writer *w, const char *key, const struct json_object *object, const void *in)
{
	json_begin(w, key, '{');
	json_put_members(w, object, in);
	json_end(w, '}');
}

void json_encode(struct str *out, const struct json_object *object, const void *in)
{
	struct json_writer w = JSON_WRITER(out);

	json_put_object(&w, NULL, object, in);
}

int json_member(const char *text, size_t n, const char *key, struct str *out, struct err *err)
{
	json_error_t why;
	json_t *j = json_loadb(text, n, 0, &why);
	const json_t *member = j ? json_object_get(j, key) : NULL;
	const bool is_there = member != NULL && !json_is_null(member);
	char *dumped = is_there ? json_dumps(member, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;

	if (dumped != NULL)
		str_adds(out, dumped);
	free(dumped);
	if (j == NULL)
		return err_set(err, EINVAL, "bad-json", "not JSON: line %d: %s", why.line, why.text);
	json_decref(j);
	return is_there;
}

int json_pretty(const char *text, size_t n, struct str *out, struct err *err)
{
	json_error_t why;
	json_t *j = json_loadb(text, n, JSON_DECODE_ANY, &why);
	char *pretty;

	if (j == NULL)
		return err_set(err, EINVAL, "bad-json", "not JSON: line %d: %s", why.line, why.text);
	pretty = json_dumps(j, JSON_INDENT(2) | JSON_ENCODE_ANY);
	json_decref(j);
	if (pretty == NULL)
		return err_set(err, ENOMEM, "no-memory", "cannot write JSON: %m");
	str_adds(out, pretty);
	free(pretty);
	return 0;
}
