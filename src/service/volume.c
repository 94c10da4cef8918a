#include "service/volume-parts.h"

#include "base/fd.h"
#include "base/hook.h"
#include "base/path.h"
#include "base/units.h"
#include "supervisor/status.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RECORD_MAX = 64 * 1024, NAMES_TOLD = 4, TRIES = 100 };

static const struct json_field volume_fields[] = {
	{ "owner", FIELD_STR, offsetof(struct volume, owner) },
	{ "created_ms", FIELD_INT, offsetof(struct volume, created_ms) },
};
static const struct json_object volume_object = JSON_OBJECT("a volume's record", struct volume, volume_fields, false);

void volume_release(struct volume *v)
{
	free(v->name);
	json_release(&volume_object, v);
	*v = (struct volume){ 0 };
}

void volume_list_release(struct volume_list *l)
{
	for (size_t i = 0; i < l->len; i++)
		volume_release(&l->items[i]);
	vec_release(l);
}

void volume_users_release(struct volume_users *u)
{
	for (size_t i = 0; i < u->len; i++) {
		free(u->items[i].id);
		free(u->items[i].name);
	}
	vec_release(u);
}

int volume_check_name(const char *name, struct err *err)
{
	_free_ char *shown = visible(name);

	return spec_is_volume_name(name) ? 0 :
	       err_set(err, EINVAL, "bad-name", "'%s' cannot be a volume's name: use 1 to %d letters, digits, '.', '_' and '-', a "
	               "letter or digit first", shown, VOLUME_NAME_MAX);
}

char *volume_path(const struct house *h, const char *name)
{
	return xasprintf("%s/volumes/%s/now/data", h->store, name);
}

static int no_such(const char *name, struct err *err)
{
	return err_set(err, ENOENT, "no-such-volume", "there is no volume '%s': see pterm volume ls", name);
}

