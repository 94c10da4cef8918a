#include "base/fd.h"
#include "base/test.h"
#include "term/pty.h"
#include "term/tty.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

static void open_pair(int *ret_master, int *ret_slave)
{
	_err_ err = ERR_INIT;

	if (pty_open((struct term_size){ 24, 80 }, ret_master, ret_slave, &err) < 0)
		test_fail(__FILE__, __LINE__, "%s", err_msg(&err));
}

/* What comes out of @fd, as long as something does: n bytes at most, waited for without end. */
static size_t read_some(int fd, char *out, size_t n)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	ASSERT_EQ(poll(&p, 1, 10000), 1);
	n = (size_t)read(fd, out, n);
	ASSERT(n > 0);
	return n;
}

TEST(a_new_pair)
{
	_fd_ master = -1, slave = -1;
	struct term_size size;
	struct termios t;

	open_pair(&master, &slave);
	ASSERT(isatty(slave));
	ASSERT(fcntl(master, F_GETFD) & FD_CLOEXEC);
	ASSERT(fcntl(slave, F_GETFD) & FD_CLOEXEC);
	ASSERT(fcntl(master, F_GETFL) & O_NONBLOCK);
	ASSERT(!(fcntl(slave, F_GETFL) & O_NONBLOCK));
	ASSERT_EQ(tcgetattr(slave, &t), 0);
	ASSERT(t.c_iflag & IUTF8);
	ASSERT((t.c_lflag & (ICANON | ECHO | ISIG)) == (ICANON | ECHO | ISIG));
	ASSERT_OK(pty_get_size(slave, &size));
	ASSERT_EQ(size.rows, 24);
	ASSERT_EQ(size.cols, 80);
}

TEST(erasing_takes_a_whole_character)
{
	_fd_ master = -1, slave = -1;
	char got[16];

	open_pair(&master, &slave);
	ASSERT_EQ(write(master, "a\xc3\xa4\x7f""b\n", 6), 6);
	ASSERT_EQ(read_some(slave, got, sizeof(got)), 3);
	ASSERT_MEMEQ(got, "ab\n", 3);
}

TEST(sizes)
{
	_fd_ master = -1, slave = -1;
	struct term_size size;

	open_pair(&master, &slave);
	ASSERT_OK(pty_set_size(master, (struct term_size){ .rows = 50 }));
	ASSERT_OK(pty_get_size(slave, &size));
	ASSERT_EQ(size.rows, 50);
	ASSERT_EQ(size.cols, 80);
	ASSERT_OK(pty_set_size(master, (struct term_size){ .cols = 132 }));
	size = tty_size(slave);
	ASSERT_EQ(size.rows, 50);
	ASSERT_EQ(size.cols, 132);
}

TEST(only_a_master_is_adopted)
{
	_fd_ master = -1, slave = -1, null = open("/dev/null", O_RDWR | O_CLOEXEC), file = open("/", O_RDONLY | O_CLOEXEC);
	int ends[2], on = 1;
	char got[8];

	open_pair(&master, &slave);
	ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
	ASSERT_EQ(pty_adopt(slave), -ENOTTY);
	ASSERT_EQ(pty_adopt(null), -ENOTTY);
	ASSERT_EQ(pty_adopt(file), -ENOTTY);
	ASSERT_EQ(pty_adopt(ends[1]), -ENOTTY);
	ASSERT_EQ(pty_adopt(-1), -EBADF);
	ASSERT(!(fcntl(slave, F_GETFL) & O_NONBLOCK));            /* what was refused was not touched */
	fd_close(ends[0]);
	fd_close(ends[1]);

	ASSERT_EQ(ioctl(master, TIOCPKT, &on), 0);                /* a stranger's habits end */
	ASSERT_OK(fd_set_nonblock(master, false));
	ASSERT_OK(fd_set_cloexec(master, false));
	ASSERT_OK(pty_adopt(master));
	ASSERT(fcntl(master, F_GETFL) & O_NONBLOCK);
	ASSERT(fcntl(master, F_GETFD) & FD_CLOEXEC);
	ASSERT_EQ(write(slave, "x", 1), 1);
	ASSERT_EQ(read_some(master, got, sizeof(got)), 1);
	ASSERT_EQ(got[0], 'x');
}

TEST(raw_and_back)
{
	_fd_ master = -1, slave = -1;
	struct termios before, now;
	struct tty t = { 0 };
	char got[512];
	size_t n;

	open_pair(&master, &slave);
	ASSERT_EQ(tcgetattr(slave, &before), 0);
	ASSERT_OK(tty_raw(&t, slave, NULL));
	ASSERT_EQ(tcgetattr(slave, &now), 0);
	ASSERT_EQ(now.c_lflag & (ICANON | ECHO | ISIG | IEXTEN), 0);
	ASSERT_EQ(now.c_oflag & OPOST, 0);
	tty_restore(&t);
	ASSERT(!t.is_raw);
	ASSERT_EQ(tcgetattr(slave, &now), 0);
	ASSERT_EQ(now.c_lflag, before.c_lflag);
	ASSERT_EQ(now.c_iflag, before.c_iflag);
	ASSERT_EQ(now.c_oflag, before.c_oflag);
	n = read_some(master, got, sizeof(got) - 1);
	got[n] = '\0';
	ASSERT(strstr(got, "\033[?25h") != NULL);
	ASSERT(strstr(got, "\033[?2004l") != NULL);
	ASSERT(strstr(got, "1049") == NULL);                      /* would move the cursor of a terminal that is on its main screen */
	tty_restore(&t);                                          /* again: nothing */
	ASSERT_EQ(read(master, got, sizeof(got)), -1);
	ASSERT_EQ(errno, EAGAIN);
}

/* A terminal that takes nothing must not keep us: a non-blocking descriptor that is full. */
TEST(a_stopped_terminal_does_not_hold_us)
{
	_fd_ master = -1, slave = -1;
	struct tty t = { 0 };
	struct termios now;
	char block[4096];

	open_pair(&master, &slave);
	ASSERT_OK(fd_set_nonblock(slave, true));
	ASSERT_OK(tty_raw(&t, slave, NULL));
	memset(block, 'x', sizeof(block));
	while (write(slave, block, sizeof(block)) > 0)
		;
	tty_restore(&t);
	ASSERT_EQ(tcgetattr(slave, &now), 0);
	ASSERT(now.c_lflag & ICANON);
}

TEST(no_terminal)
{
	_fd_ null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct term_size size = tty_size(null);
	struct tty t = { 0 };

	ASSERT_EQ(size.rows, TERM_ROWS_DEFAULT);
	ASSERT_EQ(size.cols, TERM_COLS_DEFAULT);
	ASSERT_EQ(tty_raw(&t, null, NULL), -ENOTTY);
	tty_restore(&t);
}
