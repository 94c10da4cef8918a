#include "engine/cgroup.h"

#include "base/child.h"
#include "base/fd.h"
#include "base/path.h"
#include "engine/cgroup-tree.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define SYSTEMD "org.freedesktop.systemd1"
#define WAIT "10"                                 /* seconds that we give systemd */

static char *cgroup_name(const char *id, unsigned run)
{
	return xasprintf("pterm-%s-%u.scope", id, run);
}

/* --- can it be had --- */

static bool has_systemd(const char *root)
{
	_free_ char *path = xasprintf("%s/run/systemd/system", root);      /* sd_booted(3) */

	return path_exists(AT_FDCWD, path);
}

char *cgroup_of_manager(uid_t uid)
{
	return uid == 0 ? xstrdup("/") : xasprintf("/user.slice/user-%u.slice/user@%u.service", (unsigned)uid, (unsigned)uid);
}

static int check_manager(const char *root, uid_t uid, unsigned wanted, struct err *err)
{
	_free_ char *manager = cgroup_of_manager(uid);
	const int offered = tree_controllers(root, manager);
	_str_ names = STR_INIT;

	if (offered < 0)
		return err_set(err, ENOENT, "no-delegation", "cannot set limits: user %u has no systemd manager of its own, which "
		               "makes the cgroups for them: log in (ssh, a terminal; not su), or as root: loginctl enable-linger %u",
		               (unsigned)uid, (unsigned)uid);
	tree_names(wanted & ~(unsigned)offered, &names);
	if (names.len == 0)
		return 0;
	if (tree_controllers(root, "/") >= 0 && (wanted & ~(unsigned)tree_controllers(root, "/")) != 0)
		return err_set(err, ENOTSUP, "no-controller", "cannot limit %s: the kernel has it switched off: add "
		               "'cgroup_enable=memory' to its command line, or take 'cgroup_disable=' away", names.buf);
	return err_set(err, ENOTSUP, "no-delegation", "cannot limit %s: the cgroup controller is not delegated to user %u. As root: "
	               "mkdir -p /etc/systemd/system/user@.service.d && echo '[Service]' > "
	               "/etc/systemd/system/user@.service.d/delegate.conf && echo 'Delegate=cpu cpuset io memory pids' >> "
	               "/etc/systemd/system/user@.service.d/delegate.conf && systemctl daemon-reload; then log in again",
	               names.buf, (unsigned)uid);
}

int cgroup_check(const char *root, uid_t uid, const struct spec *spec, struct err *err)
{
	const unsigned wanted = tree_wanted(spec);
	_str_ names = STR_INIT;

	if (wanted == 0)
		return 0;
	tree_names(wanted, &names);
	if (!tree_is_unified(root))
		return err_set(err, ENOTSUP, "no-cgroup2", "cannot limit %s: this host has the old cgroups (v1, or both at once), which "
		               "cannot be given to users: boot it with 'systemd.unified_cgroup_hierarchy=1 cgroup_no_v1=all' on the "
		               "kernel's command line (on WSL 2: kernelCommandLine in .wslconfig)", names.buf);
	return has_systemd(root) ? check_manager(root, uid, wanted, err) : 0;
}

/* --- a scope of systemd --- */

/* busctl or systemctl, for the manager of our user: through its runtime directory, whatever our environment says. */
static void add_client(struct strv *v, const char *program)
{
	const uid_t uid = geteuid();

	strv_push(v, "env");
	if (uid != 0) {
		strv_push(v, "-u");
		strv_push(v, "DBUS_SESSION_BUS_ADDRESS");
		strv_pushf(v, "XDG_RUNTIME_DIR=/run/user/%u", (unsigned)uid);
	}
	strv_push(v, "timeout");
	strv_push(v, WAIT);
	strv_push(v, program);
	if (uid != 0)
		strv_push(v, "--user");
}

static void add_property(struct strv *v, const char *name, const char *type, uint64_t value)
{
	strv_push(v, name);
	strv_push(v, type);
	strv_pushf(v, "%llu", (unsigned long long)value);
}

/* StartTransientUnit(name, mode, a(sv) properties, a(sa(sv)) auxiliary units), as busctl(1) wants it. */
static void scope_arguments(struct strv *v, const char *name, const struct spec *spec, pid_t pid)
{
	const size_t count = 4 + (spec->memory_bytes > 0 ? 2 : 0) + (spec->cpus > 0) + (spec->pids > 0);
	static const char *const call[] = { "call", SYSTEMD, "/org/freedesktop/systemd1", SYSTEMD ".Manager",
	                                    "StartTransientUnit", "ssa(sv)a(sa(sv))" };

	add_client(v, "busctl");
	for (size_t i = 0; i < array_len(call); i++)
		strv_push(v, call[i]);
	strv_push(v, name);
	strv_push(v, "fail");
	strv_pushf(v, "%zu", count);
	strv_push(v, "Description");
	strv_push(v, "s");
	strv_push(v, "a terminal session of pterm");
	strv_push(v, "PIDs");
	strv_push(v, "au");
	strv_push(v, "1");
	strv_pushf(v, "%d", (int)pid);
	strv_push(v, "Delegate");                         /* also: systemd does not stop it all when one process is out of memory */
	strv_push(v, "b");
	strv_push(v, "true");
	strv_push(v, "CollectMode");
	strv_push(v, "s");
	strv_push(v, "inactive-or-failed");
	if (spec->memory_bytes > 0) {
		add_property(v, "MemoryMax", "t", (uint64_t)spec->memory_bytes);
		add_property(v, "MemorySwapMax", "t", 0);
	}
	if (spec->cpus > 0)
		add_property(v, "CPUQuotaPerSecUSec", "t", tree_quota_us(spec->cpus, 1000000));
	if (spec->pids > 0)
		add_property(v, "TasksMax", "t", (uint64_t)spec->pids + TREE_OWN_PIDS);
	strv_push(v, "0");
}

