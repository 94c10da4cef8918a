#include "service/terminal.h"

#include "base/units.h"
#include "term/checkpoint.h"
#include "term/key-encode.h"
#include "term/replay.h"

#include <endian.h>
#include <errno.h>

enum { ANSWER_MS = 30000, ABOVE_FIRST = 64 * 1024, ABOVE_FACTOR = 8 };

static const struct term_size size_default = { TERM_ROWS_DEFAULT, TERM_COLS_DEFAULT };

void shown_release(struct shown *s)
{
	screen_free(s->screen);
	*s = (struct shown){ 0 };
}

/* --- now --- */

int terminal_ask(struct conn *c, const struct session *s, struct shown *ret, struct err *err)
{
	struct frame f;
	int r = conn_send(c, MESSAGE_STATE, NULL, 0, NULL, 0);

	if (r < 0)
		return err_set(err, -r, "connection", "cannot talk to the supervisor of session '%s': %m", s->status.name);
	r = conn_expect(c, MESSAGE_STATE_IS, &f, ANSWER_MS, err);
	if (r < 0)
		return r;
	r = terminal_decode(&f, ret, err);
	frame_close_fds(&f);
	return r;
}

int terminal_decode(const struct frame *f, struct shown *ret, struct err *err)
{
	uint64_t position;

	if (f->len < sizeof(position))
		return err_set(err, EPROTO, "bad-answer", "the session's supervisor sent no state of the screen");
	memcpy(&position, f->data, sizeof(position));
	*ret = (struct shown){ .position = le64toh(position) };
	return checkpoint_read(f->data + sizeof(position), f->len - sizeof(position), NULL, NULL, &ret->screen, err);
}

static int ask_again_when_replaced(const struct session *s, struct shown *ret, struct err *err)
{
	enum { TRIES = 100 };
	int r = -EPIPE;

	for (int tries = 0; (r == -EPIPE || r == -ECONNRESET) && tries < TRIES; tries++) {
		_conn_ c = { 0 };

		if (tries > 0 && err != NULL)
			err_release(err);
		r = session_connect(s, &c, err);
		if (r == 0)
			r = terminal_ask(&c, s, ret, err);
	}
	return r;
}

int terminal_now(const struct session *s, struct shown *ret, struct err *err)
{
	_err_ why = ERR_INIT;
	int r;

	if (!s->is_alive)
		return terminal_at(s, NULL, ret, err);
	r = ask_again_when_replaced(s, ret, &why);
	if (r != -ESRCH)
		return r < 0 ? err_move(err, &why) : 0;
	session_await_end(s);                    /* just now: its last state is recorded */
	return terminal_at(s, NULL, ret, err);
}

/* --- typing --- */

static int may_type(struct conn *c, struct err *err)
{
	const struct message_attach m = { .since = -1 };
	struct frame f;
	int r = conn_send_json(c, MESSAGE_ATTACH, &message_attach_object, &m);

	if (r < 0)
		return err_set(err, -r, "connection", "cannot talk to the session's supervisor: %m");
	r = conn_expect(c, MESSAGE_RING, &f, ANSWER_MS, err);
	if (r == 0)
		frame_close_fds(&f);
	return r;
}

/* Each piece is followed by a question whose answer comes when it was taken; a refusal comes before it. */
static int type(struct conn *c, const struct session *s, const struct str *bytes, struct err *err)
{
	enum { PIECE = 64 * 1024 };
	struct frame f;
	int r = 0;

	for (size_t at = 0; r == 0 && at < bytes->len; at += PIECE) {
		r = conn_send(c, MESSAGE_INPUT, bytes->buf + at, min_size(PIECE, bytes->len - at), NULL, 0);
		if (r == 0)
			r = conn_send(c, MESSAGE_STATUS, NULL, 0, NULL, 0);
		if (r == 0)
			r = conn_expect(c, MESSAGE_STATUS_IS, &f, ANSWER_MS, err);
		if (r == 0)
			frame_close_fds(&f);
	}
	if (r == -EPIPE || r == -ECONNRESET)
		return err_set(err, EPIPE, "supervisor-lost", "the supervisor of session '%s' was lost while it took the input: "
		               "look with pterm screen %s how much of it arrived", s->status.name, s->status.name);
	if (r < 0 && err->no == 0)
		return err_set(err, -r, "connection", "cannot type into session '%s': %m", s->status.name);
	return r;
}

static int send_once(const struct session *s, terminal_encode_fn *encode, void *data, uint64_t *ret_position,
                     bool *ret_is_late, struct err *err)
{
	_conn_ c = { 0 };
	_shown_ shown = { 0 };
	_str_ bytes = STR_INIT;
	int r = session_connect(s, &c, err);

	if (r == 0)
		r = may_type(&c, err);
	if (r == 0)
		r = terminal_ask(&c, s, &shown, err);
	if (r < 0)
		return r;
	*ret_position = shown.position;
	r = encode(shown.screen, data, &bytes, err);
	if (r == 0 && bytes.len > TERMINAL_SEND_MAX)
		r = err_set(err, EMSGSIZE, "input-large", "%zu bytes are too many to be typed at once (the most is %d): pterm cp "
		            "copies files", bytes.len, TERMINAL_SEND_MAX);
	if (r < 0)
		return r;
	*ret_is_late = true;
	return type(&c, s, &bytes, err);
}

