#include "base/fd.h"
#include "base/path.h"
#include "base/test.h"
#include "engine/cgroup-tree.h"
#include "engine/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* A made-up host: files given as path, text, path, text … below a fresh directory, which `done` removes. */
struct made { char root[64]; };

static void made_file(const struct made *m, const char *path, const char *text)
{
	_free_ char *full = xasprintf("%s/%s", m->root, path);
	_free_ char *dir = xstrndup(full, strlen(full) - strlen(path_base(full)) - 1);
	_fd_ fd = -1;

	ASSERT_OK(path_mkdirs(dir, 0755));
	fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	ASSERT(fd >= 0);
	ASSERT_OK(fd_write_all(fd, text, strlen(text)));
}

static struct made made_new(void)
{
	struct made m = { "/tmp/pterm-test-cgroup-XXXXXX" };

	ASSERT(mkdtemp(m.root) != NULL);
	return m;
}

static void made_done(const struct made *m)
{
	ASSERT_OK(path_remove_tree(AT_FDCWD, m->root));
}

static void expect_file(const struct made *m, const char *path, const char *want)
{
	_free_ char *full = xasprintf("%s/%s", m->root, path);
	_str_ text = STR_INIT;

	ASSERT_OK(file_read(AT_FDCWD, full, 4096, &text));
	ASSERT_STREQ(text.buf, want);
}

static const struct spec all_limits = { .memory_bytes = 64 << 20, .cpus = 0.2, .pids = 20 };

TEST(wanted)
{
	const struct spec none = { 0 }, memory = { .memory_bytes = 1 };
	_str_ names = STR_INIT;

	ASSERT_EQ(tree_wanted(&none), 0);
	ASSERT_EQ(tree_wanted(&memory), CONTROLLER_MEMORY);
	tree_names(tree_wanted(&all_limits), &names);
	ASSERT_STREQ(names.buf, "memory, cpu, pids");
	ASSERT_EQ(tree_quota_us(0.2, 100000), 20000);
	ASSERT_EQ(tree_quota_us(1.5, 1000000), 1500000);
	ASSERT_EQ(tree_quota_us(0.29, 100000), 29000);
}

TEST(which_cgroup)
{
	static const struct { const char *text; int want; const char *cgroup; } t[] = {
		{ "0::/user.slice/user-1000.slice/session-3.scope\n", 0, "/user.slice/user-1000.slice/session-3.scope" },
		{ "0::/\n", 0, "/" },
		{ "9:name=systemd:/a\n4:memory:/b\n0::/c\n", 0, "/c" },
		{ "10::/x\n1:name=systemd:/a\n", -ENOENT, NULL },
		{ "", -ENOENT, NULL },
		{ "0::/a 0::/b", 0, "/a 0::/b" },
	};

	for (size_t i = 0; i < array_len(t); i++) {
		const struct made m = made_new();
		_free_ char *cgroup = NULL;

		made_file(&m, "proc/7/cgroup", t[i].text);
		ASSERT_EQ(tree_of(m.root, 7, &cgroup), t[i].want);
		if (t[i].cgroup != NULL)
			ASSERT_STREQ(cgroup, t[i].cgroup);
		ASSERT_EQ(tree_of(m.root, 8, &cgroup), -ENOENT);
		made_done(&m);
	}
}

TEST(controllers)
{
	const struct made m = made_new();

	ASSERT(!tree_is_unified(m.root));
	made_file(&m, "sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory hugetlb pids rdma misc\n");
	made_file(&m, "sys/fs/cgroup/a/cgroup.controllers", "memory pids\n");
	made_file(&m, "sys/fs/cgroup/b/cgroup.controllers", "\n");
	made_file(&m, "sys/fs/cgroup/c/cgroup.controllers", "cpuset memory2 xpids");
	ASSERT(tree_is_unified(m.root));
	ASSERT_EQ(tree_controllers(m.root, "/"), CONTROLLER_MEMORY | CONTROLLER_CPU | CONTROLLER_PIDS);
	ASSERT_EQ(tree_controllers(m.root, "/a"), CONTROLLER_MEMORY | CONTROLLER_PIDS);
	ASSERT_EQ(tree_controllers(m.root, "/b"), 0);
	ASSERT_EQ(tree_controllers(m.root, "/c"), 0);
	ASSERT_EQ(tree_controllers(m.root, "/none"), -ENOENT);
	made_done(&m);
}

