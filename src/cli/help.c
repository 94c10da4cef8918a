/*
 * What --help and `pterm help` print, made from the command's row.
 */
#include "cli/command.h"

#include "base/text.h"

#include <ctype.h>

const char *const command_groups[GROUP_COUNT] = {
	[GROUP_SESSIONS] = "Work with sessions",
	[GROUP_LOOK] = "See what sessions do",
	[GROUP_IMAGES] = "Images",
	[GROUP_HOST] = "This host and pterm itself",
};

/* "connect a terminal" as a sentence: "Connect a terminal." */
static void add_sentence(struct str *out, const char *summary)
{
	_str_ s = STR_INIT;

	str_adds(&s, summary);
	s.buf[0] = (char)toupper((unsigned char)s.buf[0]);
	str_addc(&s, '.');
	text_wrap(out, s.buf, 0, 0, TEXT_COLUMNS);
}

static void add_paragraphs(struct str *out, const char *details)
{
	while (*details != '\0') {
		const char *end = strstr(details, "\n\n");
		const size_t n = end ? (size_t)(end - details) : strlen(details);
		_free_ char *one = xstrndup(details, n);

		str_addc(out, '\n');
		if (one[0] == ' ')
			str_addf(out, "%s\n", one);
		else
			text_wrap(out, one, 0, 0, TEXT_COLUMNS);
		details += n;
		details += strspn(details, "\n");
	}
}

size_t example_len(const char *line)
{
	const size_t n = strcspn(line, "\n");
	const char *remark = memmem(line, n, " # ", 3);

	return remark ? (size_t)(remark - line) : n;
}

/* Lines "command # what it does", with the remarks in one column where they fit, else above the command. */
static void add_examples(struct str *out, const char *examples)
{
	size_t left = 0;

	for (const char *p = examples; *p != '\0'; p += strcspn(p, "\n"), p += *p == '\n')
		left = max_size(left, example_len(p));
	str_adds(out, "\nExamples:\n");
	for (const char *p = examples; *p != '\0'; p += strcspn(p, "\n"), p += *p == '\n') {
		const size_t n = strcspn(p, "\n"), head = example_len(p);

		if (head == n) {
			str_addf(out, "  %.*s\n", (int)n, p);
		} else if (2 + left + (n - head) > TEXT_COLUMNS) {
			_free_ char *remark = xstrndup(p + head + 1, n - head - 1);

			str_adds(out, "  ");
			text_wrap(out, remark, 2, 4, TEXT_COLUMNS);
			str_addf(out, "  %.*s\n", (int)head, p);
		} else {
			str_addf(out, "  %.*s", (int)head, p);
			text_pad(out, left - head);
			str_addf(out, "%.*s\n", (int)(n - head), p + head);
		}
	}
}

enum { LEFT = 14 };                      /* where the summaries of a list of commands begin */

static void add_command_row(struct str *out, const struct command *c)
{
	str_addf(out, "  %-*s", LEFT - 2, command_word(c));
	text_wrap(out, c->summary, LEFT, LEFT, TEXT_COLUMNS);
}

static void add_command_list(struct str *out, enum command_group group)
{
	bool is_first = true;

	for (size_t i = 0; commands[i] != NULL; i++) {
		const struct command *c = commands[i];

		if (c->hidden || c->group != group || !command_is_in(c, NULL))
			continue;
		if (is_first)
			str_addf(out, "\n%s:\n", command_groups[group]);
		is_first = false;
		add_command_row(out, c);
	}
}

static void overview(struct str *out)
{
	str_adds(out, "Usage: pterm COMMAND [OPTIONS] [WORDS]\n\n");
	text_wrap(out, "Every terminal gets a container of its own that needs no root, goes on when you detach, and is "
	          "recorded.", 0, 0, TEXT_COLUMNS);
	for (enum command_group g = 0; g < GROUP_COUNT; g++)
		add_command_list(out, g);
	str_adds(out, "\nOptions:\n"
	         "  -h, --help     show this help\n"
	         "      --version  show the version\n\n"
	         "'pterm COMMAND --help' says more about a command, and so does 'man pterm'.\n");
}

static void group_help(const struct command *group, struct str *out)
{
	str_addf(out, "Usage: pterm %s COMMAND [OPTIONS] [WORDS]\n\n", group->name);
	add_sentence(out, group->summary);
	if (group->details != NULL)
		add_paragraphs(out, group->details);
	str_adds(out, "\nCommands:\n");
	for (size_t i = 0; commands[i] != NULL; i++)
		if (command_is_in(commands[i], group) && !commands[i]->hidden)
			add_command_row(out, commands[i]);
	str_adds(out, "\nOptions:\n  -h, --help  show this help\n");
	if (group->examples != NULL)
		add_examples(out, group->examples);
	str_addf(out, "\n'pterm %s COMMAND --help' says more about a command.\n", group->name);
}

void command_help(const struct command *c, struct str *out)
{
	struct arg_parser parser;
	_str_ usage = STR_INIT;

	if (c == NULL) {
		overview(out);
		return;
	}
	if (command_is_group(c)) {
		group_help(c, out);
		return;
	}
	str_addf(&usage, "Usage: pterm %s [OPTIONS] %s", c->name, c->args ? c->args : "");
	text_wrap(out, usage.buf, 0, strlen("Usage: pterm "), TEXT_COLUMNS);
	str_addc(out, '\n');
	add_sentence(out, c->summary);
	if (c->details != NULL)
		add_paragraphs(out, c->details);
	command_parser(c, &parser);
	str_adds(out, "\nOptions:\n");
	args_help(&parser, out);
	free((void *)parser.options);
	if (c->examples != NULL)
		add_examples(out, c->examples);
}
