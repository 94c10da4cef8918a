/*
 * From a tar to a tree. Everything is reached from one directory descriptor with openat2(2), component for component
 * without links, and made under a name that was free: a link or file in the way is replaced, never written through.
 */
#include "image/tree.h"

#include "base/fd.h"
#include "base/list.h"
#include "base/path.h"
#include "base/str.h"
#include "image/tar-input.h"
#include "image/whiteout.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

/* A directory gets its mode and time last: the one could forbid to fill it, the other changes by filling it. */
struct late_dir { char *path; size_t order; mode_t mode; bool has_time; struct timespec time; };

struct unpack {
	const struct tree_options *o;
	struct tree_report *report;
	struct tar_input in;
	int base;                /* O_PATH: the directory below which everything is made */
	bool is_placed;          /* base, from and into are known: the first entry says what comes */
	char *from;              /* with .to: the top entry of the archive, "" for contents */
	char *into;              /* what it is called here, "" where it is base itself */
	struct strv made;        /* names in base which were not there before */
	VEC(struct late_dir) late;
	char *parent;            /* the directory used last, and its descriptor */
	int parent_fd;
};

/* Where one entry goes: @name in directory @dir; @tmp as well when a file has to be replaced. */
struct place {
	const char *path;
	int dir;
	const char *name;
	bool is_taken, was_hidden;       /* hidden: by a whiteout of the same layer */
	char tmp[32];
};

static int fail(struct err *err, int no, const char *verb, const char *path)
{
	_free_ char *shown = visible(*path ? path : ".");

	return err_set(err, no, "tree", "cannot %s '%s': %m", verb, shown);
}

static int refuse(struct err *err, const char *path, const char *why)
{
	_free_ char *shown = visible(*path ? path : ".");

	return err_set(err, EPERM, "tree-refused", "'%s' is refused: %s", shown, why);
}

