#include "supervisor/crash.h"

#include "base/fd.h"
#include "base/path.h"
#include "term/replay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CRASH_OUTPUT_MAX = 64 * 1024 };

bool crash_is_one(const struct status *s)
{
	return s->reason != REASON_NONE && s->reason != REASON_EXITED && s->reason != REASON_STOPPED;
}

static void last_output(int session_fd, struct str *out)
{
	_cleanup_(recording_closep) struct recording *rec = NULL;
	uint64_t pos, lost;
	char buf[4096];
	ssize_t n;

	if (recording_open(&rec, session_fd, NULL) != 0)
		return;
	pos = recording_end(rec);
	pos = pos > CRASH_OUTPUT_MAX ? pos - CRASH_OUTPUT_MAX : 0;
	while ((n = recording_read(rec, &pos, buf, sizeof(buf), &lost)) > 0)
		str_add(out, buf, (size_t)n);
}

/* What it showed in the end: as text, for people. A session that printed nothing has none. */
static int write_screen(int dir, int session_fd)
{
	_cleanup_(recording_closep) struct recording *rec = NULL;
	_cleanup_(screen_freep) struct screen *screen = NULL;
	const struct term_size size = { TERM_ROWS_DEFAULT, TERM_COLS_DEFAULT };
	_str_ text = STR_INIT;
	_err_ err = ERR_INIT;

	if (recording_open(&rec, session_fd, NULL) != 0 ||
	    recording_state_at(rec, UINT64_MAX, size, &screen, NULL, &err) < 0)
		return 0;
	screen_add_text(screen, SCREEN_PLAIN, &text);
	return text.len == 0 ? 0 : file_write(dir, "screen", text.buf, text.len, 0600);
}

int crash_write(int session_fd, const struct status *s, int log_fd)
{
	_str_ reason = STR_INIT, output = STR_INIT, log = STR_INIT;
	_fd_ dir = -1;
	int r;

	(void)path_remove_tree(session_fd, "crash.new");
	if (mkdirat(session_fd, "crash.new", 0700) < 0)
		return -errno;
	dir = openat(session_fd, "crash.new", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	status_describe_end(s, &reason);
	str_addf(&reason, "%s%s\n", s->message ? ": " : "", s->message ? s->message : "");
	last_output(session_fd, &output);
	if (log_fd >= 0 && lseek(log_fd, 0, SEEK_SET) == 0)
		(void)fd_slurp(log_fd, 1024 * 1024, &log);
	r = file_write(dir, "reason", reason.buf, reason.len, 0600);
	if (r == 0)
		r = file_write(dir, "output", output.buf, output.len, 0600);
	if (r == 0)
		r = write_screen(dir, session_fd);
	if (r == 0)
		r = file_write(dir, "runtime.log", log.buf, log.len, 0600);
	if (r == 0)
		r = status_write(dir, s, NULL);
	if (r < 0)
		return r;
	(void)path_remove_tree(session_fd, "crash");
	return renameat(session_fd, "crash.new", session_fd, "crash") < 0 ? -errno : 0;
}
