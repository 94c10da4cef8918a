#include "cli/man.h"

#include "base/text.h"
#include "config/config.h"

#include <ctype.h>

#define MAN_DATE "2026-11-22"            /* when the shape of the pages was last changed: a build date would differ each time */

enum { ROFF_COLUMNS = 78 };

/* Text that roff shows as it stands. A word may end up first on a line, where "." and "'" begin a request. */
static void add_text(struct str *out, const char *z)
{
	for (char before = ' '; *z != '\0'; before = *z++) {
		if ((*z == '.' || *z == '\'') && (before == ' ' || before == '\n'))
			str_adds(out, "\\&");
		if (*z == '\\')
			str_adds(out, "\\e");
		else if (*z == '-')
			str_adds(out, "\\-");
		else
			str_addc(out, *z);
	}
}

static void add_filled(struct str *out, const char *text)
{
	_str_ safe = STR_INIT;

	add_text(&safe, text);
	text_wrap(out, safe.buf, 0, 0, ROFF_COLUMNS);
}

static void add_sentence(struct str *out, const char *clause)
{
	_str_ s = STR_INIT;

	str_adds(&s, clause);
	s.buf[0] = (char)toupper((unsigned char)s.buf[0]);
	str_addc(&s, '.');
	add_filled(out, s.buf);
}

static void add_verbatim(struct str *out, const char *text)
{
	str_adds(out, ".nf\n");
	add_text(out, text);
	str_adds(out, "\n.fi\n");
}

/* Straight after a heading the first paragraph begins by itself. */
static void add_paragraphs(struct str *out, const char *text, bool is_after_heading)
{
	while (*text != '\0') {
		const char *end = strstr(text, "\n\n");
		const size_t n = end ? (size_t)(end - text) : strlen(text);
		_free_ char *one = xstrndup(text, n);

		if (!is_after_heading)
			str_adds(out, ".PP\n");
		is_after_heading = false;
		if (one[0] == ' ')
			add_verbatim(out, one);
		else
			add_filled(out, one);
		text += n;
		text += strspn(text, "\n");
	}
}

struct entry { const char *head, *text; };

static void add_entry(struct str *out, const char *head, const char *text)
{
	str_adds(out, ".TP\n.B ");
	add_text(out, head);
	str_addc(out, '\n');
	add_filled(out, text);
}

static void add_entries(struct str *out, const char *title, const struct entry *e, size_t n)
{
	str_addf(out, ".SH %s\n", title);
	for (size_t i = 0; i < n; i++)
		add_entry(out, e[i].head, e[i].text);
}

static void add_title(struct str *out, const char *name)
{
	_str_ upper = STR_INIT;

	for (const char *p = name; *p != '\0'; p++)
		str_addc(&upper, (char)toupper((unsigned char)*p));
	str_adds(out, ".\\\" Made by: pterm __man\n.TH \"");
	add_text(out, upper.buf);
	str_adds(out, "\" 1 " MAN_DATE " \"pterm " PTERM_VERSION "\" \"pterm manual\"\n");
}

static void add_options(struct str *out, const struct command *c)
{
	struct arg_parser p;

	command_parser(c, &p);
	for (size_t i = 0; i < p.count; i++) {
		const struct arg_option *o = &p.options[i];

		str_adds(out, ".TP\n");
		if (o->letter)
			str_addf(out, "\\fB\\-%c\\fR, ", o->letter);
		str_adds(out, "\\fB\\-\\-");
		add_text(out, o->name);
		str_adds(out, "\\fR");
		if (o->value != NULL) {
			str_adds(out, " \\fI");
			add_text(out, o->value);
			str_adds(out, "\\fR");
		}
		str_addc(out, '\n');
		add_sentence(out, o->help);
	}
	free((void *)p.options);
}

