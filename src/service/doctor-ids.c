/*
 * Checks of what a rootless container's user namespace needs: ids, the programs that hand them out, and permission.
 */
#include "service/doctor-checks.h"

#include "base/idmap.h"
#include "base/path.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <sys/statvfs.h>

enum { SUBIDS_MIN = 65536, SUBIDS_FIRST = 100000, CAP_SETGID_BIT = 6, CAP_SETUID_BIT = 7 };

/* The first id above all ranges in the file, so that a new one overlaps nobody's. */
static uint64_t first_free(const struct host *h, const char *file)
{
	uint64_t top = SUBIDS_FIRST;
	_str_ text = STR_INIT;

	(void)host_read(h, file, &text);
	for (const char *p = text.buf; *p != '\0'; p += strcspn(p, "\n"), p += *p == '\n') {
		const char *colon = strpbrk(p, ":\n");
		unsigned long long start, count;
		char *end;

		if (colon == NULL || *colon != ':')
			continue;
		start = strtoull(colon + 1, &end, 10);
		count = *end == ':' ? strtoull(end + 1, NULL, 10) : 0;
		if (start <= UINT32_MAX && count <= UINT32_MAX && start + count > top)
			top = start + count;
	}
	return top;
}

static void fix_subids(const struct host *h, struct finding *f, const char *kind, uint32_t old_start, uint32_t old_count)
{
	_free_ char *file = xasprintf("/etc/sub%s", kind);
	const uint64_t start = first_free(h, file);

	if (start + SUBIDS_MIN > UINT32_MAX) {
		fix_by(f, "sudoedit %s  # no %d ids are free above the ranges there", file, SUBIDS_MIN);
		return;
	}
	fix_by(f, "sudo usermod ");
	if (old_count > 0)
		str_addf(&f->fix, "--del-sub%ss %u-%u ", kind, old_start, old_start + old_count - 1);
	str_addf(&f->fix, "--add-sub%ss %llu-%llu %s", kind, (unsigned long long)start,
	         (unsigned long long)start + SUBIDS_MIN - 1, h->user);
}

static void check_subids(const struct host *h, struct finding *f, const char *kind)
{
	_free_ char *file = xasprintf("/etc/sub%s", kind), *at = host_path(h, file);
	uint32_t start = 0, count = 0;
	int r;

	if (h->uid == 0) {
		found_ok(f, "root needs none");
		return;
	}
	r = idmap_subordinate(at, h->user, h->uid, &start, &count, NULL);
	if (r < 0) {
		found_problem(f, "%s cannot be read: %s", file, strerror(-r));
		fix_by(f, "sudo chmod 644 %s", file);
	} else if (r == 1) {
		found_problem(f, "%s has no line for %s", file, h->user);
		fix_subids(h, f, kind, 0, 0);
	} else if (count < SUBIDS_MIN) {
		found_problem(f, "%s gives %s %u ids, and %d are needed", file, h->user, count, SUBIDS_MIN);
		fix_subids(h, f, kind, start, count);
	} else {
		found_ok(f, "%u ids from %u on", count, start);
	}
}

void check_subuid(const struct host *h, struct finding *f)
{
	check_subids(h, f, "uid");
}

void check_subgid(const struct host *h, struct finding *f)
{
	check_subids(h, f, "gid");
}

/* Is capability @bit in the file's permitted set? capabilities(7), "File capability extended attribute". */
static bool has_file_capability(const struct host *h, const char *path, unsigned bit)
{
	unsigned char data[32];
	const ssize_t n = h->xattr(path, "security.capability", data, sizeof(data));

	return n >= 8 && (data[4 + bit / 8] >> (bit % 8) & 1) != 0;
}

/* What keeps @name, found at @path, from handing out ids; NULL when nothing does. */
static const char *mapper_fault(const struct host *h, const char *path, unsigned capability)
{
	_free_ char *at = host_path(h, path);
	struct statfs fs;
	struct stat st;

	if (h->stat(at, &st) < 0)
		return "cannot be looked at";
	if (((st.st_mode & S_ISUID) == 0 || st.st_uid != 0) && !has_file_capability(h, at, capability))
		return "is neither setuid root nor has it file capabilities";
	if (h->statfs(at, &fs) == 0 && (fs.f_flags & ST_NOSUID) != 0)
		return "is on a file system that is mounted nosuid";
	return NULL;
}

static bool check_mapper(const struct host *h, struct finding *f, const char *name, unsigned capability)
{
	_free_ char *path = host_find(h, name);
	const char *fault = path ? mapper_fault(h, path, capability) : "";

	if (path == NULL) {
		found_problem(f, "%s is not installed", name);
		fix_by_package(h, f, PACKAGE_UIDMAP);
	} else if (fault != NULL) {
		found_problem(f, "%s %s", path, fault);
		if (strstr(fault, "nosuid") != NULL)
			fix_by(f, "sudo mount -o remount,suid \"$(findmnt -no TARGET -T %s)\"", path);
		else
			fix_by(f, "sudo chown root:root %s && sudo chmod 4755 %s", path, path);
	} else {
		found_ok(f, "%s", path);
	}
	return f->status == CHECK_OK;
}

void check_newuidmap(const struct host *h, struct finding *f)
{
	if (h->uid == 0)
		found_ok(f, "root needs none");
	else if (check_mapper(h, f, "newuidmap", CAP_SETUID_BIT))
		(void)check_mapper(h, f, "newgidmap", CAP_SETGID_BIT);
}

