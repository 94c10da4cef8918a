#include "http/routes.h"

#include "base/test.h"

#include <errno.h>

static const struct route *find(const char *method, const char *path, const char **params, char **allow, int *ret)
{
	_cleanup_(target_release) struct target t = { 0 };
	static char kept[CALL_PARAMS_MAX][64];
	const struct route *r = NULL;
	const char *found[CALL_PARAMS_MAX] = { 0 };

	ASSERT_OK(target_parse(path, &t, NULL));
	*ret = route_find(routes, method, &t.segments, &r, found, allow);
	for (size_t i = 0; i < CALL_PARAMS_MAX; i++) {
		snprintf(kept[i], sizeof(kept[i]), "%s", found[i] ? found[i] : "");
		params[i] = kept[i];
	}
	return r;
}

TEST(requests_find_their_rows)
{
	static const struct { const char *method, *path, *want, *param; } t[] = {
		{ "GET", "/healthz", "/healthz", "" },
		{ "HEAD", "/healthz", "/healthz", "" },
		{ "GET", "/api/v1/sessions", "/api/v1/sessions", "" },
		{ "GET", "/api/v1/sessions/abc", "/api/v1/sessions/{id}", "abc" },
		{ "DELETE", "/api/v1/sessions/tty", "/api/v1/sessions/{id}", "tty" },
		{ "GET", "/api/v1/sessions/abc/tty", "/api/v1/sessions/{id}/tty", "abc" },
		{ "POST", "/api/v1/sessions/%7Bid%7D/stop", "/api/v1/sessions/{id}/stop", "{id}" },
	};

	for (size_t i = 0; i < array_len(t); i++) {
		const char *params[CALL_PARAMS_MAX];
		_free_ char *allow = NULL;
		int r;
		const struct route *found = find(t[i].method, t[i].path, params, &allow, &r);

		ASSERT_EQ(r, 0);
		ASSERT_STREQ(found->path, t[i].want);
		ASSERT_STREQ(params[0], t[i].param);
	}
}

TEST(what_is_not_there_is_told_apart_from_what_is_asked_wrongly)
{
	static const struct { const char *method, *path; int want; const char *allow; } t[] = {
		{ "GET", "/", -ENOENT, NULL },
		{ "GET", "/healthz/x", -ENOENT, NULL },
		{ "GET", "/api/v1/sessions/a/b", -ENOENT, NULL },
		{ "GET", "/api/v1/session", -ENOENT, NULL },
		{ "GET", "/api/v1/sessionss", -ENOENT, NULL },
		{ "GET", "/API/v1/sessions", -ENOENT, NULL },
		{ "POST", "/healthz", -ENOTSUP, "GET, HEAD" },
		{ "PUT", "/api/v1/sessions", -ENOTSUP, "GET, HEAD, POST" },
		{ "GET", "/api/v1/sessions/a/stop", -ENOTSUP, "POST" },
		{ "get", "/healthz", -ENOTSUP, "GET, HEAD" },
	};

	for (size_t i = 0; i < array_len(t); i++) {
		const char *params[CALL_PARAMS_MAX];
		_free_ char *allow = NULL;
		int r;

		find(t[i].method, t[i].path, params, &allow, &r);
		ASSERT_EQ(r, t[i].want);
		ASSERT((allow == NULL) == (t[i].allow == NULL));
		if (allow != NULL)
			ASSERT_STREQ(allow, t[i].allow);
	}
}

/* Every row can be reached: none is hidden by one before it. */
TEST(no_row_hides_another)
{
	for (const struct route *r = routes; r->method != NULL; r++) {
		const char *params[CALL_PARAMS_MAX];
		_free_ char *allow = NULL;
		int rc;

		ASSERT(find(r->method, r->path, params, &allow, &rc) == r);
	}
}

/* Whoever is not known may do next to nothing. */
TEST(what_needs_no_right_is_listed_here)
{
	static const char *const open_to_all[] = { "/healthz", "/readyz", "/api/v1/openapi.json" };

	for (const struct route *r = routes; r->method != NULL; r++) {
		bool is_listed = false;

		for (size_t i = 0; i < array_len(open_to_all); i++)
			is_listed |= str_eq(r->path, open_to_all[i]);
		ASSERT_EQ(r->rights == RIGHT_NOTHING, is_listed);
		ASSERT(str_eq(r->method, "GET") || (r->rights & ~(unsigned)RIGHT_SEE) != 0);     /* to change needs more than to see */
	}
}

TEST(unknown_parameters_are_refused)
{
	static const struct route r = { .query = "since limit " };
	static const struct { const char *target; int want; } t[] = {
		{ "/?since=1", 0 }, { "/?limit=1&since=2", 0 }, { "/?sinc=1", -EINVAL }, { "/?since%20limit=1", -EINVAL }, { "/?=1", -EINVAL },
	};

	for (size_t i = 0; i < array_len(t); i++) {
		_cleanup_(target_release) struct target target = { 0 };
		_err_ err = ERR_INIT;

		ASSERT_OK(target_parse(t[i].target, &target, NULL));
		ASSERT_EQ(route_check_query(&r, &target, &err), t[i].want);
	}
}
