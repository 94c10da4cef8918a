#include "service/session.h"

#include "base/child.h"
#include "base/fd.h"
#include "base/hook.h"
#include "base/path.h"
#include "base/units.h"
#include "event/journal.h"
#include "service/lost.h"
#include "supervisor/remove.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ANSWER_MS = 30000, CONTROL_FD = 3, LOCK_FD = 4 };

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

static bool is_id(const char *name)
{
	return strlen(name) == SESSION_ID_LEN && strspn(name, "0123456789abcdef") == SESSION_ID_LEN;
}

static int load(const struct house *h, const char *id, struct session *ret, struct err *err)
{
	_session_ s = { .id = xstrdup(id) };
	int r;

	s.fd = openat(h->sessions_fd, id, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (s.fd < 0)
		return err_set(err, errno, "session-dir", "cannot open '%s/%s': %m", h->sessions, id);
	r = status_read(s.fd, &s.status, err);
	if (r < 0)
		return r;
	s.is_foreign = s.status.machine_id != NULL && !str_eq(s.status.machine_id, proc_machine_id());
	if (!s.is_foreign && s.status.state != STATUS_ENDED) {
		r = lost_settle(h, id, s.fd, &s.status, &s.is_alive, err);
		if (r < 0)
			return r;
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
		if (!is_id(e->d_name) || strncmp(e->d_name, ref, n) != 0)
			continue;
		free(found);
		found = xstrdup(e->d_name);
		(*ret_count)++;
	}
	if (dir != NULL)
		closedir(dir);
	return found;
}

int session_find(const struct house *h, const char *ref, struct session *ret, struct err *err)
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

	if (dir == NULL)
		return err_set(err, errno, "home", "cannot list '%s': %m", h->sessions);
	for (struct dirent *e; (e = readdir(dir)) != NULL;) {
		struct session s = { 0 };

		if (is_id(e->d_name) && load(h, e->d_name, &s, NULL) == 0)
			vec_push(ret, s);
	}
	closedir(dir);
	if (ret->len > 0)
		qsort(ret->items, ret->len, sizeof(*ret->items), by_age);
	return 0;
}

/* --- talking --- */

static int greet(struct conn *c, struct err *err)
{
	const struct message_hello hello = { .version = WIRE_VERSION, .program = (char *)"pterm " PTERM_VERSION };
	const int r = conn_send_json(c, MESSAGE_HELLO, &message_hello_object, &hello);

	return r < 0 ? err_set(err, -r, "connection", "cannot talk to the session's supervisor: %m") : 0;
}

int session_connect(const struct session *s, struct conn *ret, struct err *err)
{
	_conn_ c = { 0 };
	struct frame f;
	int fd, r;

	if (s->is_foreign)
		return err_set(err, EREMOTE, "foreign-session", "session '%s' belongs to another machine that shares this home",
		               s->status.name);
	if (!s->is_alive)
		return err_set(err, ESRCH, "not-running", "session '%s' is not running: pterm start %s begins it again",
		               s->status.name, s->status.name);
	fd = fd_connect_unix(s->fd, "control.sock", SOCK_STREAM);
	if (fd < 0)
		return err_set(err, -fd, "connection", "cannot reach the supervisor of session '%s': %m", s->status.name);
	conn_init(&c, fd);
	r = greet(&c, err);
	if (r == 0)
		r = conn_expect(&c, MESSAGE_SUPERVISOR, &f, ANSWER_MS, err);
	if (r < 0)
		return r;
	frame_close_fds(&f);
	*ret = c;
	c = (struct conn){ 0 };
	return 0;
}

/* --- making --- */

