/* What clients may ask, and what they hear: real connections, and a container that only writes down what it is told. */
#include "base/fd.h"
#include "base/test.h"
#include "supervisor/supervisor.h"
#include "wire/conn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CLIENTS = 3 };

static struct stage {
	struct supervisor s;
	struct conn client[CLIENTS];
	struct str did, typed;           /* what the container was told; what was typed */
} stage;

/* --- the container --- */

static ssize_t on_write(struct container *c, const void *buf, size_t n)
{
	str_add(&stage.typed, buf, n);
	return (ssize_t)n;
}

static void on_watch(struct container *c, bool output, bool writable) { }

static int on_resize(struct container *c, struct term_size size)
{
	str_addf(&stage.did, "resize:%ux%u ", size.rows, size.cols);
	return 0;
}

static int on_signal(struct container *c, int signo, bool whole_group)
{
	str_addf(&stage.did, "signal:%s ", signal_name(signo));
	return 0;
}

static int on_kill(struct container *c)
{
	str_adds(&stage.did, "kill ");
	return 0;
}

static int on_exec(struct container *c, uint32_t id, const struct engine_exec *x, struct err *err)
{
	str_addf(&stage.did, "exec:%u:%s ", id, x->argv->items[0]);
	return str_eq(x->argv->items[0], "refused") ? err_set(err, EIO, "init", "not today") : 0;
}

static int on_exec_signal(struct container *c, uint32_t id, int signo)
{
	str_addf(&stage.did, "exec-signal:%u:%s ", id, signal_name(signo));
	return 0;
}

static const struct engine_ops ops = {
	.name = "test", .features = ENGINE_ISOLATES, .write = on_write, .watch = on_watch, .resize = on_resize, .signal = on_signal,
	.kill = on_kill, .exec = on_exec, .exec_signal = on_exec_signal,
};

/* --- the session --- */

static void begin(void)
{
	struct supervisor *s = &stage.s;

	stage = (struct stage){ .did = STR_INIT, .typed = STR_INIT };
	*s = (struct supervisor){ .state = STATE_RUNNING, .has_container = true, .container.ops = &ops, .session_fd = -1, .listen_fd = -1,
	                          .lock_fd = -1, .size = { 24, 80 }, .input = INPUT_INIT };
	status_set(&s->status.id, "0123456789ab");
	status_set(&s->status.name, "box");
	link_init(&s->clients);
	hub_init(&s->hub);
	ASSERT_OK(uv_loop_init(&s->loop));
	ASSERT_OK(ring_create(&s->ring, SUPERVISOR_RING_SIZE, 0, NULL));
	terminal_open(s);
	s->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);   /* nobody can find it */
	ASSERT_OK(clients_listen(s, NULL));
	for (int i = 0; i < CLIENTS; i++) {
		int pair[2];

		ASSERT_OK(fd_socketpair(SOCK_STREAM, pair));
		conn_init(&stage.client[i], pair[0]);
		clients_first(s, pair[1]);
	}
}

static void end(void)
{
	struct supervisor *s = &stage.s;

	for (int i = 0; i < CLIENTS; i++)
		conn_close(&stage.client[i]);
	clients_close(s);
	ASSERT_EQ(s->client_count, 0);
	watch_free(s->listen_watch);
	timer_free(s->bell_timer);
	timer_free(s->paint_timer);
	terminal_close(s);
	(void)uv_run(&s->loop, UV_RUN_DEFAULT);
	ASSERT_OK(uv_loop_close(&s->loop));
	hub_fini(&s->hub);
	ring_free(s->ring);
	vec_release(&s->exec_ends);
	input_release(s);
	status_release(&s->status);
	fd_close(s->listen_fd);
	str_release(&stage.did);
	str_release(&stage.typed);
}

/* Some rounds of the loop: what was sent is heard, and answered. */
static void turn(void)
{
	for (int i = 0; i < 4; i++)
		(void)uv_run(&stage.s.loop, UV_RUN_NOWAIT);
}

static void ask(int client, enum message type, const struct json_object *object, const void *body)
{
	if (object != NULL)
		ASSERT_OK(conn_send_json(&stage.client[client], type, object, body));
	else
		ASSERT_OK(conn_send(&stage.client[client], type, body, body ? strlen(body) : 0, NULL, 0));
	turn();
}