int terminal_send(const struct session *s, terminal_encode_fn *encode, void *data, uint64_t *ret_position,
                  struct err *err)
{
	enum { TRIES = 100 };
	bool is_late = false;
	int r = -EPIPE;

	for (int tries = 0; (r == -EPIPE || r == -ECONNRESET) && !is_late && tries < TRIES; tries++) {
		err_release(err);
		r = send_once(s, encode, data, ret_position, &is_late, err);
	}
	return r;
}

int terminal_encode_items(const struct screen *s, void *items, struct str *out, struct err *err)
{
	const struct terminal_items *t = items;
	int r = 0;

	for (size_t i = 0; r == 0 && i < t->list.len; i++) {
		const struct terminal_item *item = &t->list.items[i];

		if (item->key != NULL)
			r = key_encode(s, item->key, out, err);
		else if (t->pastes)
			key_paste(s, item->text, item->n, out);
		else
			str_add(out, item->text, item->n);
	}
	return r;
}

/* --- recorded --- */

static int open_recording(const struct session *s, struct recording **ret, struct err *err)
{
	const int r = recording_open(ret, s->fd, err);

	if (r == 1)
		return err_set(err, ENOENT, "no-recording", "nothing of session '%s' is recorded", s->status.name);
	return r;
}

static int read_at(const struct session *s, const char *at, uint64_t *ret_position, uint64_t *ret_ms, struct err *err)
{
	_free_ char *shown = visible(at);
	const size_t n = strlen(at);

	*ret_ms = 0;
	if (n > 0 && strspn(at, "0123456789") == n && parse_uint(at, 0, INT64_MAX, ret_position) == 0)
		return 0;
	if (parse_instant_ms(at, time_now_ms(), ret_ms) == 0)
		return 0;
	return err_set(err, EINVAL, "bad-option", "--at: '%s' is no position, no time such as 2026-11-22T15:04:05Z and no "
	               "span such as 10m", shown);
}

int terminal_at(const struct session *s, const char *at, struct shown *ret, struct err *err)
{
	_cleanup_(recording_closep) struct recording *rec = NULL;
	struct recording_cursor next = { 0 };
	uint64_t position = UINT64_MAX, ms = 0;
	int r = at != NULL ? read_at(s, at, &position, &ms, err) : 0;

	if (r == 0)
		r = open_recording(s, &rec, err);
	if (r < 0)
		return r;
	*ret = (struct shown){ 0 };
	r = ms > 0 ? recording_state_at_time(rec, ms, size_default, &ret->screen, &next, err)
	           : recording_state_at(rec, position, size_default, &ret->screen, &next, err);
	ret->position = next.position;
	ret->is_partial = r == 1;
	return r < 0 ? r : 0;
}

/* --- what is above --- */

struct above { terminal_row_fn *row; char **rows; size_t max, count; };         /* row i is in place i modulo max */

static void on_scrolled_off(void *data, const struct screen *s)
{
	struct above *a = data;
	char **place = &a->rows[a->count++ % a->max];
	_str_ text = STR_INIT;

	a->row(s, 0, &text);
	free(*place);
	*place = str_take(&text);
}

static int collect(struct recording *rec, uint64_t from, uint64_t to, struct above *a, struct err *err)
{
	static const struct screen_ops ops = { .scrolled_off = on_scrolled_off };
	_cleanup_(screen_freep) struct screen *screen = NULL;
	struct recording_cursor next;
	int r = recording_state_at(rec, from, size_default, &screen, &next, err);

	if (r < 0)
		return r;
	a->count = 0;
	screen_set_ops(screen, &ops, a);
	r = recording_replay(rec, &next, to, screen, err);
	return r < 0 ? r : 0;
}

/* Nobody knows how far back the rows begin: from ever further, until there are enough. */
static int collect_enough(struct recording *rec, uint64_t to, struct above *a, struct err *err)
{
	const uint64_t first = recording_first(rec);
	int r = 0;

	for (uint64_t span = ABOVE_FIRST;; span *= ABOVE_FACTOR) {
		const uint64_t from = to > span && to - span > first ? to - span : first;

		r = collect(rec, from, to, a, err);
		if (r < 0 || a->count >= a->max || from == first)
			return r;
	}
}

int terminal_above(const struct session *s, uint64_t position, size_t count, terminal_row_fn *row, struct strv *ret,
                   struct err *err)
{
	struct above a = { .row = row, .max = min_size(count, TERMINAL_ABOVE_MAX) };
	_cleanup_(recording_closep) struct recording *rec = NULL;
	int r = open_recording(s, &rec, err);

	if (r < 0 || a.max == 0)
		return r;
	a.rows = xcalloc(a.max, sizeof(*a.rows));
	r = collect_enough(rec, position, &a, err);
	for (size_t i = a.count > a.max ? a.count - a.max : 0; r == 0 && i < a.count; i++) {
		strv_take(ret, a.rows[i % a.max]);
		a.rows[i % a.max] = NULL;
	}
	for (size_t i = 0; i < a.max; i++)
		free(a.rows[i]);
	free(a.rows);
	return r;
}
