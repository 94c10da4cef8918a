#include "term/cast-import.h"

#include "base/fd.h"
#include "base/json.h"
#include "term/record.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>

enum { LINE_MAX_BYTES = 64 * 1024 * 1024 };
static const uint64_t no_time_ms = 1000000000000;
static const uint64_t record_max = 1ULL << 40;   /* never rotated: all of it is played */
static const double seconds_max = 1e10;

struct term_row { int64_t cols, rows; };
struct head { int64_t version, width, height, timestamp; double idle_time_limit; struct term_row term; };
struct event { double time; struct str code, data; };

static const struct json_field term_fields[] = {
	{ "cols", FIELD_INT, offsetof(struct term_row, cols), .min = 1, .max = TERM_SIZE_MAX },
	{ "rows", FIELD_INT, offsetof(struct term_row, rows), .min = 1, .max = TERM_SIZE_MAX },
};
static const struct json_object term_object =
	JSON_OBJECT("an asciicast's terminal", struct term_row, term_fields, false);
static const struct json_field head_fields[] = {
	{ "version", FIELD_INT, offsetof(struct head, version), .required = true },
	{ "width", FIELD_INT, offsetof(struct head, width), .min = 1, .max = TERM_SIZE_MAX },
	{ "height", FIELD_INT, offsetof(struct head, height), .min = 1, .max = TERM_SIZE_MAX },
	{ "timestamp", FIELD_INT, offsetof(struct head, timestamp), .min = 0, .max = 1LL << 40 },
	{ "idle_time_limit", FIELD_REAL, offsetof(struct head, idle_time_limit) },
	{ "term", FIELD_OBJ, offsetof(struct head, term), .object = &term_object },
};
static const struct json_object head_object =
	JSON_OBJECT("an asciicast's first line", struct head, head_fields, false);
static const struct json_field event_fields[] = {
	{ "time", FIELD_REAL, offsetof(struct event, time) }, { "code", FIELD_TEXT, offsetof(struct event, code) },
	{ "data", FIELD_TEXT, offsetof(struct event, data) },
};
static const struct json_object event_object = JSON_OBJECT("an asciicast's event", struct event, event_fields, false);

struct import {
	FILE *file;
	struct str line;
	size_t number;                   /* of the line */
	struct head head;
	struct record *record;
	struct event event;
	double at;                       /* seconds since the beginning */
	struct cast_info info;
};

/* Into .line, without its newline. 1; 0: there is none; -errno. What is too long is not read to its end. */
static int read_line(struct import *m, struct err *err)
{
	int c;

	str_clear(&m->line);
	while ((c = getc_unlocked(m->file)) != EOF && c != '\n') {
		if (m->line.len >= LINE_MAX_BYTES)
			return err_set(err, EFBIG, "bad-cast", "line %zu is longer than %d bytes", m->number + 1,
			               LINE_MAX_BYTES);
		str_addc(&m->line, (char)c);
	}
	if (ferror(m->file))
		return err_set(err, errno, "bad-cast", "cannot read it: %m");
	m->number++;
	return c != EOF || m->line.len > 0;
}

/* 1: the next line that says something, in .line; 0: there is none; -errno. */
static int next_line(struct import *m, struct err *err)
{
	int r;

	while ((r = read_line(m, err)) == 1) {
		while (m->line.len > 0 && strchr("\r ", m->line.buf[m->line.len - 1]) != NULL)
			m->line.len--;
		m->line.buf[m->line.len] = '\0';
		if (m->line.len > 0 && m->line.buf[0] != '#')    /* a remark, in version 3 */
			return 1;
	}
	return r;
}

static int read_head(struct import *m, struct err *err)
{
	int r = next_line(m, err);

	if (r <= 0)
		return r < 0 ? r : err_set(err, EINVAL, "bad-cast", "it is empty");
	r = json_decode(m->line.buf, m->line.len, &head_object, &m->head, err);
	if (r < 0)
		return r;
	if (m->head.version != 2 && m->head.version != 3)
		return err_set(err, EINVAL, "bad-cast", "it is of version %lld, and 2 and 3 can be played",
		               (long long)m->head.version);
	if (m->head.version == 2)
		m->head.term = (struct term_row){ m->head.width, m->head.height };
	if (m->head.term.cols < 1 || m->head.term.rows < 1)
		return err_set(err, EINVAL, "bad-cast", "its first line has no size of the terminal");
	m->info.size = (struct term_size){ (uint16_t)m->head.term.rows, (uint16_t)m->head.term.cols };
	m->info.time_ms = m->head.timestamp > 0 ? (uint64_t)m->head.timestamp * 1000 : no_time_ms;
	m->info.idle_max_ms = m->head.idle_time_limit > 0 && m->head.idle_time_limit < seconds_max ?
	                      (uint64_t)(m->head.idle_time_limit * 1000) : 0;
	return 0;
}

static int take_size(struct import *m, uint64_t now_ms, struct err *err)
{
	unsigned cols, rows;

	if (sscanf(m->event.data.buf, "%5ux%5u", &cols, &rows) != 2 || cols < 1 || rows < 1 || cols > TERM_SIZE_MAX ||
	    rows > TERM_SIZE_MAX)
		return err_set(err, EINVAL, "bad-cast", "line %zu has no size of a terminal", m->number);
	return record_resize(m->record, rows, cols, now_ms);
}

static int take_event(struct import *m, struct err *err)
{
	const double time = m->event.time;
	uint64_t now_ms;

	if (!(time >= 0 && time < seconds_max))
		return err_set(err, EINVAL, "bad-cast", "line %zu is at no time", m->number);
	m->at = m->head.version == 3 ? m->at + time : fmax(m->at, time);
	now_ms = m->info.time_ms + (uint64_t)(fmin(m->at, seconds_max) * 1000);
	if (str_eq(m->event.code.buf, "o"))
		return record_write(m->record, m->event.data.buf, m->event.data.len, now_ms);
	return str_eq(m->event.code.buf, "r") ? take_size(m, now_ms, err) : 0;
}

static int read_events(struct import *m, struct err *err)
{
	int r;

	while ((r = next_line(m, err)) == 1) {
		_err_ why = ERR_INIT;

		r = json_decode_row(m->line.buf, m->line.len, &event_object, &m->event, &why);
		if (r < 0 && feof(m->file))              /* its writer was killed */
			return 0;
		if (r == 0)
			r = take_event(m, &why);
		if (r < 0 && why.no == 0)
			return err_set(err, -r, "bad-cast", "cannot write it down: %m");
		if (r < 0)
			return err_move(err, &why);
	}
	return r;
}

int cast_import(int fd, const char *name, int dirfd, struct cast_info *ret, struct err *err)
{
	struct import m = { .line = STR_INIT, .event = { .code = STR_INIT, .data = STR_INIT } };
	const int own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	uint64_t end;
	int r;

	m.file = own >= 0 ? fdopen(own, "r") : NULL;
	if (m.file == NULL) {
		fd_close(own);
		return err_set(err, errno, "bad-cast", "cannot read '%s': %m", name);
	}
	r = read_head(&m, err);
	if (r == 0)
		r = record_open(&m.record, dirfd, record_max, &end, err);
	if (r == 0)
		r = record_resize(m.record, m.info.size.rows, m.info.size.cols, m.info.time_ms);
	if (r == 0)
		r = read_events(&m, err);
	record_close(m.record);
	json_release(&event_object, &m.event);
	str_release(&m.line);
	(void)fclose(m.file);
	if (r == 0)
		*ret = m.info;
	return r < 0 ? err_wrap(err, "'%s' is no asciicast", name) : 0;
}
