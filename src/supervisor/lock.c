#include "supervisor/lock.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

static int lock_file(int fd, int how)
{
	int r;

	do
		r = flock(fd, how);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : 0;
}

int session_guard(int dir_fd)
{
	_fd_ fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || lock_file(fd, LOCK_EX) < 0 ? -1 : TAKE_FD(fd);
}

static int take(int dir_fd, int how)
{
	_fd_ fd = openat(dir_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	int r;

	if (fd < 0)
		return -errno;
	r = lock_file(fd, how);
	return r < 0 ? (r == -EWOULDBLOCK ? -EBUSY : r) : TAKE_FD(fd);
}

int session_lock(int dir_fd)
{
	return take(dir_fd, LOCK_EX | LOCK_NB);
}

int session_lock_wait(int dir_fd)
{
	return take(dir_fd, LOCK_EX);
}
