#include "cli/recorded.h"

#include "base/fd.h"
#include "base/path.h"
#include "base/units.h"
#include "engine/spec.h"
#include "term/cast-import.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

void recorded_release(struct recorded *r)
{
	r->rec = recording_close(r->rec);
	session_release(&r->session);
	house_close(&r->house);
}

int recorded_open(const char *ref, struct recorded *ret, struct err *err)
{
	_cleanup_(spec_release) struct spec spec = { 0 };
	int r = open_session(&ret->house, ref, &ret->session, err);

	if (r < 0)
		return r;
	r = recording_open(&ret->rec, ret->session.fd, err);
	if (r == 1)
		return err_set(err, ENODATA, "no-recording", "session '%s' has no recording", ret->session.status.name);
	if (r < 0)
		return r;
	ret->size = (struct term_size){ TERM_ROWS_DEFAULT, TERM_COLS_DEFAULT };
	if (spec_read(ret->session.fd, "spec.json", &spec, NULL) == 0 && spec.rows > 0 && spec.cols > 0)
		ret->size = (struct term_size){ (uint16_t)spec.rows, (uint16_t)spec.cols };
	return 0;
}

bool recorded_is_cast(const char *word)
{
	const size_t n = strlen(word);

	return strchr(word, '/') != NULL || (n > 5 && str_eq(word + n - 5, ".cast"));
}

/* A directory for the time of the import: the recording stays readable when it is gone. */
static int import(int fd, const char *path, struct recorded *ret, struct cast_info *info, struct err *err)
{
	const char *tmp = getenv("TMPDIR");
	_free_ char *dir = xasprintf("%s/pterm-cast.XXXXXX", tmp != NULL && *tmp != '\0' ? tmp : "/tmp");
	_fd_ dir_fd = -1;
	int r;

	if (mkdtemp(dir) == NULL)
		return err_set(err, errno, "temporary", "cannot make a directory for '%s': %m (TMPDIR names another place)", dir);
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = dir_fd < 0 ? err_set(err, errno, "temporary", "cannot open '%s': %m", dir) : 0;
	signal(SIGXFSZ, SIG_IGN);
	if (r == 0)
		r = cast_import(fd, path, dir_fd, info, err);
	if (r == 0)
		r = recording_open(&ret->rec, dir_fd, err);
	(void)path_remove_tree(AT_FDCWD, dir);
	return r;
}

int recorded_open_cast(const char *path, struct recorded *ret, struct err *err)
{
	_fd_ fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct cast_info info = { 0 };
	int r;

	if (fd < 0)
		return err_set(err, errno, "bad-cast", "cannot open '%s': %m", path);
	r = import(fd, path, ret, &info, err);
	ret->is_cast = true;
	ret->size = info.size;
	ret->begin_ms = info.time_ms;
	ret->idle_max_ms = info.idle_max_ms;
	return r;
}

int recorded_position(const struct recorded *r, const char *option, const char *text, uint64_t *ret, struct err *err)
{
	const size_t n = strlen(text);
	_free_ char *shown = NULL;
	uint64_t ms;

	if (n > 0 && strspn(text, "0123456789") == n && parse_uint(text, 0, INT64_MAX, ret) == 0)
		return 0;
	if (r->is_cast && parse_span_ms(text, &ms) == 0) {
		*ret = recording_position_at(r->rec, r->begin_ms + ms);
		return 0;
	}
	if (parse_instant_ms(text, time_now_ms(), &ms) == 0) {
		*ret = recording_position_at(r->rec, ms);
		return 0;
	}
	shown = visible(text);
	return err_set(err, EINVAL, "bad-option", "%s: '%s' is no position, no time such as 2026-11-22T15:04:05Z and no "
	               "span such as 10m", option, shown);
}
