#include "term/replay.h"

#include "term/checkpoint.h"

#include <errno.h>

enum { CHUNK = 64 * 1024 };

/* How far to go: everything before this position, and up to this time. */
struct until { uint64_t position, time_ms; };

/* Is the event still to come when we have gone so far? */
static bool is_beyond(const struct recording_event *e, const struct until *u)
{
	if (e->time_ms > u->time_ms)
		return true;
	return e->kind == RECORDING_RESIZE ? e->position > u->position : e->position >= u->position;
}

/* From @c on. 0, or 1: bytes were missing on the way, or -errno. */
static int replay(struct recording *r, struct recording_cursor *c, const struct until *u, struct screen *s)
{
	_free_ char *buf = xcalloc(1, CHUNK);
	int missing = 0;

	for (;;) {
		const struct recording_cursor before = *c;
		const size_t n = (size_t)min_u64(CHUNK, u->position > c->position ? u->position - c->position : 1);
		struct recording_event e;
		const int found = recording_next(r, c, buf, n, &e);

		if (found <= 0)
			return found < 0 ? found : missing;
		if (is_beyond(&e, u)) {
			*c = before;
			return missing;
		}
		if (e.kind == RECORDING_OUTPUT)
			screen_feed(s, buf, e.n);
		else if (e.kind == RECORDING_RESIZE)
			screen_resize(s, e.rows, e.cols);
		else
			missing = 1;
	}
}

int recording_replay(struct recording *r, struct recording_cursor *c, uint64_t position, struct screen *s, struct err *err)
{
	const int n = replay(r, c, &(struct until){ position, UINT64_MAX }, s);

	return n < 0 ? err_set(err, -n, "recording", "cannot read the recording: %m") : n;
}

struct term_size recording_first_size(struct recording *r)
{
	struct recording_cursor c = { 0 };
	struct recording_event e;
	char byte;

	for (int r_no = 1; r_no == 1;) {
		r_no = recording_next(r, &c, &byte, 1, &e);
		if (r_no == 1 && e.kind == RECORDING_RESIZE)
			return (struct term_size){ (uint16_t)e.rows, (uint16_t)e.cols };
		if (r_no == 1 && e.kind == RECORDING_OUTPUT)
			break;
	}
	return (struct term_size){ 0 };
}

/* Where to begin: a checkpoint that can be used, or else with nothing. 0, or 1: bytes before it are not kept. */
static int begin(struct recording *r, struct until u, struct term_size first, struct screen **ret,
                 struct recording_cursor *ret_next)
{
	_str_ state = STR_INIT;
	struct term_size size;

	while (recording_checkpoint(r, u.position, u.time_ms, ret_next, &state) == 1) {
		if (checkpoint_read(state.buf, state.len, NULL, NULL, ret, NULL) == 0)
			return 0;
		if (ret_next->position == 0)                     /* of a newer version, perhaps: the one before it? */
			break;
		u.position = ret_next->position - 1;
		str_clear(&state);
	}
	str_clear(&state);                       /* before all that is kept: then the beginning of that, if it is known */
	if (recording_checkpoint(r, recording_first(r), UINT64_MAX, ret_next, &state) == 1 &&
	    (ret_next->position > u.position || ret_next->time_ms > u.time_ms) &&
	    checkpoint_read(state.buf, state.len, NULL, NULL, ret, NULL) == 0)
		return 0;
	*ret_next = (struct recording_cursor){ 0 };
	size = recording_first_size(r);
	if (size.rows == 0)
		size = first;
	*ret = screen_new(size.rows, size.cols, NULL, NULL);
	return recording_first(r) > 0;
}

static int state_at(struct recording *r, struct until u, struct term_size first, struct screen **ret,
                    struct recording_cursor *ret_next, struct err *err)
{
	_cleanup_(screen_freep) struct screen *s = NULL;
	struct recording_cursor c;
	const int missing = begin(r, u, first, &s, &c);
	const int e = replay(r, &c, &u, s);

	if (e < 0)
		return err_set(err, -e, "recording", "cannot read the recording: %m");
	if (ret_next != NULL)
		*ret_next = c;
	*ret = TAKE(s);
	return missing || e;
}

int recording_state_at(struct recording *r, uint64_t position, struct term_size first, struct screen **ret,
                       struct recording_cursor *ret_next, struct err *err)
{
	return state_at(r, (struct until){ position, UINT64_MAX }, first, ret, ret_next, err);
}

int recording_state_at_time(struct recording *r, uint64_t time_ms, struct term_size first, struct screen **ret,
                            struct recording_cursor *ret_next, struct err *err)
{
	return state_at(r, (struct until){ UINT64_MAX, time_ms }, first, ret, ret_next, err);
}