/* Lines "command # what it does". */
static void add_examples(struct str *out, const char *examples)
{
	for (const char *p = examples; *p != '\0'; p += strcspn(p, "\n"), p += *p == '\n') {
		const size_t n = strcspn(p, "\n"), head = example_len(p);
		_free_ char *line = xstrndup(p, head);
		_free_ char *remark = head < n ? xstrndup(p + head + 3, n - head - 3) : NULL;

		str_adds(out, ".TP\n.B ");
		add_text(out, line);
		str_addc(out, '\n');
		if (remark != NULL)
			add_sentence(out, remark);
		else
			str_adds(out, "\\&\n");
	}
}

static void add_head(struct str *out, const struct command *c)
{
	_str_ name = STR_INIT;

	str_addf(&name, "pterm-%s", c->name);
	add_title(out, name.buf);
	str_adds(out, ".SH NAME\n");
	str_addf(&name, " - %s", c->summary);
	add_filled(out, name.buf);
}

static void add_synopsis(struct str *out, const struct command *c)
{
	str_addf(out, ".B pterm %s\n[\\fIoptions\\fR]\n", c->name);
	if (c->args != NULL && c->args[0] != '\0')
		add_filled(out, c->args);
}

static void add_description(struct str *out, const struct command *c)
{
	str_adds(out, ".SH DESCRIPTION\n");
	add_sentence(out, c->summary);
	if (c->details != NULL)
		add_paragraphs(out, c->details, false);
}

static const char see_also[] = ".SH SEE ALSO\n.BR pterm (1),\n"
                               "which tells about the exit status, the environment and the files.\n";

static void command_page(const struct command *c, struct str *out)
{
	add_head(out, c);
	str_adds(out, ".SH SYNOPSIS\n");
	add_synopsis(out, c);
	add_description(out, c);
	str_adds(out, ".SH OPTIONS\n");
	add_options(out, c);
	if (c->examples != NULL) {
		str_adds(out, ".SH EXAMPLES\n");
		add_examples(out, c->examples);
	}
	str_adds(out, see_also);
}

/* A command of a group, below a heading of its own in the group's page. */
static void add_section(struct str *out, const struct command *c)
{
	str_addf(out, ".SS pterm %s\n", c->name);
	add_synopsis(out, c);
	str_adds(out, ".PP\n");
	add_sentence(out, c->summary);
	if (c->details != NULL)
		add_paragraphs(out, c->details, false);
	add_options(out, c);
	if (c->examples != NULL) {
		str_adds(out, ".PP\nExamples:\n");
		add_examples(out, c->examples);
	}
}

static void group_page(const struct command *group, struct str *out)
{
	bool is_first = true;

	add_head(out, group);
	str_adds(out, ".SH SYNOPSIS\n");
	for (size_t i = 0; commands[i] != NULL; i++) {
		if (commands[i]->hidden || !command_is_in(commands[i], group))
			continue;
		if (!is_first)
			str_adds(out, ".br\n");
		is_first = false;
		add_synopsis(out, commands[i]);
	}
	add_description(out, group);
	str_adds(out, ".SH COMMANDS\n");
	for (size_t i = 0; commands[i] != NULL; i++)
		if (!commands[i]->hidden && command_is_in(commands[i], group))
			add_section(out, commands[i]);
	if (group->examples != NULL) {
		str_adds(out, ".SH EXAMPLES\n");
		add_examples(out, group->examples);
	}
	str_adds(out, see_also);
}

static const char overview[] =
	"pterm gives every terminal a container of its own: a session. The container needs no root: crun runs it as the "
	"person who started it. A session goes on when you detach from it, its output is recorded, and any "
	"number of terminals can be attached to it at once. Each session has a small process that owns it, its supervisor; "
	"no daemon is needed.\n\n"
	"A session is named by its name, its id, or the first characters of its id. Commands with a table as their output "
	"print JSON for programs with -o json.";

