/* What a container's init may say, and what becomes of it: the test is init, and at times one that was taken over. */
#include "base/child.h"
#include "base/fd.h"
#include "base/loop.h"
#include "base/test.h"
#include "engine/inside.h"
#include "wire/init.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

static const struct engine_ops isolating = { .name = "test", .features = ENGINE_ISOLATES };
static const struct engine_ops plain = { .name = "test" };

static struct stage {
	uv_loop_t loop;
	struct container c;
	struct spec spec;
	struct place place;
	struct str heard;                /* what the container told, in words */
	int init;                        /* our end of the lifeline */
	int init_lives;                  /* closing it ends the process that stands for init */
	pid_t pid;
} stage;

/* --- what is heard --- */

static void on_output(void *data) { str_adds(&stage.heard, "output "); inside_watch(&stage.c, false, false); }
static void on_writable(void *data) { str_adds(&stage.heard, "writable "); }
static void on_started(void *data) { str_adds(&stage.heard, "started "); }
static void on_exited(void *data, int wait_status) { str_addf(&stage.heard, "exited:%d ", child_exit_code(wait_status)); }
static void on_gone(void *data) { str_adds(&stage.heard, "gone "); }

static void on_failed(void *data, const struct err *err, int exit_code)
{
	str_addf(&stage.heard, "failed:%d:%s ", exit_code, err->msg);
}

static void on_exec_started(void *data, uint32_t exec, int tty)
{
	str_addf(&stage.heard, "exec-started:%u%s ", exec, tty >= 0 ? ":tty" : "");
	fd_close(tty);
}

static void on_exec_failed(void *data, uint32_t exec, const struct err *err, int exit_code)
{
	str_addf(&stage.heard, "exec-failed:%u:%d:%s ", exec, exit_code, err->msg);
}

static void on_exec_exited(void *data, uint32_t exec, int wait_status)
{
	str_addf(&stage.heard, "exec-exited:%u:%d ", exec, child_exit_code(wait_status));
}

/* --- the stage --- */

static void begin(const struct engine_ops *ops)
{
	stage = (struct stage){ .heard = STR_INIT, .place = { .id = "0123456789ab" }, .spec = { .rows = 24, .cols = 80 },
	                         .init_lives = -1 };
	ASSERT_OK(uv_loop_init(&stage.loop));
	stage.c = (struct container){
		.ops = ops, .loop = &stage.loop, .spec = &stage.spec, .place = &stage.place, .log_fd = -1,
		.on = { on_output, on_writable, on_started, on_failed, on_exited, on_gone, NULL, NULL, on_exec_started,
		        on_exec_failed, on_exec_exited },
	};
	strv_push(&stage.spec.command, "sh");
	strv_push(&stage.spec.env, "LANG=C.UTF-8");
	ASSERT_OK(inside_open(&stage.c, &stage.init, NULL));
}

/* A process that ends when told so, in the place of init. */
static void make_init(void)
{
	int pipes[2];
	char c;

	ASSERT_OK(pipe2(pipes, O_CLOEXEC));
	stage.pid = fork();
	if (stage.pid == 0) {
		(void)close(pipes[1]);
		_exit((int)read(pipes[0], &c, 1));
	}
	fd_close(pipes[0]);
	stage.init_lives = pipes[1];
	ASSERT_OK(inside_set_init(&stage.c, stage.pid, NULL));
}

static void end(void)
{
	inside_close(&stage.c);
	ASSERT_EQ(uv_run(&stage.loop, UV_RUN_DEFAULT), 0);
	ASSERT_OK(uv_loop_close(&stage.loop));           /* nothing of it is left on the loop */
	ASSERT_EQ(waitpid(-1, NULL, WNOHANG), -1);
	ASSERT_EQ(errno, ECHILD);
	fd_close(stage.init);
	fd_close(stage.init_lives);
	str_release(&stage.heard);
	strv_release(&stage.spec.command);
	strv_release(&stage.spec.env);
}

