#include "cli/progress.h"

#include "base/text.h"
#include "base/units.h"
#include "cli/listing.h"

#include <stdio.h>
#include <unistd.h>

enum { BAR_WIDTH = 24, REDRAW_NS = 100000000 };

static struct { bool is_terminal, is_drawn; char step[200]; uint64_t drawn_ns; } shown;

void progress_clear(void)
{
	if (shown.is_drawn)
		(void)!write(STDERR_FILENO, "\r\033[K", 4);
	shown.is_drawn = false;
}

static void write_line(const char *text)
{
	_free_ char *clean = visible(text);
	_str_ line = STR_INIT;

	str_addf(&line, "%s\n", clean);
	(void)!write(STDERR_FILENO, line.buf, line.len);
}

static void on_step(void *data, const char *text)
{
	progress_clear();
	snprintf(shown.step, sizeof(shown.step), "%s", text);
	write_line(text);
}

static void on_part(void *data, uint64_t done, uint64_t total)
{
	const uint64_t now = time_mono_ns();
	_str_ line = STR_INIT;
	size_t full;

	if (!shown.is_terminal || total == 0 || (shown.is_drawn && now - shown.drawn_ns < REDRAW_NS))
		return;
	full = (size_t)((double)min_u64(done, total) / (double)total * BAR_WIDTH);
	str_adds(&line, "\r\033[K[");
	for (size_t i = 0; i < BAR_WIDTH; i++)
		str_addc(&line, i < full ? '#' : '.');
	str_adds(&line, "] ");
	str_add_size(&line, done);
	str_adds(&line, " of ");
	str_add_size(&line, total);
	(void)!write(STDERR_FILENO, line.buf, line.len);
	shown.is_drawn = true;
	shown.drawn_ns = now;
}

const struct progress *progress_show(void)
{
	static const struct progress progress = { on_step, on_part, NULL };

	shown.is_terminal = isatty(STDERR_FILENO);
	return &progress;
}
