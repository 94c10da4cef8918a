#include "cli/recorded.h"

#include "base/fd.h"
#include "base/units.h"
#include "term/render.h"
#include "term/tty.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { CHUNK = 16 * 1024, SEEK_MS = 5000 };
static const double speed_least = 1.0 / 64, speed_most = 64;

struct options { const char *speed, *from, *to; uint64_t idle_limit; };

static const struct arg_option rows[] = {
	{ 's', "speed", "NUMBER", "so many times as fast (1); 0: everything at once", ARG_STR, offsetof(struct options, speed) },
	{ 'i', "idle-limit", "SPAN", "no pause is longer than this", ARG_SPAN, offsetof(struct options, idle_limit) },
	{ 0, "from", "WHEN", "from a position (as ls -o json tells), a time, or a span such as 10m", ARG_STR,
	  offsetof(struct options, from) },
	{ 0, "to", "WHEN", "up to there (the end)", ARG_STR, offsetof(struct options, to) },
};

struct player {
	struct recorded recorded;
	uint64_t from, to, idle_max_ms;
	double speed;                        /* 0: at once */
	bool is_paused, is_over, has_moved;  /* moved: by a seek, while an event was waited for */

	struct screen *screen;               /* the session's, where the player is */
	struct recording_cursor next;
	uint64_t clock_ms;                   /* where the player is, in the session's time */

	bool has_terminal;                   /* a person looks, and has keys */
	struct tty tty;
	int signals;
	struct term_size size;               /* of that terminal */
	struct screen *shown;                /* what it shows, if that is a part of the screen; NULL: the same bytes */
};

static int put(const void *data, size_t n, struct err *err)
{
	const int r = fd_write_all(STDOUT_FILENO, data, n);

	return r < 0 && r != -EPIPE ? err_set(err, -r, "write", "cannot write: %m") : r;
}

/* Does the terminal that we have do with the session's bytes what the session's did? */
static bool is_same_size(const struct player *p)
{
	return p->size.rows == screen_rows(p->screen) && p->size.cols == screen_cols(p->screen);
}

/* Paint the screen as it is, whatever the terminal shows. */
static int paint(struct player *p, struct err *err)
{
	_str_ out = STR_INIT;

	p->shown = screen_free(p->shown);
	if (is_same_size(p)) {
		render_full(p->screen, &out);
	} else {
		p->shown = screen_crop(p->screen, p->size.rows, p->size.cols);
		render_full(p->shown, &out);
	}
	return put(out.buf, out.len, err);
}

static int paint_changes(struct player *p, struct err *err)
{
	struct screen *now = screen_crop(p->screen, p->size.rows, p->size.cols);
	_str_ out = STR_INIT;

	(void)render_difference(p->shown, now, &out);
	screen_free(p->shown);
	p->shown = now;
	return put(out.buf, out.len, err);
}

static int show_event(struct player *p, const struct recording_event *e, const char *data, struct err *err)
{
	if (e->time_ms > p->clock_ms)
		p->clock_ms = e->time_ms;
	if (e->kind == RECORDING_OUTPUT)
		screen_feed(p->screen, data, e->n);
	else if (e->kind == RECORDING_RESIZE)
		screen_resize(p->screen, e->rows, e->cols);
	if (e->kind == RECORDING_OUTPUT && p->shown == NULL)
		return put(data, e->n, err);
	if (!p->has_terminal)
		return 0;
	return e->kind == RECORDING_OUTPUT ? paint_changes(p, err) : paint(p, err);
}

/* --- keys --- */

static int seek(struct player *p, int64_t by_ms, struct err *err)
{
	const uint64_t first = recording_time_at(p->recorded.rec, p->from);
	uint64_t to = by_ms < 0 && p->clock_ms < (uint64_t)-by_ms ? 0 : p->clock_ms + (uint64_t)by_ms;
	struct screen *s = NULL;
	int r;

	to = to < first ? first : to;
	r = recording_state_at_time(p->recorded.rec, to, p->recorded.size, &s, &p->next, err);
	if (r >= 0 && (p->next.position < p->from || p->next.position > p->to)) {
		const uint64_t bound = p->next.position < p->from ? p->from : p->to;

		s = screen_free(s);
		r = recording_state_at(p->recorded.rec, bound, p->recorded.size, &s, &p->next, err);
	}
	if (r < 0)
		return r;
	screen_free(p->screen);
	p->screen = s;
	p->clock_ms = to;
	p->has_moved = true;
	return paint(p, err);
}