static void say(struct init_message m, const int *fds, size_t count)
{
	m.magic = INIT_MAGIC;
	ASSERT_EQ(fd_send(stage.init, &m, sizeof(m), fds, count), sizeof(m));
}
#define SAY(...) say((struct init_message){ __VA_ARGS__ }, NULL, 0)

/* All that was said before is in the lifeline already: some rounds of the loop bring it. */
static void hear(void)
{
	for (int i = 0; i < 8; i++)
		(void)uv_run(&stage.loop, UV_RUN_NOWAIT);
}

static void assert_heard(const char *words)
{
	hear();
	ASSERT_STREQ(stage.heard.buf, words);
	str_clear(&stage.heard);
}

/* --- */

/* The command as init reads it. The rest of the memfd is in @rest: strings, each with its NUL. */
static void read_command(struct init_message *m, struct init_command *head, struct str *rest)
{
	int fds[FD_PASS_MAX];
	size_t count;

	ASSERT_EQ(fd_recv(stage.init, m, sizeof(*m), fds, &count, 0), sizeof(*m));
	ASSERT_EQ(m->magic, INIT_MAGIC);
	ASSERT_EQ(m->op, INIT_RUN);
	ASSERT_EQ(count, m->flags & INIT_TTY ? 1 : 4);
	ASSERT_EQ(lseek(fds[0], 0, SEEK_SET), 0);
	ASSERT_OK(fd_read_all(fds[0], head, sizeof(*head)));
	ASSERT_OK(fd_slurp(fds[0], 1 << 20, rest));
	for (size_t i = 0; i < count; i++)
		fd_close(fds[i]);
}

TEST(the_command_is_there_before_init_runs)
{
	static const char strings[] = "\0" "sh\0" "LANG=C.UTF-8\0" "PTERM_SESSION=0123456789ab";
	struct init_message m;
	struct init_command head;
	_str_ rest = STR_INIT;

	begin(&isolating);
	read_command(&m, &head, &rest);
	ASSERT_EQ(m.id, 0);
	ASSERT_EQ(m.flags, INIT_TTY);
	ASSERT_EQ(head.version, INIT_VERSION);
	ASSERT_EQ(head.rows, 24);
	ASSERT_EQ(head.cols, 80);
	ASSERT_EQ(head.argc, 1);
	ASSERT_EQ(head.envc, 2);
	ASSERT_EQ(head.keep_user, 0);
	ASSERT_EQ(rest.len, sizeof(strings));
	ASSERT_MEMEQ(rest.buf, strings, sizeof(strings));
	end();
}

TEST(without_a_container_the_command_keeps_its_user_and_home)
{
	struct init_message m;
	struct init_command head;
	_str_ rest = STR_INIT;
	bool has_home = false;

	setenv("HOME", "/home/of-the-caller", 1);
	begin(&plain);
	read_command(&m, &head, &rest);
	ASSERT(head.keep_user != 0);
	for (size_t at = 0; at < rest.len; at += strlen(rest.buf + at) + 1)
		has_home |= str_eq(rest.buf + at, "HOME=/home/of-the-caller");
	ASSERT(has_home);
	end();
}

TEST(a_life)
{
	begin(&isolating);
	make_init();
	assert_heard("");
	SAY(.op = INIT_STARTED);
	assert_heard("started ");
	SAY(.op = INIT_EXITED, .value = 3 << 8);
	assert_heard("exited:3 ");
	stage.init_lives = fd_close(stage.init_lives);
	ASSERT_OK(waitid(P_PID, (id_t)stage.pid, &(siginfo_t){ 0 }, WEXITED | WNOWAIT));
	assert_heard("gone ");
	end();
}

