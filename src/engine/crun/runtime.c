#include "engine/crun/runtime.h"

#include "base/child.h"
#include "base/fd.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct { enum runtime_kind kind; const char *name, *oldest; } kinds[] = {
	{ RUNTIME_CRUN, "crun", "1.14" }, { RUNTIME_RUNC, "runc", "1.1" }, { RUNTIME_YOUKI, "youki", "0.3" },
};

const char *runtime_name(enum runtime_kind kind)
{
	return kinds[kind].name;
}

const char *runtime_oldest(enum runtime_kind kind)
{
	return kinds[kind].oldest;
}

int version_compare(const char *a, const char *b)
{
	while (isdigit((unsigned char)*a) || isdigit((unsigned char)*b)) {
		char *end_a, *end_b;
		const unsigned long x = strtoul(a, &end_a, 10), y = strtoul(b, &end_b, 10);

		if (x != y)
			return x < y ? -1 : 1;
		a = *end_a == '.' ? end_a + 1 : "";
		b = *end_b == '.' ? end_b + 1 : "";
	}
	return 0;
}

int runtime_parse_version(const char *output, struct runtime *ret)
{
	char name[16], version[32];

	if (sscanf(output, "%15s version: %31s", name, version) != 2 &&
	    sscanf(output, "%15s version %31s", name, version) != 2)
		return -EINVAL;
	for (size_t i = 0; i < array_len(kinds); i++) {
		if (!str_eq(kinds[i].name, name) || !isdigit((unsigned char)version[0]))
			continue;
		ret->kind = kinds[i].kind;
		snprintf(ret->version, sizeof(ret->version), "%s", version);
		return 0;
	}
	return -EINVAL;
}

static int locate(struct runtime *ret, const char *libexec, struct err *err)
{
	const char *given = getenv("PTERM_CRUN");
	_free_ char *found = NULL;

	if (given != NULL && *given != '\0') {
		found = child_find(given);
		if (found == NULL)
			return err_set(err, ENOENT, "no-runtime", "$PTERM_CRUN names '%s', which is no executable program",
			               given);
	}
	if (found == NULL) {
		_free_ char *beside = xasprintf("%s/crun/crun", libexec);

		found = access(beside, X_OK) == 0 ? TAKE(beside) : child_find(PTERM_LIBEXECDIR "/crun/crun");
	}
	for (size_t i = 0; found == NULL && i < array_len(kinds); i++)
		found = child_find(kinds[i].name);
	if (found == NULL)
		return err_set(err, ENOENT, "no-runtime", "there is no container runtime on this host: install crun (1.14 or "
		               "newer) with your package manager, or run tools/install-crun of pterm's source tree");
	snprintf(ret->path, sizeof(ret->path), "%s", found);
	return 0;
}

static int ask_version(struct runtime *ret, const char *cache_dir, struct err *err)
{
	const char *const argv[] = { ret->path, "--version", NULL };
	_str_ output = STR_INIT, cached = STR_INIT;
	_fd_ dir = open(cache_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_free_ char *name = NULL;
	struct stat st;
	int r;

	if (stat(ret->path, &st) < 0)
		return err_set(err, errno, "no-runtime", "cannot look at '%s': %m", ret->path);
	name = xasprintf("runtime-%llx-%llx-%llx.%lx", (unsigned long long)st.st_dev, (unsigned long long)st.st_ino,
	                 (unsigned long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
	if (dir >= 0 && file_read(dir, name, 4096, &cached) == 0 && runtime_parse_version(cached.buf, ret) == 0)
		return 0;
	r = child_run(argv, &output, err);
	if (r < 0)
		return r;
	if (runtime_parse_version(output.buf, ret) < 0)
		return err_set(err, EINVAL, "bad-runtime", "'%s --version' does not look like crun, runc or youki", ret->path);
	if (dir >= 0)
		(void)file_write(dir, name, output.buf, strcspn(output.buf, "\n"), 0600);
	return 0;
}

int runtime_find(struct runtime *ret, const char *libexec, const char *cache_dir, struct err *err)
{
	int r = locate(ret, libexec, err);

	if (r == 0)
		r = ask_version(ret, cache_dir, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < array_len(kinds); i++)
		if (kinds[i].kind == ret->kind && version_compare(ret->version, kinds[i].oldest) < 0)
			return err_set(err, ENOTSUP, "old-runtime", "'%s' is %s %s, and pterm needs %s or newer: run "
			               "tools/install-crun of pterm's source tree, or set PTERM_CRUN", ret->path,
			               kinds[i].name, ret->version, kinds[i].oldest);
	return 0;
}
