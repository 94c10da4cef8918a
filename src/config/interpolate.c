#include "config/interpolate.h"

#include <errno.h>
#include <ctype.h>

enum { DEPTH_MAX = 16 };

struct work {
	parameter_fn *get;
	void *data;
	struct strv *names;              /* collect, and look nothing up; NULL: replace */
	struct str *out;
	struct err *err;
	int depth;
};

static int replace(struct work *w, const char *text, size_t n);

static size_t name_len(const char *p, size_t n)
{
	size_t len = 0;

	if (n == 0 || !(isalpha((unsigned char)*p) || *p == '_'))
		return 0;
	while (len < n && isascii((unsigned char)p[len]) && (isalnum((unsigned char)p[len]) || p[len] == '_' || p[len] == '.'))
		len++;
	return len;
}

/* Bytes before the brace that closes what began before @p, over those inside it; @n when none does. */
static size_t body_len(const char *p, size_t n)
{
	int open = 1;

	for (size_t i = 0; i < n; i++) {
		if (p[i] == '$' && i + 1 < n && p[i + 1] == '{')
			open++;
		else if (p[i] == '}' && --open == 0)
			return i;
	}
	return n;
}

static int wrong_form(struct work *w, const char *body, size_t n)
{
	_free_ char *text = xstrndup(body, n < 60 ? n : 60), *shown = visible(text);

	return err_set(w->err, EINVAL, "bad-parameter", "'${%s}' is no parameter: write ${NAME}, ${NAME:-default} or "
	               "${NAME:?message}, and $${ for the characters themselves", shown);
}

static void note_name(struct strv *names, const char *name)
{
	for (size_t i = 0; i < names->len; i++)
		if (str_eq(names->items[i], name))
			return;
	strv_push(names, name);
}

/* @rest: ":-default", ":?message" or nothing. */
static int use_rest(struct work *w, const char *name, const char *rest, size_t n)
{
	_str_ message = STR_INIT;
	struct work inner = *w;
	int r;

	if (n >= 2 && rest[1] == '-')
		return replace(w, rest + 2, n - 2);
	if (n == 0)
		return err_set(w->err, EINVAL, "no-parameter",
		               "the parameter '%s' has no value: give one with --set %s=VALUE or "
		               "in the environment", name, name);
	inner.out = &message;
	r = replace(&inner, rest + 2, n - 2);
	return r < 0 ? r : err_set(w->err, EINVAL, "no-parameter", "the parameter '%s' is needed: %s", name,
	                           message.len > 0 ? message.buf : "it has no value");
}

/* What stands between "${" and "}". */
static int replace_one(struct work *w, const char *body, size_t n)
{
	const size_t len = name_len(body, n);
	const char *rest = body + len, *value;
	_free_ char *name = xstrndup(body, len);
	_err_ why = ERR_INIT;

	if (len == 0 || (n > len && (n < len + 2 || rest[0] != ':' || (rest[1] != '-' && rest[1] != '?'))))
		return wrong_form(w, body, n);
	if (w->names != NULL) {
		note_name(w->names, name);
		return n > len ? replace(w, rest + 2, n - len - 2) : 0;
	}
	value = w->get(w->data, name, &why);
	if (why.no != 0)
		return err_move(w->err, &why);
	/* with ":" an empty value is none, as in a shell */
	if (value == NULL || (*value == '\0' && n > len))
		return use_rest(w, name, rest, n - len);
	str_adds(w->out, value);
	return 0;
}

static int replace(struct work *w, const char *text, size_t n)
{
	int r = 0;

	if (w->depth++ >= DEPTH_MAX)
		return err_set(w->err, EINVAL, "bad-parameter", "parameters are nested more than %d deep", DEPTH_MAX);
	for (size_t i = 0; i < n && r == 0;) {
		if (n - i >= 3 && memcmp(text + i, "$${", 3) == 0) {
			if (w->out != NULL)
				str_adds(w->out, "${");
			i += 3;
		} else if (n - i >= 2 && memcmp(text + i, "${", 2) == 0) {
			const size_t len = body_len(text + i + 2, n - i - 2);

			if (i + 2 + len >= n)
				return err_set(w->err, EINVAL, "bad-parameter",
				               "a '${' has no '}' (write $${ for the characters "
				               "themselves)");
			r = replace_one(w, text + i + 2, len);
			i += len + 3;
		} else {
			if (w->out != NULL)
				str_addc(w->out, text[i]);
			i++;
		}
		if (r == 0 && w->out != NULL && w->out->len > INTERPOLATED_MAX)
			r = err_set(w->err, E2BIG, "bad-parameter", "with its parameters it is larger than %d KiB",
			            INTERPOLATED_MAX / 1024);
	}
	w->depth--;
	return r;
}

int interpolate(const char *text, parameter_fn *get, void *data, struct str *out, struct err *err)
{
	struct work w = { .get = get, .data = data, .out = out, .err = err };

	return replace(&w, text, strlen(text));
}

int interpolate_names(const char *text, struct strv *ret, struct err *err)
{
	struct work w = { .names = ret, .err = err };

	return replace(&w, text, strlen(text));
}
