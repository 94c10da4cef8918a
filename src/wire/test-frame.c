#include "base/test.h"
#include "wire/conn.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

static void add_frame(struct str *out, uint16_t type, const char *data, size_t n)
{
	char header[FRAME_HEADER];

	frame_header(header, type, n, 0);
	str_add(out, header, sizeof(header));
	str_add(out, data, n);
}

TEST(frames_survive_any_cut)
{
	for (int round = 0; round < 500; round++) {
		_cleanup_(frame_reader_release) struct frame_reader r = FRAME_READER_INIT;
		_str_ wire = STR_INIT, body = STR_INIT, got = STR_INIT, want = STR_INIT;
		size_t frames = 1 + test_rand_below(8), seen = 0;
		struct frame f;

		for (size_t i = 0; i < frames; i++) {
			str_clear(&body);
			for (size_t n = test_rand_below(300); n > 0; n--)
				str_addc(&body, (char)test_rand());
			add_frame(&wire, (uint16_t)i, body.buf, body.len);
			str_add(&want, body.buf, body.len);
		}
		for (size_t at = 0, n; at < wire.len; at += n) {
			n = min_size(1 + test_rand_below(50), wire.len - at);
			ASSERT_OK(frame_feed(&r, wire.buf + at, n, NULL, 0));
			while (frame_next(&r, &f) == 1) {
				ASSERT_EQ(f.type, seen++);
				str_add(&got, f.data, f.len);
			}
		}
		ASSERT_EQ(seen, frames);
		ASSERT_EQ(got.len, want.len);
		ASSERT_MEMEQ(got.buf, want.buf, want.len);
	}
}

TEST(what_is_no_frame_is_refused)
{
	static const char headers[][FRAME_HEADER] = {
		{ 0, 0, 0x11, 0, 1, 0, 0, 0 },           /* larger than FRAME_MAX */
		{ (char)0xff, (char)0xff, (char)0xff, (char)0xff, 1, 0, 0, 0 },
		{ 0, 0, 0, 0, 1, 0, 9, 0 },              /* more descriptors than can come */
		{ 0, 0, 0, 0, 1, 0, 1, 0 },              /* one that did not come */
		{ 0, 0, 0, 0, 1, 0, 0, 1 },
	};

	for (size_t i = 0; i < array_len(headers); i++) {
		_cleanup_(frame_reader_release) struct frame_reader r = FRAME_READER_INIT;
		struct frame f;

		ASSERT_OK(frame_feed(&r, headers[i], FRAME_HEADER, NULL, 0));
		ASSERT_EQ(frame_next(&r, &f), -EPROTO);
	}
}

static size_t open_descriptors(void)
{
	size_t n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

TEST(descriptors_come_with_their_frame)
{
	const size_t before = open_descriptors();
	struct conn a, b;
	struct frame f;
	int pair[2], fds[2];

	ASSERT_OK(fd_socketpair(SOCK_STREAM, pair));
	conn_init(&a, pair[0]);
	conn_init(&b, pair[1]);
	ASSERT_EQ(pipe(fds), 0);
	ASSERT_OK(conn_send(&a, MESSAGE_INPUT, "plain", 5, NULL, 0));
	ASSERT_OK(conn_send(&a, MESSAGE_INPUT, "two", 3, fds, 2));
	ASSERT_OK(conn_send(&a, MESSAGE_INPUT, "none", 4, NULL, 0));
	ASSERT_EQ(conn_wait(&b, &f, -1), 1);
	ASSERT_EQ(f.fd_count, 0);
	ASSERT_EQ(conn_wait(&b, &f, -1), 1);
	ASSERT_STREQ(f.data + 0, f.data);
	ASSERT_EQ(f.fd_count, 2);
	ASSERT_EQ(write(f.fds[1], "x", 1), 1);
	frame_close_fds(&f);
	ASSERT_EQ(conn_wait(&b, &f, -1), 1);
	ASSERT_EQ(f.len, 4);
	conn_close(&a);
	ASSERT_EQ(conn_wait(&b, &f, -1), -EPIPE);
	conn_close(&b);
	close(fds[0]);
	close(fds[1]);
	ASSERT_EQ(open_descriptors(), before);
}

TEST(a_peer_that_does_not_read_costs_a_limited_queue)
{
	static char block[64 * 1024];
	struct conn a, b;
	struct frame f;
	int pair[2], r = 0, sent = 0, got = 0;

	ASSERT_OK(fd_socketpair(SOCK_STREAM, pair));
	ASSERT_OK(fd_set_nonblock(pair[0], true));
	conn_init(&a, pair[0]);
	conn_init(&b, pair[1]);
	while ((r = conn_send(&a, MESSAGE_INPUT, block, sizeof(block), NULL, 0)) == 0)
		sent++;
	ASSERT_EQ(r, -ENOBUFS);
	ASSERT(a.queued <= CONN_QUEUE_MAX);
	while (got < sent) {
		ASSERT_EQ(conn_wait(&b, &f, -1), 1);
		ASSERT_EQ(f.len, sizeof(block));
		got++;
		ASSERT_OK(conn_flush(&a));
	}
	conn_close(&a);
	conn_close(&b);
}

TEST(bodies_that_cannot_be_right)
{
	ASSERT_EQ(message_body_fits(MESSAGE_ARM, 8), 1);
	ASSERT_EQ(message_body_fits(MESSAGE_ARM, 7), 0);
	ASSERT_EQ(message_body_fits(MESSAGE_STATUS, 1), 0);
	ASSERT_EQ(message_body_fits(MESSAGE_HELLO, 0), 0);
	ASSERT_EQ(message_body_fits(MESSAGE_INPUT, 0), 1);
	ASSERT_EQ(message_body_fits(9999, 3), -1);       /* a newer peer's: skipped */
}
