#include "base/fd.h"
#include "base/test.h"
#include "pterm/ring.h"
#include "reader/reader.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* Both ends of a connection; the session's directory is empty, so there is nobody to come back to. */
struct stage { struct conn near, far; struct reader reader; struct ring *ring; char dir[32]; };

static void open_stage(struct stage *st)
{
	int pair[2];

	*st = (struct stage){ .reader = READER_INIT, .dir = "/tmp/pterm-reader.XXXXXX" };
	ASSERT_OK(fd_socketpair(SOCK_STREAM, pair));
	conn_init(&st->near, pair[0]);
	conn_init(&st->far, pair[1]);
	ASSERT(mkdtemp(st->dir) != NULL);
	st->reader.conn = &st->near;
	st->reader.session_fd = open(st->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	st->reader.program = "test";
	st->reader.wants_all = true;
	ASSERT_OK(ring_create(&st->ring, 2 * RING_RESERVE, 0, NULL));
}

static void close_stage(struct stage *st)
{
	fd_close(st->reader.session_fd);
	reader_release(&st->reader);
	conn_close(&st->near);
	conn_close(&st->far);
	ring_free(st->ring);
	(void)rmdir(st->dir);
}

static void answer(struct stage *st, const char *json, int fd)
{
	ASSERT_OK(conn_send(&st->far, MESSAGE_RING, json, strlen(json), &fd, fd >= 0 ? 1 : 0));
}

static void begin(struct stage *st, int64_t since)
{
	_fd_ fd = ring_reader_fd(st->ring);

	answer(st, "{\"position\":0}", fd);
	ASSERT_OK(reader_begin(&st->reader, since, NULL));
}

static void on_other(void *data, const struct frame *f)
{
	(*(int *)data)++;
}

TEST(it_reads_what_is_published_and_hears_the_end)
{
	struct stage st;
	char buf[64];
	uint64_t lost;
	int others = 0;

	open_stage(&st);
	begin(&st, -1);
	ASSERT_EQ(reader_read(&st.reader, buf, sizeof(buf), &lost), 0u);
	ring_write(st.ring, "hello", 5);
	ASSERT_EQ(reader_read(&st.reader, buf, sizeof(buf), &lost), 5u);
	ASSERT_EQ(lost, 0u);
	reader_arm(&st.reader);
	ASSERT(st.reader.is_armed);
	ASSERT_OK(conn_send_position(&st.far, MESSAGE_DOORBELL, 5));
	ASSERT_OK(conn_send(&st.far, MESSAGE_RESIZED, NULL, 0, NULL, 0));
	ASSERT_EQ(reader_receive(&st.reader, on_other, &others), 0);
	ASSERT(!st.reader.is_armed && others == 1);
	ASSERT_OK(conn_send(&st.far, MESSAGE_ENDED, "{}", 2, NULL, 0));
	ASSERT_EQ(reader_receive(&st.reader, on_other, &others), 0);
	ASSERT(st.reader.has_ended && st.reader.status.len == 2);
	close_stage(&st);
}

TEST(what_nobody_has_any_more_is_counted)
{
	struct stage st;
	_free_ char *all = xcalloc(1, 4 * RING_RESERVE);
	uint64_t lost, sum = 0;
	size_t n, got = 0;

	open_stage(&st);
	begin(&st, 0);
	ring_write(st.ring, all, 4 * RING_RESERVE);      /* and there is no recording */
	while ((n = reader_read(&st.reader, all, 1000, &lost)) > 0 || lost > 0) {
		got += n;
		sum += lost;
	}
	ASSERT_EQ(got + sum, 4u * RING_RESERVE);
	ASSERT_EQ(got, RING_RESERVE);
	reader_seek(&st.reader, 3 * RING_RESERVE + 7);
	ASSERT_EQ(reader_read(&st.reader, all, 1000, &lost), 1000u);
	ASSERT_EQ(st.reader.position, 3u * RING_RESERVE + 1007);
	reader_seek(&st.reader, UINT64_MAX);
	ASSERT_EQ(reader_read(&st.reader, all, 1000, &lost), 0u);
	close_stage(&st);
}

TEST(a_supervisor_that_is_gone_has_ended)
{
	struct stage st;
	int others = 0;

	open_stage(&st);
	begin(&st, -1);
	conn_close(&st.far);
	ASSERT_EQ(reader_receive(&st.reader, on_other, &others), 0);
	ASSERT(st.reader.has_ended);
	close_stage(&st);
}

/* --- liars --- */

static int sealed(size_t size)
{
	const int fd = memfd_create("lie", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	ASSERT_EQ(ftruncate(fd, (off_t)size), 0);
	ASSERT_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK), 0);
	return fd;
}