/* Take the session's lock in @dir_fd: the descriptor, -EBUSY when somebody has it, or -errno. */
static int take_lock(int dir_fd)
{
	_fd_ fd = openat(dir_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	return TAKE_FD(fd);
}

/* Start the supervisor with the lock, and keep the other end of its first connection. */
static int spawn(const struct house *h, const char *id, int dir_fd, int lock_fd, struct conn *conn, struct err *err)
{
	const char *const argv[] = { h->supervisor_program, id, NULL };
	_fd_ log = openat(dir_fd, "supervisor.log", O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	_fd_ theirs = -1;
	int pair[2], r;
	pid_t pid;

	r = log < 0 ? -errno : fd_socketpair(SOCK_STREAM, pair);
	if (r < 0)
		return err_set(err, -r, "supervisor", "cannot start the session's supervisor: %m");
	theirs = pair[1];
	const struct child_fd fds[] = { { theirs, CONTROL_FD }, { lock_fd, LOCK_FD }, { log, 2 } };
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
	if (geteuid() == 0 && spec->map != NULL && idmap_parse(spec->map, &map) == 0 &&
	    chown(dir, map.uid.r[0].outside, map.gid.r[0].outside) < 0)
		return err_set(err, errno, "store", "cannot give '%s' to the container's root: %m", dir);
	return 0;
}

static void undo_create(const struct house *h, const char *id, const char *dir, const char *name)
{
	_free_ char *store = xasprintf("%s/sessions/%s", h->store, id);

	if (name != NULL)
		name_release(h, name, id);
	(void)path_remove_tree(h->sessions_fd, dir);
	if (!str_eq(h->store, h->home))
		(void)path_remove_tree(AT_FDCWD, store);
}

int session_create(const struct house *h, const struct spec *spec, const char *name, char **ret_id, struct conn *conn,
                   struct err *err)
{
	char id[SESSION_ID_LEN + 1];
	_free_ char *making = NULL;
	_free_ char *taken = NULL;
	_fd_ dir = -1;
	_fd_ lock = -1;
	int r;

	new_id(id);
	making = xasprintf(".new-%s", id);
	if (mkdirat(h->sessions_fd, making, 0700) < 0)
		return err_set(err, errno, "session-dir", "cannot make a session in '%s': %m", h->sessions);
	dir = openat(h->sessions_fd, making, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	lock = dir < 0 ? -errno : take_lock(dir);
	r = lock < 0 ? err_set(err, -lock, "session-dir", "cannot make a session in '%s': %m", h->sessions) : 0;
	HOOK("cli.session-locked");
	if (r == 0)
		r = claim(h, name, id, &taken, err);
	if (r == 0)
		r = write_records(dir, id, taken, spec, err);
	if (r == 0)
		r = make_store(h, id, spec, err);
	HOOK("cli.session-written");
	if (r == 0 && renameat(h->sessions_fd, making, h->sessions_fd, id) < 0)
		r = err_set(err, errno, "session-dir", "cannot make session %s: %m", id);
	if (r < 0) {
		undo_create(h, id, making, taken);
		return r;
	}
	HOOK("cli.session-made");
	r = spawn(h, id, dir, lock, conn, err);
	if (r < 0) {
		conn_close(conn);
		undo_create(h, id, id, taken);
		return r;
	}
	*ret_id = xstrdup(id);
	return 0;
}

int session_start(const struct house *h, struct session *s, struct conn *conn, struct err *err)
{
	_fd_ lock = -1;
	int r;

	if (s->is_foreign)
		return err_set(err, EREMOTE, "foreign-session", "session '%s' belongs to another machine", s->status.name);
	lock = take_lock(s->fd);
	if (lock == -EBUSY)
		return err_set(err, EBUSY, "is-running", "session '%s' runs already: pterm attach %s shows it", s->status.name,
		               s->status.name);
	if (lock < 0)
		return err_set(err, -lock, "lock", "cannot lock session '%s': %m", s->status.name);
	s->status.state = STATUS_STARTING;
	s->status.reason = REASON_NONE;
	s->status.restarts = 0;
	status_set(&s->status.boot_id, proc_boot_id());
	r = status_write(s->fd, &s->status, err);
	if (r == 0)
		r = spawn(h, s->id, s->fd, lock, conn, err);
	return r;
}

int session_rename(const struct house *h, struct session *s, const char *name, struct err *err)
{
	_free_ char *old = xstrdup(s->status.name);
	_free_ char *taken = NULL;
	_conn_ c = { 0 };
	_fd_ lock = -1;
	int r;

	if (s->is_foreign)
		return err_set(err, EREMOTE, "foreign-session", "session '%s' belongs to another machine", s->status.name);
	r = claim(h, name, s->id, &taken, err);
	if (r < 0)
		return r;
	if (s->is_alive) {
		const struct message_rename m = { .name = (char *)name };
		struct frame f;

		r = session_connect(s, &c, err);
		if (r == 0 && conn_send_json(&c, MESSAGE_RENAME, &message_rename_object, &m) >= 0)
			r = conn_expect(&c, MESSAGE_OK, &f, ANSWER_MS, err);
	} else {
		lock = take_lock(s->fd);
		r = lock < 0 ? err_set(err, -lock, "lock", "cannot lock session '%s': %m", old) : 0;
		status_set(&s->status.name, name);
		if (r == 0)
			r = status_write(s->fd, &s->status, err);
	}
	name_release(h, r < 0 ? name : old, s->id);
	return r;
}

int session_discard(const struct house *h, struct session *s, struct err *err)
{
	_fd_ lock = -1;

	if (s->is_foreign)
		return err_set(err, EREMOTE, "foreign-session", "session '%s' belongs to another machine", s->status.name);
	lock = take_lock(s->fd);
	if (lock == -EBUSY)
		return err_set(err, EBUSY, "is-running", "session '%s' runs: stop it first, or use rm -f", s->status.name);
	if (lock < 0)
		return err_set(err, -lock, "lock", "cannot lock session '%s': %m", s->status.name);
	return session_remove(h, s->id, err);
}

/* Wait until nobody has the lock any more: the supervisor has written all it had to write. */
static void wait_for_exit(struct session *s)
{
	_fd_ fd = openat(s->fd, "lock", O_RDWR | O_CLOEXEC);

	if (fd >= 0)
		(void)flock(fd, LOCK_SH);
}

int session_stop(struct session *s, uint64_t timeout_ms, struct err *err)
{
	const struct message_stop m = { .timeout_ms = (int64_t)timeout_ms, .by = (char *)session_actor() };
	_conn_ c = { 0 };
	struct frame f;
	int r;

	if (!s->is_alive && !s->is_foreign)
		return 0;
	r = session_connect(s, &c, err);
	if (r < 0)
		return r;
	r = conn_send_json(&c, MESSAGE_STOP, &message_stop_object, &m);
	if (r < 0)
		return err_set(err, -r, "connection", "cannot talk to the supervisor of '%s': %m", s->status.name);
	r = conn_expect(&c, MESSAGE_ENDED, &f, (int)timeout_ms + ANSWER_MS, err);
	if (r == -EPIPE)
		r = 0;                                   /* it ended without a word: the status on disk tells */
	if (r == 0)
		wait_for_exit(s);
	s->is_alive = false;
	return r;
}
