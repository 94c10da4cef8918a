/* A request line's method and target: taken apart, matched against the table, its parameters checked. */
#include "http/routes.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const char *const methods[] = { "GET", "POST", "DELETE", "HEAD", "" };
	_cleanup_(target_release) struct target t = { 0 };
	const char *params[CALL_PARAMS_MAX] = { 0 };
	const struct route *r = NULL;
	_free_ char *text = NULL, *allow = NULL;
	_err_ err = ERR_INIT;

	if (n < 1)
		return 0;
	text = xstrndup((const char *)data + 1, n - 1);
	if (target_parse(text, &t, &err) < 0)
		return 0;
	if (t.keys.len != t.values.len || t.segments.len > TARGET_SEGMENTS_MAX)
		abort();
	for (size_t i = 0; i < t.segments.len; i++) {
		const char *s = t.segments.items[i];

		if (*s == '\0' || str_eq(s, ".") || str_eq(s, "..") || strchr(s, '/') != NULL)
			abort();
	}
	if (route_find(routes, methods[data[0] % array_len(methods)], &t.segments, &r, params, &allow) != 0)
		return 0;
	if (strchr(r->path, '{') != NULL && params[0] == NULL)
		abort();
	(void)route_check_query(r, &t, &err);
	return 0;
}
