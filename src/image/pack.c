/*
 * From a tree to a tar, for copies out of and into containers. The tree may be alive and hostile: every step opens
 * without following links and looks again at what it opened. The archive of a failed walk has no end mark.
 */
#include "image/tree.h"

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "image/whiteout.h"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { PIECE = 64 * 1024, HOLES_MAX = 10000 };

struct pack {
	const struct tree_options *o;
	struct tree_report *report;
	struct archive *out;
	struct archive_entry_linkresolver *links;        /* two names of one file */
	dev_t dev;               /* of the directory being read */
	struct str name;         /* of the entry being written */
	char *buf;
};

static int fail(struct pack *p, struct err *err, int no, const char *verb)
{
	_free_ char *shown = visible(p->name.buf);

	return err_set(err, no, "tree", "cannot %s '%s': %m", verb, shown);
}

static int write_failed(struct pack *p, struct err *err)
{
	const int no = archive_errno(p->out);
	const char *why = archive_error_string(p->out);

	return err_set(err, no > 0 ? no : EIO, "tree", "cannot write the archive: %s", why ? why : "no reason given");
}

static bool is_kernel_fs(int fd)
{
	static const long kinds[] = {
		PROC_SUPER_MAGIC, SYSFS_MAGIC, CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC, DEVPTS_SUPER_MAGIC,
		DEBUGFS_MAGIC, TRACEFS_MAGIC, SECURITYFS_MAGIC, BPF_FS_MAGIC, 0x19800202 /* mqueue: ipc/mqueue.c */,
	};
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return false;
	for (size_t i = 0; i < array_len(kinds); i++)
		if (fs.f_type == kinds[i])
			return true;
	return false;
}

static void add_xattrs(struct pack *p, int fd, struct archive_entry *e)
{
	_free_ char *names = xcalloc(1, XATTR_LIST_MAX);
	const ssize_t n = flistxattr(fd, names, XATTR_LIST_MAX);

	for (const char *at = names; n > 0 && at < names + n; at += strlen(at) + 1) {
		ssize_t len;

		if (!tree_keeps_xattr(at) && !(p->o->is_layer && str_eq(at, "security.capability")))
			continue;
		len = fgetxattr(fd, at, p->buf, PIECE);
		if (len >= 0)
			archive_entry_xattr_add_entry(e, at, p->buf, (size_t)len);
	}
}

/* Tell the archive where the data of a file with holes is; a file full of holes is written as it reads. */
static void add_holes(int fd, const struct stat *st, struct archive_entry *e)
{
	off_t data = 0, hole;

	if (st->st_size == 0 || (uint64_t)st->st_blocks * 512 >= (uint64_t)st->st_size)
		return;
	for (int i = 0; data < st->st_size; i++, data = hole) {
		data = lseek(fd, data, SEEK_DATA);
		if (data < 0 && errno == ENXIO)
			data = st->st_size;              /* a hole to the end */
		hole = data < 0 ? -1 : lseek(fd, data, SEEK_HOLE);
		if (data >= st->st_size || (hole < 0 && errno == ENXIO)) {
			archive_entry_sparse_add_entry(e, st->st_size, 0);
			break;
		}
		if (hole < 0 || i == HOLES_MAX) {
			archive_entry_sparse_clear(e);
			break;
		}
		if (hole > st->st_size)
			hole = st->st_size;
		archive_entry_sparse_add_entry(e, data, hole - data);
	}
	(void)lseek(fd, 0, SEEK_SET);
}

static int write_header(struct pack *p, struct archive_entry *e, struct err *err)
{
	int r;

	if (++p->report->entries > TREE_ENTRY_MAX)
		return err_set(err, E2BIG, "tree", "there are more than %d files", TREE_ENTRY_MAX);
	r = archive_write_header(p->out, e);
	return r < ARCHIVE_WARN ? write_failed(p, err) : 0;
}

/* Exactly @size bytes: what the header promised. */
static int write_data(struct pack *p, int fd, int64_t size, struct err *err)
{
	while (size > 0) {
		const ssize_t n = read(fd, p->buf, min_size(PIECE, (size_t)size));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(p, err, errno, "read");
		if (n == 0)
			return fail(p, err, ESTALE, "read to its end, which moved meanwhile,");
		if (archive_write_data(p->out, p->buf, (size_t)n) != n)
			return write_failed(p, err);
		size -= n;
	}
	return 0;
}

static struct archive_entry *entry_new(struct pack *p, const struct stat *st)
{
	struct archive_entry *e = archive_entry_new();

	if (e == NULL)
		abort();
	archive_entry_copy_stat(e, st);
	archive_entry_copy_pathname(e, p->name.buf);
	return e;
}

