#include "service/host-runtime.h"

#include "service/doctor-checks.h"

#include <errno.h>

static char *find_path(const struct host *h, bool *ret_given)
{
	const char *given = h->env("PTERM_CRUN");
	_free_ char *beside = xasprintf("%s/crun/crun", h->libexec);
	char *found = NULL;

	*ret_given = given != NULL;
	if (given != NULL)
		return strchr(given, '/') ? xstrdup(given) : host_find(h, given);
	if (host_is_program(h, beside))
		return TAKE(beside);
	if (host_is_program(h, PTERM_LIBEXECDIR "/crun/crun"))
		return xstrdup(PTERM_LIBEXECDIR "/crun/crun");
	for (enum runtime_kind k = RUNTIME_CRUN; found == NULL && k <= RUNTIME_YOUKI; k++)
		found = host_find(h, runtime_name(k));
	return found;
}

int host_runtime_find(const struct host *h, struct host_runtime *ret)
{
	_str_ out = STR_INIT;
	_free_ char *at = NULL;
	int r;

	*ret = (struct host_runtime){ .said = STR_INIT };
	ret->path = find_path(h, &ret->is_given);
	if (ret->path == NULL)
		return 0;
	at = host_path(h, ret->path);
	r = h->run((const char *const[]){ at, "--version", NULL }, &out);
	str_add_visible(&ret->said, out.buf, strcspn(out.buf, "\r\n"));
	if (r != 0)
		return r < 0 ? r : -EIO;
	ret->is_known = runtime_parse_version(out.buf, &ret->runtime) == 0;
	ret->has_seccomp = strstr(out.buf, "+SECCOMP") != NULL || (ret->is_known && ret->runtime.kind != RUNTIME_CRUN);
	return 0;
}

void host_runtime_release(struct host_runtime *r)
{
	free(r->path);
	str_release(&r->said);
	*r = (struct host_runtime){ .said = STR_INIT };
}
