#include "base/child.h"
#include "base/proc.h"
#include "image/copy.h"
#include "image/test-map.h"
#include "image/test-tar.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

/* A container: a process in a user namespace of its own, with a root of its own; and a directory on the host. */
struct fixture {
	char path[32], host[64];
	int top, root, dir;              /* of the test, the container and the host's end */
	int ready, life[2];
	struct idmap map;
	pid_t init;
	const char *program;
};

static int put_inside(const char *name, const char *text, uid_t uid, mode_t mode)
{
	if (file_write(AT_FDCWD, name, text, strlen(text), 0600) < 0)
		return -1;
	return chown(name, uid, uid) < 0 || chmod(name, mode) < 0 ? -1 : 0;
}

static int populate(void)
{
	static const struct { const char *name; uid_t uid; mode_t mode; } dirs[] = {
		{ "/etc", 0, 0755 }, { "/home", 1000, 0755 }, { "/home/locked", 1000, 0 }, { "/home/tree", 1000, 02750 },
		{ "/home/tree/sub", 1000, 0555 }, { "/tmp", 0, 01777 },
	};

	for (size_t i = 0; i < array_len(dirs); i++)
		if (mkdir(dirs[i].name, 0700) < 0 || chown(dirs[i].name, dirs[i].uid, 0) < 0 ||
		    chmod(dirs[i].name, dirs[i].mode) < 0)
			return -1;
	if (put_inside("/etc/passwd", "the container's", 0, 0644) < 0 || put_inside("/home/suid", "suid", 1000, 06755) < 0 ||
	    put_inside("/home/locked/deep", "deep", 1000, 0600) < 0 || put_inside("/home/tree/file", "file", 5, 0640) < 0 ||
	    put_inside("/home/tree/sub/x", "x", 1000, 0444) < 0)
		return -1;
	if (symlink("/etc/passwd", "/home/passwd") < 0 || symlink("../../../../../../etc", "/home/out") < 0 ||
	    symlink("/etc/passwd", "/home/tree/link") < 0 || symlink("/home/tree", "/tree") < 0 ||
	    link("/home/tree/file", "/home/tree/same") < 0)
		return -1;
	return mkfifo("/home/fifo", 0644);
}

static int run_container(void *arg)
{
	struct fixture *f = arg;
	char byte;

	fd_close(f->life[1]);
	if (fchdir(f->root) < 0 || chroot(".") < 0 || populate() < 0 || fd_write_all(f->ready, "", 1) < 0)
		return 1;
	return read(f->life[0], &byte, 1) != 0;          /* until the test ends */
}

