#include "cli/recorded.h"

#include "base/fd.h"
#include "term/cast.h"
#include "term/input-log.h"
#include "term/render.h"
#include "term/svg.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

enum { CHUNK = 64 * 1024, BATCH = 256 * 1024 };
enum format { ASCIICAST_V2, ASCIICAST_V3, TEXT, SVG };
static const char *const formats[] = { "asciicast-v2", "asciicast-v3", "text", "svg", NULL };

struct options { int format; const char *output, *from, *to, *at; uint64_t idle_limit; };

static const struct arg_option rows[] = {
	{ 'f', "format", "FORMAT", "asciicast-v2 (the default), asciicast-v3, text, or svg", ARG_CHOICE,
	  offsetof(struct options, format), .choices = formats },
	{ 'o', "output", "FILE", "where to (standard output)", ARG_STR, offsetof(struct options, output) },
	{ 0, "from", "WHEN", "from a position (as ls -o json tells), a time, or a span such as 10m", ARG_STR,
	  offsetof(struct options, from) },
	{ 0, "to", "WHEN", "up to there (the end)", ARG_STR, offsetof(struct options, to) },
	{ 0, "at", "WHEN", "svg: the screen as it was then (the end)", ARG_STR, offsetof(struct options, at) },
	{ 0, "idle-limit", "SPAN", "asciicast: no pause is longer than this", ARG_SPAN, offsetof(struct options, idle_limit) },
};

struct export {
	const struct options *options;
	struct recorded recorded;
	uint64_t from, to;
	int fd;
	bool is_closed;                      /* nobody reads what we write */
	struct str out;
	uint64_t lost;
};

/* Write what has been gathered. A pipe that was closed is no error. */
static int flush(struct export *x, struct err *err)
{
	struct pollfd p = { .fd = x->fd };
	int r = fd_write_all(x->fd, x->out.buf, x->out.len);

	str_clear(&x->out);
	x->is_closed = r == -EPIPE || (poll(&p, 1, 0) == 1 && (p.revents & POLLERR) != 0);
	if (r == 0 || r == -EPIPE)
		return 0;
	return err_set(err, -r, "write", "cannot write %s: %m", x->options->output ? x->options->output : "to standard output");
}

static int read_failed(int r, struct err *err)
{
	return err_set(err, -r, "recording", "cannot read the recording: %m");
}

/* --- asciicast --- */

/* What was on the screen already: a cast that begins in the middle begins with it. */
static void add_beginning(struct export *x, struct cast *c, const struct screen *s, uint64_t time_ms)
{
	_cleanup_(screen_freep) struct screen *fresh = screen_new(screen_rows(s), screen_cols(s), NULL, NULL);
	_str_ painted = STR_INIT;

	if (screen_equal(s, fresh, NULL))
		return;
	render_full(s, &painted);
	cast_output(c, time_ms, painted.buf, painted.len, &x->out);
}

static void add_event(struct export *x, struct cast *c, const struct recording_event *e, const char *data)
{
	const struct term_size size = { (uint16_t)e->rows, (uint16_t)e->cols };
	_str_ label = STR_INIT;

	switch (e->kind) {
	case RECORDING_OUTPUT:
		cast_output(c, e->time_ms, data, e->n, &x->out);
		break;
	case RECORDING_RESIZE:
		cast_resize(c, e->time_ms, size, &x->out);
		break;
	case RECORDING_LOST:
		x->lost += e->lost;
		str_addf(&label, "%llu bytes are not kept", (unsigned long long)e->lost);
		cast_marker(c, e->time_ms, label.buf, &x->out);
		break;
	}
}

/* What was typed before the byte at @position was printed; and from where on. */
struct typed { struct input_reader *reader; struct input_entry entry; bool has_entry; };

static void add_typed(struct export *x, struct cast *c, struct typed *t, uint64_t position)
{
	while (t->reader != NULL) {
		if (!t->has_entry && !(t->has_entry = input_reader_next(t->reader, &t->entry)))
			return;
		if (t->entry.position > position)
			return;
		if (t->entry.position >= x->from)
			cast_input(c, t->entry.time_ms, t->entry.bytes.buf, t->entry.bytes.len, &x->out);
		t->has_entry = false;
	}
}

