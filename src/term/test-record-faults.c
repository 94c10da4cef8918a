/* Recordings under everything that can go wrong: files cut short, a writer killed anywhere, disks that are full. */
#include "term/test-record.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { CHILD_SKIPPED = 77 };

static void copy_cut(int from, int to, const char *name, off_t n)
{
	_str_ data = STR_INIT;

	ASSERT_OK(file_read(from, name, 1 << 20, &data));
	ASSERT((size_t)n <= data.len);
	ASSERT_OK(file_write(to, name, data.buf, (size_t)n, 0600));
}

/* A recording cut to these sizes: as found by a reader, mended, and gone on with. */
static void check_cut(int whole, int cut, off_t log, off_t idx, uint64_t want_end)
{
	_cleanup_(record_closep) struct record *w = NULL;
	uint64_t end, lost;

	copy_cut(whole, cut, "output.log", log);
	copy_cut(whole, cut, "output.idx", idx);
	ASSERT_EQ(read_all(cut, 0, NULL, &lost), want_end);
	ASSERT_OK(record_open(&w, cut, 4096, &end, NULL));
	ASSERT_EQ(end, want_end);
	ASSERT_OK(write_right(w, end, 10, 9999));
	ASSERT_EQ(read_all(cut, 0, NULL, &lost), want_end + 10);
	w = record_close(w);
	ASSERT_EQ((size_of(cut, "output.idx") - 64) % 32, 0);
}

static void make_small(int dir_fd, uint64_t *ret_base)
{
	_cleanup_(record_closep) struct record *w = NULL;
	uint64_t end;

	ASSERT_OK(record_open(&w, dir_fd, 4096, &end, NULL));
	ASSERT_OK(write_right(w, end, 2048, 10));                 /* fills a pair that will be the older one */
	*ret_base = end += 2048;
	for (int i = 0; i < 8; i++, end += 13)
		ASSERT_OK(write_right(w, end, 13, 100 + 10 * (uint64_t)i));
}

TEST(files_cut_at_any_byte)
{
	_scratch_ whole = scratch_make(), cut = scratch_make();
	uint64_t base;
	off_t log, idx;

	make_small(whole.fd, &base);
	log = size_of(whole.fd, "output.log");
	idx = size_of(whole.fd, "output.idx");
	ASSERT(size_of(whole.fd, "output.log.1") == (off_t)base && log == 8 * 13 && idx == 64 + 8 * 32);
	copy_cut(whole.fd, cut.fd, "output.log.1", (off_t)base);
	copy_cut(whole.fd, cut.fd, "output.idx.1", size_of(whole.fd, "output.idx.1"));
	for (off_t i = 0; i <= idx; i++)
		check_cut(whole.fd, cut.fd, log, i, base + (uint64_t)log);
	for (off_t l = 0; l <= log; l++)
		check_cut(whole.fd, cut.fd, l, idx, base + (uint64_t)l);
	for (int i = 0; i < 500; i++) {
		const off_t l = (off_t)test_rand_below((uint64_t)log + 1);

		check_cut(whole.fd, cut.fd, l, (off_t)test_rand_below((uint64_t)idx + 1), base + (uint64_t)l);
	}
}

/* Around a gap the order of writing counts: first its entry, then the bytes behind it. */
TEST(files_cut_around_a_gap)
{
	_scratch_ whole = scratch_make(), cut = scratch_make();
	_cleanup_(record_closep) struct record *w = NULL;
	uint64_t end;

	ASSERT_OK(record_open(&w, whole.fd, 4096, &end, NULL));
	ASSERT_OK(write_right(w, 0, 50, 10));
	record_skip(w, 70);
	ASSERT_OK(write_right(w, 120, 30, 20));
	ASSERT_EQ(size_of(whole.fd, "output.idx"), 64 + 2 * 32);
	for (off_t i = 64; i <= 64 + 2 * 32; i++)
		check_cut(whole.fd, cut.fd, 50, i, i < 64 + 2 * 32 ? 50 : 120);
	for (off_t l = 50; l <= 80; l++)
		check_cut(whole.fd, cut.fd, l, 64 + 2 * 32, 120 + (uint64_t)l - 50);
	for (off_t l = 0; l < 50; l++)                            /* a machine's crash: the entry speaks of nothing then */
		check_cut(whole.fd, cut.fd, l, 64 + 2 * 32, (uint64_t)l);
}