/* Run @v. 0, or -EIO with the last line it printed in @err. */
static int run_client(const struct strv *v, struct err *err)
{
	_str_ output = STR_INIT, shown = STR_INIT;
	const int r = child_run((const char *const *)v->items, &output, err);
	const char *last;

	if (r <= 0)
		return r;
	if (r == 124)                                    /* timeout(1) */
		return err_set(err, ETIMEDOUT, "scope", "cannot set limits: systemd did not answer within " WAIT " s");
	while (output.len > 0 && output.buf[output.len - 1] == '\n')
		output.buf[--output.len] = '\0';
	last = strrchr(output.buf, '\n');
	last = last ? last + 1 : output.buf;
	str_add_visible(&shown, last, strlen(last));
	return err_set(err, EIO, "scope", "cannot set limits: systemd made no scope for the session: %s", shown.buf);
}

/* Starting what is being started joins the job, and returns when it is done. */
static int wait_for_job(const char *name, struct err *err)
{
	_strv_ v = { 0 };

	add_client(&v, "systemctl");
	strv_push(&v, "start");
	strv_push(&v, name);
	return run_client(&v, err);
}

static int enter_scope(const char *name, const struct spec *spec, pid_t pid, char **ret_dir, struct err *err)
{
	_strv_ v = { 0 };
	_free_ char *cgroup = NULL;
	int r;

	scope_arguments(&v, name, spec, pid);
	r = run_client(&v, err);
	if (r == 0)
		r = wait_for_job(name, err);
	if (r < 0)
		return r;
	r = tree_of("", pid, &cgroup);
	if (r < 0 || !str_eq(path_base(cgroup), name))
		return err_set(err, EIO, "scope", "cannot set limits: systemd made the scope '%s' and did not move the session into it",
		               name);
	*ret_dir = tree_dir("", cgroup);
	return 0;
}

/* --- without systemd --- */

static int enter_directory(const char *name, const struct spec *spec, pid_t pid, char **ret_dir, struct err *err)
{
	_free_ char *cgroup = NULL;
	_free_ char *dir = NULL;
	int r = tree_of("", getpid(), &cgroup);

	if (r < 0)
		return err_set(err, -r, "limits", "cannot set limits: cannot find the cgroup that this runs in: %m");
	cgroup[strlen(cgroup) - strlen(path_base(cgroup))] = '\0';       /* beside ours: one with processes has no other below it */
	if (strlen(cgroup) > 1)
		cgroup[strlen(cgroup) - 1] = '\0';
	r = tree_make("", *cgroup ? cgroup : "/", name, spec, &dir, err);
	if (r < 0)
		return r;
	r = tree_move("", dir, pid);
	if (r < 0) {
		err_set(err, -r, "limits", "cannot set limits: cannot move the session into the cgroup '%s': %m", dir);
		(void)tree_remove(dir);
		return r;
	}
	*ret_dir = TAKE(dir);
	return 0;
}

/* --- operations --- */

int cgroup_enter(struct cgroup *ret, const struct spec *spec, const char *id, unsigned run, pid_t pid, struct err *err)
{
	_free_ char *name = cgroup_name(id, run);
	char *dir = NULL;
	int r = cgroup_check("", geteuid(), spec, err);

	if (r == 0)
		r = has_systemd("") ? enter_scope(name, spec, pid, &dir, err) : enter_directory(name, spec, pid, &dir, err);
	if (r < 0)
		return r;
	ret->path = dir;
	return 0;
}

bool cgroup_had_oom(const struct cgroup *g)
{
	uint64_t kills = 0;

	return g->path != NULL && tree_number(g->path, "memory.events", "oom_kill", &kills) == 0 && kills > 0;
}

int cgroup_stats(const struct cgroup *g, struct proc_usage *ret, uint64_t *ret_memory_max)
{
	uint64_t cpu_us = 0, memory = 0, pids = 0, max = 0;
	int r;

	if (g->path == NULL)
		return -ENOENT;
	r = tree_number(g->path, "cpu.stat", "usage_usec", &cpu_us);     /* there without any controller */
	if (r < 0)
		return r;
	if (tree_number(g->path, "memory.current", NULL, &memory) < 0 || tree_number(g->path, "pids.current", NULL, &pids) < 0)
		return -ENOTSUP;                         /* only what is limited is counted here */
	(void)tree_number(g->path, "memory.max", NULL, &max);
	*ret = (struct proc_usage){ .cpu_ns = cpu_us * 1000, .memory_bytes = memory, .pids = pids };
	*ret_memory_max = max;
	return 0;
}

void cgroup_remove(struct cgroup *g)
{
	if (g->path == NULL)
		return;
	(void)tree_remove(g->path);
	free(TAKE(g->path));
}

void cgroup_find(struct cgroup *ret, const char *id, unsigned run)
{
	_free_ char *name = cgroup_name(id, run);

	ret->path = tree_find("", name);
}

void cgroup_remove_of(const char *id, unsigned run)
{
	_free_ char *name = cgroup_name(id, run);
	_free_ char *dir = tree_find("", name);

	if (dir != NULL)
		(void)tree_remove(dir);
}
