#include "image/whiteout.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

static const char opaque_name[] = "user.overlay.opaque";

bool whiteout_is_entry(const char *name)
{
	return str_starts(name, WHITEOUT_PREFIX);
}

bool whiteout_is_node(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

int whiteout_set_opaque(int dir, const char *name)
{
	_fd_ fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 || fsetxattr(fd, opaque_name, "y", 1, 0) < 0 ? -errno : 0;
}

bool whiteout_is_opaque(int fd)
{
	char value;

	return fgetxattr(fd, opaque_name, &value, 1) == 1 && value == 'y';
}

int whiteout_make(int dir, const char *name)
{
	const char *hidden = name + strlen(WHITEOUT_PREFIX);
	struct stat st;

	if (str_eq(name, WHITEOUT_OPAQUE))
		return whiteout_set_opaque(dir, ".");
	if (whiteout_is_entry(hidden))
		return 1;
	if (*hidden == '\0' || str_eq(hidden, ".") || str_eq(hidden, ".."))
		return -EPERM;
	if (fstatat(dir, hidden, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return S_ISDIR(st.st_mode) ? whiteout_set_opaque(dir, hidden) : 0;
	/* the one device that needs no privilege (mknod(2)) */
	return mknodat(dir, hidden, S_IFCHR, makedev(0, 0)) < 0 ? -errno : 0;
}
