#include "cli/each.h"

#include <errno.h>

enum { ON, OFF };
static const char *const choices[] = { "on", "off", NULL };

struct options { int input; bool has_input; };

static const struct arg_option rows[] = {
	{ 0, "input", "on|off", "record what is typed from now on, or no longer", ARG_CHOICE,
	  offsetof(struct options, input), .choices = choices, .given = offsetof(struct options, has_input) },
};

static int record(struct house *h, struct session *s, void *data, struct err *err)
{
	return session_record_input(s, ((struct options *)data)->input == ON, err);
}

static int run(void *options, struct arg_words *words, struct err *err)
{
	struct options *o = options;

	if (!o->has_input)
		return err_set(err, EINVAL, "bad-option", "say what to record: --input on, or --input off");
	return each_session("record", words, false, record, o, err);
}

const struct command cmd_record = {
	.name = "record",
	.args = "--input on|off SESSION...",
	.summary = "record what is typed into a running session, or no longer",
	.details =
		"What a session prints is always recorded; what is typed is recorded from here on, as with new --record-input, and "
		"stays so when the command is started again. Never recorded is what a password prompt reads (the terminal takes "
		"whole lines and does not show them), nor what the terminal answers by itself. pterm export makes input events of it.",
	.examples = "pterm record --input on build\npterm record --input off build # what was recorded is kept",
	.parser = { rows, array_len(rows), 0 },
	.options_size = sizeof(struct options),
	.min_words = 1, .max_words = ANY_WORDS,
	.completes = "session",
	.run = run,
};