/* What the writer that is killed does; *ret_done is where the last write that came back ended. */
static const struct { size_t write, skip; } script[] = {
	{ 700, 0 }, { 0, 33 }, { 900, 0 }, { 900, 0 }, { 10, 0 }, { 0, 500 }, { 1300, 0 }, { 500, 7 }, { 2000, 0 }, { 1, 0 },
};

static int run_script(int dir_fd, uint64_t *ret_done)
{
	_cleanup_(record_closep) struct record *w = NULL;
	uint64_t end;

	if (record_open(&w, dir_fd, 4096, &end, NULL) < 0)
		return 1;
	for (size_t i = 0; i < array_len(script); i++) {
		if (script[i].write > 0 && write_right(w, end, script[i].write, 1000 + 10 * i) < 0)
			return 2;
		end += script[i].write;
		if (script[i].write > 0)
			*ret_done = end;
		record_skip(w, script[i].skip);
		end += script[i].skip;
	}
	return 0;
}

static uint64_t script_end(uint8_t *stored)
{
	uint64_t end = 0;

	for (size_t i = 0; i < array_len(script); i++) {
		memset(stored + end, 1, script[i].write);
		end += script[i].write + script[i].skip;
	}
	return end;
}

/* Run it until it has entered or left @stops system calls, then kill it. Did it live to its end? */
static bool run_and_kill(int dir_fd, uint64_t *ret_done, int stops)
{
	const pid_t pid = fork();
	int status;

	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, 0, 0) < 0 || raise(SIGSTOP) != 0)
			_exit(CHILD_SKIPPED);
		_exit(run_script(dir_fd, ret_done));
	}
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	for (int i = 0; i <= stops && WIFSTOPPED(status); i++) {
		if (i == 0)
			ASSERT_EQ(ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_EXITKILL), 0);
		ASSERT_EQ(ptrace(PTRACE_SYSCALL, pid, 0, 0), 0);
		ASSERT_EQ(waitpid(pid, &status, 0), pid);
	}
	if (WIFEXITED(status)) {
		if (WEXITSTATUS(status) == CHILD_SKIPPED)
			test_skip("this machine does not let us trace a child");
		ASSERT_EQ(status, 0);
		return true;
	}
	ASSERT_EQ(kill(pid, SIGKILL), 0);
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	return false;
}

static void check_seen(const uint8_t *seen, const uint8_t *stored, uint64_t from, uint64_t to)
{
	for (uint64_t p = from; p < to; p++)
		if (seen[p] != stored[p])
			test_fail(__FILE__, __LINE__, "byte %llu: seen %d, stored %d", (unsigned long long)p, seen[p], stored[p]);
}

static uint64_t first_kept(int dir_fd, uint64_t none)
{
	_cleanup_(recording_closep) struct recording *r = NULL;

	return recording_open(&r, dir_fd, NULL) == 0 ? recording_first(r) : none;
}

/* What a killed writer left: a reader finds it, a new writer mends it and goes on. */
static void check_killed(int dir_fd, uint64_t done)
{
	_cleanup_(record_closep) struct record *w = NULL;
	uint8_t seen[20000] = { 0 }, stored[20000] = { 0 };
	const uint64_t last = script_end(stored);
	uint64_t end, lost, first;

	ASSERT(read_all(dir_fd, 0, seen, &lost) >= done);
	check_seen(seen, stored, first_kept(dir_fd, 0), done);
	ASSERT_OK(record_open(&w, dir_fd, 4096, &end, NULL));
	ASSERT(end >= done && end <= last);
	first = first_kept(dir_fd, 0);
	ASSERT(first == 0 || end - first >= 900);                 /* no pair was dropped for nothing */
	memset(seen, 0, sizeof(seen));
	ASSERT_EQ(read_all(dir_fd, 0, seen, &lost), end);
	check_seen(seen, stored, first, end);
	for (uint64_t p = end; p < end + 3000; p += 600) {
		ASSERT_OK(write_right(w, p, 600, 5000));
		memset(stored + p, 1, 600);
	}
	memset(seen, 0, sizeof(seen));
	ASSERT_EQ(read_all(dir_fd, 0, seen, &lost), end + 3000);
	check_seen(seen, stored, first_kept(dir_fd, 0), end + 3000);
	ASSERT_EQ(faccessat(dir_fd, "output.log.new", F_OK, 0), -1);
}