/* The next frame, which must be of this type. Close its descriptors. */
static struct frame hear(int client, enum message type)
{
	struct frame f;

	if (conn_wait(&stage.client[client], &f, 0) != 1)
		test_fail(__FILE__, __LINE__, "client %d heard nothing, wanted %d", client, type);
	ASSERT_EQ(f.type, type);
	return f;
}

static void hear_nothing(int client)
{
	struct frame f;

	ASSERT_EQ(conn_wait(&stage.client[client], &f, 0), 0);
}

static void hear_error(int client, const char *code)
{
	const struct frame f = hear(client, MESSAGE_ERROR);
	_err_ err = ERR_INIT;

	ASSERT(conn_error(&f, NULL, &err) < 0);
	ASSERT_STREQ(err.code, code);
}

static void attach(int client, const struct message_attach *m, int64_t position, int64_t lost)
{
	struct message_ring answer = { 0 };
	struct ring *ring = NULL;
	struct frame f;

	ask(client, MESSAGE_ATTACH, &message_attach_object, m);
	f = hear(client, MESSAGE_RING);
	ASSERT_OK(json_decode(f.data, f.len, &message_ring_object, &answer, NULL));
	ASSERT_EQ(answer.position, position);
	ASSERT_EQ(answer.lost, lost);
	ASSERT_EQ(f.fd_count, 1);
	ASSERT_OK(ring_map(&ring, f.fds[0], NULL));
	ASSERT_EQ(ring_head(ring), ring_head(stage.s.ring));
	ring_free(ring);
}

static void print(const char *text)
{
	ring_write(stage.s.ring, text, strlen(text));
	clients_ring(&stage.s);
}

/* --- */

TEST(a_greeting_is_answered_and_one_of_the_future_is_not_heard_any_more)
{
	const struct message_hello ours = message_hello_of("test"), future = { .version = WIRE_VERSION + 1, .oldest = WIRE_VERSION + 1 };

	begin();
	ask(0, MESSAGE_HELLO, &message_hello_object, &ours);
	(void)hear(0, MESSAGE_SUPERVISOR);
	ask(0, MESSAGE_STATUS, NULL, NULL);
	(void)hear(0, MESSAGE_STATUS_IS);
	ask(1, MESSAGE_HELLO, &message_hello_object, &future);
	(void)hear(1, MESSAGE_ERROR);
	ask(1, MESSAGE_SIGNAL, &message_signal_object, &(struct message_signal){ SIGTERM });
	ask(1, MESSAGE_STATUS, NULL, NULL);
	hear_nothing(1);
	ASSERT_STREQ(stage.did.buf, "");
	end();
}

TEST(a_reader_is_rung_when_it_sleeps_and_only_then)
{
	const struct message_attach reader = { .since = 0, .read_only = true };
	struct frame f;

	begin();
	attach(0, &reader, 0, 0);
	print("one");
	turn();
	hear_nothing(0);                         /* it has not said that it sleeps */
	ASSERT_OK(conn_send_position(&stage.client[0], MESSAGE_ARM, 0));
	turn();
	f = hear(0, MESSAGE_DOORBELL);           /* there was something that it had not seen */
	ASSERT_EQ(frame_position(&f), 3);
	ASSERT_OK(conn_send_position(&stage.client[0], MESSAGE_ARM, 3));
	turn();
	hear_nothing(0);
	print("two");
	while (timer_is_running(stage.s.bell_timer))
		(void)uv_run(&stage.s.loop, UV_RUN_ONCE);        /* at most one ring in so many milliseconds */
	f = hear(0, MESSAGE_DOORBELL);
	ASSERT_EQ(frame_position(&f), 6);
	print("three");
	turn();
	hear_nothing(0);                         /* it was rung: it is awake */
	end();
}

