/*
 * Checks of what surrounds sessions: control groups, logins, the machine itself.
 */
#include "service/doctor-checks.h"

#include "base/path.h"
#include "engine/cgroup.h"
#include "engine/cgroup-tree.h"

#include <dirent.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/statvfs.h>

/* Ours, as a path below /sys/fs/cgroup (the caller frees); NULL: there is no cgroup v2. */
static char *own_cgroup(const struct host *h)
{
	char *cgroup = NULL;

	return tree_of(h->root, 0, &cgroup) == 0 ? cgroup : NULL;
}

static bool is_ours(const struct host *h, const char *cgroup)
{
	_free_ char *dir = tree_dir("", cgroup);
	struct stat st;

	return host_stat(h, dir, &st) == 0 && st.st_uid == h->uid;
}

/*
 * The cgroup below which the caller may make others: its user manager's, or its own; NULL when neither is the
 * caller's.
 */
static char *delegated_cgroup(const struct host *h)
{
	_free_ char *manager = cgroup_of_manager(h->uid), *own = own_cgroup(h);

	if (h->uid == 0 || is_ours(h, manager))
		return TAKE(manager);
	return own != NULL && is_ours(h, own) ? TAKE(own) : NULL;
}

static void not_cgroup2(const struct host *h, struct finding *f)
{
	_free_ char *own = own_cgroup(h);

	found_warning(f, "this host uses %s: limits cannot be used, all else works",
	              own ? "cgroup v1 and v2 together (hybrid)" : "cgroup v1");
	if (host_is_wsl(h))
		fix_by(f, "add to %%UserProfile%%\\.wslconfig in Windows, below [wsl2]: kernelCommandLine = cgroup_no_v1=all; "
		       "then: wsl.exe --shutdown");
	else if (host_has_systemd(h) && host_family(h) == FAMILY_FEDORA)
		fix_by(f, "%sgrubby --update-kernel=ALL --args=systemd.unified_cgroup_hierarchy=1  # then reboot", host_sudo(h));
	else if (host_has_systemd(h) && host_family(h) == FAMILY_DEBIAN)
		fix_by(f, "%ssed -i 's/^GRUB_CMDLINE_LINUX=\"/&systemd.unified_cgroup_hierarchy=1 /' /etc/default/grub && "
		       "%supdate-grub  # then reboot", host_sudo(h), host_sudo(h));
	else
		fix_by(f, "boot with cgroup_no_v1=all and mount cgroup2 on /sys/fs/cgroup");
}

static void fix_by_cgroup(const struct host *h, struct finding *f)
{
	fix_by(f, "as root: make a cgroup with the controllers memory, cpu and pids, chown it to %s, and start the shell in it",
	       h->user);
}

/* Under systemd the user's own manager hands cgroups out, and it runs while the user is logged in or lingers. */
static void no_cgroup(const struct host *h, struct finding *f)
{
	if (!host_has_systemd(h)) {
		found_warning(f, "no cgroup is delegated to you: limits cannot be used, all else works");
		fix_by_cgroup(h, f);
		return;
	}
	found_warning(f, "you have no systemd manager of your own, which would delegate cgroups: limits cannot be used, all else "
	              "works");
	fix_by(f, "sudo loginctl enable-linger %s  # or log in by ssh or at a terminal, and not with su", h->user);
}

static void fix_delegation(const struct host *h, struct finding *f)
{
	if (host_has_systemd(h))
		fix_by(f, "%smkdir -p /etc/systemd/system/user@.service.d && printf '[Service]\\nDelegate=cpu cpuset io memory "
		       "pids\\n' | %stee /etc/systemd/system/user@.service.d/delegate.conf && %ssystemctl daemon-reload  # then "
		       "log in again", host_sudo(h), host_sudo(h), host_sudo(h));
	else
		fix_by_cgroup(h, f);
}

static void judge_controllers(const struct host *h, struct finding *f, const char *cgroup)
{
	const int set = tree_controllers(h->root, cgroup);
	const unsigned has = set < 0 ? 0 : (unsigned)set, lacks = CONTROLLERS_ALL & ~has;
	_str_ names = STR_INIT;

	tree_names(lacks != 0 ? lacks : has, &names);
	if (lacks == 0) {
		found_ok(f, "cgroup v2 with %s", names.buf);
		return;
	}
	found_warning(f, "%s %s not delegated to you: the limits of that name cannot be used", names.buf,
	              strchr(names.buf, ',') ? "are" : "is");
	fix_delegation(h, f);
}

void check_cgroup(const struct host *h, struct finding *f)
{
	_free_ char *at = host_path(h, "/sys/fs/cgroup"), *dir = NULL;
	struct statfs fs;

	if (h->statfs(at, &fs) < 0 || (uint32_t)fs.f_type != CGROUP2_SUPER_MAGIC) {
		not_cgroup2(h, f);
		return;
	}
	dir = delegated_cgroup(h);
	if (dir == NULL)
		no_cgroup(h, f);
	else if ((fs.f_flags & ST_RDONLY) != 0)
		found_warning(f, "/sys/fs/cgroup is mounted read-only: limits cannot be used, all else works");
	else
		judge_controllers(h, f, dir);
}

