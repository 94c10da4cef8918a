/*
 * The process around a session's life (supervisor.c): opened by `pterm`, or adopted from a supervisor that was
 * killed, with the handles that the keeper has kept; and released.
 */
#include "supervisor/supervisor.h"

#include "base/fd.h"
#include "base/hook.h"
#include "base/units.h"
#include "event/journal.h"
#include "supervisor/health.h"
#include "supervisor/join.h"
#include "supervisor/remove.h"
#include "term/record.h"
#include "wire/conn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#define LOG_MODULE "supervisor"
#include "base/log.h"

static void on_term(uv_signal_t *handle, int signo)
{
	supervisor_stop(handle->data, "a signal to its supervisor", STOP_TIMEOUT_MS);
}

/* As subreaper we inherit what others leave behind (the runtime's helpers): nobody else would ever wait for those. */
static void on_child(uv_signal_t *handle, int signo)
{
	const struct supervisor *s = handle->data;
	const pid_t known[] = { s->has_container && s->container.ops->pid ? s->container.ops->pid((struct container *)&s->container) : 0,
	                        s->container.helper_pid, s->container.starter_pid, s->keeper.pid };

	/* while it starts, the first process is not known yet: its end must be kept until it is */
	if (!s->has_container || s->container.starter_pid == 0)
		proc_reap_others(known, array_len(known));
}

static void watch_signal(struct supervisor *s, uv_signal_t *handle, uv_signal_cb fn, int signo)
{
	uv_signal_init(&s->loop, handle);
	handle->data = s;
	uv_signal_start(handle, fn, signo);
}

/* The session's directory, and what it says. */
static int open_session(struct supervisor *s, struct err *err)
{
	int r;

	s->session_fd = open(s->place.session_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->session_fd < 0)
		return err_set(err, errno, "session-dir", "cannot open '%s': %m", s->place.session_dir);
	r = status_read(s->session_fd, &s->status, err);
	return r == 0 ? spec_read(s->session_fd, "spec.json", &s->spec, err) : r;
}

/* Without it a session goes on. */
static void open_input_log(struct supervisor *s)
{
	_err_ err = ERR_INIT;

	if (input_record(s, s->status.records_input, &err) < 0)
		log_warn("%s: what is typed is not recorded", err_msg(&err));
}

static int open_output(struct supervisor *s, struct err *err)
{
	_cleanup_(record_closep) struct record *record = NULL;
	uint64_t end = 0;
	int r = record_open(&record, s->session_fd, (uint64_t)s->spec.record_bytes, &end, err);

	open_input_log(s);
	if (r == 0)
		r = ring_create(&s->ring, SUPERVISOR_RING_SIZE, end, err);
	if (r == 0)
		s->recorder = recorder_new(TAKE(record), s->ring);
	return r;
}

/* Is the supervisor that the status names this very process? Then another build executed us: an upgrade. */
static bool was_ourselves(const struct supervisor *s)
{
	uint64_t start = 0;

	return s->status.pid == getpid() && proc_start_time(getpid(), &start) == 0 && (int64_t)start == s->status.pid_start;
}

static void note_ourselves(struct supervisor *s)
{
	uint64_t start = 0;

	(void)proc_start_time(getpid(), &start);
	s->status.pid = getpid();
	s->status.pid_start = (int64_t)start;
	status_set(&s->status.boot_id, proc_boot_id());
	status_set(&s->status.machine_id, proc_machine_id());
}

/* From here on there is a loop to run, and whoever connects is heard. */
static int join_loop(struct supervisor *s, struct err *err)
{
	hub_join(&s->hub, journal_write, &s->session_fd);
	s->life_timer = timer_new(&s->loop, supervisor_life_timer, s);
	s->gather_timer = timer_new(&s->loop, output_publish, s);
	watch_signal(s, &s->on_term, on_term, SIGTERM);
	watch_signal(s, &s->on_child, on_child, SIGCHLD);
	return clients_listen(s, err);
}

