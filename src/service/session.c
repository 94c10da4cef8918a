#include "service/session.h"

#include "base/child.h"
#include "base/fd.h"
#include "base/hook.h"
#include "base/path.h"
#include "base/units.h"
#include "event/journal.h"
#include "service/lost.h"
#include "supervisor/lock.h"
#include "supervisor/remove.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ANSWER_MS = 30000, LOG_MAX = 1024 * 1024, TRIES = 100 };

void session_release(struct session *s)
{
	free(s->id);
	if (s->fd > 0)
		fd_close(s->fd);
	status_release(&s->status);
	*s = (struct session){ 0 };
}

void session_list_release(struct session_list *l)
{
	for (size_t i = 0; i < l->len; i++)
		session_release(&l->items[i]);
	vec_release(l);
}

const char *session_actor(void)
{
	static char name[64];
	const struct passwd *pw;

	if (name[0] == '\0') {
		pw = getpwuid(geteuid());
		if (pw != NULL)
			snprintf(name, sizeof(name), "%s", pw->pw_name);
		else
			snprintf(name, sizeof(name), "user %u", (unsigned)geteuid());
	}
	return name;
}

/* --- finding --- */

/* What its supervisor and its files say of session @id. A status that cannot be read makes it a broken one. */
static int load(const struct house *h, const char *id, struct session *ret, struct err *err)
{
	_session_ s = { .id = xstrdup(id) };
	int r;

	s.fd = openat(h->sessions_fd, id, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (s.fd < 0)
		return err_set(err, errno, "session-dir", "cannot open '%s/%s': %m", h->sessions, id);
	r = status_read(s.fd, &s.status, err);
	s.is_foreign = r == 0 && s.status.machine_id != NULL && !str_eq(s.status.machine_id, proc_machine_id());
	if (r == 0 && !s.is_foreign && s.status.state != STATUS_ENDED)
		r = lost_settle(h, id, s.fd, &s.status, &s.is_alive, err);
	if (r < 0 && !path_exists(h->sessions_fd, id))   /* removed while we looked */
		return err_set(err, ENOENT, "no-such-session", "there is no session '%s': see pterm ls", id);
	if (r < 0) {
		err_wrap(err, "session %s is broken (pterm rm %s removes it): '%s/%s/status.json'", id, id, h->sessions, id);
		status_release(&s.status);
		s.status = (struct status){ .id = xstrdup(id), .name = xstrdup(id), .state = STATUS_ENDED };
		s.is_broken = true;
	}
	*ret = s;
	s = (struct session){ 0 };
	return 0;
}

static char *find_by_prefix(const struct house *h, const char *ref, int *ret_count)
{
	const size_t n = strlen(ref);
	char *found = NULL;
	DIR *dir;

	*ret_count = 0;
	if (n < 3 || strspn(ref, "0123456789abcdef") != n)
		return NULL;
	dir = fdopendir(openat(h->sessions_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	for (struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;) {
		if (!id_check(e->d_name) || strncmp(e->d_name, ref, n) != 0)
			continue;
		free(found);
		found = xstrdup(e->d_name);
		(*ret_count)++;
	}
	if (dir != NULL)
		closedir(dir);
	return found;
}

int session_find_any(const struct house *h, const char *ref, struct session *ret, struct err *err)
{
	_free_ char *id = name_resolve(h, ref);
	_free_ char *shown = visible(ref);
	int count = 0;

	if (id == NULL)
		id = find_by_prefix(h, ref, &count);
	if (count > 1)
		return err_set(err, EEXIST, "ambiguous", "%d sessions have an id that begins with '%s': give more of it", count,
		               shown);
	if (id == NULL)
		return err_set(err, ENOENT, "no-such-session", "there is no session '%s': see pterm ls", shown);
	return load(h, id, ret, err);
}

int session_find(const struct house *h, const char *ref, struct session *ret, struct err *err)
{
	const int r = session_find_any(h, ref, ret, err);

	return r == 0 && ret->is_broken ? -err->no : r;
}

static int by_age(const void *a, const void *b)
{
	const struct session *x = a, *y = b;

	if (x->status.created_ms != y->status.created_ms)
		return x->status.created_ms < y->status.created_ms ? -1 : 1;
	return strcmp(x->id, y->id);
}

int session_all(const struct house *h, struct session_list *ret, struct err *err)
{
	DIR *dir = fdopendir(openat(h->sessions_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	bool has_rest = false;

	if (dir == NULL)
		return err_set(err, errno, "home", "cannot list '%s': %m", h->sessions);
	for (struct dirent *e; (e = readdir(dir)) != NULL;) {
		struct session s = { 0 };

		has_rest |= str_starts(e->d_name, ".new-") || str_starts(e->d_name, ".rm-");
		if (id_check(e->d_name) && load(h, e->d_name, &s, NULL) == 0)
			vec_push(ret, s);
	}
	closedir(dir);
	if (has_rest)
		session_remove_rest(h);
	if (ret->len > 0)
		qsort(ret->items, ret->len, sizeof(*ret->items), by_age);
	return 0;
}

/* --- talking --- */

static int greet(struct conn *c, struct err *err)
{
	const struct message_hello hello = message_hello_of("pterm " PTERM_VERSION);
	const int r = conn_send_json(c, MESSAGE_HELLO, &message_hello_object, &hello);

	return r < 0 ? err_set(err, -r, "connection", "cannot talk to the session's supervisor: %m") : 0;
}

/* Its answer to the greeting: can we talk to each other? */
static int hear_greeting(struct conn *c, const struct session *s, struct err *err)
{
	struct message_hello theirs = { 0 };
	struct frame f;
	int r = conn_expect(c, MESSAGE_SUPERVISOR, &f, ANSWER_MS, err);

	if (r < 0)
		return r;
	r = json_decode(f.data, f.len, &message_hello_object, &theirs, err);
	frame_close_fds(&f);
	if (r == 0)
		r = message_hello_check(&theirs, s->status.pid, err);
	json_release(&message_hello_object, &theirs);
	return r < 0 ? err_wrap(err, "session '%s'", s->status.name) : 0;
}

static int not_running(const struct session *s, struct err *err)
{
	return err_set(err, ESRCH, "not-running", "session '%s' is not running: pterm start %s begins it again", s->status.name,
	               s->status.name);
}

static int foreign(const struct session *s, struct err *err)
{
	return err_set(err, EREMOTE, "foreign-session", "session '%s' belongs to another machine that shares this home",
	               s->status.name);
}

static int connect_once(const struct session *s, struct conn *ret, struct err *err)
{
	_conn_ c = { 0 };
	const int fd = fd_connect_unix(s->fd, "control.sock", SOCK_STREAM);
	int r;

	if (fd == -ECONNREFUSED || fd == -ENOENT)        /* closed since we looked */
		return not_running(s, err);
	if (fd < 0)
		return err_set(err, -fd, "connection", "cannot reach the supervisor of session '%s': %m", s->status.name);
	conn_init(&c, fd);
	r = greet(&c, err);
	if (r == 0)
		r = hear_greeting(&c, s, err);
	if (r < 0)
		return r;
	*ret = c;
	c = (struct conn){ 0 };
	return 0;
}

int session_connect(const struct session *s, struct conn *ret, struct err *err)
{
	int r = -EPIPE;

	if (s->is_foreign)
		return foreign(s, err);
	if (!s->is_alive)
		return not_running(s, err);
	for (int tries = 0; (r == -EPIPE || r == -ECONNRESET) && tries < TRIES; tries++) {
		err_release(err);
		r = connect_once(s, ret, err);           /* one that is killed is replaced */
	}
	return r;
}

int session_ask_status(const struct session *s, struct status *ret, struct err *err)
{
	_conn_ c = { 0 };
	struct frame f;
	int r = session_connect(s, &c, err);

	if (r < 0)
		return r;
	r = conn_send(&c, MESSAGE_STATUS, NULL, 0, NULL, 0);
	if (r < 0)
		return err_set(err, -r, "connection", "cannot talk to the supervisor of session '%s': %m", s->status.name);
	r = conn_expect(&c, MESSAGE_STATUS_IS, &f, ANSWER_MS, err);
	if (r < 0)
		return r;
	*ret = (struct status){ 0 };
	r = json_decode(f.data, f.len, &status_object, ret, err);
	frame_close_fds(&f);
	if (r < 0)
		status_release(ret);
	return r;
}

/* --- making --- */

/* @no, or that the session is no more: somebody removed it since we found it. */
static int gone_or(const struct session *s, int no, struct err *err)
{
	if (no == -ENOENT)
		return err_set(err, ENOENT, "no-such-session", "there is no session '%s' any more", s->status.name);
	return err_set(err, -no, "session-dir", "cannot use session '%s': %m", s->status.name);
}

/*
 * The lock of an ended session and its status now, under the guard; -EBUSY when it lives. One that has ended and
 * still is locked has a supervisor on its way out, or somebody who removes it: they are waited for.
 */
static int lock_ended(struct session *s, struct err *err)
{
	_cleanup_(status_release) struct status now = { 0 };
	_fd_ lock = session_lock(s->fd);
	int r;

	if (lock == -EBUSY && status_read(s->fd, &now, NULL) == 0 && now.state == STATUS_ENDED)
		lock = session_lock_wait(s->fd);
	if (lock < 0)
		return lock == -EBUSY ? -EBUSY : gone_or(s, lock, err);
	status_release(&now);
	r = status_read(s->fd, &now, err);
	if (r < 0)
		return gone_or(s, r, err);
	status_release(&s->status);
	s->status = now;
	now = (struct status){ 0 };
	return TAKE_FD(lock);
}

/* Its socket is made here: whoever finds the lock taken can connect, also before the supervisor has come up. */
static int listen_at(const struct house *h, const char *id, int dir_fd, struct err *err)
{
	const int fd = fd_listen_unix(dir_fd, "control.sock", SOCK_STREAM);

	return fd < 0 ? err_set(err, -fd, "control-socket", "cannot make a socket in '%s/%s': %m (if its file system can hold "
	                        "none, set PTERM_HOME to a local directory)", h->sessions, id) : fd;
}

/* Start the supervisor with the lock, and keep the other end of its first connection. */
static int spawn(const struct house *h, const char *id, int dir_fd, int lock_fd, struct conn *conn, struct err *err)
{
	const char *const argv[] = { h->supervisor_program, id, NULL };
	_fd_ log = openat(dir_fd, "supervisor.log", O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	_fd_ theirs = -1;
	_fd_ listener = -1;
	struct stat st;
	int pair[2], r;
	pid_t pid;

	if (log >= 0 && fstat(log, &st) == 0 && st.st_size > LOG_MAX)    /* of runs before: enough is enough */
		(void)!ftruncate(log, 0);
	r = log < 0 ? -errno : fd_socketpair(SOCK_STREAM, pair);
	if (r < 0)
		return err_set(err, -r, "supervisor", "cannot start the session's supervisor: %m");
	theirs = pair[1];
	listener = listen_at(h, id, dir_fd, err);
	if (listener < 0) {
		fd_close(pair[0]);
		return listener;
	}
	const struct child_fd fds[] = { { theirs, SUPERVISOR_CONTROL_FD }, { lock_fd, SUPERVISOR_LOCK_FD },
	                                { listener, SUPERVISOR_LISTEN_FD }, { log, 2 } };
	const struct child c = { .argv = argv, .fds = fds, .fd_count = array_len(fds), .new_session = true };

	conn_init(conn, pair[0]);
	r = child_start(&c, &pid, err);
	if (r == 0)
		r = greet(conn, err);
	HOOK("cli.supervisor-started");
	return r;
}

static void new_id(char ret[SESSION_ID_LEN + 1])
{
	uint8_t bytes[SESSION_ID_LEN / 2];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		abort();
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(ret + 2 * i, 3, "%02x", bytes[i]);
}

static int invent_name(const struct house *h, const char *id, char **ret, struct err *err)
{
	/* short, and easy to tell apart when read aloud */
	static const char *const first[] = { "amber", "birch", "cedar", "coral", "delta", "ember", "fjord", "hazel", "ivory",
	                                     "jade", "karst", "linden", "maple", "north", "ochre", "pearl", "quartz",
	                                     "river", "sable", "tidal", "umber", "velvet", "willow", "zinc" };

	for (int i = 0; i < 50; i++) {
		uint32_t x;
		int r;

		if (getrandom(&x, sizeof(x), 0) != (ssize_t)sizeof(x))
			abort();
		*ret = xasprintf("%s-%u", first[x % array_len(first)], 10 + (x >> 8) % 990);
		r = name_claim(h, *ret, id, err);
		if (r <= 0)
			return r;
		free(*ret);
		*ret = NULL;
	}
	*ret = xstrdup(id);
	return name_claim(h, id, id, err);
}

static int claim(const struct house *h, const char *wanted, const char *id, char **ret, struct err *err)
{
	int r;

	if (wanted == NULL)
		return invent_name(h, id, ret, err);
	r = name_check(wanted, err);
	if (r == 0)
		r = name_claim(h, wanted, id, err);
	if (r == 1)
		r = err_set(err, EEXIST, "name-taken", "there is a session '%s' already: choose another name, or remove it with "
		            "pterm rm %s", wanted, wanted);
	if (r == 0)
		*ret = xstrdup(wanted);
	return r;
}

static void describe_command(const struct spec *spec, char **ret)
{
	_str_ s = STR_INIT;

	for (size_t i = 0; i < spec->command.len && s.len < 200; i++)
		str_addf(&s, "%s%s", i ? " " : "", spec->command.items[i]);
	*ret = spec->command.len > 0 ? str_take(&s) : xstrdup(spec->user.shell ? spec->user.shell : "/bin/sh");
}

static int write_records(int dir, const char *id, const char *name, const struct spec *spec, struct err *err)
{
	_cleanup_(status_release) struct status st = {
		.id = xstrdup(id), .name = xstrdup(name), .engine = xstrdup(spec->engine),
		.image = spec->image.label ? xstrdup(spec->image.label) : NULL, .state = STATUS_STARTING,
		.machine_id = xstrdup(proc_machine_id()), .boot_id = xstrdup(proc_boot_id()),
		.created_ms = (int64_t)time_now_ms(),
	};
	const struct event ev = { .type = EVENT_created, .time_ms = (uint64_t)st.created_ms, .session = id, .name = name,
	                          .number = -1 };
	_str_ text = STR_INIT;
	int r;

	describe_command(spec, &st.command);
	json_encode(&text, &spec_object, spec);
	r = file_write(dir, "spec.json", text.buf, text.len, 0600);
	if (r < 0)
		return err_set(err, -r, "session-dir", "cannot write the session's spec.json: %m");
	r = status_write(dir, &st, err);
	if (r == 0)
		(void)journal_append(dir, &ev);
	return r;
}

/* The directory of upper/ and work/, where that is not the session's own. */
static int make_store(const struct house *h, const char *id, const struct spec *spec, struct err *err)
{
	_free_ char *dir = xasprintf("%s/sessions/%s", h->store, id);
	struct idmap map;
	int r;

	if (str_eq(h->store, h->home))
		return 0;
	r = path_mkdirs(dir, 0711);
	if (r < 0)
		return err_set(err, -r, "store", "cannot make '%s': %m", dir);
	/* nobody else may come by: what is setuid inside would be so out here, for the container's ids */
	if (geteuid() == 0 && spec->map != NULL && idmap_parse(spec->map, &map) == 0 &&
	    (chown(dir, map.uid.r[0].outside, map.gid.r[0].outside) < 0 || chmod(dir, 0700) < 0))
		return err_set(err, errno, "store", "cannot give '%s' to the container's root: %m", dir);
	return 0;
}

/*
 * A directory for a session in the making, with its lock. Who clears up after others may be faster: then another one.
 */
static int make_dir(const struct house *h, char id[SESSION_ID_LEN + 1], int *ret_lock, struct err *err)
{
	for (int tries = 0; tries < 100; tries++) {
		_free_ char *making = NULL;
		_fd_ dir = -1;
		_fd_ guard = -1;
		_fd_ lock = -1;

		new_id(id);
		making = xasprintf(".new-%s", id);
		if (mkdirat(h->sessions_fd, making, 0700) < 0)
			return err_set(err, errno, "session-dir", "cannot make a session in '%s': %m", h->sessions);
		dir = openat(h->sessions_fd, making, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		guard = dir < 0 ? -1 : session_guard(dir);
		lock = dir < 0 ? -errno : session_lock(dir);
		if (lock >= 0 && path_exists(h->sessions_fd, making)) {
			*ret_lock = TAKE_FD(lock);
			return TAKE_FD(dir);
		}
		if (lock < 0 && lock != -EBUSY && lock != -ENOENT) {
			(void)path_remove_tree(h->sessions_fd, making);
			return err_set(err, -lock, "session-dir", "cannot make a session in '%s': %m", h->sessions);
		}
	}
	return err_set(err, EBUSY, "session-dir", "cannot make a session in '%s': others remove it", h->sessions);
}

int session_create(const struct house *h, const struct spec *spec, const char *name, struct session *ret, struct conn *conn,
                   struct err *err)
{
	char id[SESSION_ID_LEN + 1];
	_free_ char *making = NULL;
	_free_ char *taken = NULL;
	_fd_ lock = -1;
	_fd_ dir = make_dir(h, id, &lock, err);
	int r;

	if (dir < 0)
		return dir;
	making = xasprintf(".new-%s", id);
	HOOK("cli.session-locked");
	r = claim(h, name, id, &taken, err);
	HOOK("cli.session-named");
	if (r == 0)
		r = write_records(dir, id, taken, spec, err);
	if (r == 0)
		r = make_store(h, id, spec, err);
	HOOK("cli.session-written");
	if (r == 0 && renameat(h->sessions_fd, making, h->sessions_fd, id) < 0)
		r = err_set(err, errno, "session-dir", "cannot make session %s: %m", id);
	if (r < 0) {
		session_unmake(h, id, making);
		return r;
	}
	HOOK("cli.session-made");
	r = spawn(h, id, dir, lock, conn, err);
	if (r < 0) {
		conn_close(conn);
		session_unmake(h, id, id);
		return r;
	}
	*ret = (struct session){ .id = xstrdup(id), .fd = TAKE_FD(dir), .is_alive = true,
	                         .status = { .id = xstrdup(id), .name = TAKE(taken) } };
	return 0;
}

int session_start(const struct house *h, struct session *s, struct conn *conn, struct err *err)
{
	_fd_ guard = -1;
	_fd_ lock = -1;
	int r;

	if (s->is_foreign)
		return foreign(s, err);
	guard = session_guard(s->fd);
	lock = lock_ended(s, err);
	if (lock == -EBUSY)
		return err_set(err, EBUSY, "is-running", "session '%s' runs already: pterm attach %s shows it", s->status.name,
		               s->status.name);
	if (lock < 0)
		return lock;
	s->status.state = STATUS_STARTING;
	s->status.reason = REASON_NONE;
	s->status.restarts = 0;
	status_set(&s->status.boot_id, proc_boot_id());
	r = status_write(s->fd, &s->status, err);
	HOOK("cli.start-written");
	if (r == 0)
		r = spawn(h, s->id, s->fd, lock, conn, err);
	return r;
}

static int tell_name(const struct session *s, const char *name, struct err *err)
{
	const struct message_rename m = { .name = (char *)name };
	_conn_ c = { 0 };
	struct frame f;
	int r = session_connect(s, &c, err);

	if (r == 0)
		r = conn_send_json(&c, MESSAGE_RENAME, &message_rename_object, &m);
	return r < 0 ? r : conn_expect(&c, MESSAGE_OK, &f, ANSWER_MS, err);
}

static int write_name(struct session *s, const char *name, struct err *err)
{
	_fd_ guard = session_guard(s->fd);
	_fd_ lock = lock_ended(s, err);
	int r;

	if (lock < 0)
		return lock;
	status_set(&s->status.name, name);
	r = status_write(s->fd, &s->status, err);
	if (r == 0)
		(void)journal_append(s->fd, &(struct event){ .type = EVENT_renamed, .time_ms = time_now_ms(), .session = s->id,
		                                             .name = name, .text = name, .number = -1 });
	return r;
}

int session_rename(const struct house *h, struct session *s, const char *name, struct err *err)
{
	/* one at a time; spec.json because it is the one file that is never replaced, and nobody else locks it */
	_fd_ turn = openat(s->fd, "spec.json", O_RDONLY | O_CLOEXEC);
	_cleanup_(status_release) struct status now = { 0 };
	_free_ char *taken = NULL;
	int r;

	if (s->is_foreign)
		return foreign(s, err);
	while (turn >= 0 && flock(turn, LOCK_EX) < 0 && errno == EINTR)
		;
	r = claim(h, name, s->id, &taken, err);
	if (r < 0)
		return r;
	HOOK("cli.name-claimed");
	r = write_name(s, name, err);
	if (r == -EBUSY) {                               /* it lives: its supervisor writes the status */
		s->is_alive = true;
		r = tell_name(s, name, err);
	}
	HOOK("cli.renamed");
	/* the names that it has now are the one in its status */
	if (status_read(s->fd, &now, NULL) == 0)
		names_release(h, s->id, now.name);
	else
		names_release(h, s->id, NULL);           /* it was removed meanwhile */
	return r;
}

int session_discard(const struct house *h, struct session *s, struct err *err)
{
	_fd_ guard = -1;
	_fd_ lock = -1;

	if (s->is_foreign)
		return foreign(s, err);
	guard = session_guard(s->fd);
	lock = s->is_broken ? session_lock(s->fd) : lock_ended(s, err);
	guard = fd_close(guard);
	if (lock == -EBUSY)
		return err_set(err, EBUSY, "is-running", "session '%s' runs: stop it first, or use rm -f", s->status.name);
	if (lock < 0)
		return lock;
	return session_remove(h, s->id, err);
}

static int supervisor_pidfd(const struct conn *c)
{
	struct ucred peer = { 0 };
	socklen_t len = sizeof(peer);

	return getsockopt(c->fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 ? -1 : proc_pidfd(peer.pid);
}

static bool has_ended(const struct session *s)
{
	_cleanup_(status_release) struct status now = { 0 };
	const int r = status_read(s->fd, &now, NULL);

	return r == -ENOENT || (r == 0 && now.state == STATUS_ENDED);
}

/* 1: it has ended, or ends as it was told; 0: that supervisor was killed, and another may go on; -errno: see @err. */
static int stop_once(struct session *s, const struct message_stop *m, struct err *err)
{
	_conn_ c = { 0 };
	_fd_ supervisor = -1;
	struct frame f;
	int r;

	r = session_connect(s, &c, err);
	if (r == -ESRCH || (r < 0 && has_ended(s)))      /* just now, before it heard us */
		return 1;
	if (r < 0)
		return r;
	supervisor = supervisor_pidfd(&c);
	r = conn_send_json(&c, MESSAGE_STOP, &message_stop_object, m);
	if (r == 0)
		r = conn_expect(&c, MESSAGE_ENDED, &f, (int)m->timeout_ms + ANSWER_MS, err);
	else
		err_set(err, -r, "connection", "cannot talk to the supervisor of '%s': %m", s->status.name);
	if (r == -EPIPE || r == -ECONNRESET)             /* it ended without a word: the status on disk tells */
		return has_ended(s);
	if (r == 0 && supervisor >= 0)                   /* it has written all it had to write, and nothing of it is left */
		(void)poll(&(struct pollfd){ .fd = supervisor, .events = POLLIN }, 1, ANSWER_MS);
	return r < 0 ? r : 1;
}

int session_stop(struct session *s, uint64_t timeout_ms, struct err *err)
{
	const struct message_stop m = { .timeout_ms = (int64_t)timeout_ms, .by = (char *)session_actor() };
	int r = 0;

	if (!s->is_alive && !s->is_foreign)
		return 0;
	for (int tries = 0; r == 0 && tries < TRIES; tries++)
		r = stop_once(s, &m, err);
	if (r == 0)
		return err_set(err, EPIPE, "supervisor-gone", "the supervisor of '%s' ends whenever it is told to stop, and is "
		               "replaced: see supervisor.log in the session's directory", s->status.name);
	s->is_alive = false;
	if (r > 0)
		err_release(err);
	return r < 0 ? r : 0;
}
