#include "base/child.h"
#include "base/proc.h"
#include "image/test-tar.h"
#include "image/tree.h"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>

enum { NOBODY = 65534 };

/* What pterm-tree did: its exit code, its words, and what it wrote. */
struct outcome { int code; char said[1024]; char report[256]; };

static int memory(const void *data, size_t n)
{
	const int fd = memfd_create("test", MFD_CLOEXEC);

	ASSERT_OK(fd);
	ASSERT_OK(fd_write_all(fd, data, n));
	ASSERT_EQ(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static void become_nobody(void)
{
	if (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0)
		_exit(99);
}

/* Start it with descriptors 0 (@in), 1 (@out), 2, 3 (@dir) and 4; as nobody when @is_nobody. */
static pid_t tree_start(const char *const *args, int in, int out, int dir, int said, int report, bool is_nobody)
{
	const int fds[] = { in, out, said, dir, report };
	const int program = open(test_tree_program(), O_PATH | O_CLOEXEC);
	const char *argv[24] = { "pterm-tree" };
	pid_t pid;

	for (size_t i = 0; args[i] != NULL; i++) {
		ASSERT(i + 2 < array_len(argv));
		argv[i + 1] = args[i];
	}
	ASSERT_OK(program);
	pid = fork();
	if (pid == 0) {
		int high[array_len(fds)];

		for (size_t i = 0; i < array_len(fds); i++)
			high[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 64);
		for (size_t i = 0; i < array_len(fds); i++)
			if (dup2(high[i], (int)i) < 0)
				_exit(98);
		if (is_nobody)
			become_nobody();
		syscall(SYS_execveat, program, "", (char *const *)argv, environ, AT_EMPTY_PATH);
		_exit(97);
	}
	fd_close(program);
	return pid;
}

static void outcome_read(int fd, char *ret, size_t n)
{
	ssize_t got;

	ASSERT_EQ(lseek(fd, 0, SEEK_SET), 0);
	got = read(fd, ret, n - 1);
	ASSERT_OK(got);
	ret[got] = '\0';
	ret[strcspn(ret, "\n")] = n > 512 ? '\0' : ret[strcspn(ret, "\n")];      /* a sentence is a line; a report is not */
}

static struct outcome tree_run(const char *const *args, int in, int out, int dir, bool is_nobody)
{
	_fd_ said = memory("", 0);
	_fd_ report = memory("", 0);
	_fd_ null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct outcome ret = { 0 };
	pid_t pid = tree_start(args, in < 0 ? null : in, out < 0 ? null : out, dir, said, report, is_nobody);

	ret.code = child_exit_code(child_wait(pid));
	outcome_read(said, ret.said, sizeof(ret.said));
	outcome_read(report, ret.report, sizeof(ret.report));
	return ret;
}

static struct outcome unpack(const struct str *tar, int dir)
{
	static const char *const args[] = { "unpack", "--report=4", NULL };
	_fd_ in = memory(tar->buf, tar->len);

	return tree_run(args, in, -1, dir, false);
}

/*
 * Unpack as the other end of cp does: as root confined, to 7:8; as nobody or an ordinary user unconfined, as its own.
 */
static struct outcome unpack_to(const struct str *tar, int dir, const char *to, bool is_nobody)
{
	char owner[48];
	const char *const args[] = { "unpack", "--here", "--strip-setuid", "--report=4", owner, "--to", to, NULL };
	_fd_ in = memory(tar->buf, tar->len);
	const bool is_root = geteuid() == 0;

	snprintf(owner, sizeof(owner), "--owner=%u:%u", is_nobody ? NOBODY : is_root ? 7 : geteuid(),
	         is_nobody ? NOBODY : is_root ? 8 : getegid());
	return tree_run(args, in, -1, dir, is_nobody);
}

#define ASSERT_FINE(o) do { const struct outcome o_ = (o); \
	if (o_.code != 0) test_fail(__FILE__, __LINE__, "%s: exit code %d: %s", #o, o_.code, o_.said); } while (0)
#define ASSERT_SAYS(o, words) do { const struct outcome o_ = (o); ASSERT_EQ(o_.code, 1); \
	if (strstr(o_.said, (words)) == NULL) \
		test_fail(__FILE__, __LINE__, "it says \"%s\", not \"%s\"", o_.said, (words)); } while (0)

static void need_root(void)
{
	if (geteuid() != 0)
		test_skip("needs root, for chroot and owners");
}

static size_t count_names(int dir)
{
	DIR *d = fdopendir(openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	size_t n = 0;

	ASSERT(d != NULL);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n - 2;
}

TEST(an_image_is_unpacked_exactly)
{
	char path[32], target[64] = { 0 };
	_str_ tar = STR_INIT;
	struct outcome o;
	struct stat st;
	int dir;

	need_root();
	dir = test_dir(path);
	tar_add_root(&tar);
	tar_add(&tar, (struct tar_entry){ "locked/", '5', 0, NULL, NULL, 0, 0 });
	tar_add(&tar, (struct tar_entry){ "locked/in", '0', 0400, NULL, "in", 3, 4 });
	tar_add(&tar, (struct tar_entry){ "/absolute", '0', 0640, NULL, "abs", 0, 0 });
	tar_add(&tar, (struct tar_entry){ "fifo", '6', 0620, NULL, NULL, 0, 0 });
	tar_add(&tar, (struct tar_entry){ "tmp", '5', 01777, NULL, NULL, 0, 0 });
	tar_end(&tar);
	o = unpack(&tar, dir);
	ASSERT_FINE(o);
	ASSERT(strstr(o.report, "entries 12\nskipped 0\nsha256 ") == o.report);
	st = test_stat(dir, "bin/sh");
	ASSERT_EQ(st.st_mode, S_IFREG | 04755);
	ASSERT_EQ(st.st_nlink, 2);
	ASSERT_EQ(st.st_mtim.tv_sec, TAR_TIME);
	ASSERT_EQ(st.st_ino, test_stat(dir, "bin/ls").st_ino);
	ASSERT_EQ(test_stat(dir, "bin").st_mtim.tv_sec, TAR_TIME);
	ASSERT_EQ(test_stat(dir, "etc").st_mode, S_IFDIR | 0755);        /* not named in the archive */
	st = test_stat(dir, "home/link");
	ASSERT_EQ(st.st_uid, 1000);
	ASSERT_EQ(st.st_gid, 100);
	ASSERT_EQ(st.st_mtim.tv_sec, TAR_TIME);
	ASSERT_OK(readlinkat(dir, "home/link", target, sizeof(target) - 1));
	ASSERT_STREQ(target, "/etc/passwd");
	ASSERT_EQ(test_stat(dir, "locked").st_mode, S_IFDIR | 0);
	st = test_stat(dir, "locked/in");
	ASSERT_EQ(st.st_mode, S_IFREG | 0400);
	ASSERT_EQ(st.st_uid, 3);
	ASSERT_EQ(st.st_gid, 4);
	ASSERT_STREQ(test_get(dir, "absolute"), "abs");
	ASSERT_EQ(test_stat(dir, "fifo").st_mode, S_IFIFO | 0620);
	ASSERT_EQ(test_stat(dir, "tmp").st_mode, S_IFDIR | 01777);
	test_dir_remove(dir, path);
}

TEST(names_that_lead_out_are_refused)
{
	static const struct { struct tar_entry e[3]; const char *says; } t[] = {
		{ { { "../out", '0', 0644, NULL, "x" } }, "'../out' is refused" },
		{ { { "a/../../out", '0', 0644, NULL, "x" } }, "'a/../../out' is refused" },
		{ { { "in/..", '5', 0755 } }, "'in/..' is refused" },
		{ { { "..", '5', 0755 } }, "'..' is refused" },
		{ { { "l", '2', 0777, ".." }, { "l/out", '0', 0644, NULL, "x" } }, "'l/out' is refused" },
		{ { { "l", '2', 0777, "/" }, { "l/tmp/out", '0', 0644, NULL, "x" } }, "'l/tmp/out' is refused" },
		{ { { "l", '2', 0777, "." }, { "l/out", '0', 0644, NULL, "x" } }, "'l/out' is refused" },
		{ { { "l", '2', 0777, ".." }, { "l/out", '5', 0755 } }, "'l/out' is refused" },
		{ { { "l", '2', 0777, ".." }, { "l", '5', 0755 } }, "'l' is refused" },
		{ { { "l", '2', 0777, ".." }, { "h", '1', 0644, "l/secret" } }, "'h' is refused" },
		{ { { "h", '1', 0644, "../secret" } }, "'../secret' is refused" },
		{ { { "h", '1', 0644, "/etc/passwd" } }, "'h' is refused" },
		{ { { "f", '0', 0644, NULL, "x" }, { "f/out", '0', 0644, NULL, "x" } }, "'f/out' is refused" },
		{ { { "d/f", '0', 0644, NULL, "x" }, { "d", '0', 0644, NULL, "x" } }, "'d' is refused" },
		{ { { "d", '5', 0755 }, { "d", '2', 0777, "/" } }, "'d' is refused" },
		{ { { ".", '0', 0644, NULL, "x" } }, "'.' is refused" },
		{ { { ".", '2', 0777, "/" } }, "'.' is refused" },
		{ { { "l", '2', 0777, "" } }, "'l' is refused" },
		{ { { "\033[2J/../../x\n", '0', 0644, NULL, "x" } }, "'\\e[2J/../../x\\n' is refused" },
	};
	char path[32];
	int top, inner;

	top = test_dir(path);
	test_put(top, "secret", "secret");
	for (int as_nobody = geteuid() == 0 ? 0 : 1; as_nobody < 2; as_nobody++) {
		for (size_t i = 0; i < array_len(t); i++) {
			_str_ tar = STR_INIT;
			_str_ below = STR_INIT;      /* the same below one top directory, for cp */
			struct outcome o;

			ASSERT_OK(mkdirat(top, "in", 0777));
			ASSERT_OK(fchmodat(top, "in", 0777, 0));
			inner = openat(top, "in", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
			tar_add(&below, (struct tar_entry){ ".", '5', 0755, NULL, NULL, 0, 0 });
			for (size_t k = 0; k < 3 && t[i].e[k].name != NULL; k++) {
				tar_add(&tar, t[i].e[k]);
				tar_add(&below, t[i].e[k]);
			}
			tar_end(&tar);
			tar_end(&below);
			if (!as_nobody)
				ASSERT_SAYS(unpack(&tar, inner), t[i].says);
			ASSERT_OK(path_remove_tree(top, "in"));
			ASSERT_OK(mkdirat(top, "in", 0777));
			ASSERT_OK(fchmodat(top, "in", 0777, 0));
			fd_close(inner);
			inner = openat(top, "in", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
			o = unpack_to(&below, inner, ".", geteuid() == 0 && as_nobody);
			ASSERT_SAYS(o, "is refused");
			ASSERT_EQ(count_names(inner), 0);        /* and nothing half made */
			ASSERT_EQ(count_names(top), 2);
			ASSERT_STREQ(test_get(top, "secret"), "secret");
			ASSERT_EQ(test_stat(top, "secret").st_nlink, 1);
			ASSERT(!path_exists(AT_FDCWD, "/tmp/out"));
			fd_close(inner);
			ASSERT_OK(path_remove_tree(top, "in"));
		}
	}
	test_dir_remove(top, path);
}

TEST(links_that_were_there_are_not_followed)
{
	static const struct { const char *link; struct tar_entry e; } t[] = {
		{ "..", { "d/link/out", '0', 0644, NULL, "x" } },
		{ "../../out", { "d/link", '0', 0644, NULL, "x" } },
		{ "../../secret", { "d/link", '0', 0644, NULL, "x" } },
		{ "..", { "d/link", '5', 0777 } },
	};
	char path[32];
	int top;

	need_root();
	top = test_dir(path);
	test_put(top, "secret", "secret");
	for (size_t i = 0; i < array_len(t); i++) {
		_str_ tar = STR_INIT;
		_fd_ inner = -1;

		ASSERT_OK(mkdirat(top, "in", 0777));
		inner = openat(top, "in", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		ASSERT_OK(mkdirat(inner, "d", 0755));
		ASSERT_OK(symlinkat(t[i].link, inner, "d/link"));
		tar_add(&tar, (struct tar_entry){ "d", '5', 0755, NULL, NULL, 0, 0 });
		tar_add(&tar, t[i].e);
		tar_end(&tar);
		if (t[i].e.type == '0' && str_eq(t[i].e.name, "d/link")) {
			ASSERT_FINE(unpack_to(&tar, inner, "/", false));
			ASSERT_EQ(test_stat(inner, "d/link").st_mode, S_IFREG | 0644);
		} else {
			ASSERT_SAYS(unpack_to(&tar, inner, "/", false), "is refused");
			ASSERT_EQ(test_stat(inner, "d/link").st_mode & S_IFMT, S_IFLNK);
		}
		ASSERT_STREQ(test_get(top, "secret"), "secret");
		ASSERT_EQ(count_names(top), 2);
		ASSERT_OK(path_remove_tree(top, "in"));
	}
	test_dir_remove(top, path);
}

TEST(devices_are_left_out)
{
	char path[32];
	_str_ tar = STR_INIT;
	struct outcome o;
	int dir;

	need_root();
	dir = test_dir(path);
	tar_add(&tar, (struct tar_entry){ "dev/", '5', 0755, NULL, NULL, 0, 0 });
	tar_add(&tar, (struct tar_entry){ "dev/null", '3', 0666, NULL, NULL, 0, 0 });
	tar_add(&tar, (struct tar_entry){ "dev/sda", '4', 0660, NULL, NULL, 0, 0 });
	tar_add(&tar, (struct tar_entry){ "dev/zero", '1', 0660, "dev/null", NULL, 0, 0 });
	tar_add(&tar, (struct tar_entry){ "dev/fifo", '6', 0660, NULL, NULL, 0, 0 });
	tar_end(&tar);
	o = unpack(&tar, dir);
	ASSERT_FINE(o);
	ASSERT(strstr(o.report, "entries 5\nskipped 3\n") == o.report);
	ASSERT_EQ(count_names(dir), 1);
	ASSERT(path_exists(dir, "dev/fifo"));
	ASSERT(!path_exists(dir, "dev/null"));
	ASSERT_OK(path_remove_tree(dir, "dev"));
	o = unpack_to(&tar, dir, ".", false);
	ASSERT_FINE(o);
	ASSERT(strstr(o.report, "entries 5\nskipped 4\n") == o.report);
	ASSERT(!path_exists(dir, "dev/fifo"));
	test_dir_remove(dir, path);
}

TEST(a_later_entry_replaces_an_earlier_one)
{
	char path[32];
	_str_ tar = STR_INIT;
	int dir;

	need_root();
	dir = test_dir(path);
	tar_add(&tar, (struct tar_entry){ "f", '0', 0600, NULL, "a long first text", 0, 0 });
	tar_add(&tar, (struct tar_entry){ "same", '1', 0600, "f", NULL, 0, 0 });
	tar_add(&tar, (struct tar_entry){ "f", '0', 0640, NULL, "second", 0, 0 });
	tar_add(&tar, (struct tar_entry){ "f", '1', 0640, "f", NULL, 0, 0 });
	tar_add(&tar, (struct tar_entry){ "l", '0', 0640, NULL, "x", 0, 0 });
	tar_add(&tar, (struct tar_entry){ "l", '2', 0777, "f", NULL, 0, 0 });
	tar_add(&tar, (struct tar_entry){ "d", '5', 0700, NULL, NULL, 0, 0 });
	tar_add(&tar, (struct tar_entry){ "d/x", '0', 0700, NULL, "x", 0, 0 });
	tar_add(&tar, (struct tar_entry){ "d", '5', 0750, NULL, NULL, 0, 5 });
	tar_add(&tar, (struct tar_entry){ "new\nline", '0', 0640, NULL, "x", 0, 0 });
	tar_end(&tar);
	ASSERT_FINE(unpack(&tar, dir));
	ASSERT_STREQ(test_get(dir, "f"), "second");
	ASSERT_EQ(test_stat(dir, "f").st_mode, S_IFREG | 0640);
	ASSERT_STREQ(test_get(dir, "same"), "a long first text");
	ASSERT_EQ(test_stat(dir, "l").st_mode & S_IFMT, S_IFLNK);
	ASSERT_EQ(test_stat(dir, "d").st_mode, S_IFDIR | 0750);
	ASSERT_EQ(test_stat(dir, "d").st_gid, 5);
	ASSERT_STREQ(test_get(dir, "new\nline"), "x");
	ASSERT_EQ(count_names(dir), 5);                      /* no name beside these */
	test_dir_remove(dir, path);
}

TEST(ten_thousand_entries)
{
	char path[32];
	_str_ tar = STR_INIT;
	int dir;

	need_root();
	dir = test_dir(path);
	for (int i = 0; i < 10000; i++) {
		char name[64];

		snprintf(name, sizeof(name), "d%d/e%d/file-%d", i % 10, i % 100, i);
		tar_add(&tar, (struct tar_entry){ name, '0', 0644, NULL, name, 0, 0 });
	}
	tar_end(&tar);
	ASSERT_FINE(unpack(&tar, dir));
	ASSERT_STREQ(test_get(dir, "d9/e99/file-9999"), "d9/e99/file-9999");
	ASSERT_EQ(count_names(dir), 10);
	test_dir_remove(dir, path);
}

TEST(an_archive_cut_anywhere_is_an_error)
{
	char path[32];
	_str_ tar = STR_INIT;
	int dir;

	need_root();
	dir = test_dir(path);
	tar_add_root(&tar);
	tar_add_sized(&tar, &(struct tar_entry){ "./zeroes", '0', 0644, NULL, NULL, 0, 0 }, (char[4096]){ 0 }, 4096);
	tar_end(&tar);
	/* every 512th is where an entry could begin, the hard case; the end mark is two blocks, and one of them will do */
	for (size_t n = 0; n < tar.len - 512; n += n % 512 == 0 && test_rand_below(2) ? 512 : 997 - n % 997) {
		_str_ part = STR_INIT;

		str_add(&part, tar.buf, n);
		if (unpack(&part, dir).code != 1)
			test_fail(__FILE__, __LINE__, "%zu bytes of %zu were taken for the whole", n, tar.len);
		if (unpack_to(&part, dir, "new", false).code != 1 || path_exists(dir, "new"))
			test_fail(__FILE__, __LINE__, "%zu bytes of %zu left something", n, tar.len);
	}
	for (size_t n = 0; n < tar.len - 512; n += 512) {
		_str_ part = STR_INIT;

		str_add(&part, tar.buf, n);
		ASSERT_EQ(unpack(&part, dir).code, 1);
	}
	ASSERT_FINE(unpack(&tar, dir));
	test_dir_remove(dir, path);
}

TEST(what_is_no_tar_is_named_so)
{
	static const char *const t[] = { "", "hello", "\x1f\x8b\x08", "PK\003\004 and more" };
	char path[32];
	int dir;

	need_root();
	dir = test_dir(path);
	for (size_t i = 0; i < array_len(t); i++) {
		_str_ text = STR_INIT;

		str_adds(&text, t[i]);
		ASSERT_EQ(unpack(&text, dir).code, 1);
		if (i != 2)
			ASSERT_SAYS(unpack(&text, dir), "it is no tar archive, plain or compressed");
	}
	ASSERT_EQ(count_names(dir), 0);
	test_dir_remove(dir, path);
}

static void compress(const struct str *from, int (*add_filter)(struct archive *), struct str *to)
{
	struct archive *a = archive_write_new();
	struct archive_entry *e = archive_entry_new();
	char *buf = xcalloc(1, from->len + 65536);
	size_t used = 0;

	ASSERT_EQ(add_filter(a), ARCHIVE_OK);
	ASSERT_EQ(archive_write_set_format_raw(a), ARCHIVE_OK);
	ASSERT_EQ(archive_write_open_memory(a, buf, from->len + 65536, &used), ARCHIVE_OK);
	archive_entry_set_filetype(e, AE_IFREG);
	ASSERT_EQ(archive_write_header(a, e), ARCHIVE_OK);
	ASSERT_EQ(archive_write_data(a, from->buf, from->len), (long long)from->len);
	ASSERT_EQ(archive_write_close(a), ARCHIVE_OK);
	str_add(to, buf, used);
	archive_write_free(a);
	archive_entry_free(e);
	free(buf);
}

/* A layer that changed nothing, as builders make them. */
TEST(an_end_mark_alone_is_an_archive)
{
	char path[32];
	_str_ tar = STR_INIT;
	int dir;

	need_root();
	dir = test_dir(path);
	tar_end(&tar);
	ASSERT_FINE(unpack(&tar, dir));
	ASSERT_EQ(count_names(dir), 0);
	test_dir_remove(dir, path);
}

TEST(the_digest_is_of_the_uncompressed_archive)
{
	static int (*const filters[])(struct archive *) = {
		archive_write_add_filter_none, archive_write_add_filter_gzip, archive_write_add_filter_bzip2,
		archive_write_add_filter_xz, archive_write_add_filter_zstd,
	};
	char path[32], first[256] = "";
	_str_ tar = STR_INIT;
	int dir;

	need_root();
	tar_add_root(&tar);
	tar_end(&tar);
	for (int i = 0; i < 300; i++)                        /* what stands behind the end belongs to the digest */
		tar_end(&tar);
	for (size_t i = 0; i < array_len(filters); i++) {
		_str_ packed = STR_INIT;
		struct outcome o;

		dir = test_dir(path);
		compress(&tar, filters[i], &packed);
		o = unpack(&packed, dir);
		ASSERT_FINE(o);
		*strstr(o.report, "raw ") = '\0';            /* which is another for each */
		if (i == 0)
			memcpy(first, o.report, sizeof(first));
		ASSERT_STREQ(o.report, first);
		ASSERT(strlen(o.report) > 64);
		packed.len /= 2;                     /* cut in the middle, behind the end mark */
		ASSERT_EQ(unpack(&packed, dir).code, i == 0 ? 0 : 1);
		test_dir_remove(dir, path);
	}
}

TEST(where_cp_puts_things)
{
	static const struct { bool is_tree; const char *to, *says, *made; } t[] = {
		{ false, ".", NULL, "file" },
		{ false, "/", NULL, "file" },
		{ false, "dir", NULL, "dir/file" },
		{ false, "dir/", NULL, "dir/file" },
		{ false, "/dir/..//dir/.", NULL, "dir/file" },
		{ false, "new", NULL, "new" },
		{ false, "dir/new", NULL, "dir/new" },
		{ false, "/link/new", NULL, "dir/new" },
		{ false, "link", NULL, "dir/file" },
		{ false, "other", NULL, "other" },
		{ false, "dangling", NULL, "dangling" },
		{ false, "../../new", NULL, "new" },
		{ false, "new/", "cannot copy a file to 'new/': Not a directory", NULL },
		{ false, "no/new", "cannot copy to 'no/new': No such file or directory", NULL },
		{ false, "other/new", "cannot copy to 'other/new': Not a directory", NULL },
		{ false, "", "cannot copy to", NULL },
		{ true, ".", NULL, "tree/file" },
		{ true, "dir", NULL, "dir/tree/file" },
		{ true, "new", NULL, "new/file" },
		{ true, "new/", NULL, "new/file" },
		{ true, "other", "'other' is refused: there is a file or link", NULL },
		{ true, "dangling", "'dangling' is refused: there is a file or link", NULL },
	};
	_str_ file = STR_INIT;
	_str_ tree = STR_INIT;

	need_root();
	tar_add(&file, (struct tar_entry){ "file", '0', 06755, NULL, "content", 0, 0 });
	tar_end(&file);
	tar_add(&tree, (struct tar_entry){ "tree", '5', 02750, NULL, NULL, 0, 0 });
	tar_add(&tree, (struct tar_entry){ "tree/file", '0', 04755, NULL, "content", 0, 0 });
	tar_add(&tree, (struct tar_entry){ "tree/again", '1', 04755, "tree/file", NULL, 0, 0 });
	tar_end(&tree);
	for (size_t i = 0; i < array_len(t); i++) {
		char path[32];
		const int dir = test_dir(path);
		struct outcome o;

		ASSERT_OK(mkdirat(dir, "dir", 0700));
		test_put(dir, "other", "old");
		ASSERT_OK(symlinkat("/dir", dir, "link"));
		ASSERT_OK(symlinkat("/nothing", dir, "dangling"));
		o = unpack_to(t[i].is_tree ? &tree : &file, dir, t[i].to, false);
		if (t[i].made == NULL) {
			ASSERT_SAYS(o, t[i].says);
			ASSERT_EQ(count_names(dir), 4);
		} else {
			struct stat st;

			if (o.code != 0)
				test_fail(__FILE__, __LINE__, "to '%s': %s", t[i].to, o.said);
			st = test_stat(dir, t[i].made);
			ASSERT_EQ(st.st_mode, S_IFREG | 0755);
			ASSERT_EQ(st.st_uid, 7);
			ASSERT_EQ(st.st_gid, 8);
			ASSERT_EQ(st.st_nlink, t[i].is_tree ? 2 : 1);
			ASSERT_STREQ(test_get(dir, t[i].made), "content");
		}
		ASSERT_EQ(test_stat(dir, "dir").st_mode, S_IFDIR | 0700);
		test_dir_remove(dir, path);
	}
}

TEST(contents_are_merged)
{
	char path[32];
	_str_ tar = STR_INIT;
	int dir;

	need_root();
	dir = test_dir(path);
	ASSERT_OK(mkdirat(dir, "d", 0700));
	ASSERT_OK(mkdirat(dir, "d/sub", 0711));
	test_put(dir, "d/keep", "kept");
	test_put(dir, "d/file", "old");
	tar_add(&tar, (struct tar_entry){ ".", '5', 0755, NULL, NULL, 0, 0 });
	tar_add(&tar, (struct tar_entry){ "./sub", '5', 0755, NULL, NULL, 0, 0 });
	tar_add(&tar, (struct tar_entry){ "./sub/x", '0', 0644, NULL, "x", 0, 0 });
	tar_add(&tar, (struct tar_entry){ "./file", '0', 0644, NULL, "new", 0, 0 });
	tar_end(&tar);
	ASSERT_FINE(unpack_to(&tar, dir, "d", false));
	ASSERT_FINE(unpack_to(&tar, dir, "e", false));
	ASSERT_STREQ(test_get(dir, "d/keep"), "kept");
	ASSERT_STREQ(test_get(dir, "d/file"), "new");
	ASSERT_STREQ(test_get(dir, "d/sub/x"), "x");
	ASSERT_EQ(test_stat(dir, "d").st_mode, S_IFDIR | 0700);
	ASSERT_EQ(test_stat(dir, "d/sub").st_mode, S_IFDIR | 0711);
	ASSERT_STREQ(test_get(dir, "e/sub/x"), "x");
	ASSERT_EQ(test_stat(dir, "e").st_mode, S_IFDIR | 0755);
	ASSERT_EQ(count_names(dir), 2);
	test_dir_remove(dir, path);
}

TEST(a_failure_leaves_what_was_there)
{
	char path[32];
	_str_ tar = STR_INIT;
	int dir;

	need_root();
	dir = test_dir(path);
	ASSERT_OK(mkdirat(dir, "d", 0700));
	test_put(dir, "d/file", "old");
	tar_add(&tar, (struct tar_entry){ ".", '5', 0755, NULL, NULL, 0, 0 });
	tar_add(&tar, (struct tar_entry){ "./new", '5', 0755, NULL, NULL, 0, 0 });
	tar_add(&tar, (struct tar_entry){ "./new/file", '0', 0644, NULL, "new", 0, 0 });
	tar_add(&tar, (struct tar_entry){ "./file", '0', 0644, NULL, "new and never whole", 0, 0 });
	tar.len -= 510;                                      /* in the middle of the last text */
	ASSERT_SAYS(unpack_to(&tar, dir, "d", false), "cannot read 'file' in the archive");
	ASSERT_EQ(count_names(dir), 1);
	ASSERT_STREQ(test_get(dir, "d/file"), "old");
	ASSERT(!path_exists(dir, "d/new"));
	test_dir_remove(dir, path);
}

TEST(a_signal_leaves_nothing_half_made)
{
	static const char *const args[] = { "unpack", "--owner=0:0", "--to=new", NULL };
	char path[32], events[512];
	_str_ tar = STR_INIT;
	int dir, watch, stream[2], null;
	pid_t pid;

	need_root();
	dir = test_dir(path);
	watch = inotify_init1(IN_CLOEXEC);
	ASSERT_OK(watch);
	ASSERT_OK(inotify_add_watch(watch, path, IN_CREATE));
	ASSERT_OK(pipe2(stream, O_CLOEXEC));
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	tar_add(&tar, (struct tar_entry){ "d", '5', 0755, NULL, NULL, 0, 0 });
	tar_add(&tar, (struct tar_entry){ "d/file", '0', 0644, NULL, "text", 0, 0 });
	pid = tree_start(args, stream[0], null, dir, null, null, false);
	ASSERT_OK(fd_write_all(stream[1], tar.buf, tar.len));
	ASSERT_EQ(poll(&(struct pollfd){ .fd = watch, .events = POLLIN }, 1, 20000), 1);
	ASSERT(read(watch, events, sizeof(events)) > 0);     /* it has begun, and waits for the rest */
	ASSERT_OK(kill(pid, SIGTERM));
	ASSERT_EQ(child_exit_code(child_wait(pid)), 1);
	ASSERT_EQ(count_names(dir), 0);
	fd_close(stream[0]);
	fd_close(stream[1]);
	fd_close(watch);
	fd_close(null);
	test_dir_remove(dir, path);
}

/* Pack @path of one directory and unpack it to @to of the other. */
static void pack_and_unpack(int from, const char *path, int to_dir, const char *to)
{
	const char *const args[] = { "pack", "--", path, NULL };
	_fd_ out = memory("", 0);
	_str_ tar = STR_INIT;

	ASSERT_FINE(tree_run(args, -1, out, from, false));
	ASSERT_EQ(lseek(out, 0, SEEK_SET), 0);
	ASSERT_OK(fd_slurp(out, 64 << 20, &tar));
	ASSERT_FINE(unpack_to(&tar, to_dir, to, false));
}

TEST(a_tree_comes_out_as_it_went_in)
{
	const char *const bad = "not-utf8-\xff\xfe", *good = "\xc3\xa9t\xc3\xa9";
	const struct timespec times[2] = { { 1, 5 }, { 123456789, 123456789 } };
	char path[32], path2[32], value[16] = "", name[300];
	int dir, out, has_xattr;
	_fd_ fd = -1;
	struct stat st;

	need_root();
	dir = test_dir(path);
	out = test_dir(path2);
	ASSERT_OK(mkdirat(dir, "t", 0755));
	test_put(dir, "t/file", "text");
	ASSERT_OK(linkat(dir, "t/file", dir, "t/same", 0));
	ASSERT_OK(mkdirat(dir, "t/locked", 0755));
	test_put(dir, "t/locked/file", "deep");
	ASSERT_OK(fchmodat(dir, "t/locked", 0, 0));
	ASSERT_OK(symlinkat("/etc/shadow", dir, "t/link"));
	ASSERT_OK(mkfifoat(dir, "t/fifo", 0644));
	snprintf(name, sizeof(name), "t/%s", bad);
	test_put(dir, name, "bad");
	snprintf(name, sizeof(name), "t/%s", good);
	test_put(dir, name, "good");
	snprintf(name, sizeof(name), "t/%0230d", 7);
	test_put(dir, name, "long");
	test_put(dir, "t/sparse", "begin");
	snprintf(name, sizeof(name), "%s/t/sparse", path);
	ASSERT_OK(truncate(name, 100 << 20));
	has_xattr = setxattr(name, "user.test", "value", 5, 0) == 0;
	ASSERT_OK(fchmodat(dir, "t/file", 0640, 0));
	ASSERT_OK(utimensat(dir, "t/file", times, 0));
	ASSERT_OK(utimensat(dir, "t/link", times, AT_SYMLINK_NOFOLLOW));
	ASSERT_OK(utimensat(dir, "t", times, 0));
	pack_and_unpack(dir, "/t", out, "/u");
	st = test_stat(out, "u/file");
	ASSERT_EQ(st.st_mode, S_IFREG | 0640);
	ASSERT_EQ(st.st_ino, test_stat(out, "u/same").st_ino);
	ASSERT_EQ(st.st_mtim.tv_sec, times[1].tv_sec);
	ASSERT_EQ(st.st_mtim.tv_nsec, times[1].tv_nsec);
	ASSERT_EQ(test_stat(out, "u/link").st_mtim.tv_nsec, times[1].tv_nsec);
	ASSERT_EQ(test_stat(out, "u").st_mtim.tv_nsec, times[1].tv_nsec);
	ASSERT_EQ(test_stat(out, "u/link").st_mode & S_IFMT, S_IFLNK);
	ASSERT_EQ(test_stat(out, "u/locked").st_mode, S_IFDIR | 0);
	ASSERT_STREQ(test_get(out, "u/locked/file"), "deep");
	ASSERT(!path_exists(out, "u/fifo"));
	snprintf(name, sizeof(name), "u/%s", bad);
	ASSERT_STREQ(test_get(out, name), "bad");
	snprintf(name, sizeof(name), "u/%s", good);
	ASSERT_STREQ(test_get(out, name), "good");
	snprintf(name, sizeof(name), "u/%0230d", 7);
	ASSERT_STREQ(test_get(out, name), "long");
	st = test_stat(out, "u/sparse");
	ASSERT_EQ(st.st_size, 100 << 20);
	ASSERT(st.st_blocks < 2048);
	fd = openat(out, "u/sparse", O_RDONLY | O_CLOEXEC);
	ASSERT_OK(fd_read_all(fd, value, 5));
	ASSERT_MEMEQ(value, "begin", 5);
	snprintf(name, sizeof(name), "%s/u/sparse", path2);
	if (has_xattr)
		ASSERT_EQ(getxattr(name, "user.test", value, sizeof(value)), 5);
	test_dir_remove(dir, path);
	test_dir_remove(out, path2);
}

TEST(holes_anywhere_survive)
{
	char path[32], path2[32], data[10000];
	int dir, out;

	need_root();
	dir = test_dir(path);
	out = test_dir(path2);
	memset(data, 'd', sizeof(data));
	for (int round = 0; round < 10; round++) {
		const off_t size = (off_t)test_rand_below(4 << 20);
		_fd_ a = openat(dir, "f", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		_fd_ b = -1;
		_str_ before = STR_INIT;
		_str_ after = STR_INIT;

		for (uint64_t i = test_rand_below(6); i > 0 && size > 0; i--)
			ASSERT(pwrite(a, data, sizeof(data), (off_t)test_rand_below((uint64_t)size)) == sizeof(data));
		ASSERT_OK(ftruncate(a, size));
		pack_and_unpack(dir, "f", out, ".");
		b = openat(out, "f", O_RDONLY | O_CLOEXEC);
		ASSERT_OK(fd_slurp(a, 8 << 20, &before));
		ASSERT_OK(fd_slurp(b, 8 << 20, &after));
		ASSERT_EQ(before.len, (size_t)lseek(b, 0, SEEK_END));
		ASSERT_EQ(before.len, after.len);
		ASSERT_MEMEQ(before.buf, after.buf, after.len);
	}
	test_dir_remove(dir, path);
	test_dir_remove(out, path2);
}

TEST(what_a_source_names)
{
	static const struct { const char *path, *made, *says; } t[] = {
		{ "dir", "out/dir/file", NULL },
		{ "/dir/", "out/dir/file", NULL },
		{ "dir/.", "out/file", NULL },
		{ "link/.", "out/file", NULL },
		{ "link/", "out/link/file", NULL },
		{ "link", "out/link", NULL },
		{ "/", "out/dir/file", NULL },
		{ "link/file", "out/file", NULL },
		{ "dir/../link/../dir/file", "out/file", NULL },
		{ "../../dir/file", "out/file", NULL },
		{ "out-link/secret", NULL, "cannot copy 'out-link/secret': No such file or directory" },
		{ "none", NULL, "cannot copy 'none': No such file or directory" },
		{ "dir/file/", NULL, "cannot copy 'dir/file/': Not a directory" },
		{ "", NULL, "cannot copy '': No such file or directory" },
		{ "fifo", NULL, "'fifo' is a device, socket or fifo, which cannot be copied" },
		{ "\033[2J", NULL, "cannot copy '\\e[2J': No such file or directory" },
	};
	char path[32], path2[32];
	int top, dir, to;

	need_root();
	top = test_dir(path);
	test_put(top, "secret", "secret");
	ASSERT_OK(mkdirat(top, "in", 0755));
	dir = openat(top, "in", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ASSERT_OK(mkdirat(dir, "dir", 0755));
	test_put(dir, "dir/file", "text");
	ASSERT_OK(symlinkat("/dir", dir, "link"));
	ASSERT_OK(symlinkat("..", dir, "out-link"));
	ASSERT_OK(mkfifoat(dir, "fifo", 0644));
	for (size_t i = 0; i < array_len(t); i++) {
		const char *const args[] = { "pack", "--", t[i].path, NULL };

		if (t[i].made == NULL) {
			ASSERT_SAYS(tree_run(args, -1, -1, dir, false), t[i].says);
			continue;
		}
		to = test_dir(path2);
		ASSERT_OK(mkdirat(to, "out", 0755));
		pack_and_unpack(dir, t[i].path, to, "out");
		if (!path_exists(to, t[i].made))
			test_fail(__FILE__, __LINE__, "'%s' did not become '%s'", t[i].path, t[i].made);
		test_dir_remove(to, path2);
	}
	fd_close(dir);
	test_dir_remove(top, path);
}

TEST(kernel_file_systems_are_left_out)
{
	static const char *const args[] = { "pack", "--report=4", "proc", NULL };
	_fd_ root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	need_root();
	ASSERT_SAYS(tree_run(args, -1, -1, root, false), "cannot copy the kernel's file system 'proc'");
}

/* The walls themselves: in a child, because they are for good. */
static int try_to_get_out(int dir)
{
	const struct tree_options o = { .dir_fd = dir, .userns_fd = -1 };

	if (tree_confine(&o, NULL) < 0)
		return 1;
	if (path_exists(AT_FDCWD, "/etc") || path_exists(AT_FDCWD, "../../etc") || !path_exists(AT_FDCWD, "/marker"))
		return 2;
	if (chroot(".") == 0 || errno != EPERM)
		return 3;
	if (execl("/marker", "marker", NULL) == 0 || errno != EACCES)
		return 4;
	if (mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED)
		return 5;
	if (mknod("/device", S_IFCHR | 0666, 0x103) == 0)
		return 6;
	return 0;
}

TEST(the_walls_hold)
{
	char path[32];
	int dir;
	pid_t pid;

	need_root();
	dir = test_dir(path);
	test_put(dir, "marker", "#!");
	ASSERT_OK(fchmodat(dir, "marker", 0755, 0));
	pid = fork();
	if (pid == 0)
		_exit(try_to_get_out(dir));
	ASSERT_EQ(child_exit_code(child_wait(pid)), 0);
	test_dir_remove(dir, path);
}

TEST(who_may_not_chroot_must_say_here)
{
	static const char *const args[] = { "unpack", NULL };
	char path[32];
	_str_ tar = STR_INIT;
	_fd_ in = -1;
	int dir;

	dir = test_dir(path);
	tar_add(&tar, (struct tar_entry){ "file", '0', 0644, NULL, "text", 0, 0 });
	tar_end(&tar);
	in = memory(tar.buf, tar.len);
	ASSERT_OK(fchmod(dir, 0777));
	ASSERT_SAYS(tree_run(args, in, -1, dir, geteuid() == 0), "cannot confine itself to the directory");
	ASSERT_EQ(count_names(dir), 0);
	test_dir_remove(dir, path);
}

TEST(clean_names)
{
	static const struct { const char *in; int want; const char *out; } t[] = {
		{ "a", 0, "a" }, { "./a//b/./c/", 0, "a/b/c" }, { "/", 0, "" }, { ".", 0, "" }, { "", 0, "" },
		{ "//a", 0, "a" }, { "..", -EPERM, NULL }, { "a/..", -EPERM, NULL }, { "...", 0, "..." }, { "..a/b..", 0, "..a/b.." },
	};
	char name[6000];

	for (size_t i = 0; i < array_len(t); i++) {
		_free_ char *out = NULL;

		ASSERT_EQ(tree_clean_name(t[i].in, &out), t[i].want);
		if (t[i].want == 0)
			ASSERT_STREQ(out, t[i].out);
	}
	memset(name, 'x', sizeof(name));
	name[256] = '\0';
	_free_ char *out = NULL;

	ASSERT_EQ(tree_clean_name(name, &out), -ENAMETOOLONG);
	for (size_t i = 0; i < sizeof(name); i += 2)
		name[i] = '/', name[i + 1] = 'x';
	name[sizeof(name) - 1] = '\0';
	ASSERT_EQ(tree_clean_name(name, &out), -ENAMETOOLONG);
}
