#include "cli/open.h"

struct options { bool attach; const char *keys; };

static const struct arg_option rows[] = {
	{ 'a', "attach", NULL, "and connect this terminal to it", ARG_FLAG, offsetof(struct options, attach) },
	{ 0, "detach-keys", "KEYS", "the keys that detach (ctrl-\\,d)", ARG_STR, offsetof(struct options, keys) },
};

static int run(void *options, struct arg_words *words, struct err *err)
{
	const struct options *o = options;
	_house_ house = { 0 };
	_session_ s = { 0 };
	_conn_ conn = { 0 };
	struct message_attach first;
	struct view v;
	int r = open_session(&house, words->items[0], &s, err);

	if (r == 0)
		r = open_view(o->keys, -1, &v, err);
	if (r < 0)
		return r;
	first = view_attach(&v);
	r = session_start(&house, &s, o->attach ? &first : NULL, &conn, err);
	if (r < 0)
		return r;
	if (!o->attach)
		return await_start(&conn, "start", s.status.name, err);
	v.conn = &conn;
	v.session_fd = s.fd;
	v.is_asked = true;
	return show_session(&v, s.status.name, err);
}

const struct command cmd_start = {
	.name = "start",
	.args = "SESSION",
	.summary = "begin an ended session again, with its files as they were",
	.parser = { rows, array_len(rows), 0 },
	.options_size = sizeof(struct options),
	.min_words = 1, .max_words = 1,
	.completes = "session",
	.run = run,
};
