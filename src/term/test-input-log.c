#include "term/input-log.h"

#include "term/pty.h"
#include "term/test-record.h"

#include <termios.h>

static size_t count_all(int dir_fd, uint64_t *ret_first)
{
	_cleanup_(input_reader_closep) struct input_reader *r = NULL;
	struct input_entry e = { .bytes = STR_INIT };
	size_t n = 0;
	uint64_t before = 0;

	ASSERT_EQ(input_reader_open(&r, dir_fd), 0);
	for (; input_reader_next(r, &e); n++) {
		ASSERT(e.position > before || n == 0);
		if (n == 0)
			*ret_first = e.position;
		before = e.position;
		ASSERT(is_right((const uint8_t *)e.bytes.buf, e.position, e.bytes.len));
	}
	str_release(&e.bytes);
	return n;
}

static void type(struct input_log *l, uint64_t position, size_t n)
{
	uint8_t bytes[1000];

	fill(bytes, position, n);
	ASSERT_OK(input_log_write(l, position, bytes, n, position));
}

TEST(what_was_typed_is_there)
{
	_scratch_ dir = scratch_make();
	_cleanup_(input_log_closep) struct input_log *l = NULL;
	_cleanup_(input_reader_closep) struct input_reader *r = NULL;
	uint64_t first = 0;

	ASSERT_EQ(input_reader_open(&r, dir.fd), 1);
	ASSERT_OK(input_log_open(&l, dir.fd, 10000, NULL));
	for (uint64_t i = 1; i <= 50; i++)
		type(l, i, i);
	ASSERT_EQ(count_all(dir.fd, &first), 50);
	for (uint64_t i = 51; i <= 1000; i++)             /* of limited size */
		type(l, i, 50);
	ASSERT(count_all(dir.fd, &first) >= 50);
	ASSERT(size_of(dir.fd, "input.log") + size_of(dir.fd, "input.log.1") <= 10000);
}

TEST(a_tail_that_was_cut_goes)
{
	_scratch_ dir = scratch_make();
	uint64_t first = 0;

	for (int i = 1; i < 400; i += 7) {
		_cleanup_(input_log_closep) struct input_log *l = NULL;
		_fd_ fd = -1;

		(void)unlinkat(dir.fd, "input.log", 0);
		ASSERT_OK(input_log_open(&l, dir.fd, 1 << 20, NULL));
		type(l, 1, 100);
		type(l, 2, 100);
		type(l, 3, 200);
		l = input_log_close(l);
		fd = openat(dir.fd, "input.log", O_RDWR | O_CLOEXEC);
		ASSERT_OK(ftruncate(fd, size_of(dir.fd, "input.log") - i));
		ASSERT_OK(input_log_open(&l, dir.fd, 1 << 20, NULL));
		type(l, 4, 10);
		ASSERT_EQ(count_all(dir.fd, &first), i <= 232 ? 3 : i <= 364 ? 2 : 1);
	}
}

TEST(passwords_are_not_recorded)
{
	struct termios t;
	int master, slave;

	ASSERT_OK(pty_open((struct term_size){ 24, 80 }, &master, &slave, NULL));
	ASSERT(input_may_be_recorded(master));
	ASSERT_OK(tcgetattr(slave, &t));
	t.c_lflag &= (tcflag_t)~ECHO;
	ASSERT_OK(tcsetattr(slave, TCSANOW, &t));
	ASSERT(!input_may_be_recorded(master));
	t.c_lflag &= (tcflag_t)~ICANON;                   /* a shell that edits its line itself */
	ASSERT_OK(tcsetattr(slave, TCSANOW, &t));
	ASSERT(input_may_be_recorded(master));
	fd_close(slave);
	fd_close(master);
	ASSERT(!input_may_be_recorded(-1));
}