TEST(init_says_things_once_and_in_order)
{
	begin(&isolating);
	make_init();
	SAY(.op = INIT_EXITED, .value = 0);              /* of a command that was never started */
	SAY(.op = INIT_STARTED);
	SAY(.op = INIT_STARTED);
	SAY(.op = INIT_FAILED, .value = ENOENT, .step = INIT_STEP_EXEC);
	SAY(.op = INIT_EXITED, .value = 1 << 8);
	SAY(.op = INIT_EXITED, .value = 2 << 8);
	SAY(.op = INIT_STARTED);
	assert_heard("started exited:1 ");
	end();
}

TEST(what_is_no_message_is_not_heard)
{
	const struct init_message wrong = { .magic = INIT_MAGIC + 1, .op = INIT_STARTED };
	char large[4096] = { 0 };
	int fds[3];

	begin(&isolating);
	make_init();
	ASSERT_EQ(send(stage.init, &wrong, sizeof(wrong), 0), sizeof(wrong));
	ASSERT_EQ(send(stage.init, &wrong, 5, 0), 5);
	ASSERT_EQ(send(stage.init, large, sizeof(large), 0), sizeof(large));
	SAY(.op = INIT_OP_COUNT);
	SAY(.op = UINT32_MAX, .id = UINT32_MAX, .value = INT32_MIN, .step = UINT32_MAX);
	SAY(.op = INIT_FAILED, .id = 77, .value = ENOENT, .step = INIT_STEP_EXEC);       /* an exec that nobody asked for */
	/* descriptors that nobody asked for are closed, or they would be ours for ever */
	for (size_t i = 0; i < array_len(fds); i++)
		fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	say((struct init_message){ .op = INIT_STARTED }, fds, array_len(fds));
	assert_heard("started ");
	const int next = open("/dev/null", O_RDONLY | O_CLOEXEC);

	ASSERT_EQ(next, fds[2] + 1);
	fd_close(next);
	for (size_t i = 0; i < array_len(fds); i++)
		fd_close(fds[i]);
	end();
}

TEST(a_flood_of_words_does_not_hold_the_loop)
{
	begin(&isolating);
	make_init();
	(void)fcntl(stage.init, F_SETFL, O_NONBLOCK);
	for (int sent = 0; sent < 100000;) {
		const struct init_message m = { .magic = INIT_MAGIC, .op = INIT_STARTED };

		if (send(stage.init, &m, sizeof(m), 0) != (ssize_t)sizeof(m)) {
			uv_run(&stage.loop, UV_RUN_NOWAIT);      /* comes back although more waits */
			continue;
		}
		sent++;
	}
	assert_heard("started ");
	end();
}

TEST(why_a_command_could_not_be_run)
{
	static const struct { struct init_message m; const char *heard; } t[] = {
		{ { .value = ENOENT, .step = INIT_STEP_EXEC }, "failed:127:cannot run 'sh' in the container: command not found " },
		{ { .value = EACCES, .step = INIT_STEP_EXEC }, "failed:126:cannot run 'sh' in the container: Permission denied " },
		{ { .value = EPERM, .step = INIT_STEP_USER },
		  "failed:125:cannot run 'sh' in the container: cannot become its user: Operation not permitted " },
		/* numbers that init made up */
		{ { .value = -5, .step = INIT_STEP_EXEC }, "failed:126:cannot run 'sh' in the container: Input/output error " },
		{ { .value = EIO, .step = 4711 }, "failed:125:cannot run 'sh' in the container: cannot begin: Input/output error " },
	};

	for (size_t i = 0; i < array_len(t); i++) {
		struct init_message m = t[i].m;

		begin(&isolating);
		make_init();
		m.op = INIT_FAILED;
		say(m, NULL, 0);
		assert_heard(t[i].heard);
		SAY(.op = INIT_STARTED);
		SAY(.op = INIT_EXITED);
		assert_heard("");
		end();
	}
}

static void ask(uint32_t id, const char *program, bool tty)
{
	_strv_ argv = { 0 }, env = { 0 };
	const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	const struct engine_exec x = { .argv = &argv, .env = &env, .user = &stage.spec.user, .tty = tty,
	                               .stdio = { null, null, null } };

	strv_push(&argv, program);
	ASSERT_OK(inside_exec(&stage.c, id, &x, NULL));
	fd_close(null);
}

