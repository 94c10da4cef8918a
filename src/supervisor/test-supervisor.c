/* The life of a session, with an engine that does, and a client that says, what the test wrote down. */
#include "base/fd.h"
#include "base/loop.h"
#include "base/path.h"
#include "base/test.h"
#include "supervisor/lock.h"
#include "supervisor/supervisor.h"
#include "wire/conn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#define ID "0123456789ab"

/*
 * What a run does, a letter at a time: s started, o prints a line, x exits with 0, f with 3, k is killed, g is gone,
 * n cannot find its command, F cannot start, c the client says its next word, H a helper is there, h it has ended.
 * A run whose first letter is ! cannot even be created. At the end of its letters it waits to be signalled.
 */
struct play {
	const char *runs[8];
	const char *on_signal, *on_kill;         /* what it does then; on_signal: at the signal of signo */
	int signo;
	bool is_oom, takes_no_input;             /* the latter: in its first run */
	struct { enum message type; const struct json_object *object; const void *body; const char *bytes; } words[8];
	const struct spec *spec;
};

static struct stage {
	const struct play *play;
	struct container *c;
	struct timer *turn;
	const char *at;
	size_t created, said;
	bool has_output;
	struct conn client;
	struct str did, typed;                   /* what the engine was told; what was typed, of all runs */
} stage;

/* --- the engine --- */

static void say_next(void)
{
	const size_t i = stage.said++;
	const enum message type = stage.play->words[i].type;
	const char *bytes = stage.play->words[i].bytes;

	if (bytes != NULL)
		ASSERT_OK(conn_send(&stage.client, type, bytes, strlen(bytes), NULL, 0));
	else if (stage.play->words[i].object != NULL)
		ASSERT_OK(conn_send_json(&stage.client, type, stage.play->words[i].object, stage.play->words[i].body));
	else
		ASSERT_OK(conn_send(&stage.client, type, NULL, 0, NULL, 0));
}

static void act(char letter)
{
	struct container *c = stage.c;
	_err_ err = ERR_INIT;

	switch (letter) {
	case 's': c->on.on_started(c->data); break;
	case 'o': stage.has_output = true; c->on.on_output(c->data); break;
	case 'x': c->on.on_exited(c->data, 0); break;
	case 'f': c->on.on_exited(c->data, 3 << 8); break;
	case 'k': c->on.on_exited(c->data, SIGKILL); break;
	case 'g': c->on.on_gone(c->data); break;
	case 'c': say_next(); break;
	case 'n':
		err_set(&err, ENOENT, "command-not-found", "no such command");
		c->on.on_failed(c->data, &err, 127);
		break;
	case 'F':
		err_set(&err, EIO, "start", "no container today");
		c->on.on_failed(c->data, &err, 125);
		break;
	case 'H':
		c->helper_pid = 4711;
		c->on.on_helper(c->data, 4711, 1);
		break;
	case 'h':
		c->helper_pid = 0;
		err_set(&err, ENETDOWN, "network-lost", "the helper ended");
		c->on.on_helper_failed(c->data, &err);
		break;
	default: test_fail(__FILE__, __LINE__, "what is '%c'?", letter);
	}
}

/* A millisecond, so that the loop looks at its descriptors between two letters. */
static void on_turn(void *data)
{
	if (*stage.at == '\0')
		return;
	timer_start(stage.turn, 1);
	act(*stage.at++);
}

static void go_on(const char *letters)
{
	if (letters == NULL)
		return;
	stage.at = letters;
	timer_start(stage.turn, 1);
}

static int play_create(struct container *c, struct err *err)
{
	stage.c = c;
	stage.at = stage.play->runs[stage.created++];
	stage.has_output = false;
	str_addf(&stage.did, "%s ", c->ops->name);
	if (stage.at == NULL)
		test_fail(__FILE__, __LINE__, "a run that nobody wrote down");
	if (*stage.at == '!')
		return err_set(err, EIO, "start", "no container today");
	stage.turn = timer_new(c->loop, on_turn, NULL);
	timer_start(stage.turn, 1);
	return 0;
}

static ssize_t play_read(struct container *c, void *buf, size_t n)
{
	if (!stage.has_output)
		return -EAGAIN;
	stage.has_output = false;
	memcpy(buf, "line\n", 5);
	return 5;
}

static ssize_t play_write(struct container *c, const void *buf, size_t n)
{
	if (stage.play->takes_no_input && stage.created == 1)
		return -EAGAIN;
	str_add(&stage.typed, buf, n);
	return (ssize_t)n;
}

static void play_watch(struct container *c, bool output, bool writable) { }
static int play_resize(struct container *c, struct term_size size) { return 0; }