static void release(struct supervisor *s)
{
	clients_close(s);
	watch_free(s->listen_watch);
	timer_free(s->life_timer);
	timer_free(s->bell_timer);
	timer_free(s->paint_timer);
	timer_free(s->gather_timer);
	health_free(s);
	join_forget(s);
	terminal_close(s);
	if (s->on_term.data != NULL)
		uv_close((uv_handle_t *)&s->on_term, NULL);
	if (s->on_child.data != NULL)
		uv_close((uv_handle_t *)&s->on_child, NULL);
	for (int rounds = 0; rounds < 3 && uv_loop_close(&s->loop) == UV_EBUSY; rounds++)
		uv_run(&s->loop, UV_RUN_NOWAIT);         /* the close callbacks; a first one may only see that we stopped */
	hub_fini(&s->hub);
	vec_release(&s->exec_ends);
	s->recorder = recorder_free(s->recorder);
	input_release(s);
	s->ring = ring_free(s->ring);
	err_release(&s->failure);
	spec_release(&s->spec);
	place_release(&s->place);
	status_release(&s->status);
	fd_close(s->listen_fd);
	fd_close(s->session_fd);
	fd_close(s->lock_fd);
}

/* We failed before we ran anything: a session that never ran goes again, another tells why it could not go on. */
static void refuse(struct supervisor *s, int first, const struct err *err)
{
	log_err("%s", err_msg(err));
	if (s->status.id != NULL && s->status.run == 0) {
		(void)session_remove(s->house, s->place.id, NULL);
	} else if (s->status.id != NULL) {
		s->status.state = STATUS_ENDED;
		s->status.reason = REASON_START_FAILED;
		s->status.exit_code = 125;
		s->status.signo = s->status.pid = s->status.pid_start = 0;
		s->status.ended_ms = (int64_t)time_now_ms();
		status_set(&s->status.message, err_msg(err));
		supervisor_save(s);
	}
	(void)unlinkat(s->session_fd, "control.sock", 0);
	if (first >= 0) {
		_conn_ c;

		conn_init(&c, first);
		(void)conn_send_error(&c, err, 125);
	}
}

static void init(struct supervisor *s, const struct house *house, const char *id)
{
	*s = (struct supervisor){ .house = house, .session_fd = -1, .listen_fd = -1, .lock_fd = -1, .joined_pidfd = -1,
	                          .container = { .log_fd = -1, .join_user = -1, .join_net = -1 },
	                          .keeper.leash = -1, .input = INPUT_INIT };
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);          /* the container's first process comes to us */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	house_place(house, id, &s->place);
	link_init(&s->clients);
	hub_init(&s->hub);
	uv_loop_init(&s->loop);
}

static void run_loop(struct supervisor *s)
{
	if (s->state != STATE_ENDED)
		uv_run(&s->loop, UV_RUN_DEFAULT);
	release(s);
}

int supervisor_run(const struct house *house, const char *id, int first, int lock_fd, int listen_fd)
{
	struct supervisor s;
	_err_ err = ERR_INIT;
	int r;

	init(&s, house, id);
	s.lock_fd = lock_fd;
	s.listen_fd = listen_fd;
	r = open_session(&s, &err);
	s.size = (struct term_size){ (uint16_t)s.spec.rows, (uint16_t)s.spec.cols };
	if (r == 0)
		r = open_output(&s, &err);
	if (r == 0)
		r = join_loop(&s, &err);
	if (r < 0) {
		refuse(&s, first, &err);
		release(&s);
		return 1;
	}
	note_ourselves(&s);
	terminal_open(&s);
	s.status.state = STATUS_STARTING;
	if (first >= 0)
		clients_first(&s, first);
	HOOK("supervisor.prepared");
	supervisor_save(&s);
	supervisor_begin(&s);
	run_loop(&s);
	return 0;
}

/* --- adopting --- */

/* What the supervisor before us told its keeper holds where the disk did not take it, or is of an older run. */
static void prefer_kept_status(struct supervisor *s, int fd)
{
	struct status kept = { 0 };
	_str_ text = STR_INIT;
	_err_ err = ERR_INIT;

	if (lseek(fd, 0, SEEK_SET) < 0 || fd_slurp(fd, 1 << 20, &text) < 0 ||
	    json_decode(text.buf, text.len, &status_object, &kept, &err) < 0)
		return;
	if (s->status.id == NULL || s->status.run < kept.run ||
	    (s->status.run == kept.run && s->status.state == STATUS_STARTING)) {
		status_release(&s->status);
		s->status = kept;
	} else {
		status_release(&kept);
	}
}

