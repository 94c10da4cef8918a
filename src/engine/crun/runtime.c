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

/* Where tools/install-crun puts one by default, whatever the PREFIX of pterm is. */
#define DEFAULT_LIBEXECDIR "/usr/local/libexec/pterm"

char *runtime_locate(const struct runtime_look *look, const char *libexec, bool *ret_given)
{
	const char *const private[] = { libexec, PTERM_LIBEXECDIR, DEFAULT_LIBEXECDIR };
	const char *given = look->env(look->data, "PTERM_CRUN");
	char *found = NULL;

	*ret_given = given != NULL && *given != '\0';
	if (*ret_given)
		return look->find(look->data, given);
	for (size_t i = 0; i < array_len(private); i++) {
		_free_ char *path = xasprintf("%s/crun/crun", private[i]);

		if (look->is_program(look->data, path))
			return TAKE(path);
	}
	for (size_t i = 0; found == NULL && i < array_len(kinds); i++)
		found = look->find(look->data, kinds[i].name);
	return found;
}

static const char *real_env(const void *data, const char *name) { return getenv(name); }
static bool real_is_program(const void *data, const char *path) { return access(path, X_OK) == 0; }
static char *real_find(const void *data, const char *name) { return child_find(name); }

static int locate(struct runtime *ret, const char *libexec, struct err *err)
{
	static const struct runtime_look real = { real_env, real_is_program, real_find, NULL };
	bool is_given;
	_free_ char *found = runtime_locate(&real, libexec, &is_given);

	if (found == NULL && is_given)
		return err_set(err, ENOENT, "no-runtime", "$PTERM_CRUN names '%s', which is no executable program",
		               getenv("PTERM_CRUN"));
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
