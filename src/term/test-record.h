/* What the tests of recordings share: a directory of their own, and bytes that can be told by their position. */
#pragma once

#include "base/fd.h"
#include "base/path.h"
#include "base/test.h"
#include "term/record.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

struct scratch { char path[64]; int fd; };

static inline struct scratch scratch_make(void)
{
	struct scratch s;

	/* In memory where there is such a place: some of these tests make a thousand files. */
	snprintf(s.path, sizeof(s.path), "%s/pterm-test-record-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	ASSERT(mkdtemp(s.path) != NULL);
	s.fd = open(s.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ASSERT(s.fd >= 0);
	return s;
}

static inline void scratch_remove(struct scratch *s)
{
	fd_close(s->fd);
	ASSERT_OK(path_remove_tree(AT_FDCWD, s->path));
}
#define _scratch_ _cleanup_(scratch_remove) struct scratch

static inline uint8_t byte_at(uint64_t pos)
{
	return (uint8_t)((pos * 0x9E3779B97F4A7C15ULL) >> 56);
}

static inline void fill(uint8_t *out, uint64_t pos, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = byte_at(pos + i);
}

static inline bool is_right(const uint8_t *data, uint64_t pos, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (data[i] != byte_at(pos + i))
			return false;
	return true;
}

/* Write what belongs at @pos: @n bytes, at most 64 KiB. */
static inline int write_right(struct record *r, uint64_t pos, size_t n, uint64_t now_ms)
{
	static uint8_t data[65536];

	fill(data, pos, n);
	return record_write(r, data, n, now_ms);
}

static inline off_t size_of(int dir_fd, const char *name)
{
	struct stat st;

	return fstatat(dir_fd, name, &st, 0) == 0 ? st.st_size : 0;
}

/*
 * Read all from @pos on in odd pieces, look at every byte; positions delivered are set in @seen, if given. The end.
 */
static inline uint64_t read_all(int dir_fd, uint64_t pos, uint8_t *seen, uint64_t *ret_lost)
{
	_cleanup_(recording_closep) struct recording *r = NULL;
	uint8_t data[1000];
	uint64_t lost;
	ssize_t n;

	*ret_lost = 0;
	if (recording_open(&r, dir_fd, NULL) != 0)
		return pos;
	do {
		const uint64_t before = pos;

		n = recording_read(r, &pos, data, 1 + test_rand_below(sizeof(data)), &lost);
		ASSERT_OK(n);
		ASSERT_EQ(pos, before + lost + (uint64_t)n);
		ASSERT(is_right(data, pos - (uint64_t)n, (size_t)n));
		if (seen != NULL)
			memset(seen + pos - n, 1, (size_t)n);
		*ret_lost += lost;
	} while (n > 0);
	return pos;
}