static int open_beneath(int dir, const char *path, int flags)
{
	const struct open_how how = {
		.flags = (uint64_t)(flags | O_CLOEXEC | O_NOFOLLOW),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	long fd;

	do
		fd = syscall(SYS_openat2, dir, *path ? path : ".", &how, sizeof(how));
	while (fd < 0 && errno == EAGAIN);       /* somebody renamed meanwhile (openat2(2)) */
	return fd < 0 ? -errno : (int)fd;
}

static void owner_of(const struct unpack *u, struct archive_entry *e, int64_t *ret_uid, int64_t *ret_gid)
{
	*ret_uid = u->o->keeps_owner ? archive_entry_uid(e) : (int64_t)u->o->uid;
	*ret_gid = u->o->keeps_owner ? archive_entry_gid(e) : (int64_t)u->o->gid;
}

static int set_owner(int dir, const char *name, int64_t uid, int64_t gid, const char *path, struct err *err)
{
	_free_ char *shown = NULL;

	if (uid >= 0 && gid >= 0 && uid < UINT32_MAX && gid < UINT32_MAX &&
	    fchownat(dir, name, (uid_t)uid, (gid_t)gid, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) == 0)
		return 0;
	if (uid >= 0 && gid >= 0 && uid < UINT32_MAX && gid < UINT32_MAX && errno != EINVAL)
		return fail(err, errno, "set the owner of", path);
	shown = visible(*path ? path : ".");     /* EINVAL: not mapped (user_namespaces(7)) */
	return err_set(err, EINVAL, "tree-owner", "'%s' belongs to %lld:%lld, ids that the container does not have "
	               "(/etc/subuid and /etc/subgid say how many there are)", shown, (long long)uid, (long long)gid);
}

static mode_t mode_of(const struct unpack *u, struct archive_entry *e)
{
	return archive_entry_mode(e) & (u->o->strips_setuid ? 01777 : 07777);
}

static bool time_of(struct archive_entry *e, struct timespec ret[2])
{
	ret[1] = (struct timespec){ archive_entry_mtime(e), archive_entry_mtime_nsec(e) };
	ret[0] = ret[1];
	return archive_entry_mtime_is_set(e) != 0;
}

/* ---- where an entry goes */

static void note_made(struct unpack *u, const char *path)
{
	if (u->o->to != NULL && strchr(path, '/') == NULL)
		strv_push(&u->made, path);
}

/* Make the directory @path and those above it that the archive does not name. */
static int make_parents(struct unpack *u, const char *path, struct err *err)
{
	_free_ char *copy = xstrdup(path);

	for (char *end = copy; end != NULL;) {
		int64_t uid = u->o->keeps_owner ? 0 : (int64_t)u->o->uid;
		int64_t gid = u->o->keeps_owner ? 0 : (int64_t)u->o->gid;
		_fd_ dir = -1;
		int r;

		end = strchr(end, '/');
		if (end != NULL)
			*end = '\0';
		dir = open_beneath(u->base, copy, O_PATH | O_DIRECTORY);
		if (dir == -ENOENT) {
			char *slash = strrchr(copy, '/');
			_free_ char *above = slash ? xstrndup(copy, (size_t)(slash - copy)) : xstrdup("");
			_fd_ up = open_beneath(u->base, above, O_PATH | O_DIRECTORY);

			if (up < 0 || mkdirat(up, slash ? slash + 1 : copy, 0755) < 0)
				return fail(err, up < 0 ? -up : errno, "make the directory", copy);
			note_made(u, copy);
			r = set_owner(up, slash ? slash + 1 : copy, uid, gid, copy, err);
			if (r < 0)
				return r;
		}
		if (end != NULL)
			*end++ = '/';
	}
	return 0;
}

static int open_parent(struct unpack *u, const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	_free_ char *above = slash ? xstrndup(path, (size_t)(slash - path)) : xstrdup("");
	int fd, r;

	if (u->parent != NULL && str_eq(u->parent, above))
		return u->parent_fd;
	fd = open_beneath(u->base, above, O_PATH | O_DIRECTORY);
	if (fd == -ENOENT) {
		r = make_parents(u, above, err);
		if (r < 0)
			return r;
		fd = open_beneath(u->base, above, O_PATH | O_DIRECTORY);
	}
	if (fd == -ELOOP || fd == -ENOTDIR || fd == -EXDEV)
		return refuse(err, path, "its name leads through a link or a file");
	if (fd < 0)
		return fail(err, -fd, "open the directory of", path);
	free(u->parent);
	fd_close(u->parent_fd);
	u->parent = TAKE(above);
	u->parent_fd = fd;
	return fd;
}

/* Find where @path goes. What is there already may be replaced, unless one of the two is a directory. */
static int place_find(struct unpack *u, const char *path, bool is_dir, struct place *ret, struct err *err)
{
	struct stat st;

	*ret = (struct place){ .path = path, .name = path_base(path) };
	ret->dir = open_parent(u, path, err);
	if (ret->dir < 0)
		return ret->dir;
	if (*path == '\0') {
		ret->name = ".";
		ret->is_taken = true;
		return is_dir ? 0 : refuse(err, path, "the top of the archive is no directory");
	}
	snprintf(ret->tmp, sizeof(ret->tmp), ".pterm-new-%d", (int)getpid());
	if (fstatat(ret->dir, ret->name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno != ENOENT)
			return fail(err, errno, "look at", path);
		note_made(u, path);
		return 0;
	}
	if (is_dir && u->o->to == NULL && whiteout_is_node(&st) && unlinkat(ret->dir, ret->name, 0) == 0) {
		ret->was_hidden = true;
		return 0;
	}
	ret->is_taken = true;
	if (S_ISDIR(st.st_mode) && !is_dir)
		return refuse(err, path, "there is a directory of this name, and it is not replaced by a file");
	if (!S_ISDIR(st.st_mode) && is_dir)
		return refuse(err, path, "there is a file or link of this name, and it is not replaced by a directory");
	return 0;
}

/* The name under which a file is made: its own, or beside what it will replace. */
static const char *place_name(const struct place *at)
{
	if (at->is_taken)
		(void)unlinkat(at->dir, at->tmp, 0);
	return at->is_taken ? at->tmp : at->name;
}

static int place_finish(const struct place *at, int r, struct err *err)
{
	if (r == 0 && at->is_taken && renameat(at->dir, at->tmp, at->dir, at->name) < 0)
		r = fail(err, errno, "replace", at->path);
	if (at->is_taken)
		(void)unlinkat(at->dir, at->tmp, 0);     /* rename(2) leaves it where both are one file */
	else if (r < 0)
		(void)unlinkat(at->dir, at->name, 0);
	return r;
}

/* ---- kinds of entries */

static int copy_data(struct unpack *u, int fd, const char *path, int64_t size, struct err *err)
{
	int64_t end = 0;
	int r;

	for (;;) {
		const void *block;
		la_int64_t offset;
		size_t n;

		r = archive_read_data_block(u->in.tar, &block, &n, &offset);
		if (r == ARCHIVE_EOF)
			break;
		if (r < ARCHIVE_WARN)
			return tar_input_failed(&u->in, path, err);
		for (size_t done = 0; done < n;) {
			const ssize_t w = pwrite(fd, (const char *)block + done, n - done, offset + (off_t)done);

			if (w < 0 && errno != EINTR)
				return fail(err, errno, "write", path);
			done += w > 0 ? (size_t)w : 0;
		}
		end = offset + (int64_t)n;
	}
	return end != size && ftruncate(fd, size) < 0 ? fail(err, errno, "set the size of", path) : 0;   /* a hole at the end */
}

static int set_xattrs(struct unpack *u, int fd, struct archive_entry *e, const char *path, struct err *err)
{
	const char *name;
	const void *value;
	size_t n;

	(void)archive_entry_xattr_reset(e);
	while (archive_entry_xattr_next(e, &name, &value, &n) == ARCHIVE_OK) {
		const bool is_caps = str_eq(name, "security.capability");

		if (is_caps ? u->o->strips_setuid || u->o->to != NULL : !tree_keeps_xattr(name))
			continue;
		if (fsetxattr(fd, name, value, n, 0) == 0 || is_caps || errno == ENOTSUP)
			continue;                /* capabilities: only where we may; ENOTSUP: older tmpfs */
		return fail(err, errno, "set an attribute of", path);
	}
	return 0;
}

static int fill_file(struct unpack *u, int fd, struct archive_entry *e, const char *path, struct err *err)
{
	struct timespec times[2];
	int64_t uid, gid;
	int r;

	owner_of(u, e, &uid, &gid);
	r = copy_data(u, fd, path, archive_entry_size(e), err);
	if (r == 0)
		r = set_owner(fd, "", uid, gid, path, err);      /* before the mode and capabilities: it clears both */
	if (r == 0)
		r = set_xattrs(u, fd, e, path, err);
	if (r == 0 && fchmod(fd, mode_of(u, e)) < 0)
		r = fail(err, errno, "set the mode of", path);
	if (r == 0 && time_of(e, times) && futimens(fd, times) < 0)
		r = fail(err, errno, "set the time of", path);
	return r;
}

static int make_file(struct unpack *u, struct archive_entry *e, const char *path, struct err *err)
{
	_fd_ fd = -1;
	struct place at;
	int r = place_find(u, path, false, &at, err);

	if (r < 0)
		return r;
	fd = openat(at.dir, place_name(&at), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail(err, errno, "make the file", path);
	return place_finish(&at, fill_file(u, fd, e, path, err), err);
}

/* Owner, mode and time of what is not opened: links and fifos. */
static int dress(struct unpack *u, const struct place *at, const char *name, struct archive_entry *e, struct err *err)
{
	struct timespec times[2];
	int64_t uid, gid;
	int r;

	owner_of(u, e, &uid, &gid);
	r = set_owner(at->dir, name, uid, gid, at->path, err);
	if (r == 0 && archive_entry_filetype(e) != AE_IFLNK && fchmodat(at->dir, name, mode_of(u, e), 0) < 0)
		r = fail(err, errno, "set the mode of", at->path);
	if (r == 0 && time_of(e, times) && utimensat(at->dir, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		r = fail(err, errno, "set the time of", at->path);
	return r;
}

static int make_link(struct unpack *u, struct archive_entry *e, const char *path, struct err *err)
{
	const char *target = archive_entry_symlink(e), *name;
	struct place at;
	int r = place_find(u, path, false, &at, err);

	if (r < 0)
		return r;
	if (target == NULL || *target == '\0' || strlen(target) > TREE_PATH_MAX)
		return refuse(err, path, "it is a link without a usable target");
	name = place_name(&at);
	r = symlinkat(target, at.dir, name) < 0 ? fail(err, errno, "make the link", path) : dress(u, &at, name, e, err);
	return place_finish(&at, r, err);
}

static int make_fifo(struct unpack *u, struct archive_entry *e, const char *path, struct err *err)
{
	const char *name;
	struct place at;
	int r = place_find(u, path, false, &at, err);

	if (r < 0)
		return r;
	name = place_name(&at);
	r = mknodat(at.dir, name, S_IFIFO | 0600, 0) < 0 ? fail(err, errno, "make the fifo", path)
	                                                 : dress(u, &at, name, e, err);
	return place_finish(&at, r, err);
}

/* @target is the other name, as it is called here. */
static int make_hard_link(struct unpack *u, const char *target, const char *path, struct err *err)
{
	const char *slash = strrchr(target, '/');
	_free_ char *above = slash ? xstrndup(target, (size_t)(slash - target)) : xstrdup("");
	_fd_ dir = open_beneath(u->base, above, O_PATH | O_DIRECTORY);
	struct place at;
	int r;

	if (dir == -ELOOP || dir == -ENOTDIR || dir == -EXDEV)
		return refuse(err, path, "it is a hard link through another link or a file");
	if (dir == -ENOENT || (dir >= 0 && !path_exists(dir, path_base(target)))) {
		if (u->report->skipped == 0)
			return refuse(err, path, "it is a hard link to a file that is not in the archive before it");
		u->report->skipped++;            /* the other name was a device */
		return 0;
	}
	if (dir < 0)
		return fail(err, -dir, "open the directory of the other name of", path);
	r = place_find(u, path, false, &at, err);
	if (r < 0)
		return r;
	if (linkat(dir, path_base(target), at.dir, place_name(&at), 0) < 0)
		return fail(err, errno, "make the hard link", path);
	return place_finish(&at, 0, err);
}

static int make_dir(struct unpack *u, struct archive_entry *e, const char *path, struct err *err)
{
	_fd_ fd = -1;
	struct timespec times[2];
	struct late_dir late;
	struct place at;
	int64_t uid, gid;
	int r = place_find(u, path, true, &at, err);

	if (r < 0)
		return r;
	if (at.is_taken && u->o->to != NULL)
		return 0;
	if (!at.is_taken && mkdirat(at.dir, at.name, 0700) < 0)
		return fail(err, errno, "make the directory", path);
	r = at.was_hidden ? whiteout_set_opaque(at.dir, at.name) : 0;
	if (r < 0)
		return fail(err, -r, "hide what is below", path);
	owner_of(u, e, &uid, &gid);
	r = set_owner(at.dir, at.name, uid, gid, path, err);
	if (r < 0)
		return r;
	if (archive_entry_xattr_count(e) > 0) {
		fd = open_beneath(at.dir, at.name, O_RDONLY | O_DIRECTORY);
		r = fd < 0 ? fail(err, -fd, "open", path) : set_xattrs(u, fd, e, path, err);
		if (r < 0)
			return r;
	}
	late = (struct late_dir){ .path = xstrdup(path), .order = u->late.len, .mode = mode_of(u, e) };
	late.has_time = time_of(e, times);
	late.time = times[1];
	vec_push(&u->late, late);
	return 0;
}

/* An entry that takes something away from the layers below. */
static int make_whiteout(struct unpack *u, const char *path, struct err *err)
{
	const int dir = open_parent(u, path, err);
	int r;

	if (dir < 0)
		return dir;
	r = whiteout_make(dir, path_base(path));
	if (r == -EPERM)
		return refuse(err, path, "it would hide nothing that can be there");
	return r < 0 ? fail(err, -r, "hide what is meant by", path) : 0;
}

/* By path, so that a directory comes before what is in it; the same one by order. */
static int compare_late(const void *a, const void *b)
{
	const struct late_dir *x = a, *y = b;
	const int r = strcmp(x->path, y->path);

	return r ? r : (x->order > y->order) - (x->order < y->order);
}

static int finish_dirs(struct unpack *u, struct err *err)
{
	if (u->late.len > 0)
		qsort(u->late.items, u->late.len, sizeof(*u->late.items), compare_late);
	for (size_t i = u->late.len; i-- > 0;) {
		const struct late_dir *d = &u->late.items[i];
		const struct timespec times[2] = { d->time, d->time };
		_fd_ fd = -1;

		if (i + 1 < u->late.len && str_eq(d[1].path, d->path))
			continue;                /* named again later, which counts */
		fd = open_beneath(u->base, d->path, O_RDONLY | O_DIRECTORY);
		if (fd < 0)
			return fail(err, -fd, "open", d->path);
		if (fchmod(fd, d->mode) < 0)
			return fail(err, errno, "set the mode of", d->path);
		if (d->has_time && futimens(fd, times) < 0)
			return fail(err, errno, "set the time of", d->path);
	}
	return 0;
}

/* ---- cp: where the top entry goes, and what it is called there */

static int place_as_image(struct unpack *u, struct err *err)
{
	u->base = open_beneath(AT_FDCWD, ".", O_PATH | O_DIRECTORY);
	if (u->base < 0)
		return fail(err, -u->base, "open", ".");
	if (u->o->keeps_owner && (fchownat(u->base, "", 0, 0, AT_EMPTY_PATH) < 0 || chmod(".", 0755) < 0))
		return fail(err, errno, "prepare", ".");         /* until the archive says otherwise */
	return 0;
}

/* @to is no directory: the top entry becomes @to. */
static int place_as_new(struct unpack *u, const char *to, bool is_dir, struct err *err)
{
	_free_ char *clean = xstrdup(to);
	size_t n = strlen(clean);
	char *slash;

	while (n > 1 && clean[n - 1] == '/')
		clean[--n] = '\0';
	if (n < strlen(to) && !is_dir)
		return fail(err, ENOTDIR, "copy a file to", to);
	slash = strrchr(clean, '/');
	free(u->into);
	u->into = xstrdup(slash ? slash + 1 : clean);
	if (*u->into == '\0' || str_eq(u->into, ".") || str_eq(u->into, ".."))
		return fail(err, ENOENT, "copy to", to);
	if (slash != NULL)
		slash[slash == clean] = '\0';
	u->base = path_open_in_root(AT_FDCWD, slash ? clean : ".", O_PATH | O_DIRECTORY);
	return u->base < 0 ? fail(err, -u->base, "copy to", to) : 0;
}

static int place_as_cp(struct unpack *u, const char *first, bool is_dir, struct err *err)
{
	if (*first == '\0' && !is_dir)
		return refuse(err, first, "the top of the archive is no directory");
	u->from = xstrndup(first, strcspn(first, "/"));
	u->into = xstrdup(u->from);
	u->base = path_open_in_root(AT_FDCWD, u->o->to, O_PATH | O_DIRECTORY);
	if (u->base >= 0)
		return 0;
	return place_as_new(u, u->o->to, is_dir, err);
}

/* An entry's name in the archive to its name below base. */
static int rename_entry(struct unpack *u, const char *raw, char **ret, struct err *err)
{
	_free_ char *clean = NULL;
	size_t n;
	int r = tree_clean_name(raw, &clean);

	if (r < 0)
		return r == -EPERM ? refuse(err, raw, "its name leads out of the directory")
		                   : fail(err, -r, "use the name", raw);
	if (u->o->to == NULL) {
		*ret = TAKE(clean);
		return 0;
	}
	n = strlen(u->from);
	if (raw[0] == '/' || (n > 0 && (strncmp(clean, u->from, n) != 0 || (clean[n] != '/' && clean[n] != '\0'))))
		return refuse(err, raw, "it is not below the top entry of the archive");
	if (n == 0 && *u->into != '\0' && *clean != '\0')
		*ret = path_join(u->into, clean);
	else
		*ret = xasprintf("%s%s", u->into, clean + n);
	return 0;
}

static bool is_left_out(const struct unpack *u, mode_t type)
{
	return type == AE_IFCHR || type == AE_IFBLK || type == AE_IFSOCK || (type == AE_IFIFO && u->o->to != NULL);
}

static int unpack_entry(struct unpack *u, struct archive_entry *e, struct err *err)
{
	const char *raw = archive_entry_pathname(e), *other = archive_entry_hardlink(e);
	const mode_t type = archive_entry_filetype(e);
	_free_ char *path = NULL;
	_free_ char *target = NULL;
	int r;

	if (raw == NULL || *raw == '\0')
		return err_set(err, EILSEQ, "tree", "an entry of the archive has no readable name");
	if (++u->report->entries > TREE_ENTRY_MAX)
		return err_set(err, E2BIG, "tree", "the archive has more than %d entries", TREE_ENTRY_MAX);
	if (!u->is_placed && u->o->to != NULL) {
		_free_ char *first = NULL;

		r = tree_clean_name(raw, &first);
		if (r == 0)
			r = place_as_cp(u, first, type == AE_IFDIR, err);
		else
			r = refuse(err, raw, "its name leads out of the directory");
		if (r < 0)
			return r;
		u->is_placed = true;
	}
	r = rename_entry(u, raw, &path, err);
	if (r == 0 && other != NULL)
		r = rename_entry(u, other, &target, err);
	if (r < 0)
		return r;
	if (u->o->to == NULL && !u->o->is_plain && whiteout_is_entry(path_base(path)))
		return make_whiteout(u, path, err);
	if (is_left_out(u, type)) {
		u->report->skipped++;
		return 0;
	}
	if (other != NULL)
		return make_hard_link(u, target, path, err);
	switch (type) {
	case AE_IFREG: return make_file(u, e, path, err);
	case AE_IFDIR: return make_dir(u, e, path, err);
	case AE_IFLNK: return make_link(u, e, path, err);
	case AE_IFIFO: return make_fifo(u, e, path, err);
	default: return refuse(err, path, "it is of a kind that is not known");
	}
}

static int unpack_all(struct unpack *u, int in_fd, struct err *err)
{
	struct archive_entry *e;
	int r = tar_input_init(&u->in, in_fd, u->o->max_bytes, err);

	if (r == 0 && u->o->to == NULL)
		r = place_as_image(u, err);
	while (r >= 0 && (r = tar_input_next(&u->in, &e, err)) > 0)
		r = unpack_entry(u, e, err);
	if (r == 0)
		r = tar_input_finish(&u->in, u->report->sha256, u->report->raw_sha256, err);
	return r < 0 ? r : finish_dirs(u, err);
}

int tree_unpack(int in_fd, const struct tree_options *o, struct tree_report *ret, struct err *err)
{
	struct unpack *u = xcalloc(1, sizeof(*u));       /* a large one: it holds a block of the archive */
	int r;

	*ret = (struct tree_report){ 0 };
	u->o = o;
	u->report = ret;
	u->base = u->parent_fd = -1;
	tree_hold_signals();
	r = unpack_all(u, in_fd, err);
	for (size_t i = 0; r < 0 && i < u->made.len; i++)
		(void)path_remove_tree(u->base, u->made.items[i]);
	tar_input_fini(&u->in);
	for (size_t i = 0; i < u->late.len; i++)
		free(u->late.items[i].path);
	vec_release(&u->late);
	strv_release(&u->made);
	free(u->from);
	free(u->into);
	free(u->parent);
	fd_close(u->base);
	fd_close(u->parent_fd);
	free(u);
	return r;
}