static int play_signal(struct container *c, int signo, bool whole_group)
{
	str_addf(&stage.did, "%s ", signal_name(signo));
	if (signo == stage.play->signo)
		go_on(stage.play->on_signal);
	return 0;
}

static int play_kill(struct container *c)
{
	str_adds(&stage.did, "kill ");
	go_on(stage.play->on_kill);
	return 0;
}

static void play_close(struct container *c)
{
	stage.turn = timer_free(stage.turn);
	c->was_oom = stage.play->is_oom;         /* a cgroup tells when it is closed */
	str_adds(&stage.did, "close ");
}

#define PLAY_OPS .create = play_create, .read = play_read, .write = play_write, .watch = play_watch, \
	.resize = play_resize, .signal = play_signal, .kill = play_kill, .close = play_close

static const struct engine_ops one = { .name = "one", .features = ENGINE_ISOLATES, PLAY_OPS };
static const struct engine_ops other = { .name = "other", PLAY_OPS };
const struct engine_ops *const engines[] = { &one, &other, NULL };       /* in the place of engine/engine.c's */

const struct engine_ops *engine_find(const char *name)
{
	return str_eq(name, "one") ? &one : str_eq(name, "other") ? &other : NULL;
}

/* --- a session on this stage --- */

static char top[64];
static struct house house;
static int session_fd;

static void write_files(const struct spec *given)
{
	struct spec spec = given ? *given : (struct spec){ 0 };
	struct status st = { .id = (char *)ID, .name = (char *)"play", .state = STATUS_STARTING, .created_ms = 1 };
	_str_ text = STR_INIT;

	spec.engine = (char *)"one";
	spec.record_bytes = 1024 * 1024;
	json_encode(&text, &spec_object, &spec);
	ASSERT_OK(file_write(session_fd, "spec.json", text.buf, text.len, 0600));
	ASSERT_OK(status_write(session_fd, &st, NULL));
}

