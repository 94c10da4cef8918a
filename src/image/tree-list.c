/*
 * The list of a layer: made by walking the layer once after it is unpacked, and compared with another such walk later.
 * Files are read from the page cache then; it costs less than to keep account while entries replace each other.
 */
#include "image/tree.h"

#include "base/fd.h"
#include "base/list.h"
#include "image/layer-list.h"
#include "image/tar-input.h"
#include "image/whiteout.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { PIECE = 256 * 1024, SAID_MAX = 20, FLUSH_AT = 64 * 1024 };

struct walk {
	struct str path;                 /* of what is looked at */
	struct str out;                  /* records */
	int out_fd;                      /* where full buffers of them go; -1: they are kept */
	struct tree_report *report;
	char *buf;
};

static int fail(const struct walk *w, struct err *err, int no, const char *verb)
{
	_free_ char *shown = visible(w->path.len ? w->path.buf : ".");

	return err_set(err, no, "tree", "cannot %s '%s': %m", verb, shown);
}

static int digest_file(struct walk *w, int dir, const char *name, char ret[65], struct err *err)
{
	_fd_ fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct sha256_ctx sha;
	ssize_t n;

	if (fd < 0)
		return fail(w, err, errno, "read");
	sha256_init(&sha);
	while ((n = tree_read(fd, w->buf, PIECE)) > 0)
		sha256_update(&sha, (size_t)n, (const uint8_t *)w->buf);
	if (n < 0)
		return fail(w, err, (int)-n, "read");
	sha256_hex(&sha, ret);
	return 0;
}

static int digest_link(struct walk *w, int dir, const char *name, char ret[65], struct err *err)
{
	const ssize_t n = readlinkat(dir, name, w->buf, PIECE);
	struct sha256_ctx sha;

	if (n < 0)
		return fail(w, err, errno, "read the link");
	sha256_init(&sha);
	sha256_update(&sha, (size_t)n, (const uint8_t *)w->buf);
	sha256_hex(&sha, ret);
	return 0;
}

/* The record of @name in @dir; *ret_st says what it is. */
static int look(struct walk *w, int dir, const char *name, struct stat *st, struct err *err)
{
	char digest[65] = "-";
	struct list_record rec;
	int r = 0;

	if (fstatat(dir, name, st, AT_SYMLINK_NOFOLLOW) < 0)
		return fail(w, err, errno, "look at");
	rec = (struct list_record){ .kind = list_kind(st), .mode = st->st_mode & 07777, .uid = st->st_uid, .gid = st->st_gid,
		.size = S_ISREG(st->st_mode) || S_ISLNK(st->st_mode) ? (uint64_t)st->st_size : 0,
		.mtime_ns = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec,
		.digest = digest, .path = w->path.len ? w->path.buf : "." };
	if (rec.kind == '\0')
		rec.kind = 'w';                  /* a device that nobody of ours made: differs from any list by its mode */
	else if (rec.kind == 'f')
		r = digest_file(w, dir, name, digest, err);
	else if (rec.kind == 'l')
		r = digest_link(w, dir, name, digest, err);
	if (rec.kind == 'd') {
		_fd_ fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (fd >= 0 && whiteout_is_opaque(fd))
			rec.kind = 'o';
	}
	if (r < 0)
		return r;
	list_record_write(&w->out, &rec);
	w->report->entries++;
	if (w->out_fd >= 0 && w->out.len >= FLUSH_AT) {
		r = fd_write_all(w->out_fd, w->out.buf, w->out.len);
		str_clear(&w->out);
	}
	return r < 0 ? err_set(err, -r, "tree", "cannot write the list of the layer: %m") : 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int read_names(const struct walk *w, int fd, struct strv *ret, struct err *err)
{
	const int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = again < 0 ? NULL : fdopendir(again);

	if (dir == NULL) {
		fd_close(again);
		return fail(w, err, errno, "list");
	}
	for (struct dirent *e; (e = readdir(dir)) != NULL;)
		if (!str_eq(e->d_name, ".") && !str_eq(e->d_name, ".."))
			strv_push(ret, e->d_name);
	closedir(dir);
	if (ret->len > 0)
		qsort(ret->items, ret->len, sizeof(*ret->items), by_name);
	return 0;
}

static void path_set(struct walk *w, size_t len, const char *name)
{
	w->path.buf[w->path.len = len] = '\0';
	if (len > 0)
		str_addc(&w->path, '/');
	str_adds(&w->path, name);
}

/* All entries of the directory @fd, then what is below each. The path is its own when it returns 0. */
static int walk_dir(struct walk *w, int fd, struct err *err)
{
	const size_t len = w->path.len;
	_strv_ names = { 0 };
	_strv_ dirs = { 0 };
	int r = read_names(w, fd, &names, err);

	for (size_t i = 0; i < names.len && r == 0; i++) {
		struct stat st;

		path_set(w, len, names.items[i]);
		r = look(w, fd, names.items[i], &st, err);
		if (r == 0 && S_ISDIR(st.st_mode))
			strv_push(&dirs, names.items[i]);
	}
	for (size_t i = 0; i < dirs.len && r == 0; i++) {
		_fd_ below = openat(fd, dirs.items[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		path_set(w, len, dirs.items[i]);
		r = below < 0 ? fail(w, err, errno, "open") : walk_dir(w, below, err);
	}
	if (r == 0 && w->path.len > len)
		w->path.buf[w->path.len = len] = '\0';
	return r;
}

static int walk_all(struct walk *w, struct err *err)
{
	_fd_ top = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;
	int r;

	w->buf = xcalloc(1, PIECE);
	str_grow(&w->path, TREE_PATH_MAX);
	r = top < 0 ? fail(w, err, errno, "open") : look(w, top, ".", &st, err);
	return r < 0 ? r : walk_dir(w, top, err);
}

static void walk_release(struct walk *w)
{
	str_release(&w->path);
	str_release(&w->out);
	free(w->buf);
}

int tree_list(int out_fd, struct tree_report *ret, struct err *err)
{
	struct tree_report figures = { 0 };
	_cleanup_(walk_release) struct walk w = { .path = STR_INIT, .out = STR_INIT, .out_fd = out_fd, .report = &figures };
	int r = walk_all(&w, err);

	if (r == 0) {
		r = fd_write_all(out_fd, w.out.buf, w.out.len);
		if (r < 0)
			r = err_set(err, -r, "tree", "cannot write the list of the layer: %m");
	}
	return r;
}

/* --- comparing --- */

/* Records of one list by path. */
struct records { struct list_record *items; size_t len, cap; };

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct list_record *)a)->path, ((const struct list_record *)b)->path);
}