static void read_kill_setting(const struct host *h, const char *file, bool *kills)
{
	static const char key[] = "KillUserProcesses=";
	_str_ text = STR_INIT;

	(void)host_read(h, file, &text);
	for (const char *p = text.buf; *p != '\0'; p += strcspn(p, "\n"), p += *p == '\n') {
		p += strspn(p, " \t");
		if (str_starts(p, key))
			*kills = strchr("yYtT1", p[strlen(key)]) != NULL || strncasecmp(p + strlen(key), "on", 2) == 0;
	}
}

/* KillUserProcesses= as logind reads it: its file, then the drop-ins, whose last word counts (logind.conf(5)). */
static bool logout_kills(const struct host *h)
{
	static const char *const files[] = { "/usr/lib/systemd/logind.conf", "/etc/systemd/logind.conf" };
	static const char *const dirs[] = { "/usr/lib/systemd/logind.conf.d", "/run/systemd/logind.conf.d",
	                                    "/etc/systemd/logind.conf.d" };
	bool kills = false;

	for (size_t i = 0; i < array_len(files); i++)
		read_kill_setting(h, files[i], &kills);
	for (size_t i = 0; i < array_len(dirs); i++) {
		_free_ char *at = host_path(h, dirs[i]);
		struct dirent **found = NULL;
		const int n = scandir(at, &found, NULL, alphasort);

		for (int k = 0; k < n; k++) {
			_free_ char *file = path_join(dirs[i], found[k]->d_name);

			if (found[k]->d_name[0] != '.')
				read_kill_setting(h, file, &kills);
			free(found[k]);
		}
		free(found);
	}
	return kills;
}

void check_linger(const struct host *h, struct finding *f)
{
	_free_ char *file = xasprintf("/var/lib/systemd/linger/%s", h->user), *own = own_cgroup(h);

	if (!host_has_systemd(h)) {
		found_ok(f, "systemd does not run here, so a logout ends nothing");
	} else if (h->uid == 0) {
		found_ok(f, "root's processes outlive its logout");
	} else if (host_exists(h, file)) {
		found_ok(f, "on for %s", h->user);
	} else {
		if (logout_kills(h))
			found_warning(f, "KillUserProcesses=yes: every session ends when you log out");
		else if (own != NULL && strstr(own, "/user@") != NULL)
			found_warning(f, "this terminal belongs to your user manager: sessions started here end when you log out");
		else
			found_warning(f, "off for %s: sessions with limits, and those started from a desktop terminal, end when "
			              "you log out", h->user);
		fix_by(f, "sudo loginctl enable-linger %s", h->user);
	}
}

/* Where sockets and caches are without a usable $XDG_RUNTIME_DIR: as find_runtime() in supervisor/house.c. */
static char *other_runtime_dir(const struct host *h)
{
	_free_ char *shm = host_path(h, "/dev/shm");
	struct statfs fs;

	if (h->statfs(shm, &fs) == 0 && fs.f_type == TMPFS_MAGIC)
		return xasprintf("/dev/shm/pterm-%u", (unsigned)h->uid);
	return path_join(h->home, "run");
}

void check_runtime_dir(const struct host *h, struct finding *f)
{
	const char *dir = h->env("XDG_RUNTIME_DIR");
	_free_ char *other = other_runtime_dir(h);
	struct stat st;

	if (h->uid == 0) {
		found_ok(f, "/run/pterm");
		return;
	}
	if (dir == NULL)
		found_ok(f, "XDG_RUNTIME_DIR is not set: %s is used", other);
	else if (host_stat(h, dir, &st) < 0 || !S_ISDIR(st.st_mode))
		found_warning(f, "XDG_RUNTIME_DIR is '%s', which is no directory: %s is used", dir, other);
	else if (st.st_uid != h->uid)
		found_warning(f, "XDG_RUNTIME_DIR is '%s', which is not yours: %s is used", dir, other);
	else
		found_ok(f, "%s/pterm", dir);
	if (f->status != CHECK_OK)
		fix_by(f, "unset XDG_RUNTIME_DIR  # or log in as %s instead of using su", h->user);
}

void check_wsl(const struct host *h, struct finding *f)
{
	_str_ release = STR_INIT;

	(void)host_read(h, "/proc/sys/kernel/osrelease", &release);
	if (strstr(release.buf, "-Microsoft") != NULL) {
		found_problem(f, "this is WSL 1, which has no namespaces");
		fix_by(f, "wsl.exe --set-version DISTRIBUTION 2  # in Windows");
	} else if (host_is_wsl(h)) {
		found_warning(f, "this is WSL 2: it stops some seconds after its last window closes, and all sessions with it");
		fix_by(f, "wsl.exe --exec dbus-launch true  # in Windows; or keep one window open");
	} else {
		found_ok(f, "this is not WSL");
	}
}

void check_sudo(const struct host *h, struct finding *f)
{
	(void)h;
	found_ok(f, "sudo does not work inside a session (no_new_privs): the first user there is root already");
}
