/*
 * A recording whose index and states are arbitrary bytes: show the screen, go on with it, show it again. Nothing may
 * crash, hang or go backwards, and what is written afterwards is there.
 *
 * The input: flags, two 16-bit lengths (little-endian), then states, index and log. Chance does not find checksums:
 * flags ask for them.
 */
#include "base/fd.h"
#include "base/path.h"
#include "term/checkpoint.h"
#include "term/record-format.h"
#include "term/replay.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { REPAIR_STATES = 1, REPAIR_INDEX = 2 };
enum { EVENTS_MAX = 20000 };

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
	snprintf(dir_path, sizeof(dir_path), "%s/fuzz-replay-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (mkdtemp(dir_path) == NULL)
		abort();
	dir_fd = open(dir_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir_fd < 0 || atexit(remove_dir) != 0;
}

static void repair_index(uint8_t *idx, size_t n)
{
	const struct record_header h = record_header_pack(0, 5);

	if (n < sizeof(h))
		return;
	memcpy(idx, &h, sizeof(h));
	for (size_t at = sizeof(h); at + sizeof(struct record_entry) <= n; at += sizeof(struct record_entry)) {
		struct record_entry e;

		memcpy(&e, idx + at, sizeof(e));
		e = record_entry_pack(le64toh(e.position) & 0x1FFFF, le64toh(e.time_ms) & 0xFFFF, le64toh(e.offset) & 0xFFF,
		                      record_kind_resize(e.kind >> 4 & 63, e.kind >> 18 & 63) - (le32toh(e.kind) & 2));
		memcpy(idx + at, &e, sizeof(e));
	}
}

static void repair_states(uint8_t *all, size_t n)
{
	const struct record_header h = record_header_of(RECORD_STATES_MAGIC, 0, 5);
	struct record_state s;

	if (n < sizeof(h))
		return;
	memcpy(all, &h, sizeof(h));
	for (size_t at = sizeof(h); at + sizeof(s) <= n; at += sizeof(s) + le32toh(s.size)) {
		memcpy(&s, all + at, sizeof(s));
		s.position = htole64(le64toh(s.position) & 0x1FFFF);
		s.time_ms = htole64(le64toh(s.time_ms) & 0xFFFF);
		s.offset = htole64(le64toh(s.offset) & 0xFFF);
		s.entries = htole64(le64toh(s.entries) & 0xF);
		s.size = htole32((uint32_t)min_size(le32toh(s.size) & 0xFF, n - at - sizeof(s)));
		s.state_check = htole32(record_hash(all + at + sizeof(s), le32toh(s.size)));
		s.check = htole32(record_check(&s, sizeof(s)));
		memcpy(all + at, &s, sizeof(s));
	}
}

static void put(const char *name, const uint8_t *data, size_t n, void (*repair)(uint8_t *, size_t))
{
	_fd_ fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	_free_ uint8_t *bytes = xcalloc(1, n + 1);

	memcpy(bytes, data, n);
	if (repair != NULL)
		repair(bytes, n);
	if (fd < 0 || fd_write_all(fd, bytes, n) < 0)
		abort();
}

static void unpack(const uint8_t *data, size_t n)
{
	static const char *const names[] = { RECORD_IDX ".1", RECORD_LOG ".1", RECORD_STATES ".1" };
	const size_t states = min_size(data[1] | (size_t)data[2] << 8, n - 5);
	const size_t index = min_size(data[3] | (size_t)data[4] << 8, n - 5 - states);

	for (size_t i = 0; i < array_len(names); i++)
		(void)unlinkat(dir_fd, names[i], 0);
	put(RECORD_STATES, data + 5, states, data[0] & REPAIR_STATES ? repair_states : NULL);
	put(RECORD_IDX, data + 5 + states, index, data[0] & REPAIR_INDEX ? repair_index : NULL);
	put(RECORD_LOG, data + 5 + states + index, n - 5 - states - index, NULL);
}

static void show_all(void)
{
	_cleanup_(recording_closep) struct recording *r = NULL;
	struct recording_cursor c = { 0 };
	struct recording_event e;
	char buf[256];
	int found = 1;

	if (recording_open(&r, dir_fd, NULL) != 0)
		return;
	for (int i = 0; i < EVENTS_MAX && found == 1; i++) {
		const uint64_t before = c.position;

		found = recording_next(r, &c, buf, sizeof(buf), &e);
		if (c.position < before)
			abort();
	}
	for (uint64_t at = 0; at < 0x20000; at = at * 4 + 1) {
		struct screen *s = NULL;

		if (recording_state_at(r, at, (struct term_size){ 5, 10 }, &s, NULL, NULL) >= 0)
			s = screen_free(s);
		if (recording_state_at_time(r, at, (struct term_size){ 5, 10 }, &s, NULL, NULL) >= 0)
			screen_free(s);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	_cleanup_(record_closep) struct record *w = NULL;
	_cleanup_(recording_closep) struct recording *r = NULL;
	struct screen *s = screen_new(4, 10, NULL, NULL), *got = NULL;
	_str_ state = STR_INIT;
	uint64_t end;

	if (n < 5) {
		screen_free(s);
		return 0;
	}
	unpack(data, n);
	show_all();
	if (record_open(&w, dir_fd, 1 << 20, &end, NULL) == 0) {
		(void)record_resize(w, 4, 10, 70000);
		screen_feed(s, "on", 2);
		checkpoint_write(s, &state);
		if (record_checkpoint(w, end, state.buf, state.len, 70000) < 0 || record_write(w, "ward", 4, 70001) < 0)
			abort();
		screen_feed(s, "ward", 4);
		if (recording_open(&r, dir_fd, NULL) != 0 ||
		    recording_state_at(r, UINT64_MAX, (struct term_size){ 5, 10 }, &got, NULL, NULL) < 0 ||
		    !screen_equal(s, got, NULL))
			abort();
		screen_free(got);
	}
	screen_free(s);
	return 0;
}