TEST(a_writer_killed_at_any_system_call)
{
	uint64_t *done = mmap(NULL, sizeof(*done), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	bool lived = false;
	int stops;

	ASSERT(done != MAP_FAILED);
	for (stops = 1; !lived; stops++) {
		_scratch_ dir = scratch_make();

		*done = 0;
		lived = run_and_kill(dir.fd, done, stops);
		check_killed(dir.fd, *done);
	}
	ASSERT(stops > 60);
	munmap(done, sizeof(*done));
}

static void run_child(int (*fn)(int), int dir_fd)
{
	int status;
	const pid_t pid = fork();

	if (pid == 0)
		_exit(fn(dir_fd));
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == CHILD_SKIPPED)
		test_skip("user namespaces or tmpfs in them are not available");
	ASSERT_EQ(status, 0);
}

static bool put_text(const char *path, const char *text)
{
	_fd_ fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && fd_write_all(fd, text, strlen(text)) == 0;
}

/* A tmpfs of its own for this process. The directory, or -1. */
static int small_disk(const char *options)
{
	_free_ char *uids = xasprintf("0 %d 1", (int)getuid()), *gids = xasprintf("0 %d 1", (int)getgid());

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0 || !put_text("/proc/self/setgroups", "deny") ||
	    !put_text("/proc/self/uid_map", uids) || !put_text("/proc/self/gid_map", gids) ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || mount("tmpfs", "/tmp", "tmpfs", 0, options) < 0)
		return -1;
	return open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

#define CHECK(c) do { if (!(c)) { fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #c); return 1; } } while (0)

/* Leave a page of the disk, or none. */
static void take_space(int filler)
{
	off_t size = 0;

	while (posix_fallocate(filler, size, 4096) == 0)
		size += 4096;
	(void)!ftruncate(filler, size - (off_t)min_size((size_t)size, test_rand_below(2) * 4096));
}

/*
 * Take space away and give it back at random: what record_write took is there, what it did not is a gap or is right.
 */
