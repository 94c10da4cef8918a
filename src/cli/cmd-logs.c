#include "cli/lines.h"
#include "cli/open.h"

#include "base/units.h"
#include "service/follow.h"
#include "term/record.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

enum { CHUNK = 64 * 1024 };

struct options { bool follow, timestamps, plain; const char *since; uint64_t tail; };

static const struct arg_option rows[] = {
	{ 'f', "follow", NULL, "go on with what is printed from now on, until the session ends", ARG_FLAG,
	  offsetof(struct options, follow) },
	{ 0, "since", "WHEN", "from a position (as ls -o json tells), a time, or a span such as 10m", ARG_STR,
	  offsetof(struct options, since) },
	{ 'n', "tail", "LINES", "only the last so many lines", ARG_UINT, offsetof(struct options, tail), .min = 1,
	  .max = INT64_MAX },
	{ 't', "timestamps", NULL, "put in front of each line when it was begun", ARG_FLAG,
	  offsetof(struct options, timestamps) },
	{ 0, "plain", NULL, "without escape sequences", ARG_FLAG, offsetof(struct options, plain) },
};

struct logs {
	struct recording *rec;               /* NULL: there is none (yet) */
	struct lines lines;
	uint64_t position, lost;
	bool is_closed;                      /* nobody reads what we print */
};

static uint64_t time_at(void *data, uint64_t position)
{
	const struct logs *l = data;
	const uint64_t ms = l->rec ? recording_time_at(l->rec, position) : 0;

	return ms ? ms : time_now_ms();
}

static int print(struct logs *l, struct str *out, struct err *err)
{
	struct pollfd p = { .fd = STDOUT_FILENO };
	const int r = command_print(out, err);

	str_clear(out);
	l->is_closed = poll(&p, 1, 0) == 1 && (p.revents & POLLERR) != 0;
	return r;
}

/* Print what is recorded, from l->position to its end. */
static int print_recorded(struct logs *l, struct err *err)
{
	_free_ char *buf = xcalloc(1, CHUNK);
	_str_ out = STR_INIT;
	ssize_t n = 0;
	int r = 0;

	while (r == 0 && l->rec != NULL && !l->is_closed &&
	       (n = recording_read(l->rec, &l->position, buf, CHUNK, &l->lost)) > 0) {
		lines_feed(&l->lines, l->position - (uint64_t)n, buf, (size_t)n, &out);
		r = print(l, &out, err);
	}
	return n < 0 ? err_set(err, (int)-n, "recording", "cannot read the recording: %m") : r;
}

/* The recorded bytes between @from and @to, those behind the last gap. *ret_base: the position of the first. */
static size_t read_between(struct recording *rec, uint64_t from, uint64_t to, char *buf, uint64_t *ret_base)
{
	uint64_t lost = 0;
	size_t len = 0;
	ssize_t n;

	while (from < to && (n = recording_read(rec, &from, buf + len, (size_t)(to - from), &lost)) > 0) {
		if (lost > 0)
			memmove(buf, buf + len, (size_t)n);
		len = lost > 0 ? (size_t)n : len + (size_t)n;
		lost = 0;
	}
	*ret_base = from - len;
	return *ret_base >= to ? 0 : min_size(len, (size_t)(to - *ret_base));
}

/* Where the last @count lines begin. */
static uint64_t tail_position(struct recording *rec, uint64_t count)
{
	const uint64_t first = recording_first(rec), end = recording_end(rec);
	_free_ char *buf = xcalloc(1, CHUNK);

	for (uint64_t to = end; to > first;) {
		const uint64_t from = to - first > CHUNK ? to - CHUNK : first;
		uint64_t base;

		for (size_t i = read_between(rec, from, to, buf, &base); i-- > 0;)
			if (buf[i] == '\n' && base + i + 1 != end && --count == 0)
				return base + i + 1;
		to = from;
	}
	return first;
}

static int find_start(struct logs *l, const struct options *o, const struct session *s, struct err *err)
{
	int64_t since = 0;
	int r;

	if (o->since != NULL && (r = parse_since(o->since, s->fd, &since, err)) < 0)
		return r;
	l->position = (uint64_t)since;
	if (l->rec != NULL && o->tail > 0) {
		const uint64_t tail = tail_position(l->rec, o->tail);

		l->position = tail > l->position ? tail : l->position;
	}
	if (l->rec != NULL && o->since == NULL && l->position < recording_first(l->rec))
		l->position = recording_first(l->rec);           /* nobody asked for what is not kept */
	return 0;
}

static int on_output(void *data, uint64_t position, const void *bytes, size_t n, struct err *err)
{
	struct logs *l = data;
	_str_ out = STR_INIT;
	int r;

	lines_feed(&l->lines, position, bytes, n, &out);
	r = print(l, &out, err);
	return r == 0 ? l->is_closed : r;
}

static int show(struct logs *l, const struct options *o, const struct session *s, struct err *err)
{
	_str_ rest = STR_INIT;
	int r = find_start(l, o, s, err);

	if (r == 0)
		r = print_recorded(l, err);
	if (r == 0 && o->follow && s->is_alive && !l->is_closed)
		r = session_follow(s, &l->position, STDOUT_FILENO, on_output, l, &l->lost, err);
	lines_finish(&l->lines, &rest);
	if (r == 0)
		r = print(l, &rest, err);
	if (l->lost > 0)
		fprintf(stderr, "pterm logs: %llu bytes are no longer kept\n", (unsigned long long)l->lost);
	return r;
}

static int run(void *options, struct arg_words *words, struct err *err)
{
	const struct options *o = options;
	struct logs l = { .lines = { .is_plain = o->plain, .has_times = o->timestamps, .time_at = time_at,
	                             .plain = PLAIN_INIT } };
	_house_ house = { 0 };
	_session_ s = { 0 };
	int r = open_session(&house, words->items[0], &s, err);

	if (r < 0)
		return r;
	if (s.is_foreign && o->follow)
		return err_set(err, EREMOTE, "foreign-session", "session '%s' belongs to another machine that shares this home: "
		               "without -f its recording so far can be read", s.status.name);
	r = recording_open(&l.rec, s.fd, err);
	if (r < 0)
		return r;
	l.lines.data = &l;
	r = show(&l, o, &s, err);
	recording_close(l.rec);
	return r;
}

const struct command cmd_logs = {
	.name = "logs",
	.args = "SESSION",
	.summary = "show what a session has printed",
	.details =
		"Byte for byte what the terminal got, whether the session runs, has ended, or belongs to another machine that shares "
		"this home. The recording has a limit (new --record): what is older than it keeps is gone.\n"
		"\n"
		"With -f it goes on until the session ends, without a byte lost or doubled. Times are those of the recording.",
	.examples =
		"pterm logs build\n"
		"pterm logs --plain build | grep error # without escape sequences\n"
		"pterm logs -f -n 20 --timestamps build # the last 20 lines, and what comes",
	.group = GROUP_LOOK,
	.parser = { rows, array_len(rows), 0 },
	.options_size = sizeof(struct options),
	.min_words = 1, .max_words = 1,
	.completes = "session",
	.run = run,
};