TEST(numbers)
{
	const struct made m = made_new();
	uint64_t n = 99;

	made_file(&m, "memory.events", "low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\noom_group_kill 0\n");
	made_file(&m, "memory.max", "max\n");
	made_file(&m, "memory.current", "67108864\n");
	made_file(&m, "cpu.stat", "usage_usec 18446744073709551615\nuser_usec 1\n");
	ASSERT_OK(tree_number(m.root, "memory.events", "oom", &n));
	ASSERT_EQ(n, 3);
	ASSERT_OK(tree_number(m.root, "memory.events", "oom_kill", &n));
	ASSERT_EQ(n, 2);
	ASSERT_EQ(tree_number(m.root, "memory.events", "oom_kil", &n), -ENODATA);
	ASSERT_OK(tree_number(m.root, "memory.max", NULL, &n));
	ASSERT_EQ(n, 0);
	ASSERT_OK(tree_number(m.root, "memory.current", NULL, &n));
	ASSERT_EQ(n, 64 << 20);
	ASSERT_OK(tree_number(m.root, "cpu.stat", "usage_usec", &n));
	ASSERT(n == UINT64_MAX);
	ASSERT_EQ(tree_number(m.root, "pids.current", NULL, &n), -ENOENT);
	made_done(&m);
}

static void expect_check(const struct made *m, uid_t uid, const struct spec *spec, const char *code, const char *part)
{
	_err_ err = ERR_INIT;
	const int r = cgroup_check(m->root, uid, spec, &err);

	if (code == NULL) {
		if (r != 0)
			test_fail(__FILE__, __LINE__, "refused: %s", err_msg(&err));
		return;
	}
	ASSERT(r < 0);
	ASSERT_STREQ(err.code, code);
	if (strstr(err.msg, part) == NULL)
		test_fail(__FILE__, __LINE__, "\"%s\" does not say \"%s\"", err.msg, part);
}

TEST(check_says_what_to_do)
{
	const struct spec none = { 0 }, memory = { .memory_bytes = 1 };
	const struct made m = made_new();

	expect_check(&m, 1000, &none, NULL, NULL);
	expect_check(&m, 1000, &memory, "no-cgroup2", "systemd.unified_cgroup_hierarchy=1");
	made_file(&m, "sys/fs/cgroup/cgroup.controllers", "cpu memory pids\n");
	expect_check(&m, 1000, &all_limits, NULL, NULL);         /* no systemd: found out when it is made */
	made_file(&m, "run/systemd/system/x", "");
	expect_check(&m, 1000, &memory, "no-delegation", "loginctl enable-linger 1000");
	expect_check(&m, 0, &all_limits, NULL, NULL);
	made_file(&m, "sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/cgroup.controllers", "memory pids\n");
	expect_check(&m, 1000, &memory, NULL, NULL);
	expect_check(&m, 1000, &all_limits, "no-delegation", "cannot limit cpu:");
	expect_check(&m, 1000, &all_limits, "no-delegation", "Delegate=cpu cpuset io memory pids");
	expect_check(&m, 1001, &memory, "no-delegation", "user 1001");
	made_file(&m, "sys/fs/cgroup/cgroup.controllers", "cpu pids\n");
	expect_check(&m, 0, &all_limits, "no-controller", "cgroup_enable=memory");
	made_done(&m);
}

TEST(make_sets_limits)
{
	const struct made m = made_new();
	_free_ char *dir = NULL;
	_err_ err = ERR_INIT;

	made_file(&m, "sys/fs/cgroup/job/cgroup.controllers", "cpu memory pids\n");
	ASSERT_EQ(tree_make(m.root, "/job", "s", &all_limits, &dir, &err), 0);
	expect_file(&m, "sys/fs/cgroup/job/cgroup.subtree_control", "+memory +cpu +pids");
	expect_file(&m, "sys/fs/cgroup/job/s/memory.max", "67108864");
	expect_file(&m, "sys/fs/cgroup/job/s/memory.swap.max", "0");
	expect_file(&m, "sys/fs/cgroup/job/s/cpu.max", "20000 100000");
	expect_file(&m, "sys/fs/cgroup/job/s/pids.max", "23");
	ASSERT_OK(tree_move(m.root, dir, 4711));
	expect_file(&m, "sys/fs/cgroup/job/s/cgroup.procs", "4711");
	made_done(&m);
}