static int fill_and_free(int unused)
{
	enum { SPACE = 600000 };
	static uint8_t seen[SPACE], taken[SPACE];
	const int dir = small_disk("size=192k");
	const int filler = dir < 0 ? -1 : openat(dir, "filler", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	_cleanup_(record_closep) struct record *w = NULL;
	uint64_t end, lost, first;
	int failures = 0, successes = 0;

	if (filler < 0)
		return CHILD_SKIPPED;
	CHECK(record_open(&w, dir, 64 * 1024, &end, NULL) == 0);
	for (int i = 0; i < 600; i++) {
		const size_t n = test_rand_below(1200);
		int e;

		if (test_rand_below(16) == 0)
			(void)!ftruncate(filler, 0);
		if (test_rand_below(8) == 0)
			take_space(filler);
		e = write_right(w, end, n, 10 * (uint64_t)i);
		CHECK(e == 0 || e == -ENOSPC);
		memset(taken + end, e == 0, n);
		failures += e < 0;
		successes += e == 0;
		end += n;
		if (test_rand_below(16) == 0) {
			first = first_kept(dir, 0);
			memset(seen, 0, sizeof(seen));
			CHECK(read_all(dir, 0, seen, &lost) <= end);
			for (uint64_t p = first; p < end; p++)
				CHECK(seen[p] || !taken[p]);
		}
	}
	CHECK(failures > 20 && successes > 20);
	CHECK(ftruncate(filler, 0) == 0);
	CHECK(write_right(w, end, 100, 10000) == 0);
	CHECK(read_all(dir, 0, NULL, &lost) == end + 100);
	return 0;
}

TEST(a_disk_that_is_full_now_and_then)
{
	run_child(fill_and_free, -1);
}

/* No room at all, and none for the index either: one gap of the exact size, however often it was tried. */
static int stay_full(int unused)
{
	const int dir = small_disk("size=16k,nr_inodes=20");
	const int filler = dir < 0 ? -1 : openat(dir, "filler", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	_cleanup_(record_closep) struct record *w = NULL;
	static uint8_t seen[500000];
	uint64_t end, lost, took;

	if (filler < 0)
		return CHILD_SKIPPED;
	CHECK(record_open(&w, dir, 64 * 1024, &end, NULL) == 0);
	CHECK(posix_fallocate(filler, 0, 8192) == 0);
	CHECK(write_right(w, 0, 4096, 1) == 0);           /* a page for the log; the index has the last one */
	took = end = 4096;
	for (int i = 0; i < 400; i++, end += 1000)
		CHECK(write_right(w, end, 1000, (uint64_t)i) == -ENOSPC);
	CHECK(size_of(dir, "output.idx") <= 64 + 2 * 32);
	CHECK(ftruncate(filler, 0) == 0);
	CHECK(write_right(w, end, 1000, 5000) == 0);
	CHECK(read_all(dir, 0, seen, &lost) == end + 1000);
	CHECK(lost == end - took);
	CHECK(seen[took - 1] && !seen[took] && !seen[end - 1] && seen[end]);
	return 0;
}

TEST(a_disk_that_stays_full)
{
	run_child(stay_full, -1);
}

/* A limit on file sizes cuts a write in two; the first half counts. */
static int limited(int dir)
{
	struct rlimit limit;
	_cleanup_(record_closep) struct record *w = NULL;
	uint64_t end, lost;
	static uint8_t seen[20000];

	CHECK(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	CHECK(getrlimit(RLIMIT_FSIZE, &limit) == 0);
	CHECK(record_open(&w, dir, 64 * 1024, &end, NULL) == 0);
	limit.rlim_cur = 2500;
	CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	CHECK(write_right(w, 0, 1000, 1) == 0);
	CHECK(write_right(w, 1000, 1000, 1) == 0);
	CHECK(write_right(w, 2000, 1000, 1) == -EFBIG);
	CHECK(write_right(w, 3000, 1000, 1) == -EFBIG);
	limit.rlim_cur = limit.rlim_max;
	CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	CHECK(write_right(w, 4000, 1000, 1) == 0);
	CHECK(read_all(dir, 0, seen, &lost) == 5000);
	CHECK(lost == 1500);
	CHECK(seen[2499] && !seen[2500] && !seen[3999] && seen[4000]);
	return 0;
}

TEST(a_limit_on_file_sizes)
{
	_scratch_ dir = scratch_make();

	run_child(limited, dir.fd);
}

/* No new pair can be made: the log goes on to twice its size, then there is a gap, then all is well again. */
static int no_inodes(int unused)
{
	const int dir = small_disk("size=256k,nr_inodes=5");      /* the root, the lock, the pair, one more */
	_cleanup_(record_closep) struct record *w = NULL;
	uint64_t end, lost;

	if (dir < 0)
		return CHILD_SKIPPED;
	CHECK(record_open(&w, dir, 8192, &end, NULL) == 0);
	for (; end < 8000; end += 1000)
		CHECK(write_right(w, end, 1000, end) == 0);
	CHECK(write_right(w, end, 1000, end) == -ENOSPC);
	end += 1000;
	CHECK(faccessat(dir, "output.log.new", F_OK, 0) < 0);
	CHECK(mount(NULL, "/tmp", NULL, MS_REMOUNT, "size=256k,nr_inodes=50") == 0);
	CHECK(write_right(w, end, 1000, end) == 0);
	CHECK(size_of(dir, "output.log") == 1000 && size_of(dir, "output.log.1") == 8000);
	CHECK(read_all(dir, 0, NULL, &lost) == end + 1000 && lost == 1000);
	return 0;
}

TEST(a_disk_without_inodes)
{
	run_child(no_inodes, -1);
}

TEST(a_newer_version_is_left_alone)
{
	_scratch_ dir = scratch_make();
	_cleanup_(record_closep) struct record *w = NULL;
	_cleanup_(recording_closep) struct recording *r = NULL;
	_str_ idx = STR_INIT;
	uint64_t end;
	uint32_t check = 2166136261u;

	ASSERT_OK(record_open(&w, dir.fd, 4096, &end, NULL));
	ASSERT_OK(write_right(w, 0, 100, 1));
	w = record_close(w);
	ASSERT_OK(file_read(dir.fd, "output.idx", 4096, &idx));
	idx.buf[8] = 2;
	for (int i = 0; i < 60; i++)
		check = (check ^ (uint8_t)idx.buf[i]) * 16777619u;
	for (int i = 0; i < 4; i++)
		idx.buf[60 + i] = (char)(check >> (8 * i));
	ASSERT_OK(file_write(dir.fd, "output.idx", idx.buf, idx.len, 0600));
	ASSERT_EQ(record_open(&w, dir.fd, 4096, &end, NULL), -ENOTSUP);
	ASSERT_EQ(recording_open(&r, dir.fd, NULL), -ENOTSUP);
	ASSERT_EQ(size_of(dir.fd, "output.idx"), (off_t)idx.len);
}
