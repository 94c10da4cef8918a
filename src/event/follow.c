#include "event/follow.h"

#include "base/fd.h"
#include "base/list.h"
#include "base/units.h"
#include "event/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct json_field entry_fields[] = {
	{ "time", FIELD_STR, offsetof(struct entry, time), .required = true },
	{ "event", FIELD_STR, offsetof(struct entry, event), .required = true },
	{ "session", FIELD_STR, offsetof(struct entry, session) },
	{ "name", FIELD_STR, offsetof(struct entry, name) },
	{ "number", FIELD_INT, offsetof(struct entry, number) },
	{ "text", FIELD_STR, offsetof(struct entry, text) },
};
const struct json_object entry_object = JSON_OBJECT("an event", struct entry, entry_fields, false);

void entry_release(struct entry *e)
{
	json_release(&entry_object, e);
}

void entry_list_release(struct entry_list *l)
{
	for (size_t i = 0; i < l->len; i++)
		entry_release(&l->items[i]);
	vec_release(l);
}

int entry_parse(const char *line, size_t n, struct entry *ret)
{
	*ret = (struct entry){ .number = -1 };
	if (json_decode(line, n, &entry_object, ret, NULL) == 0 && ret->time != NULL && ret->event != NULL &&
	    parse_instant_ms(ret->time, 0, &ret->time_ms) == 0)
		return 0;
	entry_release(ret);
	return -EINVAL;
}

/* Merge sort, from below: qsort(3) is not stable. */
void entry_list_sort(struct entry_list *l)
{
	struct entry *to;

	if (l->len < 2)
		return;
	to = xcalloc(l->len, sizeof(*to));
	for (size_t width = 1; width < l->len; width *= 2) {
		for (size_t from = 0; from < l->len; from += 2 * width) {
			const size_t middle = min_size(from + width, l->len), end = min_size(from + 2 * width, l->len);

			for (size_t a = from, b = middle, k = from; k < end; k++)
				to[k] = a < middle && (b == end || l->items[a].time_ms <= l->items[b].time_ms)
				        ? l->items[a++] : l->items[b++];
		}
		memcpy(l->items, to, l->len * sizeof(*to));
	}
	free(to);
}

void follow_init(struct follow *f, int dir_fd)
{
	*f = (struct follow){ .dir_fd = dir_fd, .fd = -1 };
}

void follow_fini(struct follow *f)
{
	f->fd = fd_close(f->fd);
}

/* The whole lines of @text; the bytes they take. */
static size_t take_lines(const char *text, size_t n, struct entry_list *ret)
{
	size_t at = 0;

	for (const char *end; (end = memchr(text + at, '\n', n - at)) != NULL; at = (size_t)(end + 1 - text)) {
		struct entry e;

		if (entry_parse(text + at, (size_t)(end - (text + at)), &e) == 0)
			vec_push(ret, e);
	}
	return at;
}

static int read_rest(struct follow *f, struct entry_list *ret)
{
	_str_ text = STR_INIT;
	int r;

	if (lseek(f->fd, f->at, SEEK_SET) < 0)
		return -errno;
	r = fd_slurp(f->fd, 4 * JOURNAL_MAX, &text);
	if (r == 0)
		f->at += (off_t)take_lines(text.buf, text.len, ret);
	return r;
}

/* How much of the new journal's beginning is the end of the old one. */
static size_t common(const struct str *old, const struct str *new)
{
	const char *end = memchr(new->buf, '\n', new->len);
	const size_t line = end ? (size_t)(end + 1 - new->buf) : 0;

	for (size_t at = 0; line > 0 && at + line <= old->len;) {
		const size_t rest = old->len - at;
		const char *next = memchr(old->buf + at, '\n', rest);

		if (rest <= new->len && memcmp(old->buf + at, new->buf, rest) == 0)
			return rest;
		if (next == NULL)
			break;
		at = (size_t)(next + 1 - old->buf);
	}
	return 0;
}

/* Another file has the journal's name: go on in it, behind what it took over. */
static int change_file(struct follow *f, int fd)
{
	_str_ old = STR_INIT, new = STR_INIT;
	int r = 0;

	if (f->fd >= 0) {
		r = lseek(f->fd, 0, SEEK_SET) < 0 ? -errno : fd_slurp(f->fd, 4 * JOURNAL_MAX, &old);
		if (r == 0)
			r = fd_slurp(fd, 4 * JOURNAL_MAX, &new);
	}
	fd_close(f->fd);
	f->fd = fd;
	f->at = (off_t)common(&old, &new);
	return r;
}

int follow_read(struct follow *f, struct entry_list *ret)
{
	struct stat now, had;
	int r = f->fd >= 0 ? read_rest(f, ret) : 0;

	if (r < 0 || fstatat(f->dir_fd, "events.jsonl", &now, AT_SYMLINK_NOFOLLOW) < 0)
		return r;
	if (f->fd >= 0 && fstat(f->fd, &had) == 0 && had.st_ino == now.st_ino && had.st_dev == now.st_dev)
		return 0;
	const int fd = openat(f->dir_fd, "events.jsonl", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (f->fd >= 0)
		r = read_rest(f, ret);                   /* what was written before it lost its name */
	if (r == 0)
		r = change_file(f, fd);
	else
		fd_close(fd);
	return r < 0 ? r : read_rest(f, ret);
}