static int read_records(const struct str *text, struct records *ret)
{
	for (size_t at = 0; at < text->len; at += strlen(text->buf + at) + 1) {
		struct list_record rec;

		if (list_record_read(text->buf + at, &rec) < 0)
			return -EINVAL;
		vec_push(ret, rec);
	}
	if (ret->len == 0)
		return -EINVAL;
	qsort(ret->items, ret->len, sizeof(*ret->items), by_path);
	return 0;
}

/* What is wrong with @now, which should be @then; NULL: nothing. */
static const char *difference(const struct list_record *then, const struct list_record *now)
{
	const size_t n = strcspn(then->digest, " ");

	if (then->kind != now->kind)
		return "is of another kind";
	if (then->size != now->size)
		return "has another size";
	if (strcspn(now->digest, " ") != n || strncmp(then->digest, now->digest, n) != 0)
		return "has other content";
	if (then->mode != now->mode)
		return "has another mode";
	if (then->uid != now->uid || then->gid != now->gid)
		return "belongs to somebody else";
	return then->mtime_ns != now->mtime_ns ? "was changed at another time" : NULL;
}

static void tell(struct str *said, struct tree_report *report, const char *path, const char *what)
{
	_free_ char *shown = visible(path);

	if (report->damaged++ < SAID_MAX)
		str_addf(said, "'%s' %s\n", shown, what);
}

static void compare(const struct records *then, const struct records *now, struct str *said, struct tree_report *report)
{
	size_t i = 0, k = 0;

	while (i < then->len || k < now->len) {
		const int order = i == then->len ? 1 : k == now->len ? -1 : by_path(&then->items[i], &now->items[k]);

		if (order < 0) {
			tell(said, report, then->items[i++].path, "is missing");
		} else if (order > 0) {
			tell(said, report, now->items[k++].path, "does not belong there");
		} else {
			const char *what = difference(&then->items[i], &now->items[k]);

			if (what != NULL)
				tell(said, report, then->items[i].path, what);
			i++;
			k++;
		}
	}
}

int tree_verify(int list_fd, struct str *said, struct tree_report *ret, struct err *err)
{
	_cleanup_(walk_release) struct walk w = { .path = STR_INIT, .out = STR_INIT, .out_fd = -1, .report = ret };
	struct records then = { 0 }, now = { 0 };
	_str_ text = STR_INIT;
	int r;

	*ret = (struct tree_report){ 0 };
	r = fd_slurp(list_fd, SIZE_MAX / 4, &text);
	if (r < 0)
		return err_set(err, -r, "tree", "cannot read the list of the layer: %m");
	if (text.len == 0 || text.buf[text.len - 1] != '\0' || read_records(&text, &then) < 0) {
		tell(said, ret, "the list of the layer", "is damaged");
	} else {
		r = walk_all(&w, err);
		if (r == 0 && read_records(&w.out, &now) == 0)
			compare(&then, &now, said, ret);
	}
	vec_release(&then);
	vec_release(&now);
	return r;
}

int tree_digest(int fd, struct tree_report *ret, struct err *err)
{
	_free_ char *buf = xcalloc(1, PIECE);
	struct sha256_ctx sha;
	ssize_t n;

	*ret = (struct tree_report){ 0 };
	sha256_init(&sha);
	while ((n = tree_read(fd, buf, PIECE)) > 0)
		sha256_update(&sha, (size_t)n, (const uint8_t *)buf);
	if (n < 0)
		return err_set(err, (int)-n, "tree", "cannot read: %m");
	sha256_hex(&sha, ret->sha256);
	return 0;
}