TEST(positions_of_the_future_and_of_what_is_not_kept)
{
	_free_ char *much = xcalloc(1, SUPERVISOR_RING_SIZE + 1);

	begin();
	memset(much, 'x', SUPERVISOR_RING_SIZE);
	print("begin");
	attach(0, &(struct message_attach){ .since = INT64_MAX, .read_only = true }, 5, 0);
	print(much);
	attach(1, &(struct message_attach){ .since = 2, .read_only = true }, (int64_t)ring_oldest(stage.s.ring),
	       (int64_t)ring_oldest(stage.s.ring) - 2);
	attach(2, &(struct message_attach){ .since = -1, .read_only = true }, (int64_t)ring_head(stage.s.ring) - 64 * 1024, 0);
	end();
}

TEST(who_only_reads_cannot_type)
{
	begin();
	attach(0, &(struct message_attach){ .since = 0, .read_only = true }, 0, 0);
	attach(1, &(struct message_attach){ .since = 0 }, 0, 0);
	ask(0, MESSAGE_INPUT, NULL, "no");
	hear_error(0, "read-only");
	ask(2, MESSAGE_INPUT, NULL, "nor one that has not attached");
	hear_error(2, "read-only");
	ask(1, MESSAGE_INPUT, NULL, "yes");
	ASSERT_STREQ(stage.typed.buf, "yes");
	end();
}

TEST(the_session_has_the_size_of_who_typed_last)
{
	begin();
	attach(0, &(struct message_attach){ .since = 0, .is_viewer = true, .rows = 30, .cols = 90 }, 0, 0);
	attach(1, &(struct message_attach){ .since = 0, .is_viewer = true, .rows = 40, .cols = 100 }, 0, 0);
	attach(2, &(struct message_attach){ .since = 0, .is_viewer = true, .read_only = true, .rows = 50, .cols = 110 }, 0, 0);
	ASSERT_STREQ(stage.did.buf, "resize:30x90 resize:40x100 ");
	ask(0, MESSAGE_RESIZE, &message_resize_object, &(struct message_resize){ 31, 91 });      /* not the one who typed last */
	ASSERT_STREQ(stage.did.buf, "resize:30x90 resize:40x100 ");
	ask(0, MESSAGE_INPUT, NULL, "x");
	ASSERT_STREQ(stage.did.buf, "resize:30x90 resize:40x100 resize:31x91 ");
	ask(0, MESSAGE_RESIZE, &message_resize_object, &(struct message_resize){ 0, 0 });        /* of a terminal that has none */
	ASSERT_EQ(stage.s.size.rows, 31);
	end();
}

TEST(what_makes_no_sense_harms_nobody)
{
	char header[FRAME_HEADER];

	begin();
	ask(0, MESSAGE_SIGNAL, NULL, "{\"signo\":");
	(void)hear(0, MESSAGE_ERROR);
	ask(0, MESSAGE_SIGNAL, NULL, "{\"signo\":9999}");
	(void)hear(0, MESSAGE_ERROR);
	frame_header(header, 63, 3, 0);          /* of a newer build: skipped */
	ASSERT_OK(fd_write_all(stage.client[0].fd, header, sizeof(header)));
	ASSERT_OK(fd_write_all(stage.client[0].fd, "abc", 3));
	ask(0, MESSAGE_STATUS, NULL, NULL);
	(void)hear(0, MESSAGE_STATUS_IS);
	ASSERT_EQ(stage.s.client_count, CLIENTS);
	ASSERT_OK(conn_send(&stage.client[0], MESSAGE_ARM, "123", 3, NULL, 0));          /* no position: this is no client of ours */
	turn();
	ASSERT_EQ(stage.s.client_count, CLIENTS - 1);
	frame_header(header, MESSAGE_INPUT, FRAME_MAX + 1, 0);
	ASSERT_OK(fd_write_all(stage.client[1].fd, header, sizeof(header)));
	turn();
	ASSERT_EQ(stage.s.client_count, CLIENTS - 2);
	ask(2, MESSAGE_STATUS, NULL, NULL);
	(void)hear(2, MESSAGE_STATUS_IS);
	ASSERT_STREQ(stage.did.buf, "");
	end();
}

