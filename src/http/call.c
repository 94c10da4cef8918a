#include "http/call.h"

#include "base/units.h"
#include "http/routes.h"

#include <errno.h>

void call_release(struct call *c)
{
	if (c->upgrade.drop != NULL)
		c->upgrade.drop(c->upgrade.data);
	if (c->input != NULL)
		json_release(c->route->input, c->input);
	free(c->input);
	target_release(&c->target);
	str_release(&c->body);
	str_release(&c->out);
	strv_release(&c->headers);
}

void call_header(struct call *c, const char *name, const char *fmt, ...)
{
	_str_ value = STR_INIT;
	va_list ap;

	va_start(ap, fmt);
	str_addfv(&value, fmt, ap);
	va_end(ap);
	strv_push(&c->headers, name);
	strv_push(&c->headers, value.buf);
}

static int bad_parameter(const char *key, const char *wanted, struct err *err)
{
	err_set(err, EINVAL, "bad-parameter", "the parameter '%s' must be %s", key, wanted);
	err_field(err, key);
	return -EINVAL;
}

int call_number(const struct call *c, const char *key, uint64_t min, uint64_t max, uint64_t *ret, struct err *err)
{
	const char *text = target_query(&c->target, key);
	_free_ char *wanted = NULL;

	if (text == NULL || parse_uint(text, min, max, ret) == 0)
		return 0;
	wanted = xasprintf("a number from %llu to %llu", (unsigned long long)min, (unsigned long long)max);
	return bad_parameter(key, wanted, err);
}

int call_flag(const struct call *c, const char *key, bool *ret, struct err *err)
{
	const char *text = target_query(&c->target, key);

	if (text == NULL)
		return 0;
	*ret = str_eq(text, "1") || str_eq(text, "true");
	return *ret || str_eq(text, "0") || str_eq(text, "false") ? 0 : bad_parameter(key, "true or false", err);
}

int call_session(const struct call *c, struct session *ret, struct err *err)
{
	return session_find(c->house, c->params[0], ret, err);
}
