#include "cli/recorded.h"

#include "base/units.h"
#include "engine/spec.h"

#include <errno.h>

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

int recorded_position(const struct recorded *r, const char *option, const char *text, uint64_t *ret, struct err *err)
{
	const size_t n = strlen(text);
	_free_ char *shown = NULL;
	uint64_t ms;

	if (n > 0 && strspn(text, "0123456789") == n && parse_uint(text, 0, INT64_MAX, ret) == 0)
		return 0;
	if (parse_instant_ms(text, time_now_ms(), &ms) == 0) {
		*ret = recording_position_at(r->rec, ms);
		return 0;
	}
	shown = visible(text);
	return err_set(err, EINVAL, "bad-option", "%s: '%s' is no position, no time such as 2026-11-22T15:04:05Z and no "
	               "span such as 10m", option, shown);
}
