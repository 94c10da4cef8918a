#include "service/session-parts.h"

#include "base/child.h"
#include "base/fd.h"
#include "base/hook.h"
#include "base/path.h"
#include "base/units.h"
#include "event/journal.h"
#include "service/images-check.h"
#include "service/volume.h"
#include "supervisor/lock.h"
#include "supervisor/remove.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOG_MAX = 1024 * 1024 };

/* --- its supervisor --- */

/* Its socket is made here: whoever finds the lock taken can connect, also before the supervisor has come up. */
static int listen_at(const struct house *h, const char *id, int dir_fd, struct err *err)
{
	const int fd = fd_listen_unix(dir_fd, "control.sock", SOCK_STREAM);

	return fd < 0 ? err_set(err, -fd, "control-socket", "cannot make a socket in '%s/%s': %m (if its file system can hold "
	                        "none, set PTERM_HOME to a local directory)", h->sessions, id) : fd;
}

/* What the supervisor finds said on its first connection when it comes up. */
static int say_first(struct conn *conn, const struct message_attach *first, struct err *err)
{
	int r = conn_greet(conn, "pterm " PTERM_VERSION, err);

	if (r == 0 && first != NULL) {
		r = conn_send_json(conn, MESSAGE_ATTACH, &message_attach_object, first);
		if (r < 0)
			err_set(err, -r, "supervisor", "cannot start the session's supervisor: %m");
	}
	return r;
}

/* Start the supervisor with the lock, and keep the other end of its first connection. */
int session_spawn(const struct house *h, const char *id, int dir_fd, int lock_fd, const struct message_attach *first,
                  struct conn *conn, struct err *err)
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
	const struct child c = { .argv = argv, .fds = fds, .fd_count = array_len(fds), .new_session = true,
	                         .is_left = true };

	conn_init(conn, pair[0]);
	r = say_first(conn, first, err);
	if (r == 0)
		r = child_start(&c, &pid, err);
	HOOK("cli.supervisor-started");
	return r;
}

/* --- its name --- */

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

int session_claim_name(const struct house *h, const char *wanted, const char *id, char **ret, struct err *err)
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

/* --- its files --- */

/* @text with the session's id and name where its marks are (struct spec). */
static char *put_marks(const struct spec *spec, const char *id, const char *name, const char *text)
{
	const size_t n = spec->session_mark ? strlen(spec->session_mark) : 0;
	_str_ out = STR_INIT;

	for (const char *p = text; *p != '\0';) {
		const char *found = n > 0 ? strstr(p, spec->session_mark) : NULL;

		if (found == NULL || (found[n] != 'i' && found[n] != 'n')) {
			str_adds(&out, p);
			break;
		}
		str_add(&out, p, (size_t)(found - p));
		str_adds(&out, found[n] == 'i' ? id : name);
		p = found + n + 1;
	}
	return out.len > 0 ? str_take(&out) : xstrdup("");
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
		.created_ms = (int64_t)time_now_ms(), .records_input = spec->record_input,
	};
	const struct event ev = { .type = EVENT_created, .time_ms = (uint64_t)st.created_ms, .session = id, .name = name,
	                          .number = -1 };
	_free_ char *command = NULL, *whole = NULL;
	_str_ text = STR_INIT;
	int r;

	describe_command(spec, &command);
	st.command = put_marks(spec, id, name, command);
	for (size_t i = 0; i < spec->labels.len; i++)
		strv_take(&st.labels, put_marks(spec, id, name, spec->labels.items[i]));
	json_encode(&text, &spec_object, spec);
	whole = put_marks(spec, id, name, text.buf);     /* marks, ids and names are plain words: as JSON they are the same */
	r = file_write(dir, "spec.json", whole, strlen(whole), 0600);
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

int session_create(const struct house *h, const struct spec *spec, const char *name, const struct message_attach *first,
                   struct session *ret, struct conn *conn, struct err *err)
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
	r = session_claim_name(h, name, id, &taken, err);
	HOOK("cli.session-named");
	if (r == 0)
		r = write_records(dir, id, taken, spec, err);
	if (r == 0)
		r = make_store(h, id, spec, err);
	if (r == 0)
		r = volumes_claim(h, id, taken, spec, err);
	HOOK("cli.session-written");
	if (r == 0 && renameat(h->sessions_fd, making, h->sessions_fd, id) < 0)
		r = err_set(err, errno, "session-dir", "cannot make session %s: %m", id);
	if (r < 0) {
		session_unmake(h, id, making);
		return r;
	}
	HOOK("cli.session-made");
	r = images_before_start(h, spec, err);
	if (r < 0) {
		session_unmake(h, id, id);
		return r;
	}
	r = session_spawn(h, id, dir, lock, first, conn, err);
	if (r < 0) {
		conn_close(conn);
		session_unmake(h, id, id);
		return r;
	}
	*ret = (struct session){ .id = xstrdup(id), .fd = TAKE_FD(dir), .is_alive = true,
	                         .status = { .id = xstrdup(id), .name = TAKE(taken) } };
	return 0;
}
