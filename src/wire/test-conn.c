#include "base/fd.h"
#include "base/test.h"
#include "wire/conn.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

static void make_pair(struct conn *a, struct conn *b)
{
	int pair[2];

	ASSERT_OK(fd_socketpair(SOCK_STREAM, pair));
	conn_init(a, pair[0]);
	conn_init(b, pair[1]);
}

TEST(an_error_arrives_as_it_was_sent)
{
	_conn_ a = { 0 }, b = { 0 };
	_err_ sent = ERR_INIT, heard = ERR_INIT;
	struct frame f;
	int code = 0;

	make_pair(&a, &b);
	err_set(&sent, ENOENT, "no-such-thing", "there is no thing '%s'", "x");
	ASSERT_OK(conn_send_error(&a, &sent, 127));
	ASSERT_OK(conn_send_error(&a, &sent, 0));
	ASSERT_EQ(conn_expect(&b, MESSAGE_OK, &f, 1000, &heard), -ENOENT);
	ASSERT_STREQ(err_msg(&heard), "there is no thing 'x'");
	ASSERT_STREQ(heard.code, "no-such-thing");
	ASSERT_EQ(conn_wait(&b, &f, 1000), 1);
	ASSERT_EQ(conn_error(&f, &code, NULL), -ENOENT);
	ASSERT_EQ(code, 125);                            /* one that says none is pterm's own */
}

TEST(an_error_from_a_stranger_is_an_error_still)
{
	static const char *const bodies[] = { "{}", "{", "{\"no\": -1, \"exit_code\": 4000}", "{\"no\": \"x\"}" };

	for (size_t i = 0; i < array_len(bodies); i++) {
		_conn_ a = { 0 }, b = { 0 };
		_err_ err = ERR_INIT;
		struct frame f;
		int code = 0;

		make_pair(&a, &b);
		ASSERT_OK(conn_send(&a, MESSAGE_ERROR, bodies[i], strlen(bodies[i]), NULL, 0));
		ASSERT_EQ(conn_wait(&b, &f, 1000), 1);
		ASSERT(conn_error(&f, &code, &err) < 0);
		ASSERT(err.no > 0);
		ASSERT_EQ(code, 125);
	}
}

TEST(waiting_has_an_end)
{
	_conn_ a = { 0 }, b = { 0 };
	_err_ err = ERR_INIT;
	struct frame f;

	make_pair(&a, &b);
	ASSERT_EQ(conn_wait(&b, &f, 1), 0);
	ASSERT_EQ(conn_expect(&b, MESSAGE_OK, &f, 1, &err), -ETIMEDOUT);
	conn_close(&a);
	ASSERT_EQ(conn_expect(&b, MESSAGE_OK, &f, 1000, &err), -EPIPE);
	conn_close(&a);                                  /* safe twice */
}

TEST(unknown_messages_are_skipped_and_their_descriptors_closed)
{
	_conn_ a = { 0 }, b = { 0 };
	_err_ err = ERR_INIT;
	struct frame f;
	int ends[2];
	char byte;

	make_pair(&a, &b);
	ASSERT_OK(pipe2(ends, O_CLOEXEC));
	ASSERT_OK(conn_send(&a, (enum message)60000, "x", 1, &ends[1], 1));
	ASSERT_OK(conn_send(&a, MESSAGE_OK, NULL, 0, NULL, 0));
	ASSERT_OK(conn_expect(&b, MESSAGE_OK, &f, 1000, &err));
	fd_close(ends[1]);
	ASSERT_EQ(read(ends[0], &byte, 1), 0);           /* nobody holds the other end any more */
	fd_close(ends[0]);
}

TEST(what_is_not_taken_waits_up_to_a_limit_and_keeps_its_order)
{
	static char block[64 * 1024];
	_conn_ a = { 0 }, b = { 0 };
	struct frame f;
	int sent = 0, r;

	make_pair(&a, &b);
	ASSERT_OK(fd_set_nonblock(a.fd, true));
	do {
		memset(block, 'a' + sent % 26, sizeof(block));
		r = conn_send(&a, MESSAGE_INPUT, block, sizeof(block), NULL, 0);
		sent += r == 0;
	} while (r == 0);
	ASSERT_EQ(r, -ENOBUFS);
	ASSERT(a.queued <= CONN_QUEUE_MAX);
	for (int i = 0; i < sent; i++) {
		while ((r = conn_wait(&b, &f, 0)) == 0)
			ASSERT(conn_flush(&a) >= 0);
		ASSERT_EQ(r, 1);
		ASSERT_EQ(f.len, sizeof(block));
		ASSERT_EQ(f.data[0], 'a' + i % 26);
		ASSERT_EQ(f.data[f.len - 1], 'a' + i % 26);
	}
	ASSERT_EQ(conn_flush(&a), 0);
}

TEST(who_speaks_a_common_version_is_heard)
{
	static const struct { int64_t version, oldest; int r; } t[] = {
		{ WIRE_VERSION, WIRE_OLDEST, 0 }, { WIRE_VERSION, 0, 0 }, { WIRE_VERSION + 3, WIRE_VERSION, 0 },
		{ WIRE_VERSION + 3, WIRE_VERSION + 1, -EPROTONOSUPPORT }, { WIRE_VERSION + 1, 0, -EPROTONOSUPPORT },
		{ WIRE_OLDEST - 1, 0, -EPROTONOSUPPORT }, { -5, -7, -EPROTONOSUPPORT },
	};

	for (size_t i = 0; i < array_len(t); i++) {
		const struct message_hello m = { .version = t[i].version, .oldest = t[i].oldest,
		                                 .program = (char *)"a\033[2J" };
		_err_ err = ERR_INIT;

		ASSERT_EQ(message_hello_check(&m, 12, &err), t[i].r);
		if (t[i].r < 0)
			ASSERT(strchr(err_msg(&err), '\033') == NULL && strstr(err_msg(&err), "kill 12") != NULL);
	}
}
