/*
 * The sessions directory tells of sessions that come and go (they are renamed into place, and away); each session's
 * directory of a journal that is replaced, and each journal of what is appended. inotify only says that something
 * happened: what, is found out by reading, so an overflow of its queue costs nothing but a look at everything.
 */
#include "service/events.h"

#include "base/fd.h"
#include "base/units.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/inotify.h>
#include <unistd.h>

struct source { char *id, *name; int dir_fd; struct follow follow; int dir_watch, file_watch; bool is_seen, is_stale; };

struct events {
	const struct house *house;
	const struct strv *ids;
	VEC(struct source) sources;
	int inotify;                     /* -1: read once */
	int sessions_watch;
	bool has_begun, must_list;
};

static bool is_wanted(const struct events *e, const char *id)
{
	if (!id_check(id))
		return false;
	for (size_t i = 0; i < e->ids->len; i++)
		if (str_eq(e->ids->items[i], id))
			return true;
	return e->ids->len == 0;
}

static void source_release(struct events *e, struct source *s)
{
	if (s->dir_watch >= 0)
		(void)inotify_rm_watch(e->inotify, s->dir_watch);
	if (s->file_watch >= 0)
		(void)inotify_rm_watch(e->inotify, s->file_watch);
	follow_fini(&s->follow);
	fd_close(s->dir_fd);
	free(s->id);
	free(s->name);
}

static int watch(const struct events *e, const char *path, uint32_t mask)
{
	return e->inotify < 0 ? -1 : inotify_add_watch(e->inotify, path, mask);
}

/* The file that has the name now; the same one keeps its number. */
static void watch_journal(const struct events *e, struct source *s)
{
	_free_ char *path = xasprintf("%s/%s/events.jsonl", e->house->sessions, s->id);

	s->file_watch = watch(e, path, IN_MODIFY);
}

static void add_source(struct events *e, const char *id)
{
	_free_ char *path = xasprintf("%s/%s", e->house->sessions, id);
	struct source s = { .dir_watch = -1, .file_watch = -1, .is_seen = true, .is_stale = true };

	s.dir_fd = openat(e->house->sessions_fd, id, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (s.dir_fd < 0)
		return;
	s.id = xstrdup(id);
	follow_init(&s.follow, s.dir_fd);
	s.dir_watch = watch(e, path, IN_MOVED_TO | IN_CREATE | IN_ONLYDIR);
	watch_journal(e, &s);
	vec_push(&e->sources, s);
}

static void add_removed(const struct source *s, struct entry_list *ret)
{
	struct entry gone = { .time_ms = time_now_ms(), .event = xstrdup("session.removed"), .session = xstrdup(s->id),
	                      .name = s->name ? xstrdup(s->name) : NULL, .number = -1 };
	_str_ time = STR_INIT;

	str_add_instant(&time, gone.time_ms);
	gone.time = str_take(&time);
	vec_push(ret, gone);
}

static int read_source(const struct events *e, struct source *s, struct entry_list *ret)
{
	const size_t before = ret->len;
	int r;

	watch_journal(e, s);                     /* first: what is appended while we read is told */
	r = follow_read(&s->follow, ret);
	s->is_stale = false;
	for (size_t i = before; i < ret->len; i++) {
		if (ret->items[i].name != NULL)
			status_set(&s->name, ret->items[i].name);
	}
	return r;
}

/* Which sessions are there now: new ones join, those that are gone are told and leave. */
static int list_sources(struct events *e, struct entry_list *ret, struct err *err)
{
	DIR *dir = fdopendir(openat(e->house->sessions_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	size_t kept = 0;

	if (dir == NULL)
		return err_set(err, errno, "home", "cannot list '%s': %m", e->house->sessions);
	for (size_t i = 0; i < e->sources.len; i++)
		e->sources.items[i].is_seen = false;
	for (struct dirent *d; (d = readdir(dir)) != NULL;) {
		struct source *known = NULL;

		if (!is_wanted(e, d->d_name))
			continue;
		for (size_t i = 0; i < e->sources.len && known == NULL; i++)
			if (str_eq(e->sources.items[i].id, d->d_name))
				known = &e->sources.items[i];
		if (known != NULL)
			known->is_seen = true;
		else
			add_source(e, d->d_name);
	}
	closedir(dir);
	for (size_t i = 0; i < e->sources.len; i++) {
		struct source *s = &e->sources.items[i];

		if (s->is_seen) {
			e->sources.items[kept++] = *s;
			continue;
		}
		(void)read_source(e, s, ret);            /* its journal is open still */
		add_removed(s, ret);
		source_release(e, s);
	}
	e->sources.len = kept;
	return 0;
}

static void on_inotify(struct events *e, const struct inotify_event *ev)
{
	if (ev->mask & IN_Q_OVERFLOW) {
		e->must_list = true;
		for (size_t i = 0; i < e->sources.len; i++)
			e->sources.items[i].is_stale = true;
		return;
	}
	if (ev->wd == e->sessions_watch) {
		e->must_list = true;
		return;
	}
	for (size_t i = 0; i < e->sources.len; i++) {
		struct source *s = &e->sources.items[i];

		if (ev->wd == s->file_watch || (ev->wd == s->dir_watch && ev->len > 0 && str_eq(ev->name, "events.jsonl")))
			s->is_stale = true;
	}
}

static void read_inotify(struct events *e)
{
	_Alignas(struct inotify_event) char buf[16 * 1024];
	ssize_t n;

	while (e->inotify >= 0 && (n = read(e->inotify, buf, sizeof(buf))) > 0)
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *ev = (const void *)(buf + at);

			on_inotify(e, ev);
			at += (ssize_t)(sizeof(*ev) + ev->len);
		}
}

int events_open(struct events **ret, const struct house *h, const struct strv *ids, bool follows, struct err *err)
{
	_cleanup_(events_closep) struct events *e = xcalloc(1, sizeof(*e));

	*e = (struct events){ .house = h, .ids = ids, .inotify = -1, .sessions_watch = -1, .must_list = true };
	if (follows) {
		e->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
		e->sessions_watch = watch(e, h->sessions, IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE);
		if (e->sessions_watch < 0)
			return err_set(err, errno, "events", "cannot watch '%s': %m (see fs.inotify.max_user_watches and "
			               "max_user_instances)", h->sessions);
	}
	*ret = TAKE(e);
	return 0;
}

struct events *events_close(struct events *e)
{
	if (e == NULL)
		return NULL;
	for (size_t i = 0; i < e->sources.len; i++)
		source_release(e, &e->sources.items[i]);
	vec_release(&e->sources);
	fd_close(e->inotify);
	free(e);
	return NULL;
}

int events_take(struct events *e, struct entry_list *ret, struct err *err)
{
	int r = 0;

	read_inotify(e);
	if (e->must_list)
		r = list_sources(e, ret, err);
	e->must_list = false;
	for (size_t i = 0; r == 0 && i < e->sources.len; i++)
		if (e->sources.items[i].is_stale)
			(void)read_source(e, &e->sources.items[i], ret); /* one that cannot be read does not hide the others */
	entry_list_sort(ret);
	e->has_begun = true;
	return r;
}

int events_fd(const struct events *e)
{
	return e->inotify;
}

bool events_are_over(const struct events *e)
{
	return e->has_begun && e->ids->len > 0 && e->sources.len == 0;
}