/* <store>/volumes, made if it is not there. The descriptor, or -errno. */
static int open_all(const struct house *h, struct err *err)
{
	_free_ char *path = path_join(h->store, "volumes");
	int fd;

	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return err_set(err, errno, "volume", "cannot make '%s': %m", path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_set(err, errno, "volume", "cannot open '%s': %m", path) : fd;
}

/*
 * @name in @all, open and locked; with @how LOCK_NB, -EWOULDBLOCK when somebody has the lock. -ENOENT: it is not
 * there.
 */
static int open_locked(int all, const char *name, int how)
{
	for (;;) {
		_fd_ fd = openat(all, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		struct stat ours, now;

		if (fd < 0)
			return -errno;
		while (flock(fd, LOCK_EX | how) < 0)
			if (errno != EINTR)
				return -errno;
		/* removed, or another of this name made, while we waited */
		if (fstat(fd, &ours) == 0 && fstatat(all, name, &now, AT_SYMLINK_NOFOLLOW) == 0 && ours.st_ino == now.st_ino &&
		    ours.st_dev == now.st_dev)
			return TAKE_FD(fd);
	}
}

int volume_open(const struct house *h, const char *name, struct err *err)
{
	_fd_ all = -1;
	int r = volume_check_name(name, err);

	if (r < 0)
		return r;
	all = open_all(h, err);
	if (all < 0)
		return all;
	r = open_locked(all, name, 0);
	if (r == -ENOENT)
		return no_such(name, err);
	return r < 0 ? err_set(err, -r, "volume", "cannot open volume '%s' in '%s/volumes': %m", name, h->store) : r;
}

/* --- making and removing --- */

/* A directory of a name that nobody has, which begins with @prefix: open and locked. -errno. */
static int make_hidden(int all, const char *prefix, char **ret_name, struct err *err)
{
	for (int tries = 0; tries < TRIES; tries++) {
		_free_ char *name = NULL;
		uint32_t x;
		int fd;

		if (getrandom(&x, sizeof(x), 0) != (ssize_t)sizeof(x))
			abort();
		name = xasprintf("%s%08x", prefix, x);
		if (mkdirat(all, name, 0700) < 0 && errno != EEXIST)
			return err_set(err, errno, "volume", "cannot make a volume: %m");
		fd = open_locked(all, name, LOCK_NB);    /* who clears up may be faster */
		if (fd >= 0) {
			*ret_name = TAKE(name);
			return fd;
		}
	}
	return err_set(err, EBUSY, "volume", "cannot make a volume: others remove it");
}

static int fill_record(int dir, const char *owner, struct err *err)
{
	const struct volume v = { .owner = (char *)owner, .created_ms = (int64_t)time_now_ms() };
	_str_ text = STR_INIT;
	int r = 0;

	json_encode(&text, &volume_object, &v);
	str_addc(&text, '\n');
	if (mkdirat(dir, "now", 0700) < 0 || mkdirat(dir, "now/data", 0755) < 0 || mkdirat(dir, "users", 0700) < 0)
		r = -errno;
	if (r == 0)
		r = file_write(dir, "volume.json", text.buf, text.len, 0600);
	return r < 0 ? err_set(err, -r, "volume", "cannot write a volume's record: %m") : 0;
}

int volume_create(const struct house *h, const char *name, const char *owner, struct err *err)
{
	_fd_ all = -1;
	_fd_ dir = -1;
	_free_ char *making = NULL;
	int r = volume_check_name(name, err);

	if (r < 0)
		return r;
	all = open_all(h, err);
	if (all < 0)
		return all;
	dir = make_hidden(all, ".new-", &making, err);
	if (dir < 0)
		return dir;
	r = fill_record(dir, owner, err);
	HOOK("volume.made");
	/* one that is there is not empty, so that rename(2) never replaces it */
	if (r == 0 && renameat(all, making, all, name) < 0)
		r = errno == ENOTEMPTY || errno == EEXIST ?
		    err_set(err, EEXIST, "volume-exists", "there is a volume '%s' already", name) :
		    err_set(err, errno, "volume", "cannot make volume '%s': %m", name);
	if (r < 0)
		(void)path_remove_tree(all, making);
	return r;
}

static int in_use(const char *name, const struct volume_users *u, struct err *err)
{
	_str_ who = STR_INIT;

	volume_users_describe(u, &who);
	return err_set(err, EBUSY, "volume-in-use", "volume '%s' is used by session%s %s: remove %s first (pterm rm)", name,
	               u->len > 1 ? "s" : "", who.buf, u->len > 1 ? "them" : "it");
}

static void read_users(int dir, struct volume_users *ret);

int volume_remove(const struct house *h, const char *name, struct err *err)
{
	_volume_users_ users = { 0 };
	_free_ char *going = NULL;
	_fd_ dir = volume_open(h, name, err);
	_fd_ all = dir < 0 ? -1 : open_all(h, err);
	_fd_ held = -1;

	if (dir < 0 || all < 0)
		return dir < 0 ? dir : all;
	read_users(dir, &users);
	if (users.len > 0)
		return in_use(name, &users, err);
	held = make_hidden(all, ".rm-", &going, err);    /* empty: what is renamed onto it takes its place */
	if (held < 0)
		return held;
	if (renameat(all, name, all, going) < 0)
		return err_set(err, errno, "volume", "cannot remove volume '%s': %m", name);
	HOOK("volume.removing");
	return volume_empty(all, going, err);
}

/* What was cut short: made or removed by somebody who holds its lock no more. */
static void sweep(int all, const char *name)
{
	_fd_ lock = open_locked(all, name, LOCK_NB);

	if (lock >= 0)
		(void)volume_empty(all, name, NULL);
}

/* --- finding --- */

static int read_record(int dir, const char *name, struct volume *ret, struct err *err)
{
	_volume_ v = { 0 };
	_str_ text = STR_INIT;
	int r = file_read(dir, "volume.json", RECORD_MAX, &text);

	r = r < 0 ? err_set(err, -r, "volume", "cannot read volume.json: %m") :
	    json_decode(text.buf, text.len, &volume_object, &v, err);
	if (r < 0)
		return err_wrap(err, "volume '%s' is broken", name);
	v.name = xstrdup(name);
	*ret = v;
	v = (struct volume){ 0 };
	return 0;
}

int volume_find(const struct house *h, const char *name, struct volume *ret, struct err *err)
{
	_fd_ all = -1;
	_fd_ dir = -1;
	int r = volume_check_name(name, err);

	if (r < 0)
		return r;
	all = open_all(h, err);
	if (all < 0)
		return all;
	dir = openat(all, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return errno == ENOENT ? no_such(name, err) : err_set(err, errno, "volume", "cannot open volume '%s': %m", name);
	return read_record(dir, name, ret, err);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct volume *)a)->name, ((const struct volume *)b)->name);
}