static void fixture_init(struct fixture *f)
{
	_err_ err = ERR_INIT;
	int ready[2];
	char byte;

	f->program = test_tree_program();
	test_map(&f->map, 0);
	f->top = test_dir(f->path);
	ASSERT_OK(mkdirat(f->top, "root", 0755));
	ASSERT_OK(mkdirat(f->top, "host", 0755));
	f->root = openat(f->top, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	f->dir = openat(f->top, "host", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	snprintf(f->host, sizeof(f->host), "%s/host", f->path);
	if (geteuid() == 0)
		ASSERT_OK(fchown(f->root, (uid_t)idmap_outside(&f->map.uid, 0), (gid_t)idmap_outside(&f->map.gid, 0)));
	ASSERT_OK(pipe2(ready, O_CLOEXEC));
	ASSERT_OK(pipe2(f->life, O_CLOEXEC));
	f->ready = ready[1];
	f->init = idmap_clone(&f->map, CLONE_NEWNS, run_container, f, &err);
	if (f->init < 0)
		test_fail(__FILE__, __LINE__, "%s", err_msg(&err));
	fd_close(ready[1]);
	fd_close(f->life[0]);
	ASSERT_OK(fd_read_all(ready[0], &byte, 1));
	fd_close(ready[0]);
}

static void fixture_fini(struct fixture *f)
{
	_err_ err = ERR_INIT;

	fd_close(f->life[1]);
	if (f->init > 0)
		ASSERT_EQ(child_exit_code(child_wait(f->init)), 0);
	fd_close(f->root);
	fd_close(f->dir);
	ASSERT_OK(tree_remove_mapped(&f->map, f->top, "root", &err));
	test_dir_remove(f->top, f->path);
}

static char *on_host(const struct fixture *f, const char *name)
{
	return xasprintf("%s/%s", f->host, name);
}

static int out(struct fixture *f, const char *path, const char *name, struct err *err)
{
	_free_ char *host = on_host(f, name);

	return copy_out(f->program, f->init, path, host, err);
}

static int in(struct fixture *f, const char *name, const char *path, struct err *err)
{
	_free_ char *host = on_host(f, name);

	return copy_in(f->program, f->init, host, path, 1000, 100, err);
}

#define ASSERT_COPIES(call, skipped) do { \
	_err_ err_ = ERR_INIT; struct err *const err = &err_; \
	const int r_ = (call); \
	if (r_ < 0) \
		test_fail(__FILE__, __LINE__, "%s: %s", #call, err_msg(&err_)); \
	ASSERT_EQ(r_, skipped); \
} while (0)
#define ASSERT_SAYS(call, no, words) do { \
	_err_ err_ = ERR_INIT; struct err *const err = &err_; \
	const int r_ = (call); \
	if (r_ >= 0 || strstr(err_msg(&err_), (words)) == NULL) \
		test_fail(__FILE__, __LINE__, "%s is %d and says \"%s\", not \"%s\"", #call, r_, err_msg(&err_), (words)); \
	ASSERT_EQ(r_, -(no)); \
} while (0)

TEST(files_come_out_as_the_callers_own)
{
	struct fixture f;
	struct stat st;

	fixture_init(&f);
	ASSERT_COPIES(out(&f, "/home/suid", "new", err), 0);
	st = test_stat(f.dir, "new");
	ASSERT_EQ(st.st_mode, S_IFREG | 0755);
	ASSERT_EQ(st.st_uid, geteuid());
	ASSERT_EQ(st.st_gid, getegid());
	ASSERT_STREQ(test_get(f.dir, "new"), "suid");
	ASSERT_COPIES(out(&f, "home/suid", ".", err), 0);
	ASSERT_STREQ(test_get(f.dir, "suid"), "suid");
	ASSERT_COPIES(out(&f, "/etc/passwd", "suid", err), 0);       /* replaced */
	ASSERT_STREQ(test_get(f.dir, "suid"), "the container's");

	/* what the host's user could not read: another's, in a directory that nobody may enter */
	ASSERT_COPIES(out(&f, "/home/locked/deep", "deep", err), 0);
	ASSERT_STREQ(test_get(f.dir, "deep"), "deep");
	ASSERT_EQ(test_stat(f.dir, "deep").st_mode, S_IFREG | 0600);
	ASSERT_COPIES(out(&f, "/home", "all", err), 1);              /* the fifo */
	ASSERT_EQ(test_stat(f.dir, "all/locked").st_mode, S_IFDIR | 0);
	ASSERT_EQ(test_stat(f.dir, "all/tree").st_mode, S_IFDIR | 0750);
	ASSERT_EQ(test_stat(f.dir, "all/tree/sub").st_mode, S_IFDIR | 0555);
	ASSERT_EQ(test_stat(f.dir, "all/tree/file").st_ino, test_stat(f.dir, "all/tree/same").st_ino);
	ASSERT_EQ(test_stat(f.dir, "all/tree/sub/x").st_uid, geteuid());
	fixture_fini(&f);
}

TEST(no_link_leads_to_the_host)
{
	struct fixture f;
	char target[64] = "";

	fixture_init(&f);
	ASSERT_COPIES(out(&f, "/home/out/passwd", "a", err), 0);
	ASSERT_STREQ(test_get(f.dir, "a"), "the container's");
	ASSERT_COPIES(out(&f, "/../../home/../etc/passwd", "b", err), 0);
	ASSERT_STREQ(test_get(f.dir, "b"), "the container's");
	ASSERT_COPIES(out(&f, "/home/passwd", "c", err), 0);         /* the link itself */
	ASSERT_OK(readlinkat(f.dir, "c", target, sizeof(target) - 1));
	ASSERT_STREQ(target, "/etc/passwd");
	ASSERT_COPIES(out(&f, "/home/out/.", "etc", err), 0);
	ASSERT_STREQ(test_get(f.dir, "etc/passwd"), "the container's");
	ASSERT_EQ(test_stat(f.dir, "etc").st_nlink, 2);
	ASSERT_COPIES(out(&f, "/tree/", "tree", err), 0);
	ASSERT_STREQ(test_get(f.dir, "tree/file"), "file");

	/* and inwards */
	test_put(f.dir, "mine", "mine");
	ASSERT_COPIES(in(&f, "mine", "/home/out/x", err), 0);
	ASSERT_STREQ(test_get(f.root, "etc/x"), "mine");
	ASSERT(!path_exists(AT_FDCWD, "/etc/x"));
	ASSERT_COPIES(in(&f, "mine", "/home/passwd", err), 0);       /* replaces the link */
	ASSERT_STREQ(test_get(f.root, "etc/passwd"), "the container's");
	ASSERT_STREQ(test_get(f.root, "home/passwd"), "mine");
	fixture_fini(&f);
}

TEST(files_go_in_as_the_sessions_user)
{
	struct fixture f;
	struct stat st;

	fixture_init(&f);
	test_put(f.dir, "suid", "mine");
	ASSERT_OK(fchmodat(f.dir, "suid", 06711, 0));
	ASSERT_OK(mkdirat(f.dir, "d", 0751));
	test_put(f.dir, "d/in", "in");
	ASSERT_OK(symlinkat("d", f.dir, "link"));
	ASSERT_OK(symlinkat("/etc/passwd", f.dir, "d/absolute"));
	ASSERT_COPIES(in(&f, "suid", "/tmp", err), 0);
	st = test_stat(f.root, "tmp/suid");
	ASSERT_EQ(st.st_mode, S_IFREG | 0711);
	ASSERT_EQ(st.st_uid, idmap_outside(&f.map.uid, 1000));
	ASSERT_EQ(st.st_gid, idmap_outside(&f.map.gid, 100));
	ASSERT_COPIES(in(&f, "suid", "/tmp/new", err), 0);
	ASSERT_COPIES(in(&f, "d", "/tmp", err), 0);
	ASSERT_EQ(test_stat(f.root, "tmp/d/absolute").st_mode & S_IFMT, S_IFLNK);
	ASSERT_EQ(test_stat(f.root, "tmp/d").st_mode, S_IFDIR | 0751);
	ASSERT_COPIES(in(&f, "d/", "/tmp/e", err), 0);
	ASSERT(path_exists(f.root, "tmp/e/absolute"));
	ASSERT_COPIES(in(&f, "link/", "/tmp", err), 0);
	ASSERT_EQ(test_stat(f.root, "tmp/link").st_mode, S_IFDIR | 0751);
	ASSERT_COPIES(in(&f, "link", "/tmp/l", err), 0);
	ASSERT_EQ(test_stat(f.root, "tmp/l").st_mode & S_IFMT, S_IFLNK);
	ASSERT_COPIES(in(&f, "d/.", "/tmp", err), 0);
	ASSERT(path_exists(f.root, "tmp/absolute"));
	ASSERT_EQ(test_stat(f.root, "tmp").st_mode, S_IFDIR | 01777);        /* its own mode, not the source's */
	ASSERT_COPIES(in(&f, "d/.", "/home/locked", err), 0);
	ASSERT_STREQ(test_get(f.root, "tmp/in"), "in");
	fixture_fini(&f);
}

/* In a directory chain so deep that its paths are too long for an archive; the rest of the tree goes first. */
static void make_deep(int dir)
{
	char name[201];
	int at = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	memset(name, 'x', 200);
	name[200] = '\0';
	for (int i = 0; i < 25; i++) {
		int next;

		ASSERT_OK(mkdirat(at, name, 0755));
		next = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		ASSERT_OK(next);
		fd_close(at);
		at = next;
	}
	fd_close(at);
}

TEST(failures_are_named_and_leave_nothing)
{
	struct fixture f;

	fixture_init(&f);
	ASSERT_SAYS(out(&f, "/none", "x", err), ENOENT, "cannot copy '/none': No such file");
	ASSERT_SAYS(out(&f, "/home/fifo", "x", err), ENOTSUP, "is a device, socket or fifo");
	ASSERT_SAYS(out(&f, "/etc/passwd", "no/x", err), ENOENT, "host/no/x': No such file or directory");
	ASSERT_SAYS(out(&f, "/etc/passwd", "x/", err), ENOTDIR, "cannot copy a file to 'x/': Not a directory");
	ASSERT_SAYS(out(&f, "", "x", err), ENOENT, "cannot copy ''");
	ASSERT_SAYS(in(&f, "none", "/tmp", err), ENOENT, "cannot copy 'none': No such file or directory");
	ASSERT(!path_exists(f.dir, "x"));
	test_put(f.dir, "file", "file");
	ASSERT_SAYS(in(&f, "file", "/none/x", err), ENOENT, "cannot copy to '/none/x': No such file or directory");
	ASSERT_SAYS(in(&f, "file/", "/tmp", err), ENOTDIR, "file/': Not a directory");
	ASSERT_OK(mkdirat(f.dir, "d", 0755));
	ASSERT_SAYS(in(&f, "d", "/etc/passwd", err), EPERM, "'passwd' is refused: there is a file or link of this name");
	make_deep(f.dir);
	ASSERT_SAYS(in(&f, ".", "/tmp/all", err), ENAMETOOLONG, "File name too long");
	ASSERT(!path_exists(f.root, "tmp/all"));
	ASSERT_SAYS(in(&f, ".", "/tmp", err), ENAMETOOLONG, "File name too long");
	ASSERT(!path_exists(f.root, "tmp/file"));
	ASSERT_EQ(test_stat(f.root, "tmp").st_nlink, 2);
	fixture_fini(&f);
}

TEST(a_container_that_has_ended)
{
	struct fixture f;
	pid_t gone;

	fixture_init(&f);
	gone = f.init;
	fd_close(f.life[1]);
	f.life[1] = -1;
	ASSERT_EQ(waitid(P_PID, (id_t)gone, &(siginfo_t){ 0 }, WEXITED | WNOWAIT), 0);       /* a zombie */
	ASSERT_SAYS(out(&f, "/etc/passwd", "x", err), ESRCH, "the container has ended");
	ASSERT_EQ(child_exit_code(child_wait(gone)), 0);
	ASSERT_SAYS(out(&f, "/etc/passwd", "x", err), ESRCH, "the container is not running: No such process");
	f.init = -1;
	fixture_fini(&f);
}

TEST(a_session_without_a_container)
{
	struct fixture f;
	_free_ char *from = NULL;

	fixture_init(&f);
	test_put(f.dir, "file", "text");
	from = on_host(&f, "file");
	{
		_free_ char *to = on_host(&f, "to"), *back = on_host(&f, "back");
		_err_ err = ERR_INIT;

		ASSERT_EQ(copy_out(f.program, getpid(), from, to, &err), 0);
		ASSERT_EQ(copy_in(f.program, getpid(), from, back, 1000, 100, &err), 0);
	}
	ASSERT_STREQ(test_get(f.dir, "to"), "text");
	ASSERT_STREQ(test_get(f.dir, "back"), "text");
	ASSERT_EQ(test_stat(f.dir, "back").st_uid, geteuid());
	fixture_fini(&f);
}

TEST(a_large_tree_through_both_directions)
{
	struct fixture f;
	_str_ text = STR_INIT;
	char name[64];

	fixture_init(&f);
	ASSERT_OK(mkdirat(f.dir, "t", 0755));
	for (int i = 0; i < 200; i++) {
		const size_t n = (size_t)test_rand_below(100000);

		str_clear(&text);
		str_grow(&text, n);
		for (size_t k = 0; k < n; k++)
			str_addc(&text, (char)test_rand());
		snprintf(name, sizeof(name), "t/%d", i);
		ASSERT_OK(file_write(f.dir, name, text.buf, text.len, 0600));
	}
	ASSERT_COPIES(in(&f, "t", "/tmp", err), 0);
	ASSERT_COPIES(out(&f, "/tmp/t", "u", err), 0);
	for (int i = 0; i < 200; i++) {
		_str_ a = STR_INIT;
		_str_ b = STR_INIT;

		snprintf(name, sizeof(name), "t/%d", i);
		ASSERT_OK(file_read(f.dir, name, 1 << 20, &a));
		name[0] = 'u';
		ASSERT_OK(file_read(f.dir, name, 1 << 20, &b));
		ASSERT_EQ(a.len, b.len);
		ASSERT_MEMEQ(a.buf, b.buf, a.len);
	}
	fixture_fini(&f);
}
