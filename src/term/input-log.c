#include "term/input-log.h"

#include "base/fd.h"
#include "term/record-format.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#define INPUT_LOG "input.log"
enum { PIECE_MAX = 2 * 1024 * 1024, FILES = 2 };

/* Before each piece; little-endian. */
struct head { uint64_t position, time_ms; uint32_t size, bytes_check, unused, check; };
_Static_assert(sizeof(struct head) == 32, "as on disk");

struct input_log { int dir_fd, fd; uint64_t size, half; };
struct input_reader { int fds[FILES]; size_t which; uint64_t at; };

static int open_file(int dir_fd, const char *name, int flags)
{
	const int fd = openat(dir_fd, name, flags | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0600);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	fd_close(fd);
	return -EINVAL;
}

/* The piece at *at, and advance to the next. */
static bool read_piece(int fd, uint64_t *at, struct input_entry *ret)
{
	struct head h;

	if (pread(fd, &h, sizeof(h), (off_t)*at) != sizeof(h) || le32toh(h.check) != record_check(&h, sizeof(h)) ||
	    le32toh(h.size) > PIECE_MAX)
		return false;
	str_clear(&ret->bytes);
	str_grow(&ret->bytes, le32toh(h.size));
	if (pread(fd, ret->bytes.buf, le32toh(h.size), (off_t)(*at + sizeof(h))) != (ssize_t)le32toh(h.size) ||
	    record_hash(ret->bytes.buf, le32toh(h.size)) != le32toh(h.bytes_check))
		return false;
	ret->bytes.len = le32toh(h.size);
	ret->bytes.buf[ret->bytes.len] = '\0';
	ret->position = le64toh(h.position);
	ret->time_ms = le64toh(h.time_ms);
	*at += sizeof(h) + ret->bytes.len;
	return true;
}

int input_log_open(struct input_log **ret, int dirfd, uint64_t max_bytes, struct err *err)
{
	_cleanup_(input_log_closep) struct input_log *l = xcalloc(1, sizeof(*l));
	struct input_entry e = { .bytes = STR_INIT };

	l->half = max_bytes / 2;
	l->dir_fd = fcntl(dirfd, F_DUPFD_CLOEXEC, 0);
	l->fd = open_file(dirfd, INPUT_LOG, O_RDWR | O_CREAT);
	if (l->dir_fd < 0 || l->fd < 0)
		return err_set(err, l->fd < 0 ? -l->fd : errno, "input-log", "cannot open the recording of input: %m");
	while (read_piece(l->fd, &l->size, &e))
		;
	str_release(&e.bytes);
	if (ftruncate(l->fd, (off_t)l->size) < 0)
		return err_set(err, errno, "input-log", "cannot mend the recording of input: %m");
	*ret = TAKE(l);
	return 0;
}

struct input_log *input_log_close(struct input_log *l)
{
	if (l == NULL)
		return NULL;
	fd_close(l->fd);
	fd_close(l->dir_fd);
	free(l);
	return NULL;
}

static int rotate(struct input_log *l)
{
	int fd;

	if (renameat(l->dir_fd, INPUT_LOG, l->dir_fd, INPUT_LOG ".1") < 0)
		return -errno;
	fd = open_file(l->dir_fd, INPUT_LOG, O_RDWR | O_CREAT);
	if (fd < 0)
		return fd;
	fd_close(l->fd);
	l->fd = fd;
	l->size = 0;
	return 0;
}

int input_log_write(struct input_log *l, uint64_t position, const void *data, size_t n, uint64_t now_ms)
{
	struct head h = { htole64(position), htole64(now_ms), htole32((uint32_t)n), htole32(record_hash(data, n)), 0, 0 };
	_str_ all = STR_INIT;
	ssize_t w;

	if (n > PIECE_MAX)
		return -EMSGSIZE;
	if (l->size > 0 && l->size + n > l->half) {
		const int e = rotate(l);

		if (e < 0)
			return e;
	}
	h.check = htole32(record_check(&h, sizeof(h)));
	str_add(&all, &h, sizeof(h));
	str_add(&all, data, n);
	do
		w = pwrite(l->fd, all.buf, all.len, (off_t)l->size);
	while (w < 0 && errno == EINTR);
	if (w != (ssize_t)all.len) {
		const int e = w < 0 ? -errno : -ENOSPC;

		(void)ftruncate(l->fd, (off_t)l->size);
		return e;
	}
	l->size += all.len;
	return 0;
}

bool input_may_be_recorded(int fd)
{
	struct termios t;

	return tcgetattr(fd, &t) == 0 && ((t.c_lflag & ECHO) || !(t.c_lflag & ICANON));
}

int input_reader_open(struct input_reader **ret, int dirfd)
{
	struct input_reader *r = xcalloc(1, sizeof(*r));

	r->fds[0] = open_file(dirfd, INPUT_LOG ".1", O_RDONLY);
	r->fds[1] = open_file(dirfd, INPUT_LOG, O_RDONLY);
	*ret = r;
	if (r->fds[0] >= 0 || r->fds[1] >= 0)
		return 0;
	*ret = input_reader_close(r);
	return 1;
}

bool input_reader_next(struct input_reader *r, struct input_entry *ret)
{
	for (; r->which < FILES; r->which++, r->at = 0)
		if (r->fds[r->which] >= 0 && read_piece(r->fds[r->which], &r->at, ret))
			return true;
	return false;
}

struct input_reader *input_reader_close(struct input_reader *r)
{
	if (r == NULL)
		return NULL;
	for (size_t i = 0; i < FILES; i++)
		if (r->fds[i] >= 0)
			fd_close(r->fds[i]);
	free(r);
	return NULL;
}
