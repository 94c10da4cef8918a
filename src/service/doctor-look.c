/*
 * How a check reads the host and says what it found (doctor-checks.h).
 */
#include "service/doctor-checks.h"

#include "base/fd.h"

#include <fcntl.h>

static void _printf_(3, 0) say(struct finding *f, enum check_status status, const char *fmt, va_list ap)
{
	_str_ text = STR_INIT;

	str_addfv(&text, fmt, ap);
	f->status = status;
	str_clear(&f->found);
	str_add_visible(&f->found, text.buf, text.len);
}

#define DEFINE_FOUND(name, status) \
	void found_##name(struct finding *f, const char *fmt, ...) \
	{ \
		va_list ap; \
		va_start(ap, fmt); \
		say(f, status, fmt, ap); \
		va_end(ap); \
	}
DEFINE_FOUND(ok, CHECK_OK)
DEFINE_FOUND(warning, CHECK_WARNING)
DEFINE_FOUND(problem, CHECK_PROBLEM)

void fix_by(struct finding *f, const char *fmt, ...)
{
	_str_ text = STR_INIT;
	va_list ap;

	va_start(ap, fmt);
	str_addfv(&text, fmt, ap);
	va_end(ap);
	str_clear(&f->fix);
	str_add_visible(&f->fix, text.buf, text.len);
}

char *host_path(const struct host *h, const char *path)
{
	return xasprintf("%s%s", h->root, path);
}

int host_read(const struct host *h, const char *path, struct str *ret)
{
	_free_ char *at = host_path(h, path);

	return file_read(AT_FDCWD, at, 1 << 20, ret);
}

int host_stat(const struct host *h, const char *path, struct stat *ret)
{
	_free_ char *at = host_path(h, path);

	return h->stat(at, ret);
}

bool host_exists(const struct host *h, const char *path)
{
	struct stat st;

	return host_stat(h, path, &st) == 0;
}

bool host_is_program(const struct host *h, const char *path)
{
	struct stat st;

	return host_stat(h, path, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 0111) != 0;
}

const char *host_look_env(const void *host, const char *name)
{
	return ((const struct host *)host)->env(name);
}

char *host_find(const struct host *h, const char *name)
{
	const char *path = h->env("PATH");

	for (path = path ? path : "/usr/local/bin:/usr/bin:/bin"; *path != '\0';) {
		const size_t n = strcspn(path, ":");
		_free_ char *at = xasprintf("%.*s/%s", (int)n, path, name);

		if (n > 0 && host_is_program(h, at))
			return TAKE(at);
		path += n + (path[n] == ':');
	}
	return NULL;
}

int64_t host_number(const struct host *h, const char *path, int64_t otherwise)
{
	_str_ text = STR_INIT;
	char *end;
	int64_t v;

	if (host_read(h, path, &text) < 0)
		return otherwise;
	v = strtoll(text.buf, &end, 10);
	return end == text.buf ? otherwise : v;
}

bool host_has_systemd(const struct host *h)
{
	return host_exists(h, "/run/systemd/system");
}

bool host_is_wsl(const struct host *h)
{
	_str_ release = STR_INIT;

	(void)host_read(h, "/proc/sys/kernel/osrelease", &release);
	return strcasestr(release.buf, "microsoft") != NULL || strstr(release.buf, "WSL") != NULL ||
	       host_exists(h, "/run/WSL");
}

char *host_nearest(const struct host *h, const char *path)
{
	_free_ char *at = xstrdup(path);

	while (!host_exists(h, at)) {
		char *slash = strrchr(at, '/');

		if (slash == NULL)
			return xstrdup(".");
		if (slash == at)
			return xstrdup("/");
		*slash = '\0';
	}
	return TAKE(at);
}

/* The value of KEY= in os-release(5), without its quotes, or "" (the caller frees). */
static char *os_release(const struct host *h, const char *key)
{
	const size_t n = strlen(key);
	_str_ text = STR_INIT;

	if (host_read(h, "/etc/os-release", &text) < 0)
		(void)host_read(h, "/usr/lib/os-release", &text);
	for (const char *p = text.buf; *p != '\0'; p += strcspn(p, "\n"), p += *p == '\n') {
		size_t len = strcspn(p, "\r\n");

		if (len <= n || strncmp(p, key, n) != 0 || p[n] != '=')
			continue;
		p += n + 1;
		len -= n + 1;
		if (len >= 2 && (*p == '"' || *p == '\'') && p[len - 1] == *p)
			return xstrndup(p + 1, len - 2);
		return xstrndup(p, len);
	}
	return xstrdup("");
}

enum host_family host_family(const struct host *h)
{
	static const struct { const char *id; enum host_family family; } known[] = {
		{ "debian", FAMILY_DEBIAN }, { "ubuntu", FAMILY_DEBIAN }, { "fedora", FAMILY_FEDORA },
		{ "rhel", FAMILY_FEDORA }, { "centos", FAMILY_FEDORA }, { "arch", FAMILY_ARCH },
		{ "suse", FAMILY_SUSE }, { "opensuse", FAMILY_SUSE }, { "alpine", FAMILY_ALPINE },
	};
	_free_ char *id = os_release(h, "ID"), *like = os_release(h, "ID_LIKE");
	_free_ char *all = xasprintf(" %s %s ", id, like);

	for (size_t i = 0; i < array_len(known); i++) {
		_free_ char *word = xasprintf(" %s ", known[i].id);

		if (strstr(all, word) != NULL)
			return known[i].family;
	}
	return FAMILY_OTHER;
}

bool host_is(const struct host *h, const char *id, const char *version)
{
	_free_ char *our_id = os_release(h, "ID"), *our_version = os_release(h, "VERSION_ID");

	return str_eq(our_id, id) && str_starts(our_version, version);
}

const char *host_sudo(const struct host *h)
{
	return h->uid == 0 ? "" : "sudo ";
}

void fix_by_package(const struct host *h, struct finding *f, enum package p)
{
	static const char *const install[FAMILY_COUNT] = {
		[FAMILY_DEBIAN] = "apt-get install", [FAMILY_FEDORA] = "dnf install", [FAMILY_ARCH] = "pacman -S",
		[FAMILY_SUSE] = "zypper install", [FAMILY_ALPINE] = "apk add",
	};
	static const char *const names[PACKAGE_COUNT][FAMILY_COUNT] = {
		[PACKAGE_CRUN] = { "crun", "crun", "crun", "crun", "crun", "crun" },
		[PACKAGE_UIDMAP] = { "uidmap", "uidmap", "shadow-utils", "shadow", "shadow", "shadow-uidmap" },
		[PACKAGE_PASST] = { "passt", "passt", "passt", "passt", "passt", "passt" },
		[PACKAGE_SLIRP] = { "slirp4netns", "slirp4netns", "slirp4netns", "slirp4netns", "slirp4netns",
		                    "slirp4netns" },
	};
	const enum host_family family = host_family(h);

	if (install[family] == NULL)
		fix_by(f, "install the package %s (it may have another name here)", names[p][family]);
	else
		fix_by(f, "%s%s %s", host_sudo(h), install[family], names[p][family]);
}

void fix_by_sysctl(const struct host *h, struct finding *f, const char *setting)
{
	fix_by(f, "echo %s | %stee -a /etc/sysctl.d/60-pterm.conf && %ssysctl -p /etc/sysctl.d/60-pterm.conf", setting,
	       host_sudo(h), host_sudo(h));
}