int volume_all(const struct house *h, struct volume_list *ret, struct err *err)
{
	_fd_ all = open_all(h, err);
	DIR *dir;

	if (all < 0)
		return all;
	dir = fdopendir(openat(all, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	if (dir == NULL)
		return err_set(err, errno, "volume", "cannot read '%s/volumes': %m", h->store);
	for (struct dirent *e; (e = readdir(dir)) != NULL;) {
		_fd_ fd = -1;
		struct volume v;

		if (str_starts(e->d_name, ".new-") || str_starts(e->d_name, ".rm-"))
			sweep(all, e->d_name);
		if (!spec_is_volume_name(e->d_name))
			continue;
		fd = openat(all, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0 && read_record(fd, e->d_name, &v, NULL) == 0)
			vec_push(ret, v);
	}
	closedir(dir);
	if (ret->len > 0)
		qsort(ret->items, ret->len, sizeof(*ret->items), by_name);
	return 0;
}

/* --- who uses it --- */

/*
 * The session in @path, or the one that is being made and will be there. False: there is neither. One that is not
 * known to have ended counts as alive: looking closer would need its lock, which whoever asks may hold.
 */
static bool read_user(const char *id, const char *path, struct volume_user *ret)
{
	const char *base = path_base(path);
	_free_ char *making = xasprintf("%.*s.new-%s", (int)(base - path), path, base);
	_cleanup_(status_release) struct status st = { .state = STATUS_STARTING };
	_fd_ dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	/* it becomes the other, never the other way round */
	if (dir < 0 && !path_exists(AT_FDCWD, making) && (dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return false;
	if (dir >= 0)
		(void)status_read(dir, &st, NULL);
	*ret = (struct volume_user){ .id = xstrdup(id), .name = xstrdup(st.name ? st.name : id),
	                             .is_alive = st.state != STATUS_ENDED };
	return true;
}

static void read_users(int dir, struct volume_users *ret)
{
	DIR *users = fdopendir(openat(dir, "users", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
	char path[4096];

	if (users == NULL)
		return;
	for (struct dirent *e; (e = readdir(users)) != NULL;) {
		struct volume_user u;
		ssize_t n;

		if (!id_check(e->d_name))
			continue;
		n = readlinkat(dirfd(users), e->d_name, path, sizeof(path) - 1);
		if (n <= 0)
			continue;
		path[n] = '\0';
		if (read_user(e->d_name, path, &u))
			vec_push(ret, u);
		else
			(void)unlinkat(dirfd(users), e->d_name, 0);
	}
	closedir(users);
}

int volume_users(const struct house *h, const char *name, struct volume_users *ret, struct err *err)
{
	_fd_ dir = volume_open(h, name, err);

	if (dir < 0)
		return dir;
	read_users(dir, ret);
	return 0;
}

void volume_users_describe(const struct volume_users *u, struct str *out)
{
	for (size_t i = 0; i < u->len && i < NAMES_TOLD; i++) {
		_free_ char *name = visible(u->items[i].name);

		str_addf(out, "%s'%s'", i == 0 ? "" : i + 1 == u->len ? " and " : ", ", name);
	}
	if (u->len > NAMES_TOLD)
		str_addf(out, " and %zu more", u->len - NAMES_TOLD);
}

/* --- using it --- */

/* May session @id, called @session, use it, as @v says? One that has it already may, whatever it is called now. */
static int check_owner(int dir, const struct spec_volume *v, const char *id, const char *session, struct err *err)
{
	_free_ char *link = xasprintf("users/%s", id);
	_volume_ record = { 0 };
	struct stat st;
	int r;

	if (fstatat(dir, link, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	r = read_record(dir, v->name, &record, err);
	if (r < 0)
		return r;
	if (record.owner == NULL && v->is_owned)
		return err_set(err, EEXIST, "volume-shared", "volume '%s' is there and shared: leave out 'owned', or choose another name",
		               v->name);
	if (record.owner == NULL || str_eq(record.owner, session))
		return 0;
	return err_set(err, EPERM, "volume-owned", "volume '%s' is owned by session '%s', and no other may use it", v->name,
	               record.owner);
}

/* Its files may get other owners only while no session runs with it. */
static int check_map(int dir, const char *name, const char *id, const char *map, struct err *err)
{
	_volume_users_ users = { 0 };

	if (!volume_has_other_map(dir, map))
		return 0;
	read_users(dir, &users);
	for (size_t i = 0; i < users.len; i++)
		if (users.items[i].is_alive && !str_eq(users.items[i].id, id))
			return err_set(err, EBUSY, "volume-in-use", "volume '%s' is used by session '%s', which runs as another user "
			               "(-u): the owners of its files can be right for one of them only: use the same -u, or stop "
			               "that session", name, users.items[i].name);
	return 0;
}

static int claim(const struct house *h, const char *id, const char *session, const struct spec *spec,
                 const struct spec_volume *v, struct err *err)
{
	_free_ char *path = path_join(h->sessions, id);
	_free_ char *link = xasprintf("users/%s", id);
	_fd_ dir = -ENOENT;
	int r;

	while (dir == -ENOENT) {                         /* again, when somebody removes it in between */
		err_release(err);
		r = volume_create(h, v->name, v->is_owned ? session : NULL, err);
		if (r < 0 && r != -EEXIST)
			return r;
		err_release(err);
		dir = volume_open(h, v->name, err);
	}
	if (dir < 0)
		return dir;
	r = check_owner(dir, v, id, session, err);
	if (r == 0)
		r = check_map(dir, v->name, id, spec->map, err);
	if (r == 0)
		r = volume_use_map(h, dir, v->name, spec->map, err);
	if (r == 0 && symlinkat(path, dir, link) < 0 && errno != EEXIST)
		r = err_set(err, errno, "volume", "cannot use volume '%s': %m", v->name);
	return r;
}

int volumes_claim(const struct house *h, const char *id, const char *session, const struct spec *spec, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < spec->volumes.len && r == 0 && spec->map != NULL; i++)
		if (spec->volumes.items[i].name != NULL)
			r = claim(h, id, session, spec, &spec->volumes.items[i], err);
	return r;
}