/* 1: show the next event now. */
static int on_key(struct player *p, char key, struct err *err)
{
	switch (key) {
	case 'q': case 3: case 4:
		p->is_over = true;
		return 0;
	case ' ':
		p->is_paused = !p->is_paused;
		return 0;
	case '+': case '=':
		p->speed = fmin(p->speed * 2, speed_most);
		return 0;
	case '-':
		p->speed = fmax(p->speed / 2, speed_least);
		return 0;
	case '.':
		p->is_paused = true;
		return 1;
	}
	return 0;
}

static int on_keys(struct player *p, struct err *err)
{
	char keys[64];
	const ssize_t n = read(STDIN_FILENO, keys, sizeof(keys));
	int r = 0;

	if (n <= 0) {
		p->is_over = n == 0 || (errno != EINTR && errno != EAGAIN);
		return 0;
	}
	for (ssize_t i = 0; i < n && r == 0 && !p->is_over; i++) {
		const bool is_arrow = i + 2 < n && keys[i] == '\033' && (keys[i + 1] == '[' || keys[i + 1] == 'O');

		if (!is_arrow)
			r = on_key(p, keys[i], err);
		else if (keys[i + 2] == 'C' || keys[i + 2] == 'D')
			r = seek(p, keys[i + 2] == 'C' ? SEEK_MS : -SEEK_MS, err);
		i += is_arrow ? 2 : 0;
	}
	return r;
}

static int on_signal(struct player *p, struct err *err)
{
	struct signalfd_siginfo info;

	if (read(p->signals, &info, sizeof(info)) != sizeof(info))
		return 0;
	if (info.ssi_signo != SIGWINCH) {
		p->is_over = true;
		return 0;
	}
	p->size = tty_size(STDOUT_FILENO);
	return paint(p, err);
}

/* --- time --- */

/*
 * Wait for @wait_ms of our time (-1: for ever), or a key. 0: that long it was; 1: something was pressed, and the
 * event is to be looked at anew; 2: it is to be shown now; or -errno.
 */
static int wait_for(struct player *p, double wait_ms, struct err *err)
{
	struct pollfd fds[] = { { .fd = p->has_terminal ? STDIN_FILENO : -1, .events = POLLIN },
	                        { .fd = p->signals, .events = POLLIN } };
	const uint64_t began = time_mono_ns();
	struct timespec limit = { (time_t)(wait_ms / 1000), (long)(fmod(wait_ms, 1000) * 1e6) };
	const int n = ppoll(fds, array_len(fds), wait_ms < 0 ? NULL : &limit, NULL);
	int r = 0;

	if (!p->is_paused)
		p->clock_ms += (uint64_t)((double)(time_mono_ns() - began) / 1e6 * p->speed);
	if (n == 0)
		return 0;
	if (n > 0 && fds[0].revents != 0)
		r = on_keys(p, err);
	if (n > 0 && r >= 0 && fds[1].revents != 0)
		r = on_signal(p, err) < 0 ? -EIO : r;
	return r < 0 ? r : r + 1;
}

/* Until it is time for what is next, which happened at @time_ms. As wait_for. */
static int wait_until(struct player *p, uint64_t time_ms, struct err *err)
{
	double pause = time_ms > p->clock_ms ? (double)(time_ms - p->clock_ms) : 0;

	if (p->idle_max_ms > 0)
		pause = fmin(pause, (double)p->idle_max_ms);
	if (p->is_paused)
		return wait_for(p, -1, err);
	if (p->speed == 0)
		return p->has_terminal ? wait_for(p, 0, err) : 0;
	return wait_for(p, pause / p->speed, err);
}

static int play(struct player *p, struct err *err)
{
	_free_ char *buf = xcalloc(1, CHUNK);
	int r = 0;

	while (r >= 0 && !p->is_over) {
		const struct recording_cursor before = p->next;
		struct recording_event e;

		r = p->next.position >= p->to ? 0 :
		    recording_next(p->recorded.rec, &p->next, buf, (size_t)min_u64(CHUNK, p->to - p->next.position), &e);
		if (r < 0)
			return err_set(err, -r, "recording", "cannot read the recording: %m");
		if (r == 0 && !p->is_paused)
			return 0;
		if (r == 0) {                                    /* paused at the end: one may still go back */
			r = wait_for(p, -1, err);
			continue;
		}
		p->has_moved = false;
		r = wait_until(p, e.time_ms, err);
		if ((r == 0 || r == 2) && !p->has_moved)
			r = show_event(p, &e, buf, err);
		else if (!p->has_moved)
			p->next = before;                        /* it is still to come */
	}
	return r < 0 && r != -EPIPE ? r : 0;
}

