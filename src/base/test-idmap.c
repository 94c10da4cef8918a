#include "base/child.h"
#include "base/fd.h"
#include "base/idmap.h"
#include "base/path.h"
#include "base/test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

TEST(ordinary_user)
{
	struct id_ranges m;

	idmap_around(&m, 0, 1000, 100000, 65536);
	ASSERT_EQ(idmap_outside(&m, 0), 1000);
	ASSERT_EQ(idmap_outside(&m, 1), 100000);
	ASSERT_EQ(idmap_outside(&m, 65536), 165535);
	ASSERT_EQ(idmap_outside(&m, 65537), -1);
}

TEST(another_user_inside_is_the_caller)
{
	struct id_ranges m;

	idmap_around(&m, 1000, 501, 100000, 65536);
	ASSERT_EQ(idmap_outside(&m, 0), 100000);
	ASSERT_EQ(idmap_outside(&m, 999), 100999);
	ASSERT_EQ(idmap_outside(&m, 1000), 501);
	ASSERT_EQ(idmap_outside(&m, 1001), 101001);
	ASSERT_EQ(idmap_outside(&m, 65535), 165535);
	ASSERT_EQ(idmap_outside(&m, 65536), -1);
}

TEST(no_two_ids_share_one)
{
	for (int round = 0; round < 200; round++) {
		const uint32_t count = (uint32_t)test_rand_below(50) + 1, pivot = (uint32_t)test_rand_below(60);
		char seen[200] = { 0 };
		struct id_ranges m;

		idmap_around(&m, pivot, 99, 100, count);
		for (uint32_t k = 0; k < 150; k++) {
			const int64_t out = idmap_outside(&m, k);

			if (out < 0)
				continue;
			ASSERT(out >= 99 && out < 100 + count);
			ASSERT(!seen[out]);
			seen[out] = 1;
		}
		ASSERT_EQ(idmap_outside(&m, pivot), 99);
	}
}

TEST(subordinate_ids_by_name_or_number)
{
	static const char text[] = "# a comment\nbroken\nann:100000\nann:100000:65536\n1001:300000:10\nbob:x:1\n";
	char name[] = "/tmp/pterm-test-XXXXXX";
	_fd_ fd = mkstemp(name);
	_err_ err = ERR_INIT;
	uint32_t start, count;

	ASSERT_OK(fd_write_all(fd, text, strlen(text)));
	ASSERT_EQ(idmap_subordinate(name, "ann", 7, &start, &count, &err), 0);
	ASSERT_EQ(start, 100000);
	ASSERT_EQ(count, 65536);
	ASSERT_EQ(idmap_subordinate(name, "eve", 1001, &start, &count, &err), 0);
	ASSERT_EQ(start, 300000);
	ASSERT_EQ(idmap_subordinate(name, "bob", 8, &start, &count, &err), 1);
	ASSERT_EQ(idmap_subordinate("/tmp/pterm-no-such-file", "ann", 7, &start, &count, &err), 1);
	unlink(name);
}

/* What an overlay leaves: files of mapped owners, and a directory that nobody may enter. */
static int make_leftovers(void *arg)
{
	const int dir = *(const int *)arg;

	if (mkdirat(dir, "upper", 0700) < 0 || mkdirat(dir, "upper/work", 0700) < 0 ||
	    mkdirat(dir, "upper/work/in", 0700) < 0 || mkdirat(dir, "upper/home", 0700) < 0)
		return 1;
	if (fchownat(dir, "upper/home", 1000, 1000, 0) < 0 || fchmodat(dir, "upper/work", 0, 0) < 0 ||
	    symlinkat("../../kept", dir, "upper/link") < 0)
		return 2;
	return fchownat(dir, "upper", 5, 5, 0) < 0 ? 3 : 0;
}

TEST(mapped_owners_are_removed_inside)
{
	char top[] = "/tmp/pterm-test-XXXXXX";
	struct idmap map;
	_err_ err = ERR_INIT;
	_fd_ dir = -1;
	pid_t pid;

	if (geteuid() != 0)
		test_skip("needs root, for ids to map");
	idmap_shift(&map.uid, 1900000000, 65536);
	idmap_shift(&map.gid, 1900000000, 65536);
	ASSERT(mkdtemp(top) != NULL);
	ASSERT_EQ(chmod(top, 0777), 0);
	dir = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ASSERT_OK(file_write(dir, "kept", "x", 1, 0600));
	pid = idmap_clone(&map, 0, make_leftovers, &dir, &err);
	ASSERT_OK(pid);
	ASSERT_EQ(child_wait(pid), 0);
	ASSERT_EQ(chmod(top, 0700), 0);                  /* the namespace's root may not write here: the caller may */
	ASSERT_OK(tree_remove_mapped(&map, dir, "upper", &err));
	ASSERT(!path_exists(dir, "upper"));
	ASSERT(path_exists(dir, "kept"));
	ASSERT_OK(tree_remove_mapped(&map, dir, "upper", &err));
	ASSERT_OK(tree_remove_mapped(&map, dir, "kept", &err));
	ASSERT_EQ(rmdir(top), 0);
}