TEST(signals_need_a_command)
{
	begin();
	ask(0, MESSAGE_SIGNAL, &message_signal_object, &(struct message_signal){ SIGUSR1 });
	(void)hear(0, MESSAGE_OK);
	ask(0, MESSAGE_SIGNAL, &message_signal_object, &(struct message_signal){ SIGKILL });
	(void)hear(0, MESSAGE_OK);
	stage.s.state = STATE_DRAINING;
	ask(0, MESSAGE_SIGNAL, &message_signal_object, &(struct message_signal){ SIGUSR1 });
	hear_error(0, "not-running");
	ASSERT_STREQ(stage.did.buf, "signal:USR1 kill ");
	end();
}

/* --- exec --- */

static void exec(int client, const char *program, bool has_descriptors)
{
	struct message_exec m = { 0 };
	_str_ text = STR_INIT;
	const int null = open("/dev/null", O_RDWR | O_CLOEXEC), fds[] = { null, null, null };

	strv_push(&m.argv, program);
	json_encode(&text, &message_exec_object, &m);
	ASSERT_OK(conn_send(&stage.client[client], MESSAGE_EXEC, text.buf, text.len, fds, has_descriptors ? 3 : 0));
	turn();
	strv_release(&m.argv);
	fd_close(null);
}

static void hear_exec_end(int client, int wait_status)
{
	const struct frame f = hear(client, MESSAGE_EXEC_EXITED);
	struct message_exited m = { 0 };

	ASSERT_OK(json_decode(f.data, f.len, &message_exited_object, &m, NULL));
	ASSERT_EQ(m.wait_status, wait_status);
}

TEST(each_hears_of_its_own_exec)
{
	const struct err why = { .no = ENOENT, .code = "command-not-found", .msg = (char *)"no such command" };

	begin();
	exec(0, "first", true);
	exec(1, "second", true);
	exec(1, "another", true);                /* one a connection */
	hear_error(1, "bad-exec");
	stage.client[1].fd = fd_close(stage.client[1].fd);       /* whoever started it is gone: it is hung up */
	turn();
	exec(2, "bare", false);
	hear_error(2, "bad-exec");
	exec(2, "refused", true);
	hear_error(2, "init");
	exec(2, "third", true);
	ASSERT_STREQ(stage.did.buf, "exec:1:first exec:2:second exec-signal:2:HUP exec:3:refused exec:4:third ");
	clients_exec_started(&stage.s, 1, -1);
	(void)hear(0, MESSAGE_EXEC_STARTED);
	clients_exec_failed(&stage.s, 4, &why, 127);
	hear_error(2, "command-not-found");
	clients_exec_exited(&stage.s, 2, 0);     /* nobody's */
	clients_exec_exited(&stage.s, 1, 3 << 8);
	hear_exec_end(0, 3 << 8);
	clients_exec_exited(&stage.s, 1, 4 << 8);
	hear_nothing(0);
	end();
}

static void come_back_for(int client, uint32_t exec)
{
	ask(client, MESSAGE_EXEC_AGAIN, &message_exec_id_object, &(struct message_exec_id){ exec });
}

TEST(an_exec_outlives_its_supervisor)
{
	begin();
	stage.s.status.adoptions = 1;
	stage.s.last_exec = 1 << 20;
	clients_exec_exited(&stage.s, 7, 5 << 8);        /* before its client has come back */
	come_back_for(0, 7);
	hear_exec_end(0, 5 << 8);
	come_back_for(1, 8);
	hear_nothing(1);                         /* it runs */
	clients_exec_exited(&stage.s, 8, 0);
	hear_exec_end(1, 0);
	for (uint32_t i = 100; i < 100 + 10 * EXEC_ENDS_MAX; i++)
		clients_exec_exited(&stage.s, i, 0);     /* of clients that never come */
	ASSERT_EQ(stage.s.exec_ends.len, EXEC_ENDS_MAX);
	end();
}

TEST(an_exec_ends_with_its_container_though_the_session_goes_on)
{
	begin();
	exec(0, "first", true);
	clients_execs_over(&stage.s);            /* as a restart has it */
	hear_exec_end(0, SIGKILL);
	exec(0, "second", true);
	come_back_for(1, 1);                     /* whose supervisor was killed before it could tell */
	hear_exec_end(1, SIGKILL);
	come_back_for(2, 2);
	hear_nothing(2);
	stage.s.has_container = false;
	come_back_for(2, 2);
	hear_exec_end(2, SIGKILL);
	end();
}
