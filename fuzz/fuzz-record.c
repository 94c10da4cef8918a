/*
 * A directory with a recording of arbitrary bytes: read it, mend it, go on with it, read it again. Nothing may crash, hang
 * or go backwards.
 *
 * The input: flags (what follows), three 16-bit lengths (little-endian), then index, older index, older log and log.
 * Chance does not find checksums, so flags ask for them to be made right, with numbers of a size that can be meant.
 */
#include "base/fd.h"
#include "base/path.h"
#include "term/record-format.h"
#include "term/record.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { REPAIR = 1, REPAIR_OLDER = 2, HAS_OLDER = 4, HAS_INDEX = 8, HAS_LOG = 16 };
enum { READS_MAX = 20000 };

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static char dir_path[64];
static int dir_fd;

static void remove_dir(void)
{
	(void)path_remove_tree(AT_FDCWD, dir_path);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	snprintf(dir_path, sizeof(dir_path), "%s/fuzz-record-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (mkdtemp(dir_path) == NULL)
		abort();
	dir_fd = open(dir_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir_fd < 0 || atexit(remove_dir) != 0;
}

static void repair(uint8_t *idx, size_t n)
{
	struct record_header h;

	if (n < sizeof(h))
		return;
	memcpy(&h, idx, sizeof(h));
	h = record_header_pack(le64toh(h.base) & 0xFFFF, le64toh(h.created_ms) & 0xFFFF);
	memcpy(idx, &h, sizeof(h));
	for (size_t at = sizeof(h); at + sizeof(struct record_entry) <= n; at += sizeof(struct record_entry)) {
		struct record_entry e;

		memcpy(&e, idx + at, sizeof(e));
		e = record_entry_pack(le64toh(e.position) & 0x1FFFF, le64toh(e.time_ms) & 0xFFFF, le64toh(e.offset) & 0xFFF,
		                      le32toh(e.kind) & 3);
		memcpy(idx + at, &e, sizeof(e));
	}
}

static void put(const char *name, const uint8_t *data, size_t n)
{
	_fd_ fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || fd_write_all(fd, data, n) < 0)
		abort();
}

static void put_index(const char *name, const uint8_t *data, size_t n, bool is_repaired)
{
	_free_ uint8_t *idx = xcalloc(1, n + 1);

	memcpy(idx, data, n);
	if (is_repaired)
		repair(idx, n);
	put(name, idx, n);
}

/* The next piece of the input, as long as it says but not longer than there is. */
static const uint8_t *take(const uint8_t **data, size_t *n, size_t len)
{
	const uint8_t *at = *data;

	*data += len;
	*n -= len;
	return at;
}

static void unpack(const uint8_t *data, size_t n)
{
	static const char *const names[] = { "output.idx", "output.log", "output.idx.1", "output.log.1" };
	const uint8_t flags = data[0];
	size_t len[3];

	for (size_t i = 0; i < array_len(names); i++)
		(void)unlinkat(dir_fd, names[i], 0);
	for (int i = 0; i < 3; i++)
		len[i] = data[1 + 2 * i] | (size_t)data[2 + 2 * i] << 8;
	(void)take(&data, &n, 7);
	for (int i = 0; i < 3; i++) {
		const size_t here = min_size(len[i], n);
		const uint8_t *at = take(&data, &n, here);

		if (i == 0 && (flags & HAS_INDEX))
			put_index("output.idx", at, here, flags & REPAIR);
		else if (i == 1 && (flags & HAS_OLDER))
			put_index("output.idx.1", at, here, flags & REPAIR_OLDER);
		else if (i == 2 && here > 0)
			put("output.log.1", at, here);
	}
	if (flags & HAS_LOG)
		put("output.log", data, n);
}

static void read_from(struct recording *r, uint64_t pos)
{
	char data[4096];

	for (int i = 0; i < READS_MAX; i++) {
		const uint64_t before = pos;
		uint64_t lost;
		const ssize_t n = recording_read(r, &pos, data, sizeof(data), &lost);

		if (n > (ssize_t)sizeof(data) || pos < before || (n >= 0 && pos != before + lost + (uint64_t)n))
			abort();
		if (n <= 0)
			return;
	}
}

static void read_everything(void)
{
	_cleanup_(recording_closep) struct recording *r = NULL;
	uint64_t end;

	if (recording_open(&r, dir_fd, NULL) != 0)
		return;
	end = recording_end(r);
	read_from(r, 0);
	read_from(r, recording_first(r));
	read_from(r, end / 2);
	read_from(r, UINT64_MAX - 5);
	for (uint64_t p = 0; p < 0x20000; p = p * 2 + 1) {
		(void)recording_time_at(r, p);
		(void)recording_position_at(r, p);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	_cleanup_(record_closep) struct record *w = NULL;
	uint64_t end, now;

	if (n < 7)
		return 0;
	unpack(data, n);
	read_everything();
	if (record_open(&w, dir_fd, 8192, &end, NULL) < 0)
		return 0;
	for (now = 1; now < 5; now++)
		if (record_write(w, "some more output", 16, now * 100) < 0)
			abort();
	record_skip(w, 10);
	w = record_close(w);
	read_everything();
	if (record_open(&w, dir_fd, 8192, &now, NULL) < 0 || now != end + 4 * 16 + 10)
		abort();
	return 0;
}