TEST(what_is_no_ring_is_refused)
{
	static const char *const bad[] = { "{\"position\":-1}", "{\"position\":0,\"lost\":-5}",
	                                   "{\"position\":\"x\"}", "[]", "{" };

	for (size_t i = 0; i < array_len(bad) + 4; i++) {
		struct stage st;
		_fd_ fd = -1;

		open_stage(&st);
		fd = i == 0 ? sealed(10) : i == 1 ? sealed(1 << 20) : i == 2 ? memfd_create("open", MFD_CLOEXEC) :
		     i == 3 ? -1 : ring_reader_fd(st.ring);
		answer(&st, i < 4 ? "{\"position\":0}" : bad[i - 4], fd);
		ASSERT(reader_begin(&st.reader, -1, NULL) < 0);
		ASSERT(st.reader.ring == NULL);
		close_stage(&st);
	}
}

static uint64_t lie(void)
{
	const uint64_t some[] = { 0, 1, RING_RESERVE, 2 * RING_RESERVE, UINT64_MAX, UINT64_MAX / 2, 1ULL << 63,
	                          test_rand(), test_rand() & 0xFFFFF };

	return some[test_rand_below(array_len(some))];
}

/* The header changes as it likes while we read: wrong bytes may come, and nothing worse. */
TEST(a_header_that_lies_harms_nobody)
{
	for (int round = 0; round < 200; round++) {
		struct stage st;
		char buf[4096];
		uint64_t lost;

		open_stage(&st);
		ring_write(st.ring, "hello", 5);
		if (round % 2 == 1) {                    /* before it is mapped: refused, or good enough to be masked */
			uint64_t *field[] = { &st.ring->h->data_size, &st.ring->h->reserve, &st.ring->h->base, &st.ring->h->head };
			_fd_ fd = -1;

			*field[test_rand_below(array_len(field))] = lie();
			st.ring->h->data_offset = test_rand() % 3 == 0 ? (uint32_t)lie() : st.ring->h->data_offset;
			fd = ring_reader_fd(st.ring);
			answer(&st, "{\"position\":3}", fd);
			if (reader_begin(&st.reader, (int64_t)(lie() >> 1), NULL) < 0) {
				close_stage(&st);
				continue;
			}
		} else {
			begin(&st, 0);
		}
		for (int i = 0; i < 50; i++) {
			st.ring->h->head = lie();
			st.ring->h->base = lie();
			st.ring->h->data_size = lie();
			st.ring->h->reserve = lie();
			st.ring->h->armed = lie();
			if (i % 10 == 0)
				reader_seek(&st.reader, lie());
			ASSERT(reader_read(&st.reader, buf, sizeof(buf), &lost) <= sizeof(buf));
		}
		close_stage(&st);
	}
}

/* Any bytes may come over the socket. */
TEST(nonsense_is_said_to_be_so)
{
	bool is_refused = false;

	for (int round = 0; round < 200; round++) {
		struct stage st;
		char bytes[512];
		int others = 0;

		open_stage(&st);
		begin(&st, -1);
		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (char)(test_rand() % 3 == 0 ? test_rand() : 0);
		ASSERT_OK(fd_write_all(st.far.fd, bytes, sizeof(bytes)));
		is_refused |= reader_receive(&st.reader, on_other, &others) < 0 && st.reader.has_ended;
		close_stage(&st);
	}
	ASSERT(is_refused);
}