TEST(make_names_the_missing)
{
	const struct made m = made_new();
	_free_ char *dir = NULL;
	_err_ err = ERR_INIT;

	made_file(&m, "sys/fs/cgroup/job/cgroup.controllers", "memory\n");
	ASSERT_EQ(tree_make(m.root, "/job", "s", &all_limits, &dir, &err), -ENOTSUP);
	ASSERT(strstr(err.msg, "cannot limit cpu, pids: ") != NULL);
	ASSERT(dir == NULL);
	made_done(&m);
}

TEST(find_by_name)
{
	const struct made m = made_new();
	_free_ char *want = xasprintf("%s/sys/fs/cgroup/user.slice/a/app.slice/pterm-x-1.scope", m.root);
	_free_ char *found = NULL;

	made_file(&m, "sys/fs/cgroup/user.slice/a/b/c/cgroup.procs", "");
	made_file(&m, "sys/fs/cgroup/user.slice/a/app.slice/pterm-x-1.scope/cgroup.procs", "");
	made_file(&m, "sys/fs/cgroup/user.slice/a/app.slice/pterm-x-11.scope/cgroup.procs", "");
	made_file(&m, "sys/fs/cgroup/pterm-y-1.scope", "a file");
	found = tree_find(m.root, "pterm-x-1.scope");
	ASSERT_STREQ(found, want);
	ASSERT(tree_find(m.root, "pterm-x-2.scope") == NULL);
	ASSERT(tree_find(m.root, "pterm-y-1.scope") == NULL);
	made_done(&m);
}

/* A hierarchy of the real kind, in a mount namespace of our own. */
static void real_tree(const struct made *m)
{
	_free_ char *at = xasprintf("%s/sys/fs/cgroup", m->root);

	ASSERT_OK(path_mkdirs(at, 0755));
	if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("cgroup2", at, "cgroup2", 0, NULL) < 0)
		test_skip("needs root, and may mount cgroup2");
}

static pid_t start_in(const struct made *m, const char *dir)
{
	const pid_t pid = fork();

	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);  /* a test that fails leaves nothing */
		if (tree_move(m->root, dir, getpid()) < 0)
			_exit(1);
		if (fork() == 0) {
			_free_ char *below = path_join(dir, "below");

			(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
			(void)tree_move(m->root, below, getpid());
		}
		for (;;)
			pause();
	}
	return pid;
}

static void wait_until_populated(const char *dir)
{
	uint64_t n = 0;

	while (tree_number(dir, "cgroup.events", "populated", &n) == 0 && n == 0)
		sched_yield();
}

TEST(remove_kills_all_below)
{
	const struct made m = made_new();
	_free_ char *name = xasprintf("pterm-test-%d-1.scope", (int)getpid());
	_free_ char *cgroup = xasprintf("/%s", name);
	_free_ char *dir = tree_dir(m.root, cgroup);
	_free_ char *below = path_join(dir, "below");
	_free_ char *found = NULL;
	pid_t pid;
	int status;

	real_tree(&m);
	ASSERT_OK(mkdir(dir, 0755));
	ASSERT_OK(mkdir(below, 0755));
	pid = start_in(&m, dir);
	wait_until_populated(below);
	found = tree_find(m.root, name);
	ASSERT_STREQ(found, dir);
	ASSERT_OK(tree_remove(dir));
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	ASSERT(WIFSIGNALED(status));
	ASSERT(!path_exists(AT_FDCWD, dir));
	ASSERT_OK(tree_remove(dir));                     /* nothing there is fine */
	_free_ char *top = tree_dir(m.root, "/");
	ASSERT_OK(umount(top));
	made_done(&m);
}
