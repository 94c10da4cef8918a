#include "supervisor/remove.h"

#include "base/fd.h"
#include "base/hook.h"
#include "base/idmap.h"
#include "base/path.h"
#include "supervisor/lock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

/*
 * Remove @dir of a session whose spec does not tell the map of its ids: every map that a user can have leads to the
 * same ids outside. Root removes them as they are.
 */
static int remove_by_any_map(const char *dir, struct err *err)
{
	const struct passwd *pw = getpwuid(geteuid());
	const char *name = pw ? pw->pw_name : NULL;
	uint32_t start, count;
	struct idmap map;

	if (geteuid() == 0 || idmap_subordinate("/etc/subuid", name, geteuid(), &start, &count, NULL) != 0)
		return 0;
	idmap_around(&map.uid, 0, geteuid(), start, count);
	if (idmap_subordinate("/etc/subgid", name, geteuid(), &start, &count, NULL) != 0)
		return 0;
	idmap_around(&map.gid, 0, getegid(), start, count);
	return tree_remove_mapped(&map, AT_FDCWD, dir, err);
}

static bool has_mapped_files(const struct place *place)
{
	_free_ char *upper = path_join(place->store_dir, "upper");

	return path_exists(AT_FDCWD, upper);
}

/* What its engine keeps, as its spec says; and when that cannot be read or is wrong, what is there. */
static int remove_kept(const struct place *place, int session_fd, struct err *err)
{
	_cleanup_(spec_release) struct spec spec = { 0 };
	const bool has_spec = spec_read(session_fd, "spec.json", &spec, NULL) == 0;
	const struct engine_ops *ops = has_spec ? engine_find(spec.engine) : NULL;
	const int r = ops != NULL && ops->remove != NULL ? ops->remove(&spec, place, err) : 0;

	return has_mapped_files(place) ? remove_by_any_map(place->store_dir, err) : r;
}

/* Remove what the session that now lies in @dir (".rm-ID" or ".new-ID") has: files of mapped owners first. */
static int remove_content(const struct house *h, const char *id, const char *dir, struct err *err)
{
	_fd_ fd = openat(h->sessions_fd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	_cleanup_(place_release) struct place place = { 0 };
	int r;

	if (fd < 0)
		return errno == ENOENT ? 0 : err_set(err, errno, "remove", "cannot open '%s/%s': %m", h->sessions, dir);
	house_place(h, id, &place);
	if (str_eq(h->store, h->home)) {                 /* upper/ and work/ have moved with the directory */
		free((char *)place.store_dir);
		place.store_dir = path_join(h->sessions, dir);
	}
	r = remove_kept(&place, fd, err);
	if (r < 0)
		return r;
	if (!str_eq(h->store, h->home) && (r = path_remove_tree(AT_FDCWD, place.store_dir)) < 0)
		return err_set(err, -r, "remove", "cannot remove all of '%s': %m", place.store_dir);
	do
		r = path_remove_tree(h->sessions_fd, dir);
	while (r == -ENOTEMPTY);                         /* somebody who found it lying there made a lock meanwhile */
	return r < 0 ? err_set(err, -r, "remove", "cannot remove all of '%s/%s': %m", h->sessions, dir) : 0;
}

int session_remove(const struct house *h, const char *id, struct err *err)
{
	_free_ char *going = xasprintf(".rm-%s", id);

	if (renameat(h->sessions_fd, id, h->sessions_fd, going) < 0)
		return errno == ENOENT ? 0 : err_set(err, errno, "remove", "cannot remove session %s: %m", id);
	HOOK("remove.renamed");
	names_release(h, id, NULL);
	HOOK("remove.released");
	return remove_content(h, id, going, err);
}

void session_unmake(const struct house *h, const char *id, const char *dir)
{
	_free_ char *store = xasprintf("%s/sessions/%s", h->store, id);

	names_release(h, id, NULL);
	(void)path_remove_tree(h->sessions_fd, dir);
	if (!str_eq(h->store, h->home))
		(void)path_remove_tree(AT_FDCWD, store);
}

/*
 * The lock of what somebody began to make or to remove and does no longer, as a descriptor; else -1. A maker takes
 * the lock right after the directory, and looks then whether we were faster (session_create).
 */
static int take_abandoned(const struct house *h, const char *name)
{
	_fd_ dir = openat(h->sessions_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	_fd_ guard = dir < 0 ? -1 : session_guard(dir);
	const int lock = dir < 0 ? -1 : session_lock(dir);

	return lock < 0 ? -1 : lock;
}

bool session_is_abandoned(const struct house *h, const char *dir)
{
	_fd_ lock = take_abandoned(h, dir);

	return lock >= 0;
}

void session_remove_rest(const struct house *h)
{
	DIR *dir = fdopendir(openat(h->sessions_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));

	if (dir == NULL)
		return;
	for (struct dirent *e; (e = readdir(dir)) != NULL;) {
		const char *id = str_starts(e->d_name, ".rm-") ? e->d_name + 4 :
		                 str_starts(e->d_name, ".new-") ? e->d_name + 5 : NULL;
		_fd_ lock = id != NULL ? take_abandoned(h, e->d_name) : -1;

		if (lock < 0)
			continue;
		names_release(h, id, NULL);
		(void)remove_content(h, id, e->d_name, NULL);
	}
	closedir(dir);
}
