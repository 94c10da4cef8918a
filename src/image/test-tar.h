/*
 * For tests of this folder: tar archives byte by byte (libarchive would be too polite to write the bad ones), and a
 * directory that holds a test's files.
 */
#pragma once

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "base/test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TAR_TIME = 1700000000 };

/* Owner 0:0 unless @uid and @gid say otherwise; size from @data. @type as in tar(5): '0' file, '5' directory, … */
struct tar_entry { const char *name; char type; unsigned mode; const char *link, *data; unsigned uid, gid; };

static inline void tar_add_sized(struct str *tar, const struct tar_entry *e, const void *data, size_t n)
{
	static const char zeroes[512];
	char head[512] = { 0 };
	unsigned sum = 0;

	ASSERT(strlen(e->name) <= 100);
	memcpy(head, e->name, strlen(e->name));
	snprintf(head + 100, 8, "%07o", e->mode);
	snprintf(head + 108, 8, "%07o", e->uid & 07777777);
	snprintf(head + 116, 8, "%07o", e->gid & 07777777);
	snprintf(head + 124, 12, "%011o", (unsigned)n);
	snprintf(head + 136, 12, "%011o", (unsigned)TAR_TIME);
	memset(head + 148, ' ', 8);
	head[156] = e->type;
	if (e->link != NULL)
		memcpy(head + 157, e->link, min_size(strlen(e->link), 100));
	memcpy(head + 257, "ustar\00000", 8);
	if (e->type == '3' || e->type == '4') {
		snprintf(head + 329, 8, "%07o", 1);
		snprintf(head + 337, 8, "%07o", 3);
	}
	for (size_t i = 0; i < sizeof(head); i++)
		sum += (unsigned char)head[i];
	snprintf(head + 148, 8, "%06o", sum);
	str_add(tar, head, sizeof(head));
	str_add(tar, data, n);
	str_add(tar, zeroes, (512 - n % 512) % 512);
}

static inline void tar_add(struct str *tar, struct tar_entry e)
{
	tar_add_sized(tar, &e, e.data ? e.data : "", e.data ? strlen(e.data) : 0);
}

static inline void tar_end(struct str *tar)
{
	static const char zeroes[1024];

	str_add(tar, zeroes, sizeof(zeroes));
}

/* A small root file system. */
static inline void tar_add_root(struct str *tar)
{
	tar_add(tar, (struct tar_entry){ "./", '5', 0755, NULL, NULL, 0, 0 });
	tar_add(tar, (struct tar_entry){ "./bin/", '5', 0755, NULL, NULL, 0, 0 });
	tar_add(tar, (struct tar_entry){ "./bin/sh", '0', 04755, NULL, "#!shell", 0, 0 });
	tar_add(tar, (struct tar_entry){ "./bin/ls", '1', 0755, "./bin/sh", NULL, 0, 0 });
	tar_add(tar, (struct tar_entry){ "./etc/passwd", '0', 0644, NULL, "root:x:0:0::/root:/bin/sh\n", 0, 0 });
	tar_add(tar, (struct tar_entry){ "./home", '5', 0700, NULL, NULL, 1000, 100 });
	tar_add(tar, (struct tar_entry){ "./home/link", '2', 0777, "/etc/passwd", NULL, 1000, 100 });
}

/* A new directory below /tmp, open; its path in @ret_path. */
static inline int test_dir(char ret_path[32])
{
	int fd;

	strcpy(ret_path, "/tmp/pterm-test-XXXXXX");
	ASSERT(mkdtemp(ret_path) != NULL);
	ASSERT_OK(chmod(ret_path, 0755));
	fd = open(ret_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ASSERT_OK(fd);
	return fd;
}

static inline void test_dir_remove(int fd, const char *path)
{
	fd_close(fd);
	ASSERT_OK(path_remove_tree(AT_FDCWD, path));
}

static inline void test_put(int dir, const char *name, const char *text)
{
	ASSERT_OK(file_write(dir, name, text, strlen(text), 0644));
}

/* The text of a file; static storage. */
static inline const char *test_get(int dir, const char *name)
{
	static char text[256];
	_str_ got = STR_INIT;

	if (file_read(dir, name, sizeof(text) - 1, &got) < 0)
		return "(cannot be read)";
	snprintf(text, sizeof(text), "%s", got.buf);
	return text;
}

static inline struct stat test_stat(int dir, const char *name)
{
	struct stat st = { 0 };

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		test_fail(__FILE__, __LINE__, "cannot look at '%s'", name);
	return st;
}

/* The built pterm-tree, as Meson tells it. */
static inline const char *test_tree_program(void)
{
	const char *path = getenv("PTERM_TREE");

	if (path == NULL)
		test_skip("PTERM_TREE does not name pterm-tree");
	return path;
}
