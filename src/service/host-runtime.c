#include "service/host-runtime.h"

#include "service/doctor-checks.h"

#include <errno.h>

static bool look_is_program(const void *host, const char *path)
{
	return host_is_program(host, path);
}

/* A path that was given is run to see whether it is one. */
static char *look_find(const void *host, const char *name)
{
	return strchr(name, '/') ? xstrdup(name) : host_find(host, name);
}

int host_runtime_find(const struct host *h, struct host_runtime *ret)
{
	const struct runtime_look look = { host_look_env, look_is_program, look_find, h };
	_str_ out = STR_INIT;
	_free_ char *at = NULL;
	int r;

	*ret = (struct host_runtime){ .said = STR_INIT };
	ret->path = runtime_locate(&look, h->libexec, &ret->is_given);
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
