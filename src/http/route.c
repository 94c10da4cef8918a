/* Which row of the table a request means. */
#include "http/routes.h"

#include <errno.h>

static bool matches(const char *pattern, const struct strv *segments, const char **params)
{
	size_t param = 0;

	for (size_t i = 0; i < segments->len; i++) {
		const char *segment = segments->items[i];
		size_t n;

		if (*pattern != '/')
			return false;
		n = strcspn(++pattern, "/");
		if (pattern[0] == '{' && param < CALL_PARAMS_MAX)
			params[param++] = segment;
		else if (strlen(segment) != n || memcmp(pattern, segment, n) != 0)
			return false;
		pattern += n;
	}
	return *pattern == '\0';
}

int route_find(const struct route *table, const char *method, const struct strv *segments, const struct route **ret,
               const char **params, char **ret_allow)
{
	const char *wanted = str_eq(method, "HEAD") ? "GET" : method;
	_str_ allow = STR_INIT;

	for (const struct route *r = table; r->method != NULL; r++) {
		if (!matches(r->path, segments, params))
			continue;
		if (str_eq(r->method, wanted)) {
			*ret = r;
			return 0;
		}
		str_addf(&allow, "%s%s%s", allow.len > 0 ? ", " : "", r->method, str_eq(r->method, "GET") ? ", HEAD" : "");
	}
	if (allow.len == 0)
		return -ENOENT;
	*ret_allow = str_take(&allow);
	return -ENOTSUP;
}

static bool has_word(const char *words, const char *word)
{
	const size_t n = strlen(word);

	for (const char *p = words; p != NULL && *p != '\0';) {
		const size_t len = strcspn(p, " ");

		if (len == n && memcmp(p, word, n) == 0)
			return true;
		p += len + strspn(p + len, " ");
	}
	return false;
}

int route_check_query(const struct route *r, const struct target *t, struct err *err)
{
	for (size_t i = 0; i < t->keys.len; i++) {
		_free_ char *shown = NULL;

		if (has_word(r->query, t->keys.items[i]))
			continue;
		shown = visible(t->keys.items[i]);
		err_set(err, EINVAL, "bad-parameter", "there is no parameter '%s' here", shown);
		err_field(err, t->keys.items[i]);
		return -EINVAL;
	}
	return 0;
}
