#include "term/pty.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)                /* Linux 4.13; missing in some C libraries */
#endif

/* Erasing a character of several bytes erases all of them. A master answers for its slave's settings. */
static int set_utf8(int fd)
{
	struct termios t;

	if (tcgetattr(fd, &t) < 0)
		return -errno;
	if (t.c_iflag & IUTF8)
		return 0;
	t.c_iflag |= IUTF8;
	return tcsetattr(fd, TCSANOW, &t) < 0 ? -errno : 0;
}

/* The slave by its master, not by its name, which another mount namespace may give to another terminal. */
static int open_slave(int master)
{
	const int fd = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int pty_open(struct term_size size, int *ret_master, int *ret_slave, struct err *err)
{
	_fd_ master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	_fd_ slave = -1;
	int r;

	if (master < 0)
		return err_set(err, errno, "pty-open", "cannot make a pseudoterminal: %m");
	if (grantpt(master) < 0 || unlockpt(master) < 0)
		return err_set(err, errno, "pty-open", "cannot unlock a pseudoterminal: %m");
	slave = open_slave(master);
	if (slave < 0)
		return err_set(err, -slave, "pty-open", "cannot open the other end of a pseudoterminal: %m");
	r = pty_adopt(master);
	if (r == 0)
		r = pty_set_size(master, size);
	if (r < 0)
		return err_set(err, -r, "pty-open", "cannot set up a pseudoterminal: %m");
	*ret_master = TAKE_FD(master);
	*ret_slave = TAKE_FD(slave);
	return 0;
}

/*
 * What a stranger hands us may be anything: ask only a character device what it is, and only a master knows its
 * number.
 */
static int check_master(int fd)
{
	const int flags = fcntl(fd, F_GETFL);
	struct stat st;
	unsigned number;

	if (flags < 0 || fstat(fd, &st) < 0)
		return -errno;
	if ((flags & O_PATH) || (flags & O_ACCMODE) != O_RDWR || !S_ISCHR(st.st_mode))
		return -ENOTTY;
	return ioctl(fd, TIOCGPTN, &number) < 0 ? -ENOTTY : 0;
}

int pty_adopt(int fd)
{
	int off = 0;
	int r = check_master(fd);

	if (r == 0 && ioctl(fd, TIOCPKT, &off) < 0)       /* packet mode would put a byte before each read */
		r = -errno;
	if (r == 0)
		r = set_utf8(fd);
	if (r == 0)
		r = fd_set_cloexec(fd, true);
	if (r == 0)
		r = fd_set_nonblock(fd, true);
	return r;
}

int pty_get_size(int fd, struct term_size *ret)
{
	struct winsize w;

	if (ioctl(fd, TIOCGWINSZ, &w) < 0)
		return -errno;
	*ret = (struct term_size){ .rows = w.ws_row, .cols = w.ws_col };
	return 0;
}

int pty_set_size(int fd, struct term_size size)
{
	struct winsize w;

	if (ioctl(fd, TIOCGWINSZ, &w) < 0)
		return -errno;
	if (size.rows != 0)
		w.ws_row = size.rows;
	if (size.cols != 0)
		w.ws_col = size.cols;
	return ioctl(fd, TIOCSWINSZ, &w) < 0 ? -errno : 0;
}
