#include "service/session-parts.h"

#include "base/fd.h"
#include "base/hook.h"
#include "base/path.h"
#include "base/units.h"
#include "event/journal.h"
#include "service/images-check.h"
#include "service/lost.h"
#include "service/volume.h"
#include "supervisor/lock.h"
#include "supervisor/remove.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

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
	r = s.fd < 0 ? -errno : 0;
	if (r == -ENOENT)                                /* removed since it was found */
		return session_unknown(id, err);
	if (r < 0)
		return err_set(err, -r, "session-dir", "cannot open '%s/%s': %m", h->sessions, id);
	r = status_read(s.fd, &s.status, err);
	s.is_foreign = r == 0 && s.status.machine_id != NULL && !str_eq(s.status.machine_id, proc_machine_id());
	if (r == 0 && !s.is_foreign && s.status.state != STATUS_ENDED)
		r = lost_settle(h, id, s.fd, &s.status, &s.is_alive, err);
	if (r < 0 && !path_exists(h->sessions_fd, id))   /* removed while we looked */
		return session_unknown(id, err);
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

int session_find_any(const struct house *h, const char *ref, struct session *ret, struct err *err)
{
	_free_ char *id = NULL;
	const int r = session_resolve(h->sessions_fd, h->names_fd, ref, &id, err);

	return r < 0 ? r : load(h, id, ret, err);
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

/* --- changing --- */

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

int session_start(const struct house *h, struct session *s, const struct message_attach *first, struct conn *conn,
                  struct err *err)
{
	_cleanup_(spec_release) struct spec spec = { 0 };
	_fd_ guard = -1;
	_fd_ lock = -1;
	int r;

	if (s->is_foreign)
		return session_refuse_foreign(s, err);
	guard = session_guard(s->fd);
	lock = lock_ended(s, err);
	if (lock == -EBUSY)
		return err_set(err, EBUSY, "is-running", "session '%s' runs already: pterm attach %s shows it", s->status.name,
		               s->status.name);
	if (lock < 0)
		return lock;
	r = spec_read(s->fd, "spec.json", &spec, err);
	if (r == 0)                                      /* what it runs on may have been damaged since it was made */
		r = images_before_start(h, &spec, err);
	if (r == 0)
		r = volumes_claim(h, s->id, s->status.name, &spec, err);
	if (r < 0)
		return r;
	s->status.state = STATUS_STARTING;
	s->status.reason = REASON_NONE;
	s->status.restarts = 0;
	status_set(&s->status.boot_id, proc_boot_id());
	r = status_write(s->fd, &s->status, err);
	HOOK("cli.start-written");
	if (r == 0)
		r = session_spawn(h, s->id, s->fd, lock, first, conn, err);
	return r;
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
		return session_refuse_foreign(s, err);
	while (turn >= 0 && flock(turn, LOCK_EX) < 0 && errno == EINTR)
		;
	r = session_claim_name(h, name, s->id, &taken, err);
	if (r < 0)
		return r;
	HOOK("cli.name-claimed");
	r = write_name(s, name, err);
	if (r == -EBUSY) {                               /* it lives: its supervisor writes the status */
		s->is_alive = true;
		r = session_tell_name(s, name, err);
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
		return session_refuse_foreign(s, err);
	guard = session_guard(s->fd);
	lock = s->is_broken ? session_lock(s->fd) : lock_ended(s, err);
	guard = fd_close(guard);
	if (lock == -EBUSY)
		return err_set(err, EBUSY, "is-running", "session '%s' runs: stop it first, or use rm -f", s->status.name);
	if (lock < 0)
		return lock;
	return session_remove(h, s->id, err);
}

int session_remove_forced(const struct house *h, struct session *s, struct err *err)
{
	_free_ char *id = xstrdup(s->id);
	int r;

	if (!s->is_alive)
		return session_discard(h, s, err);
	r = session_stop(s, 0, err);
	if (r < 0)
		return r;
	session_release(s);
	if (session_find_any(h, id, s, NULL) < 0)        /* it was one of --rm, and is gone already */
		return 0;
	return session_discard(h, s, err);
}
