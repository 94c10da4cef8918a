#include "service/gc.h"

#include "base/fd.h"
#include "base/path.h"
#include "base/units.h"
#include "supervisor/lock.h"
#include "supervisor/remove.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* A runtime's state is of use while a start lasts: seconds. Of sessions that we do not know, this old, it is nobody's. */
enum { STATE_AGE_S = 3600 };

const char *const gc_kinds[] = { "session", "lost-session", "rest", "name", "runtime-state", NULL };

void gc_report_release(struct gc_report *r)
{
	for (size_t i = 0; i < r->deeds.len; i++) {
		free(r->deeds.items[i].name);
		free(r->deeds.items[i].why);
		free(r->deeds.items[i].failure);
	}
	vec_release(&r->deeds);
	r->failures = 0;
}

static struct gc_deed *report(struct gc_report *r, enum gc_kind kind, const char *name, const char *why)
{
	const struct gc_deed d = { .kind = kind, .name = xstrdup(name), .why = xstrdup(why) };

	vec_push(&r->deeds, d);
	return &r->deeds.items[r->deeds.len - 1];
}

static void report_failure(struct gc_report *r, struct gc_deed *d, const char *failure)
{
	d->failure = xstrdup(failure);
	r->failures++;
}

/* --- ended sessions --- */

void gc_choose(const struct gc_policy *p, uint64_t now_ms, struct gc_candidate *c, size_t n)
{
	uint64_t kept = 0, bytes = 0;
	bool is_full = false;

	for (size_t i = 0; i < n; i++) {
		const uint64_t age = now_ms > c[i].ended_ms ? now_ms - c[i].ended_ms : 0;

		c[i].reason = p->has_keep_for && age > p->keep_for_ms ? GC_AGE : p->has_keep && kept >= p->keep ? GC_NUMBER :
		              GC_STAYS;
		if (c[i].reason != GC_STAYS)
			continue;
		is_full = is_full || (p->has_max_disk && bytes + c[i].bytes > p->max_disk);
		if (is_full) {                           /* those that ended before go first */
			c[i].reason = GC_DISK;
			continue;
		}
		bytes += c[i].bytes;
		kept++;
	}
}

static uint64_t ended_ms(const struct session *s)
{
	return (uint64_t)(s->status.ended_ms > 0 ? s->status.ended_ms : s->status.created_ms);
}

static int by_end(const void *a, const void *b)
{
	const struct session *x = *(struct session *const *)a, *y = *(struct session *const *)b;

	if (ended_ms(x) != ended_ms(y))
		return ended_ms(x) > ended_ms(y) ? -1 : 1;
	return strcmp(x->id, y->id);
}

static uint64_t disk_usage(const struct house *h, const char *id)
{
	_free_ char *store = xasprintf("%s/sessions/%s", h->store, id);

	return path_disk_usage(h->sessions_fd, id) + (str_eq(h->store, h->home) ? 0 : path_disk_usage(AT_FDCWD, store));
}

static void describe(const struct gc_candidate *c, uint64_t now_ms, struct str *out)
{
	str_adds(out, c->reason == GC_NUMBER ? "more than are kept" : c->reason == GC_DISK ? "more than may lie on disk" : "too old");
	str_adds(out, ", ended ");
	str_add_span(out, now_ms > c->ended_ms ? now_ms - c->ended_ms : 0);
	str_adds(out, " ago");
}

static void discard(const struct house *h, const struct gc_policy *p, struct session *s, const struct gc_candidate *c,
                    uint64_t now_ms, struct gc_report *ret)
{
	_str_ why = STR_INIT;
	_err_ err = ERR_INIT;
	struct gc_deed *d;
	int r;

	describe(c, now_ms, &why);
	r = p->is_dry_run ? 0 : session_discard(h, s, &err);
	if (r == -EBUSY)                                 /* somebody has started it */
		return;
	d = report(ret, GC_SESSION, s->status.name, why.buf);
	d->bytes = c->bytes;
	if (r < 0)
		report_failure(ret, d, err_msg(&err));
}

static void retain(const struct house *h, const struct gc_policy *p, const struct session_list *all, struct gc_report *ret)
{
	const uint64_t now_ms = time_now_ms();
	struct session **ended = xcalloc(all->len + 1, sizeof(struct session *));
	struct gc_candidate *c = xcalloc(all->len + 1, sizeof(*c));
	size_t n = 0;

	for (size_t i = 0; i < all->len; i++)
		if (!all->items[i].is_alive && !all->items[i].is_foreign && all->items[i].status.state == STATUS_ENDED)
			ended[n++] = &all->items[i];
	qsort(ended, n, sizeof(struct session *), by_end);
	for (size_t i = 0; i < n; i++)
		c[i] = (struct gc_candidate){ .ended_ms = ended_ms(ended[i]),
		                              .bytes = p->has_max_disk ? disk_usage(h, ended[i]->id) : 0 };
	gc_choose(p, now_ms, c, n);
	for (size_t i = n; i-- > 0;)                     /* the oldest first */
		if (c[i].reason != GC_STAYS)
			discard(h, p, ended[i], &c[i], now_ms, ret);
	free(ended);
	free(c);
}

/* --- what was cut short --- */