static int pack_file(struct pack *p, int dir, const char *base, struct err *err)
{
	_fd_ fd = openat(dir, base, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct archive_entry *e, *spare = NULL;
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return fail(p, err, errno, "read");
	if (!S_ISREG(st.st_mode))
		return fail(p, err, EAGAIN, "read");     /* swapped since it was looked at */
	e = entry_new(p, &st);
	add_xattrs(p, fd, e);
	archive_entry_linkify(p->links, &e, &spare);     /* a tar has no spare ones */
	if (archive_entry_hardlink(e) == NULL)
		add_holes(fd, &st, e);
	r = write_header(p, e, err);
	if (r == 0 && archive_entry_hardlink(e) == NULL)
		r = write_data(p, fd, st.st_size, err);
	archive_entry_free(e);
	return r;
}

static int pack_link(struct pack *p, int dir, const char *base, const struct stat *st, struct err *err)
{
	char target[TREE_PATH_MAX + 1];
	const ssize_t n = readlinkat(dir, base, target, sizeof(target));
	struct archive_entry *e;
	int r;

	if (n < 0 || n == sizeof(target))
		return fail(p, err, n < 0 ? errno : ENAMETOOLONG, "read the link");
	target[n] = '\0';
	e = entry_new(p, st);
	archive_entry_copy_symlink(e, target);
	archive_entry_set_size(e, 0);
	r = write_header(p, e, err);
	archive_entry_free(e);
	return r;
}

static int pack_fifo(struct pack *p, const struct stat *st, struct err *err)
{
	struct archive_entry *e = entry_new(p, st);
	int r;

	archive_entry_set_size(e, 0);
	r = write_header(p, e, err);
	archive_entry_free(e);
	return r;
}

/* An empty file with this name below @len bytes of the one that is being written: something is taken away. */
static int pack_mark(struct pack *p, size_t len, const char *prefix, const char *name, struct err *err)
{
	_free_ char *before = xstrdup(p->name.buf);
	struct archive_entry *e = archive_entry_new();
	int r;

	if (e == NULL)
		abort();
	p->name.buf[p->name.len = len] = '\0';
	str_addf(&p->name, "%s%s", prefix, name);
	archive_entry_copy_pathname(e, p->name.buf);
	archive_entry_set_filetype(e, AE_IFREG);
	archive_entry_set_perm(e, 0644);
	archive_entry_set_size(e, 0);
	r = write_header(p, e, err);
	archive_entry_free(e);
	str_clear(&p->name);
	str_adds(&p->name, before);
	return r;
}

static int pack_node(struct pack *p, int dir, const char *base, struct err *err);

/* All names of a directory at once: what a copy into itself makes there meanwhile is not walked again. */
static int list_dir(struct pack *p, int fd, struct strv *ret, struct err *err)
{
	const int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = again < 0 ? NULL : fdopendir(again);

	if (dir == NULL) {
		fd_close(again);
		return fail(p, err, errno, "list");
	}
	errno = 0;
	for (struct dirent *d; (d = readdir(dir)) != NULL; errno = 0) {
		if (str_eq(d->d_name, ".") || str_eq(d->d_name, ".."))
			continue;
		strv_push(ret, d->d_name);
		if (ret->len > TREE_ENTRY_MAX)
			errno = E2BIG;
		if (errno != 0)
			break;
	}
	const int no = errno;

	closedir(dir);
	return no ? fail(p, err, no, "list") : 0;
}

static int pack_below(struct pack *p, int fd, const struct strv *names, struct err *err)
{
	const size_t len = p->name.len;
	int r = 0;

	for (size_t i = 0; i < names->len && r == 0; i++) {
		if (len + 1 + strlen(names->items[i]) > TREE_PATH_MAX)
			return fail(p, err, ENAMETOOLONG, "copy what is below");
		str_addc(&p->name, '/');
		str_adds(&p->name, names->items[i]);
		r = pack_node(p, fd, names->items[i], err);
		if (r < 0)
			break;                   /* the name stays as it is, for the message */
		p->name.buf[p->name.len = len] = '\0';
	}
	return r;
}

/* The directory open as @fd, and all below it. */
static int pack_dir(struct pack *p, int fd, struct err *err)
{
	_strv_ names = { 0 };
	const dev_t outer = p->dev;
	struct archive_entry *e;
	struct stat st;
	int r = 0;

	if (fstat(fd, &st) < 0)
		return fail(p, err, errno, "look at");
	if (st.st_dev == outer || !is_kernel_fs(fd))
		r = list_dir(p, fd, &names, err);
	else if (p->report->entries == 0)
		r = fail(p, err, ENOTSUP, "copy the kernel's file system");
	else
		p->report->skipped++;
	if (r < 0)
		return r;
	p->dev = st.st_dev;
	e = entry_new(p, &st);
	archive_entry_set_size(e, 0);
	add_xattrs(p, fd, e);
	r = write_header(p, e, err);
	archive_entry_free(e);
	if (r == 0 && p->o->is_layer && whiteout_is_opaque(fd))
		r = pack_mark(p, p->name.len, "/", WHITEOUT_OPAQUE, err);
	if (r == 0)
		r = pack_below(p, fd, &names, err);
	p->dev = outer;
	return r;
}

static int pack_node(struct pack *p, int dir, const char *base, struct err *err)
{
	_fd_ fd = -1;
	struct stat st;

	if (fstatat(dir, base, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno == ENOENT && strchr(p->name.buf, '/') != NULL)
			return 0;                /* gone since its directory was listed */
		return fail(p, err, errno, "copy");
	}
	if (S_ISFIFO(st.st_mode) && p->o->packs_fifos)
		return pack_fifo(p, &st, err);
	switch (st.st_mode & S_IFMT) {
	case S_IFREG:
		return pack_file(p, dir, base, err);
	case S_IFLNK:
		return pack_link(p, dir, base, &st, err);
	case S_IFDIR:
		fd = openat(dir, base, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		return fd < 0 ? fail(p, err, errno, "open") : pack_dir(p, fd, err);
	default:
		if (p->o->is_layer && whiteout_is_node(&st))
			return pack_mark(p, p->name.len - strlen(base), WHITEOUT_PREFIX, base, err);
		p->report->skipped++;
		return 0;
	}
}

/* ---- the path that was asked for */

/* What @path means: the part to open, whether it is followed, and what the top entry is called. */
struct top { char *path; bool is_followed, is_contents; };

static void read_path(const char *path, struct top *ret)
{
	size_t n = strlen(path);
	const char *base;

	*ret = (struct top){ 0 };
	for (; n > 1 && path[n - 1] == '/'; n--)
		ret->is_followed = true;
	ret->path = xstrndup(path, n);
	base = path_base(ret->path);
	if (*base == '\0' || str_eq(base, ".") || str_eq(base, ".."))
		ret->is_contents = ret->is_followed = true;
}

static int pack_followed(struct pack *p, const struct top *top, struct err *err)
{
	_fd_ fd = path_open_in_root(AT_FDCWD, top->path, O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		return fail(p, err, -fd, "copy");
	str_clear(&p->name);
	str_adds(&p->name, p->o->name ? p->o->name : top->is_contents ? "." : path_base(top->path));
	return pack_dir(p, fd, err);
}

static int pack_named(struct pack *p, const struct top *top, struct err *err)
{
	const char *base = path_base(top->path);
	_free_ char *above = xstrndup(top->path, (size_t)(base - top->path));
	_fd_ dir = path_open_in_root(AT_FDCWD, *above ? above : ".", O_PATH | O_DIRECTORY);
	struct stat st;
	int r;

	if (dir < 0)
		return fail(p, err, -dir, "copy");
	if (fstatat(dir, base, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return fail(p, err, errno, "copy");
	if (!S_ISLNK(st.st_mode) && is_kernel_fs(dir))
		return fail(p, err, ENOTSUP, "copy from the kernel's file system");
	str_clear(&p->name);
	str_adds(&p->name, p->o->name ? p->o->name : base);
	r = pack_node(p, dir, base, err);
	if (r == 0 && p->report->entries == 0) {
		_free_ char *shown = visible(top->path);

		r = err_set(err, ENOTSUP, "tree", "'%s' is a device, socket or fifo, which cannot be copied", shown);
	}
	return r;
}

static int pack_top(struct pack *p, const char *path, struct err *err)
{
	struct top top;
	int r;

	str_adds(&p->name, path);                /* for messages, until the first entry is named */
	if (*path == '\0')
		return fail(p, err, ENOENT, "copy");
	read_path(path, &top);
	r = top.is_followed ? pack_followed(p, &top, err) : pack_named(p, &top, err);
	free(top.path);
	return r;
}

static int open_archive(struct pack *p, int out_fd, struct err *err)
{
	p->out = archive_write_new();
	p->links = archive_entry_linkresolver_new();
	if (p->out == NULL || p->links == NULL)
		return err_set(err, ENOMEM, "tree", "cannot start libarchive: %m");
	archive_entry_linkresolver_set_strategy(p->links, ARCHIVE_FORMAT_TAR);
	if (archive_write_set_format_pax(p->out) != ARCHIVE_OK ||
	    archive_write_set_bytes_per_block(p->out, PIECE) != ARCHIVE_OK ||
	    archive_write_set_bytes_in_last_block(p->out, 1) != ARCHIVE_OK ||
	    archive_write_open_fd(p->out, out_fd) != ARCHIVE_OK)
		return write_failed(p, err);
	return 0;
}

int tree_pack(int out_fd, const char *path, const struct tree_options *o, struct tree_report *ret, struct err *err)
{
	struct pack p = { .o = o, .report = ret, .name = STR_INIT, .buf = xcalloc(1, PIECE) };
	int r;

	*ret = (struct tree_report){ 0 };
	r = open_archive(&p, out_fd, err);
	if (r == 0)
		r = pack_top(&p, path, err);
	if (r == 0 && archive_write_close(p.out) != ARCHIVE_OK)
		r = write_failed(&p, err);
	if (r < 0 && p.out != NULL)
		(void)archive_write_fail(p.out);         /* or archive_write_free writes the end mark */
	(void)archive_write_free(p.out);
	archive_entry_linkresolver_free(p.links);
	str_release(&p.name);
	free(p.buf);
	return r;
}
