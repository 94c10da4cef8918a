#include "base/fd.h"
#include "base/path.h"
#include "base/test.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static void make_file(int dir, const char *name)
{
	ASSERT_OK(file_write(dir, name, "x", 1, 0600));
}

TEST(a_tree_is_removed_and_links_are_not_followed)
{
	char top[] = "/tmp/pterm-test-XXXXXX";
	_fd_ dir = -1;
	_str_ text = STR_INIT;

	ASSERT(mkdtemp(top) != NULL);
	dir = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	make_file(dir, "kept");
	ASSERT_OK(mkdirat(dir, "tree", 0700));
	ASSERT_OK(mkdirat(dir, "tree/sub", 0700));
	make_file(dir, "tree/sub/file");
	ASSERT_OK(symlinkat("../kept", dir, "tree/link"));
	ASSERT_OK(symlinkat("../..", dir, "tree/up"));
	ASSERT_OK(fchmodat(dir, "tree/sub", 0, 0));
	ASSERT_OK(path_remove_tree(dir, "tree"));
	ASSERT(!path_exists(dir, "tree"));
	ASSERT_OK(file_read(dir, "kept", 10, &text));
	ASSERT_OK(path_remove_tree(dir, "tree"));
	ASSERT_OK(path_remove_tree(AT_FDCWD, top));
}

TEST(nothing_leaves_the_root)
{
	char top[] = "/tmp/pterm-test-XXXXXX";
	_fd_ dir = -1;
	_fd_ fd = -1;

	ASSERT(mkdtemp(top) != NULL);
	dir = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	make_file(dir, "hostname");
	ASSERT_OK(symlinkat("/hostname", dir, "absolute"));
	ASSERT_OK(symlinkat("../../../../hostname", dir, "climbing"));
	ASSERT_EQ(path_open_in_root(dir, "/etc/passwd", O_RDONLY), -ENOENT);
	fd = path_open_in_root(dir, "absolute", O_RDONLY);
	ASSERT_OK(fd);
	fd_close(fd);
	fd = path_open_in_root(dir, "climbing", O_RDONLY);
	ASSERT_OK(fd);
	ASSERT_OK(path_remove_tree(AT_FDCWD, top));
}

TEST(under)
{
	ASSERT(path_is_under("/a/b", "/a"));
	ASSERT(path_is_under("/a", "/a"));
	ASSERT(path_is_under("/a", "/"));
	ASSERT(!path_is_under("/ab", "/a"));
	ASSERT(!path_is_under("/", "/a"));
}

/* Deeper than there may be descriptors, which anybody in a session can make. */
TEST(a_tree_of_any_depth_is_removed)
{
	char top[] = "/tmp/pterm-test-XXXXXX";
	struct rlimit files, few;
	int at;

	ASSERT(mkdtemp(top) != NULL);
	at = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < 1000; i++) {
		int next;

		ASSERT_OK(mkdirat(at, "d", 0700));
		make_file(at, "file");
		next = openat(at, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		fd_close(at);
		at = next;
	}
	fd_close(at);
	ASSERT_OK(getrlimit(RLIMIT_NOFILE, &files));
	few = files;
	few.rlim_cur = 200;
	ASSERT_OK(setrlimit(RLIMIT_NOFILE, &few));
	ASSERT_OK(path_remove_tree(AT_FDCWD, top));
	ASSERT(!path_exists(AT_FDCWD, top));
	ASSERT_OK(setrlimit(RLIMIT_NOFILE, &files));
}
