#include "cli/open.h"

#include "base/units.h"
#include "term/record.h"

#include <errno.h>

struct options { bool read_only; const char *keys, *since; };

static const struct arg_option rows[] = {
	{ 0, "read-only", NULL, "look, and do not type", ARG_FLAG, offsetof(struct options, read_only) },
	{ 0, "detach-keys", "KEYS", "the keys that detach (ctrl-\\,d), or none", ARG_STR, offsetof(struct options, keys) },
	{ 0, "since", "WHEN", "first show the output since a position (as ls -o json tells), a time, or a span such as 10m",
	  ARG_STR, offsetof(struct options, since) },
};

int parse_since(const char *text, int session_fd, int64_t *ret, struct err *err)
{
	_cleanup_(recording_closep) struct recording *rec = NULL;
	const size_t n = strlen(text);
	uint64_t number, ms;
	int r;

	if (n > 0 && strspn(text, "0123456789") == n && parse_uint(text, 0, INT64_MAX, &number) == 0) {
		*ret = (int64_t)number;
		return 0;
	}
	if (parse_instant_ms(text, time_now_ms(), &ms) < 0) {
		_free_ char *shown = visible(text);

		return err_set(err, EINVAL, "bad-option", "--since: '%s' is no position, no time such as 2026-11-22T15:04:05Z and no "
		               "span such as 10m", shown);
	}
	r = recording_open(&rec, session_fd, err);
	if (r < 0)
		return r;
	*ret = r == 1 ? 0 : (int64_t)recording_position_at(rec, ms);
	return 0;
}

static int run(void *options, struct arg_words *words, struct err *err)
{
	const struct options *o = options;
	const char *inside = getenv("PTERM_SESSION");
	_house_ house = { 0 };
	_session_ s = { 0 };
	_conn_ conn = { 0 };
	struct view v;
	int64_t since = -1;
	int r = open_session(&house, words->items[0], &s, err);

	if (r < 0)
		return r;
	if (inside != NULL && str_eq(inside, s.id))
		return err_set(err, EDEADLK, "attach-self", "session '%s' cannot be attached to itself", s.status.name);
	if (o->since != NULL && (r = parse_since(o->since, s.fd, &since, err)) < 0)
		return r;
	if (!s.is_alive && !s.is_foreign) {
		_str_ why = STR_INIT;

		status_describe(&s.status, &why);
		return err_set(err, ESRCH, "not-running", "session '%s' is over (%s): pterm logs %s shows its output, pterm start %s "
		               "begins it again", s.status.name, why.buf, s.status.name, s.status.name);
	}
	r = open_view(o->keys, since, &v, err);
	if (r == 0)
		r = session_connect(&s, &conn, err);
	if (r < 0)
		return r;
	v.read_only = o->read_only;
	v.conn = &conn;
	v.session_fd = s.fd;
	return show_session(&v, s.status.name, err);
}

const struct command cmd_attach = {
	.name = "attach",
	.args = "SESSION",
	.summary = "connect this terminal to a running session",
	.details =
		"Several terminals may be attached at once; the session takes the size of the one that was typed in last. The keys "
		"ctrl-\\ d (or those of --detach-keys) leave it running and come back here. The first of them is held for a second at "
		"most: when no d follows, it goes on to the command.",
	.examples = "pterm attach build\npterm attach --read-only --since 10m build # look only, with the last ten minutes",
	.parser = { rows, array_len(rows), 0 },
	.options_size = sizeof(struct options),
	.min_words = 1, .max_words = 1,
	.completes = "session",
	.run = run,
};