static const struct entry exit_codes[] = {
	{ "0", "It went well, or you detached from a session, which goes on." },
	{ "1 to 124", "The exit status of the command in the session. Commands that look at things use 1 for a \"no\": "
	              "pterm doctor does when there is a problem." },
	{ "125", "pterm itself failed; one line on standard error says what, why and what to do." },
	{ "126", "The command in the session was found and cannot be executed." },
	{ "127", "There is no such command in the session." },
	{ "128+n", "The command in the session was ended by signal n, for example 137 by KILL." },
};

static const struct entry environment[] = {
	{ "PTERM_HOME", "The directory with everything pterm keeps. The default is ~/.pachyterm." },
	{ "PTERM_SESSION", "Set inside a session: its id." },
	{ "XDG_RUNTIME_DIR", "Where sockets and caches are; a directory of our own in /dev/shm, or in PTERM_HOME, where it "
	                     "is not set." },
};

/* The variables of the configuration, from its table. */
static void add_options_of_configuration(struct str *out)
{
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		const struct option *o = &config_options[i];
		_str_ text = STR_INIT;

		str_addf(&text, "%s (in config.json: %s; %s%s)", o->help, o->key,
		         o->fallback ? "the default is " : "without a default", o->fallback ? o->fallback : "");
		str_addf(out, ".TP\n.B %s\n", o->variable);
		add_sentence(out, text.buf);
	}
}

static const struct entry files[] = {
	{ "~/.pachyterm/sessions/ID/", "One session: spec.json (what to run), status.json (what became of it, and why), "
	                               "output.log and output.idx (the recording and its timing), events.jsonl, and crash/ "
	                               "with what is known about an unexpected end." },
	{ "~/.pachyterm/images/", "Images, unpacked once and shared by all sessions." },
	{ "~/.pachyterm/config.json", "The configuration; config.development.json, config.staging.json and config.production.json "
	                              "beside it. See pterm-config(1)." },
	{ "~/.pachyterm/templates/", "Your templates. See pterm-template(1)." },
	{ "/etc/subuid, /etc/subgid", "The ids that containers of ordinary users are given; see subuid(5)." },
};

static void add_command_list(struct str *out)
{
	str_adds(out, ".SH COMMANDS\n");
	for (enum command_group g = 0; g < GROUP_COUNT; g++) {
		bool is_first = true;

		for (size_t i = 0; commands[i] != NULL; i++) {
			if (commands[i]->hidden || commands[i]->group != g || !command_is_in(commands[i], NULL))
				continue;
			if (is_first)
				str_addf(out, ".SS %s\n", command_groups[g]);
			is_first = false;
			str_addf(out, ".TP\n.BR pterm\\-%s (1)\n", commands[i]->name);
			add_sentence(out, commands[i]->summary);
		}
	}
}

static void main_page(struct str *out)
{
	add_title(out, "pterm");
	str_adds(out, ".SH NAME\npterm \\- a rootless container for every terminal\n"
	         ".SH SYNOPSIS\n.B pterm\n.I command\n[\\fIoptions\\fR] [\\fIwords\\fR]\n.br\n.B pterm \\-\\-help\n.br\n"
	         ".B pterm \\-\\-version\n.SH DESCRIPTION\n");
	add_paragraphs(out, overview, true);
	add_command_list(out);
	add_entries(out, "EXIT STATUS", exit_codes, array_len(exit_codes));
	add_entries(out, "ENVIRONMENT", environment, array_len(environment));
	add_options_of_configuration(out);
	add_entries(out, "FILES", files, array_len(files));
	str_adds(out, ".SH SEE ALSO\n.BR crun (1),\n.BR subuid (5),\n.BR user_namespaces (7)\n");
}

void man_page(const struct command *c, struct str *out)
{
	for (size_t i = 0; c != NULL && commands[i] != NULL; i++)
		if (command_is_group(commands[i]) && command_is_in(c, commands[i]))
			c = commands[i];
	if (c == NULL)
		main_page(out);
	else if (command_is_group(c))
		group_page(c, out);
	else
		command_page(c, out);
}
