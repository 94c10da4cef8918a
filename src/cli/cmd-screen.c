#include "cli/listing.h"
#include "cli/open.h"
#include "service/screen-json.h"

#include <stdio.h>

struct options { bool ansi; int form; uint64_t above; const char *at; };

static const struct arg_option rows[] = {
	{ 0, "ansi", NULL, "with colours and attributes, as escape sequences", ARG_FLAG, offsetof(struct options, ansi) },
	{ 0, "scrollback", "LINES", "and so many rows that were above, from the recording", ARG_UINT,
	  offsetof(struct options, above), .max = TERMINAL_ABOVE_MAX },
	{ 0, "at", "WHEN", "what it showed at a position (as ls -o json tells), a time, or a span such as 10m ago", ARG_STR,
	  offsetof(struct options, at) },
	LISTING_OPTION(struct options, form),
};

static void add_plain_row(const struct screen *s, unsigned row, struct str *out)
{
	screen_add_row(s, row, SCREEN_PLAIN, out);
}

static void add_styled_row(const struct screen *s, unsigned row, struct str *out)
{
	screen_add_row(s, row, SCREEN_STYLED, out);
}

static int show(const struct options *o, const struct shown *shown, const struct strv *above, struct err *err)
{
	_str_ out = STR_INIT;

	if (o->form == LISTING_JSON) {
		screen_json(shown, o->above > 0 ? above : NULL, &out);
		return listing_print(LISTING_JSON, &out, err);
	}
	for (size_t i = 0; i < above->len; i++)
		str_addf(&out, "%s\n", above->items[i]);
	screen_add_text(shown->screen, o->ansi ? SCREEN_STYLED : SCREEN_PLAIN, &out);
	if (shown->is_partial)
		fprintf(stderr, "pterm screen: what was printed before is not kept: it may have shown other things\n");
	return command_print(&out, err);
}

static int run(void *options, struct arg_words *words, struct err *err)
{
	const struct options *o = options;
	terminal_row_fn *row = o->form == LISTING_JSON ? screen_json_row : o->ansi ? add_styled_row : add_plain_row;
	_house_ house = { 0 };
	_session_ s = { 0 };
	_shown_ shown = { 0 };
	_strv_ above = { 0 };
	int r = open_session(&house, words->items[0], &s, err);

	if (r == 0)
		r = o->at != NULL ? terminal_at(&s, o->at, &shown, err) : terminal_now(&s, &shown, err);
	if (r == 0 && o->above > 0)
		r = terminal_above(&s, shown.position, o->above, row, &above, err);
	return r < 0 ? r : show(o, &shown, &above, err);
}

const struct command cmd_screen = {
	.name = "screen",
	.args = "SESSION",
	.summary = "show what a session's terminal shows",
	.details =
		"As text, row by row; of a session that has ended, what it showed last. With --at what it showed at any moment that "
		"is still recorded, and with --scrollback the rows that had left at the top by then.\n"
		"\n"
		"With -o json everything that is known: position, cursor, modes, title, folder, the prompt's mark (OSC 133), and "
		"the cells as runs that look the same. A colour is a number of the palette or #rrggbb; where there is none it is the "
		"default. Rows and columns count from 0.",
	.examples =
		"pterm screen build\n"
		"pterm screen --ansi --scrollback 100 build # in colour, with the hundred rows above\n"
		"pterm screen --at 5m build # as it was five minutes ago",
	.group = GROUP_LOOK,
	.parser = { rows, array_len(rows), 0 },
	.options_size = sizeof(struct options),
	.min_words = 1, .max_words = 1,
	.completes = "session",
	.run = run,
};