void check_no_new_privs(const struct host *h, struct finding *f)
{
	if (h->uid == 0 || !h->has_no_new_privs()) {
		found_ok(f, "not set for this process");
		return;
	}
	found_problem(f, "this process and all it starts run with no_new_privs, so newuidmap cannot work");
	fix_by(f, "start pterm from a shell without it (systemd: NoNewPrivileges=no; Docker: no --security-opt "
	       "no-new-privileges)");
}

void check_sysctls(const struct host *h, struct finding *f)
{
	const int64_t max = host_number(h, "/proc/sys/user/max_user_namespaces", -1);

	if (max < 0) {
		found_problem(f, "this kernel has no user namespaces (CONFIG_USER_NS)");
		fix_by(f, "boot a kernel of your distribution");
	} else if (max == 0) {
		found_problem(f, "user.max_user_namespaces is 0");
		fix_by_sysctl(h, f, "user.max_user_namespaces=15000");
	} else if (h->uid != 0 && host_number(h, "/proc/sys/kernel/unprivileged_userns_clone", 1) == 0) {
		found_problem(f, "kernel.unprivileged_userns_clone is 0");
		fix_by_sysctl(h, f, "kernel.unprivileged_userns_clone=1");
	} else {
		found_ok(f, "user.max_user_namespaces is %lld", (long long)max);
	}
}

/* Does AppArmor let only programs with a profile make user namespaces? */
static bool apparmor_restricts(const struct host *h)
{
	return h->uid != 0 && host_number(h, "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", 0) == 1;
}

/* A file that names the program and has a rule "userns"; a program named by a pattern is not recognised. */
static bool has_profile(const struct host *h, const char *program)
{
	_free_ char *at = host_path(h, "/etc/apparmor.d");
	bool has = false;
	DIR *dir = opendir(at);

	if (dir == NULL)
		return false;
	for (struct dirent *e; !has && (e = readdir(dir)) != NULL;) {
		_free_ char *file = path_join("/etc/apparmor.d", e->d_name);
		_str_ text = STR_INIT;
		const char *found = NULL;

		if (e->d_name[0] != '.' && host_read(h, file, &text) == 0 && strstr(text.buf, "userns") != NULL)
			found = strstr(text.buf, program);
		for (; found != NULL && !has; found = strstr(found + 1, program))
			has = strchr("\" \t\n{", found[strlen(program)]) != NULL;     /* the whole path, not its beginning */
	}
	closedir(dir);
	return has;
}

/* The lines of a profile, each between single quotes for printf; named as tools/host-setup names it. */
static void add_profile(struct str *out, const char *program)
{
	str_adds(out, " 'profile pterm");
	for (const char *p = program; *p != '\0'; p++)
		str_addc(out, isalnum((unsigned char)*p) ? *p : '-');
	str_addf(out, " \"%s\" flags=(unconfined) {' 'userns,' '}'", program);
}

void check_apparmor(const struct host *h, struct finding *f)
{
	_free_ char *supervisor = path_join(h->libexec, "pterm-supervisor");
	const char *const programs[] = { h->program, supervisor };
	_str_ lines = STR_INIT;

	if (!apparmor_restricts(h)) {
		found_ok(f, "does not restrict user namespaces here");
		return;
	}
	found_ok(f, "profiles let %s and %s make user namespaces", programs[0], programs[1]);
	for (size_t i = array_len(programs); i-- > 0;) {
		add_profile(&lines, programs[i]);
		if (!has_profile(h, programs[i]))
			found_problem(f, "AppArmor lets only programs with a profile make user namespaces, and %s has none",
			              programs[i]);
	}
	if (f->status != CHECK_OK)
		fix_by(f, "printf '%%s\\n' 'abi <abi/4.0>,' 'include <tunables/global>'%s | sudo tee "
		       "/etc/apparmor.d/pterm-doctor && sudo apparmor_parser -r /etc/apparmor.d/pterm-doctor", lines.buf);
}

static void userns_failed(const struct host *h, struct finding *f, int r)
{
	if (r == -EPERM && h->is_in_chroot()) {
		found_problem(f, "making one is refused: we are inside a chroot, where the kernel allows none");
		fix_by(f, "enter the tree with pivot_root instead, for example: sudo systemd-nspawn -D DIRECTORY");
	} else if (r == -EPERM || r == -EACCES) {
		found_problem(f, "making one is refused (%s): by a security module, or by the seccomp filter of a container "
		              "around us", strerror(-r));
		fix_by(f, "run pterm on the host itself, or let the container around it make user namespaces "
		       "(Docker: --security-opt seccomp=unconfined --security-opt apparmor=unconfined)");
	} else if (r == -ENOSPC || r == -EUSERS) {
		found_problem(f, "making one fails: there are as many as user.max_user_namespaces allows, or too deep ones");
		fix_by_sysctl(h, f, "user.max_user_namespaces=100000");
	} else {
		found_problem(f, "making one fails: %s", strerror(-r));
		fix_by(f, "boot a kernel of your distribution");
	}
}

void check_userns(const struct host *h, struct finding *f)
{
	const int r = h->make_userns();

	if (r == 0)
		found_ok(f, "made one");
	else if (apparmor_restricts(h))
		found_problem(f, "making one is refused by AppArmor: see the row apparmor");
	else
		userns_failed(h, f, r);
}