TEST(execs_are_told_apart)
{
	int master, slave;

	begin(&isolating);
	make_init();
	ask(1, "one", false);
	ask(2, "two", true);
	ask(3, "three", false);
	ASSERT_OK(pty_open((struct term_size){ 24, 80 }, &master, &slave, NULL));
	SAY(.op = INIT_FAILED, .id = 3, .value = ENOENT, .step = INIT_STEP_EXEC);
	say((struct init_message){ .op = INIT_STARTED, .id = 2 }, &master, 1);
	SAY(.op = INIT_STARTED, .id = 1);
	SAY(.op = INIT_EXITED, .id = 1, .value = SIGKILL);
	SAY(.op = INIT_FAILED, .id = 3, .value = ENOENT, .step = INIT_STEP_EXEC);        /* it was answered */
	assert_heard("exec-failed:3:127:cannot run 'three' in the container: command not found exec-started:2:tty exec-started:1 "
	             "exec-exited:1:137 ");
	fd_close(master);
	fd_close(slave);
	end();
}

TEST(a_tty_that_is_none_is_not_taken)
{
	const int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	begin(&isolating);
	make_init();
	ask(1, "one", true);
	say((struct init_message){ .op = INIT_STARTED, .id = 1 }, &null, 1);
	assert_heard("exec-started:1 ");
	ASSERT(inside_set_console(&stage.c, null, NULL) < 0);    /* consumed */
	end();
}

TEST(signals_are_asked_of_init_and_kill_is_not)
{
	struct init_message m;
	struct init_command head;
	_str_ rest = STR_INIT;

	begin(&isolating);
	make_init();
	read_command(&m, &head, &rest);
	ASSERT_OK(inside_signal(&stage.c, SIGHUP, true));
	ASSERT_EQ(recv(stage.init, &m, sizeof(m), 0), sizeof(m));
	ASSERT_EQ(m.op, INIT_SIGNAL);
	ASSERT_EQ(m.value, SIGHUP);
	ASSERT_EQ(m.flags, INIT_GROUP);
	ASSERT_OK(inside_kill(&stage.c));                /* nothing that init could ignore */
	ASSERT(inside_has_ended(&stage.c, 60000));
	assert_heard("gone ");
	ASSERT_EQ(inside_pid(&stage.c), 0);
	end();
}

TEST(an_exit_stays_in_the_lifeline_until_it_was_acted_upon)
{
	struct engine_handles h;
	int master, slave;

	begin(&isolating);
	ASSERT_EQ(inside_handles(&stage.c, &h), -EAGAIN);
	ASSERT_OK(pty_open((struct term_size){ 24, 80 }, &master, &slave, NULL));
	ASSERT_OK(inside_set_console(&stage.c, master, NULL));
	make_init();
	ASSERT_EQ(inside_handles(&stage.c, &h), -EAGAIN);
	SAY(.op = INIT_STARTED);
	assert_heard("started ");
	ASSERT_OK(inside_handles(&stage.c, &h));
	ASSERT_EQ(h.init_pid, stage.pid);
	ASSERT_EQ(h.console, master);
	SAY(.op = INIT_EXITED, .value = 5 << 8);
	/* killed before it looked: another goes on with copies of the handles, and hears of it */
	const struct engine_handles copies = { dup(h.console), dup(h.lifeline), dup(h.init), h.init_pid };
	struct inside *killed = stage.c.inside;

	ASSERT_OK(inside_adopt(&stage.c, &copies, NULL));
	hear();
	ASSERT(strstr(stage.heard.buf, "exited:5 ") != NULL);
	ASSERT(strstr(stage.heard.buf, "started") == NULL);
	inside_close(&stage.c);
	stage.c.inside = killed;
	fd_close(slave);
	end();
}
