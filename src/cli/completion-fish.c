#include "cli/completion.h"

static const char head[] =
"# Completion of pterm for fish; made by: pterm completion fish\n"
"\n"
"# The words after pterm that are no options\n"
"function __pterm_words\n"
"	for word in (commandline -opc)[2..]\n"
"		if not string match -q -- '-*' $word\n"
"			echo $word\n"
"		end\n"
"	end\n"
"end\n"
"# Is the command of these words, or is there none yet?\n"
"function __pterm_is\n"
"	set -l words (__pterm_words)\n"
"	set -l n (count $argv)\n"
"	test (count $words) -ge $n\n"
"	and test \"$words[1..$n]\" = \"$argv\"\n"
"end\n"
"function __pterm_none\n"
"	test (count (__pterm_words)) -eq 0\n"
"end\n"
"# Are these all the words there are?\n"
"function __pterm_only\n"
"	test (count (__pterm_words)) -eq (count $argv)\n"
"	and __pterm_is $argv\n"
"end\n"
"function __pterm_names\n"
"	command pterm __complete $argv[1] 2>/dev/null\n"
"end\n"
"function __pterm_session_paths\n"
"	__pterm_names sessions | string replace -r '$' ':'\n"
"end\n"
"\n"
"complete -c pterm -e\n"
"complete -c pterm -f\n"
"complete -c pterm -n __pterm_none -s h -l help -d 'show this help'\n"
"complete -c pterm -n __pterm_none -l version -d 'show the version'\n";

/* Between single quotes fish knows \\ and \' and nothing else. */
static void add_quoted(struct str *out, const char *text)
{
	str_addc(out, '\'');
	for (; *text != '\0'; text++) {
		if (*text == '\'' || *text == '\\')
			str_addc(out, '\\');
		str_addc(out, *text);
	}
	str_addc(out, '\'');
}

/* Flags that say what is offered: after -r for an option's value, alone for words. */
static void add_offer(struct str *out, enum word_kind kind, const char *words)
{
	if (kind == WORD_LIST) {
		str_adds(out, " -a ");
		add_quoted(out, words);
	} else if (kind == WORD_SESSION) {
		str_adds(out, " -a '(__pterm_names sessions)'");
	} else if (kind == WORD_NAMES) {
		str_addf(out, " -a '(__pterm_names %s)'", words);
	} else if (kind == WORD_SESSION_PATH) {
		str_adds(out, " -F -a '(__pterm_session_paths)'");
	} else if (kind == WORD_DIRECTORY) {
		str_adds(out, " -a '(__fish_complete_directories)'");
	} else if (kind == WORD_FILE) {
		str_adds(out, " -F");
	}
}

static void add_option(struct str *out, const struct command *c, const struct arg_option *o)
{
	_str_ words = STR_INIT;

	str_addf(out, "complete -c pterm -n '__pterm_is %s'", c->name);
	if (o->letter)
		str_addf(out, " -s %c", o->letter);
	str_addf(out, " -l %s -d ", o->name);
	add_quoted(out, o->help);
	if (o->value != NULL) {
		str_adds(out, option_kind(o) == WORD_FILE ? " -r" : " -x");
		option_words(o, &words);
		add_offer(out, option_kind(o), words.buf);
	}
	str_addc(out, '\n');
}

static void add_command(struct str *out, const struct command *c)
{
	struct arg_parser p;
	_str_ words = STR_INIT;

	if (command_is_in(c, NULL))
		str_addf(out, "\ncomplete -c pterm -n __pterm_none -a %s -d ", c->name);
	else
		str_addf(out, "\ncomplete -c pterm -n '__pterm_only %.*s' -a %s -d ", (int)strcspn(c->name, " "), c->name,
		         command_word(c));
	add_quoted(out, c->summary);
	str_addc(out, '\n');
	command_parser(c, &p);
	for (size_t i = 0; i < p.count; i++)
		add_option(out, c, &p.options[i]);
	free((void *)p.options);
	command_words(c, &words);
	if (command_kind(c) != WORD_NONE) {
		str_addf(out, "complete -c pterm -n '__pterm_is %s'", c->name);
		add_offer(out, command_kind(c), words.buf);
		str_addc(out, '\n');
	}
	if (c->parser.stop_after > 0 || (c->max_words == ANY_WORDS && command_kind(c) == WORD_NONE))
		str_addf(out, "complete -c pterm -n '__pterm_is %s' -F\n", c->name);
}

void completion_fish(struct str *out)
{
	str_adds(out, head);
	for (size_t i = 0; commands[i] != NULL; i++)
		if (!commands[i]->hidden)
			add_command(out, commands[i]);
}