/* When what comes at @next was printed; at the end, when the last byte was. */
static uint64_t time_of(struct recording *rec, struct recording_cursor next)
{
	struct recording_event e;
	char byte;

	return recording_next(rec, &next, &byte, 1, &e) == 1 ? e.time_ms : next.time_ms;
}

static int export_events(struct export *x, struct typed *typed, struct err *err)
{
	const struct status *st = &x->recorded.session.status;
	struct cast c = { .version = x->options->format == ASCIICAST_V2 ? 2 : 3, .idle_max_ms = x->options->idle_limit };
	struct cast_header h = { .title = st->name, .command = st->command, .term = "xterm-256color" };
	_cleanup_(screen_freep) struct screen *s = NULL;
	_free_ char *buf = xcalloc(1, CHUNK);
	struct recording_cursor next;
	struct recording_event e;
	uint64_t last_ms;
	int r = recording_state_at(x->recorded.rec, x->from, x->recorded.size, &s, &next, err);

	if (r < 0)
		return r;
	h.size = (struct term_size){ (uint16_t)screen_rows(s), (uint16_t)screen_cols(s) };
	h.time_ms = last_ms = time_of(x->recorded.rec, next);
	cast_begin(&c, &h, &x->out);
	add_beginning(x, &c, s, h.time_ms);
	while (!x->is_closed && next.position < x->to) {
		const size_t n = (size_t)min_u64(CHUNK, x->to - next.position);

		r = recording_next(x->recorded.rec, &next, buf, n, &e);
		if (r <= 0 || e.position >= x->to)
			break;
		add_typed(x, &c, typed, e.position);
		add_event(x, &c, &e, buf);
		last_ms = e.time_ms;
		if (x->out.len >= BATCH && (r = flush(x, err)) < 0)
			return r;
	}
	if (r < 0)
		return read_failed(r, err);
	add_typed(x, &c, typed, x->to);
	cast_end(&c, last_ms, x->options->to == NULL && st->state == STATUS_ENDED ? (int)st->exit_code : -1, &x->out);
	return 0;
}

static int export_cast(struct export *x, struct err *err)
{
	struct typed typed = { .entry.bytes = STR_INIT };
	int r;

	(void)input_reader_open(&typed.reader, x->recorded.session.fd);
	r = export_events(x, &typed, err);
	input_reader_close(typed.reader);
	str_release(&typed.entry.bytes);
	return r;
}

/* --- text --- */

/* A row: lines that were wrapped are whole again. */
static void add_row(const struct screen *s, unsigned row, struct str *out)
{
	screen_add_row(s, row, SCREEN_PLAIN, out);
	if (!screen_row_wraps(s, row))
		str_addc(out, '\n');
}

static void on_scrolled_off(void *data, const struct screen *s)
{
	struct export *x = data;

	add_row(s, 0, &x->out);
}

/* Is the last line, of those behind @begin, an empty one? */
static bool is_empty_at_end(const struct str *text, size_t begin)
{
	return text->buf[text->len - 1] == '\n' && (text->len == begin + 1 || text->buf[text->len - 2] == '\n');
}

/* All that left the screen at the top, and what it shows in the end. */
static int export_text(struct export *x, struct err *err)
{
	static const struct screen_ops ops = { .scrolled_off = on_scrolled_off };
	_cleanup_(screen_freep) struct screen *s = NULL;
	_free_ char *buf = xcalloc(1, CHUNK);
	struct recording_cursor next;
	struct recording_event e;
	size_t begin;
	int r = recording_state_at(x->recorded.rec, x->from, x->recorded.size, &s, &next, err);

	if (r < 0)
		return r;
	screen_set_ops(s, &ops, x);
	while (!x->is_closed && next.position < x->to) {
		r = recording_next(x->recorded.rec, &next, buf, (size_t)min_u64(CHUNK, x->to - next.position), &e);
		if (r <= 0 || e.position >= x->to)
			break;
		if (e.kind == RECORDING_OUTPUT)
			screen_feed(s, buf, e.n);
		else if (e.kind == RECORDING_RESIZE)
			screen_resize(s, e.rows, e.cols);
		else
			x->lost += e.lost;
		if (x->out.len >= BATCH && (r = flush(x, err)) < 0)
			return r;
	}
	if (r < 0)
		return read_failed(r, err);
	begin = x->out.len;
	for (unsigned row = 0; row < screen_rows(s); row++)
		add_row(s, row, &x->out);
	if (x->out.len > begin && x->out.buf[x->out.len - 1] != '\n')
		str_addc(&x->out, '\n');
	while (x->out.len > begin && is_empty_at_end(&x->out, begin))
		x->out.buf[--x->out.len] = '\0';
	return 0;
}

