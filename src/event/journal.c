#include "event/journal.h"

#include "base/fd.h"
#include "base/json.h"
#include "base/units.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

/* One event as it stands in the journal, without the newline. */
static void add_event(struct str *out, const struct event *ev)
{
	struct json_writer w = JSON_WRITER(out);
	_str_ time = STR_INIT;

	str_add_instant(&time, ev->time_ms);
	json_begin(&w, NULL, '{');
	json_put_str(&w, "time", time.buf);
	json_put_str(&w, "event", event_word(ev->type));
	json_put_str(&w, "session", ev->session);
	json_put_str(&w, "name", ev->name);
	if (ev->number >= 0)
		json_put_int(&w, "number", ev->number);
	json_put_str(&w, "text", ev->text);
	json_end(&w, '}');
}

/* Keep what is newer than the middle, in a new file: a reader that follows finds its place in it (event/follow.c). */
static void halve(int dirfd)
{
	_str_ text = STR_INIT;
	const char *keep;

	if (file_read(dirfd, "events.jsonl", 4 * JOURNAL_MAX, &text) < 0 || text.len < JOURNAL_MAX)
		return;
	keep = memchr(text.buf + text.len / 2, '\n', text.len - text.len / 2);
	if (keep != NULL)
		(void)file_write(dirfd, "events.jsonl", keep + 1, text.len - (size_t)(keep + 1 - text.buf), 0600);
}

int journal_append(int dirfd, const struct event *ev)
{
	_fd_ fd = openat(dirfd, "events.jsonl", O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	_str_ line = STR_INIT;
	struct stat st;
	int r;

	if (fd < 0)
		return -errno;
	add_event(&line, ev);
	str_addc(&line, '\n');
	r = fd_write_all(fd, line.buf, line.len);
	if (r == 0 && fstat(fd, &st) == 0 && st.st_size > JOURNAL_MAX)
		halve(dirfd);
	return r;
}

void journal_write(const struct event *ev, void *dirfd)
{
	(void)journal_append(*(const int *)dirfd, ev);
}