/* What was published and not yet recorded when the supervisor before us was killed. */
static void record_published(const struct supervisor *s, struct record *record, uint64_t from)
{
	const uint64_t oldest = ring_oldest(s->ring), head = ring_head(s->ring);

	if (from < oldest) {
		record_skip(record, oldest - from);
		from = oldest;
	}
	while (from < head) {
		size_t n;
		const uint8_t *at = ring_at(s->ring, from, &n);

		(void)record_write(record, at, min_size(n, RING_RESERVE), time_now_ms());
		from += min_size(n, RING_RESERVE);
	}
}

/*
 * The log may be behind the ring's head, where the disk was slow, or ahead of it, since bytes are recorded before they are
 * published; and it is behind what had already been read into the ring. Both end at the same byte afterwards, and none is lost.
 */
static void mend_output(struct supervisor *s, struct record *record, uint64_t recorded)
{
	const uint64_t head = ring_head(s->ring);
	uint64_t end = head + ring_unpublished(s->ring), from = max_u64(recorded, head);
	size_t room;
	uint8_t *space = ring_space(s->ring, &room);

	if (recorded > end && recorded - head <= room)
		end = recorded;                          /* bytes 0xFF, which only the log knows to be output */
	terminal_adopt(s, record != NULL, max_u64(recorded, ring_oldest(s->ring)));      /* as far as it is recorded */
	if (end > from)
		terminal_feed(s, from, space + (from - head), end - from);
	if (record != NULL) {
		(void)record_resize(record, s->size.rows, s->size.cols, time_now_ms());
		record_published(s, record, recorded);
		(void)record_write(record, space + (from - head), end - from, time_now_ms());
	}
	ring_publish(s->ring, end - head);
}

static int adopt_output(struct supervisor *s, int ring, struct err *err)
{
	struct record *record = NULL;
	uint64_t recorded = 0;
	int r = ring_adopt(&s->ring, ring, err);

	if (r < 0)
		return r;
	r = record_open(&record, s->session_fd, (uint64_t)s->spec.record_bytes, &recorded, err);
	if (r < 0)
		log_warn("%s: going on without a recording", err_msg(err));
	open_input_log(s);
	mend_output(s, record, record ? recorded : ring_head(s->ring));
	if (record != NULL)
		s->recorder = recorder_new(record, s->ring);
	return 0;
}

int supervisor_adopt(const struct house *house, const char *id, const struct handles *h)
{
	struct supervisor s;
	const struct engine_handles own = { .console = h->fds[HANDLE_CONSOLE], .lifeline = h->fds[HANDLE_LIFELINE],
	                                    .init = h->fds[HANDLE_INIT], .init_pid = proc_pidfd_pid(h->fds[HANDLE_INIT]) };
	const bool has_container = own.console >= 0 && own.lifeline >= 0 && own.init >= 0;
	_err_ err = ERR_INIT;
	bool is_upgrade;
	int r;

	init(&s, house, id);
	s.lock_fd = h->fds[HANDLE_LOCK];
	s.listen_fd = h->fds[HANDLE_LISTEN];
	r = open_session(&s, &err);
	if (r == -ENOENT) {                              /* it has ended, and was being removed: finish that */
		s.keeper.leash = h->leash;
		keeper_release(&s);
		release(&s);
		session_remove_rest(house);
		return 0;
	}
	prefer_kept_status(&s, h->fds[HANDLE_STATUS]);
	s.size = (struct term_size){ (uint16_t)s.spec.rows, (uint16_t)s.spec.cols };
	if (has_container)
		(void)pty_get_size(own.console, &s.size);
	if (r == 0)
		r = adopt_output(&s, h->fds[HANDLE_RING], &err);
	if (r == 0)
		r = join_loop(&s, &err);
	if (r < 0) {
		log_err("%s", err_msg(&err));            /* the keeper tries again, or lets the session end */
		release(&s);
		return 1;
	}
	is_upgrade = was_ourselves(&s);
	note_ourselves(&s);
	s.status.adoptions++;
	s.last_exec = (uint32_t)s.status.adoptions << 20 & INT32_MAX;    /* never a number that was used before */
	keeper_adopt(&s, h->leash);
	supervisor_go_on(&s, has_container ? &own : NULL);
	if (s.state != STATE_ENDED) {
		terminal_answer(&s);                     /* what was asked in the bytes that nobody had published */
		supervisor_save(&s);
		supervisor_tell(&s, EVENT_adopted, s.status.adoptions, NULL);
		if (is_upgrade)
			keeper_renew(&s);
		else
			keeper_hold(&s);
	}
	run_loop(&s);
	return 0;
}
