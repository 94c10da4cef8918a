#include "service/runtime.h"

#include "service/doctor-checks.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>

bool version_at_least(const char *version, unsigned major, unsigned minor)
{
	unsigned a = 0, b = 0;

	if (sscanf(version, "%u.%u", &a, &b) < 1)
		return false;
	return a > major || (a == major && b >= minor);
}

static char *find_path(const struct host *h, const char **ret_from)
{
	const char *given = h->env("PTERM_CRUN");
	_free_ char *own = xasprintf("%s/crun/crun", h->libexec);

	*ret_from = "PTERM_CRUN";
	if (given != NULL)
		return strchr(given, '/') ? xstrdup(given) : host_find(h, given);
	*ret_from = "pterm";
	if (host_is_program(h, own))
		return TAKE(own);
	*ret_from = "PATH";
	return host_find(h, "crun");
}

/* "crun version 1.21", "runc version 1.1.5+ds1", "youki 0.5.4": the first word, and the first that starts with a digit. */
static void parse_version(struct host_runtime *r)
{
	const size_t name_len = strcspn(r->said.buf, " ");

	r->name = xstrndup(r->said.buf, name_len);
	for (const char *p = r->said.buf; *p != '\0'; p += strcspn(p, " "), p += strspn(p, " "))
		if (isdigit((unsigned char)*p) && r->version == NULL)
			r->version = xstrndup(p, strcspn(p, " "));
}

int host_runtime_find(const struct host *h, struct host_runtime *ret)
{
	_str_ out = STR_INIT;
	_free_ char *at = NULL;
	int r;

	*ret = (struct host_runtime){ .said = STR_INIT };
	ret->path = find_path(h, &ret->from);
	if (ret->path == NULL)
		return 0;
	at = host_path(h, ret->path);
	r = h->run((const char *const[]){ at, "--version", NULL }, &out);
	str_add_visible(&ret->said, out.buf, strcspn(out.buf, "\r\n"));
	if (r < 0)
		return r;
	if (r != 0)
		return -EIO;
	parse_version(ret);
	ret->has_seccomp = strstr(out.buf, "+SECCOMP") != NULL || strstr(out.buf, "libseccomp") != NULL;
	return 0;
}

void host_runtime_release(struct host_runtime *r)
{
	free(r->path);
	free(r->name);
	free(r->version);
	str_release(&r->said);
	*r = (struct host_runtime){ .said = STR_INIT };
}
