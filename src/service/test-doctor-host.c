/*
 * The functions of the real host, on this one: they leave nothing behind, and they agree with what can be seen.
 */
#include "service/doctor.h"

#include "base/path.h"
#include "base/test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[64];

static void begin(void)
{
	snprintf(dir, sizeof(dir), "/tmp/pterm-host-XXXXXX");
	ASSERT(mkdtemp(dir) != NULL);
}

static void end(void)
{
	DIR *d = opendir(dir);
	size_t n = 0;

	ASSERT(d != NULL);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	path_remove_tree(AT_FDCWD, dir);
	ASSERT_EQ(n, 2);                                  /* "." and "..": nothing was left */
}

TEST(files_are_tried_and_removed)
{
	const char *step;
	struct host h;

	host_init(&h);
	begin();
	ASSERT_OK(h.use_files(dir, &step));
	end();
	ASSERT_EQ(h.use_files("/proc/self", &step), -ENOENT);    /* mkdir in procfs */
	ASSERT_STREQ(step, "making a directory");
	host_release(&h);
}

TEST(an_overlay_is_tried_and_removed)
{
	const char *step;
	struct host h;
	int r;

	host_init(&h);
	if (h.make_userns() < 0) {
		host_release(&h);
		test_skip("no user namespace here");
	}
	begin();
	r = h.use_overlay(dir, &step);
	end();
	ASSERT(r == 0 || str_eq(step, "mounting one"));           /* /tmp may itself be an overlay */
	host_release(&h);
}

TEST(no_new_privs_is_seen)
{
	struct host h;
	int status;
	pid_t pid;

	host_init(&h);
	pid = fork();
	if (pid == 0)
		_exit(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && h.has_no_new_privs() ? 0 : 1);
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	ASSERT_EQ(status, 0);
	host_release(&h);
}

/* In a mount namespace of its own, so that nothing stays mounted. */
static int ask_in_a_chroot(const struct host *h)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || chdir(dir) < 0 ||
	    mount("proc", "proc", "proc", 0, NULL) < 0 || chroot(".") < 0)
		return 1;
	if (!h->is_in_chroot())
		return 2;
	return h->make_userns() == -EPERM ? 0 : 3;
}

TEST(a_chroot_is_seen)
{
	_free_ char *proc = NULL;
	struct host h;
	int status;
	pid_t pid;

	if (geteuid() != 0)
		test_skip("only root can make one");
	host_init(&h);
	if (h.make_userns() < 0) {
		host_release(&h);
		test_skip("no user namespace here");
	}
	ASSERT(!h.is_in_chroot());
	begin();
	proc = path_join(dir, "proc");
	ASSERT_EQ(mkdir(proc, 0755), 0);
	pid = fork();
	if (pid == 0)
		_exit(ask_in_a_chroot(&h));
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	ASSERT_EQ(rmdir(proc), 0);
	end();
	host_release(&h);
	ASSERT_EQ(WEXITSTATUS(status), 0);
}

TEST(the_store_follows_the_environment)
{
	struct host h;

	ASSERT_EQ(setenv("PTERM_HOME", "/x/home", 1), 0);
	ASSERT_EQ(unsetenv("PTERM_STORE"), 0);
	host_init(&h);
	ASSERT_STREQ(h.home, "/x/home");
	ASSERT_STREQ(h.store, geteuid() == 0 ? "/var/lib/pterm" : "/x/home");
	host_release(&h);
	ASSERT_EQ(setenv("PTERM_STORE", "/x/store", 1), 0);
	host_init(&h);
	ASSERT_STREQ(h.store, "/x/store");
	host_release(&h);
	ASSERT_EQ(unsetenv("PTERM_HOME"), 0);
	ASSERT_EQ(unsetenv("PTERM_STORE"), 0);
	ASSERT_EQ(setenv("HOME", "/x", 1), 0);
	host_init(&h);
	ASSERT_STREQ(h.home, "/x/.pachyterm");
	ASSERT_STREQ(h.store, geteuid() == 0 ? "/var/lib/pterm" : "/x/.pachyterm");
	host_release(&h);
}