typedef void found_fn(const struct house *h, const struct gc_policy *p, int dir_fd, const char *name, struct gc_report *ret);

/* @fn for each entry of a directory, which it may remove. */
static void each_entry(const struct house *h, const struct gc_policy *p, int dir_fd, found_fn *fn, struct gc_report *ret)
{
	DIR *dir = fdopendir(openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));

	if (dir == NULL)
		return;
	for (struct dirent *e; (e = readdir(dir)) != NULL;)
		if (!str_eq(e->d_name, ".") && !str_eq(e->d_name, ".."))
			fn(h, p, dir_fd, e->d_name, ret);
	closedir(dir);
}

static void report_rest(const struct house *h, const struct gc_policy *p, int dir_fd, const char *name, struct gc_report *ret)
{
	const bool was_removed = str_starts(name, ".rm-"), was_made = str_starts(name, ".new-");

	if ((was_removed || was_made) && session_is_abandoned(h, name))
		report(ret, GC_REST, name, was_removed ? "its removal was cut short" : "its making was cut short");
}

/* Looking at all sessions has finished these; also in a dry run, as every listing does. */
static void check_rest(const struct house *h, struct gc_report *ret)
{
	for (size_t i = 0; i < ret->deeds.len; i++)
		if (ret->deeds.items[i].kind == GC_REST && path_exists(h->sessions_fd, ret->deeds.items[i].name))
			report_failure(ret, &ret->deeds.items[i], "not all of it can be removed");
}

/* A name whose session is gone. One that is being made has its directory already, under another name. */
static void remove_dead_name(const struct house *h, const struct gc_policy *p, int dir_fd, const char *name,
                             struct gc_report *ret)
{
	char id[64];
	const ssize_t n = readlinkat(dir_fd, name, id, sizeof(id) - 1);
	_free_ char *making = NULL;

	if (n <= 0)
		return;
	id[n] = '\0';
	making = xasprintf(".new-%s", id);
	if (path_exists(h->sessions_fd, id) || path_exists(h->sessions_fd, making) ||
	    path_exists(h->sessions_fd, id))                 /* again: it may have been renamed between the two looks */
		return;
	if (!p->is_dry_run)
		names_release(h, id, NULL);
	report(ret, GC_NAME, name, "its session is gone");
}

/* "ID-RUN" below crun-*: left by a start that was cut short. */
static void remove_state(const struct house *h, const struct gc_policy *p, int dir_fd, const char *name,
                         struct gc_report *ret)
{
	const size_t digits = strspn(name, "0123456789abcdef");
	_free_ char *id = xstrndup(name, SESSION_ID_LEN);
	_fd_ session = -1, guard = -1, lock = -1;
	struct stat st;
	struct gc_deed *d;
	int r;

	if (digits != SESSION_ID_LEN || name[digits] != '-' ||
	    strspn(name + digits + 1, "0123456789") != strlen(name + digits + 1))
		return;
	session = openat(h->sessions_fd, id, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	guard = session < 0 ? -1 : session_guard(session);
	lock = session < 0 ? -1 : session_lock(session);
	if (session >= 0 && lock < 0)                    /* it runs, or is being started */
		return;
	/* this directory may be shared with another home, whose sessions we do not see */
	if (session < 0 && (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || st.st_mtime + STATE_AGE_S > time(NULL)))
		return;
	r = p->is_dry_run ? 0 : path_remove_tree(dir_fd, name);
	d = report(ret, GC_STATE, name, "a start was cut short");
	if (r < 0)
		report_failure(ret, d, strerror(-r));
}

static void look_for_state(const struct house *h, const struct gc_policy *p, int dir_fd, const char *name,
                           struct gc_report *ret)
{
	_fd_ dir = str_starts(name, "crun-") ? openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW) : -1;

	if (dir >= 0)
		each_entry(h, p, dir, remove_state, ret);
}

/* Looking at a session settles it: these were found dead just now. */
static void report_lost(const struct session_list *all, uint64_t began_ms, struct gc_report *ret)
{
	for (size_t i = 0; i < all->len; i++) {
		const struct status *st = &all->items[i].status;

		if (!all->items[i].is_foreign && st->state == STATUS_ENDED && (uint64_t)st->ended_ms >= began_ms &&
		    (st->reason == REASON_SUPERVISOR_LOST || st->reason == REASON_REBOOTED))
			report(ret, GC_LOST, st->name, st->reason == REASON_REBOOTED ? "the machine was started again" :
			       "its supervisor was killed");
	}
}

int gc_run(const struct house *h, const struct gc_policy *p, struct gc_report *ret, struct err *err)
{
	const uint64_t began_ms = time_now_ms();
	_fd_ runtime = open(h->runtime, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_session_list_ all = { 0 };
	int r;

	each_entry(h, p, h->sessions_fd, report_rest, ret);
	r = session_all(h, &all, err);
	if (r < 0)
		return r;
	check_rest(h, ret);
	report_lost(&all, began_ms, ret);
	retain(h, p, &all, ret);
	each_entry(h, p, h->names_fd, remove_dead_name, ret);
	if (runtime >= 0)
		each_entry(h, p, runtime, look_for_state, ret);
	return 0;
}
