#include "base/child.h"
#include "base/fd.h"
#include "base/test.h"
#include "term/ring.h"

#include <unistd.h>

/* Run it with --once on @w's memory: what it says on stdout. */
static void run_reader(const struct ring *w, struct str *out)
{
	const char *argv[] = { getenv("RING_READER"), "--once", "7", NULL };
	_fd_ ring = ring_reader_fd(w), from = -1, to = -1;
	int ends[2];
	pid_t pid;

	if (argv[0] == NULL)
		test_skip("$RING_READER does not say where the program is");
	ASSERT_OK(ring);
	ASSERT_EQ(pipe(ends), 0);
	from = ends[0];
	to = ends[1];
	ASSERT_OK(fd_set_cloexec(from, true));
	ASSERT_OK(fd_set_cloexec(to, true));
	ASSERT_OK(child_start(&(struct child){ .argv = argv, .fds = (struct child_fd[]){ { to, 1 }, { 2, 2 }, { ring, 7 } },
	                                       .fd_count = 3 }, &pid, NULL));
	to = fd_close(to);
	ASSERT_OK(fd_slurp(from, 1 << 20, out));
	ASSERT_EQ(child_wait(pid), 0);
}

TEST(it_copies_what_there_is)
{
	_cleanup_(ring_freep) struct ring *w = NULL;
	_str_ out = STR_INIT;

	ASSERT_OK(ring_create(&w, 2 * RING_RESERVE, 12345, NULL));
	ring_write(w, "hello from a session\n", 21);
	run_reader(w, &out);
	ASSERT_STREQ(out.buf, "hello from a session\n");
}

TEST(it_goes_on_after_a_loss)
{
	_cleanup_(ring_freep) struct ring *w = NULL;
	_str_ in = STR_INIT, out = STR_INIT;

	ASSERT_OK(ring_create(&w, 2 * RING_RESERVE, 0, NULL));
	for (int i = 0; i < 50000; i++)
		str_addf(&in, "%d\n", i);
	ring_write(w, in.buf, in.len);
	run_reader(w, &out);
	ASSERT_EQ(out.len, RING_RESERVE);
	ASSERT_STREQ(out.buf, in.buf + in.len - out.len);
}