/* --- svg --- */

static int export_svg(struct export *x, struct err *err)
{
	_cleanup_(screen_freep) struct screen *s = NULL;
	uint64_t at = x->to;
	int r = 0;

	if (x->options->at != NULL)
		r = recorded_position(&x->recorded, "--at", x->options->at, &at, err);
	if (r == 0)
		r = recording_state_at(x->recorded.rec, at, x->recorded.size, &s, NULL, err);
	if (r < 0)
		return r;
	svg_add(s, screen_title(s)[0] ? screen_title(s) : x->recorded.session.status.name, &x->out);
	return 0;
}

static int (*const exporters[])(struct export *x, struct err *err) = {
	[ASCIICAST_V2] = export_cast, [ASCIICAST_V3] = export_cast, [TEXT] = export_text, [SVG] = export_svg,
};

static int export(struct export *x, struct err *err)
{
	const struct options *o = x->options;
	int r = 0;

	x->to = recording_end(x->recorded.rec);                  /* of a session that goes on: what there is now */
	if (o->from != NULL)
		r = recorded_position(&x->recorded, "--from", o->from, &x->from, err);
	if (r == 0 && o->to != NULL)
		r = recorded_position(&x->recorded, "--to", o->to, &x->to, err);
	if (r == 0 && o->output != NULL) {
		x->fd = open(o->output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
		if (x->fd < 0)
			r = err_set(err, errno, "open", "cannot write '%s': %m", o->output);
	}
	if (r == 0)
		r = exporters[o->format](x, err);
	if (r == 0)
		r = flush(x, err);
	if (o->output != NULL)
		fd_close(x->fd);
	if (r == 0 && x->lost > 0)
		fprintf(stderr, "pterm export: %llu bytes in between are not kept\n", (unsigned long long)x->lost);
	return r;
}

static int run(void *options, struct arg_words *words, struct err *err)
{
	struct export x = { .options = options, .fd = STDOUT_FILENO, .out = STR_INIT };
	int r;

	if (x.options->at != NULL && x.options->format != SVG)
		return err_set(err, EINVAL, "bad-option", "--at is for --format svg; the others have --from and --to");
	r = recorded_open(words->items[0], &x.recorded, err);
	if (r == 0)
		r = export(&x, err);
	recorded_release(&x.recorded);
	str_release(&x.out);
	return r;
}

const struct command cmd_export = {
	.name = "export",
	.args = "SESSION",
	.summary = "write a session's recording for other programs",
	.details =
		"asciicast-v2 and asciicast-v3 are what asciinema and its players read: output with its timing, changes of "
		"the terminal's size, and in version 3 the exit code. What begins in the middle (--from, or since older output is "
		"no longer kept) begins with the screen as it was.\n"
		"\n"
		"text is what a person would have read who scrolled through it all: the rows of the screen and what left it "
		"at the top, without escape sequences. pterm logs has the bytes themselves.\n"
		"\n"
		"svg is a picture of the screen in the end, or at --at, with colours, links and the cursor.",
	.examples =
		"pterm export build -o build.cast # asciinema play build.cast\n"
		"pterm export build -f svg -o build.svg # a picture of the screen\n"
		"pterm export build -f asciicast-v3 --from 10m --idle-limit 2 # the last ten minutes, without long pauses",
	.group = GROUP_LOOK,
	.parser = { rows, array_len(rows), 0 },
	.options_size = sizeof(struct options),
	.min_words = 1, .max_words = 1,
	.completes = "session",
	.run = run,
};