/* --- from the beginning to the end --- */

static int begin(struct player *p, struct err *err)
{
	sigset_t set;
	_str_ out = STR_INIT;
	int r = recording_state_at(p->recorded.rec, p->from, p->recorded.size, &p->screen, &p->next, err);

	if (r < 0)
		return r;
	p->clock_ms = recording_time_at(p->recorded.rec, p->next.position);
	if (!p->has_terminal) {
		if (p->from > 0)
			render_full(p->screen, &out);
		return put(out.buf, out.len, err);
	}
	sigemptyset(&set);
	sigaddset(&set, SIGWINCH);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	p->signals = signalfd(-1, &set, SFD_CLOEXEC);
	p->size = tty_size(STDOUT_FILENO);
	r = tty_raw(&p->tty, STDIN_FILENO, err);
	return r < 0 ? r : paint(p, err);
}

/* The terminal as it was, with what was shown last above the prompt. */
static void end(struct player *p)
{
	_str_ out = STR_INIT;

	if (p->tty.is_raw) {
		render_leave(&out);
		str_addf(&out, "\033[%u;1H\r\n", p->size.rows);
		(void)put(out.buf, out.len, NULL);
		tty_restore(&p->tty);
	}
	fd_close(p->signals);
	screen_free(p->screen);
	screen_free(p->shown);
	recorded_release(&p->recorded);
}
#define _player_ _cleanup_(end) struct player

static int parse_speed(const char *text, double *ret, struct err *err)
{
	_free_ char *shown = NULL;
	char *rest;

	*ret = text ? strtod(text, &rest) : 1;
	if (text == NULL)
		return 0;
	if (rest != text && *rest == '\0' && (*ret == 0 || (*ret >= speed_least && *ret <= 1e6)))
		return 0;
	shown = visible(text);
	return err_set(err, EINVAL, "bad-option", "--speed: '%s' is no number such as 2 or 0.5", shown);
}

static int run(void *options, struct arg_words *words, struct err *err)
{
	const struct options *o = options;
	_player_ p = { .idle_max_ms = o->idle_limit, .signals = -1,
	               .has_terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) };
	int r = parse_speed(o->speed, &p.speed, err);

	if (r == 0 && recorded_is_cast(words->items[0]))
		r = recorded_open_cast(words->items[0], &p.recorded, err);
	else if (r == 0)
		r = recorded_open(words->items[0], &p.recorded, err);
	if (r < 0)
		return r;
	if (p.idle_max_ms == 0)
		p.idle_max_ms = p.recorded.idle_max_ms;
	p.to = recording_end(p.recorded.rec);
	if (o->from != NULL)
		r = recorded_position(&p.recorded, "--from", o->from, &p.from, err);
	if (r == 0 && o->to != NULL)
		r = recorded_position(&p.recorded, "--to", o->to, &p.to, err);
	if (r == 0)
		r = begin(&p, err);
	if (r == 0)
		r = play(&p, err);
	return r == -EPIPE ? 0 : r;
}

const struct command cmd_play = {
	.name = "play",
	.args = "SESSION|FILE.cast",
	.summary = "show what a session has printed as it happened, or an asciicast",
	.details =
		"With its own timing, or faster (--speed), or without the long pauses (--idle-limit). The session may run or have "
		"ended; what it prints meanwhile is not waited for.\n"
		"\n"
		"A word that ends in .cast, or has a slash in it, is a file: an asciicast of version 2 or 3, as pterm export and "
		"asciinema make them. Its own limit for pauses holds where --idle-limit says nothing, and a span for --from or --to "
		"counts from its beginning.\n"
		"\n"
		"Keys: space pauses and goes on, the arrow keys go back and forth by five seconds, + and - change the speed, a full "
		"stop shows the next piece of output and pauses, q leaves. A terminal of another size than the session's shows the "
		"part around the cursor. Where output is no terminal, the bytes are written with their timing.",
	.examples =
		"pterm play build\n"
		"pterm play --speed 4 --idle-limit 1 build # quickly\n"
		"pterm play --from 10m build # the last ten minutes\n"
		"pterm play demo.cast",
	.group = GROUP_LOOK,
	.parser = { rows, array_len(rows), 0 },
	.options_size = sizeof(struct options),
	.min_words = 1, .max_words = 1,
	.completes = "session",
	.run = run,
};
