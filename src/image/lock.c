#include "image/lock.h"

#include "base/fd.h"
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>

int lock_open(const char *dir, struct err *err)
{
	_free_ char *path = path_join(dir, ".lock");
	const int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	return fd < 0 ? err_set(err, errno, "image-store", "cannot open '%s': %m", path) : fd;
}

/* FNV-1a */
uint64_t lock_byte(const char *name)
{
	uint64_t h = 14695981039346656037ULL;

	for (; *name != '\0'; name++)
		h = (h ^ (unsigned char)*name) * 1099511628211ULL;
	return h >> 2;
}

static int change(int fd, int how, short type, uint64_t byte)
{
	struct flock range = { .l_type = type, .l_whence = SEEK_SET, .l_start = (off_t)byte, .l_len = 1 };

	while (fcntl(fd, how, &range) < 0)
		if (errno != EINTR)
			return errno == EACCES ? -EAGAIN : -errno;
	return 0;
}

int lock_take(int fd, uint64_t byte, bool waits)
{
	return change(fd, waits ? F_OFD_SETLKW : F_OFD_SETLK, F_WRLCK, byte);
}

int lock_share(int fd, uint64_t byte)
{
	return change(fd, F_OFD_SETLKW, F_RDLCK, byte);
}

void lock_drop(int fd, uint64_t byte)
{
	(void)change(fd, F_OFD_SETLK, F_UNLCK, byte);
}