static void perform(const struct play *play)
{
	int pair[2];

	snprintf(top, sizeof(top), "/tmp/pterm-test-XXXXXX");
	ASSERT(mkdtemp(top) != NULL);
	setenv("PTERM_HOME", top, 1);
	setenv("PTERM_STORE", top, 1);
	ASSERT_OK(house_open(&house, NULL));
	ASSERT_OK(mkdirat(house.sessions_fd, ID, 0700));
	session_fd = openat(house.sessions_fd, ID, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	write_files(play->spec);
	ASSERT_OK(fd_socketpair(SOCK_STREAM, pair));
	stage = (struct stage){ .play = play, .at = "", .did = STR_INIT, .typed = STR_INIT };
	conn_init(&stage.client, pair[0]);
	ASSERT_EQ(supervisor_run(&house, ID, pair[1], session_lock(session_fd), fd_listen_unix(session_fd, "control.sock",
	                         SOCK_STREAM)), 0);
}

static void clear(void)
{
	conn_close(&stage.client);
	str_release(&stage.did);
	str_release(&stage.typed);
	fd_close(session_fd);
	house_close(&house);
	ASSERT_OK(path_remove_tree(AT_FDCWD, top));
}

static struct status status_in(const char *dir)
{
	_fd_ fd = openat(session_fd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct status st;

	ASSERT_OK(status_read(fd, &st, NULL));
	return st;
}

static void assert_end(enum status_reason reason, int exit_code, int runs)
{
	_cleanup_(status_release) struct status st = status_in(".");

	ASSERT_EQ(st.state, STATUS_ENDED);
	ASSERT_EQ(st.reason, reason);
	ASSERT_EQ(st.exit_code, exit_code);
	ASSERT_EQ(st.run, runs);
	ASSERT_EQ(st.pid, 0);
	ASSERT_EQ(stage.created, runs);
	ASSERT(!path_exists(session_fd, "control.sock"));
}

static void assert_crash(enum status_reason reason, const char *words)
{
	_cleanup_(status_release) struct status st = status_in("crash");
	_str_ why = STR_INIT;

	ASSERT_EQ(st.reason, reason);
	ASSERT_OK(file_read(session_fd, "crash/reason", 4096, &why));
	ASSERT(strstr(why.buf, words) != NULL);
}

/* The types of the frames that the client has got, but for doorbells. */
static void assert_heard(const enum message *types, size_t n)
{
	struct frame f;
	size_t i = 0;

	while (conn_wait(&stage.client, &f, 1000) == 1) {
		if (f.type != MESSAGE_DOORBELL && f.type != MESSAGE_OK) {
			ASSERT(i < n);
			ASSERT_EQ(f.type, types[i++]);
		}
		frame_close_fds(&f);
	}
	ASSERT_EQ(i, n);
}
#define ASSERT_HEARD(...) assert_heard((const enum message[]){ __VA_ARGS__ }, \
                                       sizeof((const enum message[]){ __VA_ARGS__ }) / sizeof(enum message))

static void assert_events(const char *words)
{
	_str_ text = STR_INIT, seen = STR_INIT;

	ASSERT_OK(file_read(session_fd, "events.jsonl", 1 << 20, &text));
	for (const char *p = text.buf; (p = strstr(p, "\"event\":\"session.")) != NULL; p++)
		str_addf(&seen, "%s%.*s", seen.len ? " " : "", (int)strcspn(p + 17, "\""), p + 17);
	ASSERT_STREQ(seen.buf, words);
}

/* --- */

TEST(a_plain_end)
{
	perform(&(struct play){ .runs = { "sofg" } });
	assert_end(REASON_EXITED, 3, 1);
	ASSERT(!path_exists(session_fd, "crash"));
	ASSERT_HEARD(MESSAGE_STARTED, MESSAGE_ENDED);
	assert_events("started exited ended");
	ASSERT_STREQ(stage.did.buf, "one close ");
	clear();
}

TEST(what_is_printed_is_recorded_also_when_it_comes_with_the_end)
{
	_str_ log = STR_INIT;

	perform(&(struct play){ .runs = { "sxog" } });
	ASSERT_OK(file_read(session_fd, "output.log", 4096, &log));
	ASSERT_STREQ(log.buf, "line\n");
	clear();
}

TEST(a_quick_command_may_end_before_anybody_heard_of_its_start)
{
	perform(&(struct play){ .runs = { "sfg" } });
	assert_end(REASON_EXITED, 3, 1);
	clear();
}

TEST(a_session_that_cannot_start_leaves_nothing)
{
	static const char *const runs[] = { "!", "F", "n" };

	perform(&(struct play){ .runs = { runs[0] } });
	ASSERT(!path_exists(house.sessions_fd, ID));
	ASSERT_HEARD(MESSAGE_ERROR, MESSAGE_ENDED);
	clear();
	perform(&(struct play){ .runs = { runs[2] } });
	ASSERT(!path_exists(house.sessions_fd, ID));
	ASSERT_HEARD(MESSAGE_ERROR, MESSAGE_ENDED);
	clear();
	perform(&(struct play){ .runs = { runs[1] } });          /* the engine broke: that is worth a look */
	assert_end(REASON_START_FAILED, 125, 1);
	assert_crash(REASON_START_FAILED, "no container today");
	clear();
}

TEST(out_of_memory_is_said_wherever_the_end_is_said)
{
	perform(&(struct play){ .runs = { "skg" }, .is_oom = true });
	assert_end(REASON_OUT_OF_MEMORY, 137, 1);
	assert_crash(REASON_OUT_OF_MEMORY, "out of memory");
	clear();
	perform(&(struct play){ .runs = { "sg" }, .is_oom = true });     /* the first process was the one to go */
	assert_end(REASON_OUT_OF_MEMORY, 137, 1);
	assert_crash(REASON_OUT_OF_MEMORY, "out of memory");
	clear();
	perform(&(struct play){ .runs = { "sfg" }, .is_oom = true });    /* one of its processes: it went on */
	assert_end(REASON_EXITED, 3, 1);
	clear();
}

TEST(a_lost_first_process)
{
	perform(&(struct play){ .runs = { "sg" } });
	assert_end(REASON_INIT_LOST, 137, 1);
	assert_crash(REASON_INIT_LOST, "killed before it could report");
	clear();
}

TEST(on_failure_tries_again)
{
	const struct spec spec = { .restart = RESTART_ON_FAILURE, .restart_max = 2 };

	perform(&(struct play){ .runs = { "sfg", "skg", "sxg" }, .spec = &spec });
	assert_end(REASON_EXITED, 0, 3);
	assert_events("started exited restarting started exited restarting started exited ended");
	clear();
	perform(&(struct play){ .runs = { "sfg", "sfg", "sfg" }, .spec = &spec });
	assert_end(REASON_EXITED, 3, 3);
	clear();
}

static const struct message_stop in_time = { .timeout_ms = 60000, .by = (char *)"ann" };
static const struct message_stop now = { .timeout_ms = 0, .by = (char *)"ann" };

TEST(a_stop_begins_with_hup)
{
	perform(&(struct play){ .runs = { "sc" }, .signo = SIGHUP, .on_signal = "fg",
	                        .words = { { MESSAGE_STOP, &message_stop_object, &in_time, NULL } } });
	assert_end(REASON_STOPPED, 3, 1);
	ASSERT_STREQ(stage.did.buf, "one HUP CONT close ");
	ASSERT_HEARD(MESSAGE_STARTED, MESSAGE_ENDED);
	clear();
}

TEST(a_stop_without_time_kills_at_once)
{
	perform(&(struct play){ .runs = { "sc" }, .on_kill = "kg",
	                        .words = { { MESSAGE_STOP, &message_stop_object, &now, NULL } } });
	assert_end(REASON_STOPPED, 137, 1);
	ASSERT_STREQ(stage.did.buf, "one kill close ");
	clear();
}

TEST(a_restart_without_time_kills_at_once)
{
	perform(&(struct play){ .runs = { "sc", "sxg" }, .on_kill = "kg",
	                        .words = { { MESSAGE_RESTART, &message_stop_object, &now, NULL } } });
	assert_end(REASON_EXITED, 0, 2);
	ASSERT_STREQ(stage.did.buf, "one kill close one close ");
	ASSERT_HEARD(MESSAGE_STARTED, MESSAGE_STARTED, MESSAGE_ENDED);
	clear();
}

TEST(a_second_stop_may_hurry_the_first)
{
	perform(&(struct play){ .runs = { "scc" }, .on_kill = "kg",
	                        .words = { { MESSAGE_STOP, &message_stop_object, &in_time, NULL },
	                                   { MESSAGE_STOP, &message_stop_object, &now, NULL } } });
	assert_end(REASON_STOPPED, 137, 1);
	ASSERT_STREQ(stage.did.buf, "one HUP CONT kill close ");
	clear();
}

TEST(a_stop_during_the_start_ends_it)
{
	perform(&(struct play){ .runs = { "c" }, .on_kill = "F",
	                        .words = { { MESSAGE_STOP, &message_stop_object, &in_time, NULL } } });
	assert_end(REASON_STOPPED, 125, 1);
	clear();
}

TEST(a_stop_between_two_runs_ends_it)
{
	const struct spec spec = { .restart = RESTART_ALWAYS };
	const struct message_stop stop = in_time;

	/* said with the exit, heard while the next run is waited for, or just before */
	perform(&(struct play){ .runs = { "sfcg", "s", "s", "s" }, .signo = SIGHUP, .on_signal = "xg", .spec = &spec,
	                        .words = { { MESSAGE_STOP, &message_stop_object, &stop, NULL } } });
	{
		_cleanup_(status_release) struct status st = status_in(".");

		ASSERT_EQ(st.reason, REASON_STOPPED);
		ASSERT_STREQ(st.by, "ann");
	}
	clear();
}

static const struct message_attach as_viewer = { .since = 0, .is_viewer = true };

TEST(what_one_run_did_not_read_is_not_for_the_next)
{
	perform(&(struct play){ .runs = { "cscc", "scxg" }, .takes_no_input = true, .on_kill = "kg",
	                        .words = { { MESSAGE_ATTACH, &message_attach_object, &as_viewer, NULL },
	                                   { MESSAGE_INPUT, NULL, NULL, "for the first" },
	                                   { MESSAGE_RESTART, &message_stop_object, &now, NULL },
	                                   { MESSAGE_INPUT, NULL, NULL, "for the second" } } });
	assert_end(REASON_EXITED, 0, 2);
	ASSERT_STREQ(stage.typed.buf, "for the second");
	clear();
}

TEST(a_fallback_is_taken_once)
{
	const struct spec spec = { .fallback = (char *)"other", .fallback_loses = (char *)"--user" };
	_str_ text = STR_INIT;

	perform(&(struct play){ .runs = { "!", "sxg" }, .spec = &spec });
	assert_end(REASON_EXITED, 0, 2);
	ASSERT_STREQ(stage.did.buf, "one close other close ");
	ASSERT_OK(file_read(session_fd, "events.jsonl", 1 << 20, &text));
	ASSERT(strstr(text.buf, "going on with the engine 'other', without --user") != NULL);
	clear();
	perform(&(struct play){ .runs = { "F", "!" }, .spec = &spec });
	assert_end(REASON_START_FAILED, 125, 2);
	clear();
	perform(&(struct play){ .runs = { "n" }, .spec = &spec });       /* the command's own fault */
	ASSERT_STREQ(stage.did.buf, "one close ");
	clear();
}

TEST(a_helper_that_ends_is_told_and_forgotten)
{
	_str_ text = STR_INIT;

	perform(&(struct play){ .runs = { "sHhxg" } });
	assert_end(REASON_EXITED, 0, 1);
	assert_events("started warned exited ended");
	ASSERT_OK(file_read(session_fd, "events.jsonl", 1 << 20, &text));
	ASSERT(strstr(text.buf, "the helper ended") != NULL);
	clear();
}
