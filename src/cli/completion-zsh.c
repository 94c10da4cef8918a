#include "cli/completion.h"

static const char head[] =
"#compdef pterm\n"
"# Completion of pterm for zsh; made by: pterm completion zsh\n"
"\n"
"# Names of the kind that is the last word; _arguments puts others before it, for compadd\n"
"_pterm_names() {\n"
"	local -a names\n"
"	names=(${(f)\"$(command pterm __complete $argv[-1] 2>/dev/null)\"})\n"
"	compadd \"${(@)argv[1,-2]}\" -a names\n"
"}\n"
"_pterm_session_or_file() {\n"
"	local -a names\n"
"	names=(${(f)\"$(command pterm __complete sessions 2>/dev/null)\"})\n"
"	compadd -S : -a names\n"
"	_files\n"
"}\n";

static const char tail[] =
"\n"
"# Works from a file in $fpath, and sourced after compinit\n"
"if [[ $funcstack[1] == _pterm ]]; then\n"
"	_pterm \"$@\"\n"
"elif (( $+functions[compdef] )); then\n"
"	compdef _pterm pterm\n"
"fi\n";

static void add_action(struct str *out, enum word_kind kind, const char *words)
{
	static const char *const actions[] = {
		[WORD_NONE] = " ", [WORD_SESSION] = "_pterm_names sessions", [WORD_SESSION_PATH] = "_pterm_session_or_file",
		[WORD_FILE] = "_files", [WORD_DIRECTORY] = "_files -/",
	};

	if (kind == WORD_LIST)
		str_addf(out, "(%s)", words);
	else if (kind == WORD_NAMES)
		str_addf(out, "_pterm_names %s", words);
	else
		str_adds(out, actions[kind]);
}

/* '(-o --output)'{-o+,--output=}'[help]:FORM:(table json)' */
static void add_option(struct str *out, const struct arg_option *o)
{
	_str_ words = STR_INIT;

	str_adds(out, " \\\n			");
	if (o->type == ARG_STRV)
		str_adds(out, "'*'");
	else if (o->letter)
		str_addf(out, "'(-%c --%s)'", o->letter, o->name);
	if (o->letter)
		str_addf(out, "{-%c%s,--%s%s}", o->letter, o->value ? "+" : "", o->name, o->value ? "=" : "");
	else
		str_addf(out, "--%s%s", o->name, o->value ? "=" : "");
	str_adds(out, "'[");
	add_shell_text(out, o->help, "[]:\\");
	str_addc(out, ']');
	if (o->value != NULL) {
		str_addc(out, ':');
		add_shell_text(out, o->value, "[]:\\");
		str_addc(out, ':');
		option_words(o, &words);
		add_action(out, option_kind(o), words.buf);
	}
	str_addc(out, '\'');
}

static void add_words(struct str *out, const struct command *c)
{
	const size_t each = command_word_count(c);
	_str_ words = STR_INIT;

	command_words(c, &words);
	if (command_kind(c) != WORD_NONE && each > 8) {
		str_adds(out, " \\\n			'*:word:");
		add_action(out, command_kind(c), words.buf);
		str_addc(out, '\'');
		return;
	}
	for (size_t i = 1; command_kind(c) != WORD_NONE && i <= each; i++) {
		str_addf(out, " \\\n			'%zu:word:", i);
		add_action(out, command_kind(c), words.buf);
		str_addc(out, '\'');
	}
	if (c->parser.stop_after > 0 || (c->max_words == ANY_WORDS && command_kind(c) == WORD_NONE))
		str_adds(out, " \\\n			'*::command:_normal'");
}

static void add_command(struct str *out, const struct command *c)
{
	struct arg_parser p;

	command_parser(c, &p);
	str_addf(out, "	%s)\n		_arguments -s -S%s", command_word(c), p.stop_after > 0 ? " -A '-*'" : "");
	for (size_t i = 0; i < p.count; i++)
		add_option(out, &p.options[i]);
	add_words(out, c);
	str_adds(out, " ;;\n");
	free((void *)p.options);
}

static void add_descriptions(struct str *out, const struct command *group)
{
	for (size_t i = 0; commands[i] != NULL; i++) {
		if (commands[i]->hidden || !command_is_in(commands[i], group))
			continue;
		str_addf(out, "		'%s:", command_word(commands[i]));
		add_shell_text(out, commands[i]->summary, ":\\");
		str_adds(out, "'\n");
	}
}

/* Two functions: _pterm_NAME_commands lists the commands of @group, _pterm_NAME completes one; with NULL, of pterm. */
static void add_group(struct str *out, const struct command *group)
{
	_free_ char *name = group ? xasprintf("_pterm_%s", group->name) : xstrdup("_pterm");

	str_addf(out, "%s_commands() {\n	local -a commands\n	commands=(\n", name);
	add_descriptions(out, group);
	str_addf(out, "	)\n	_describe command commands\n}\n\n%s() {\n", name);
	str_addf(out, "	local curcontext=$curcontext state line\n	typeset -A opt_args\n"
	         "	_arguments -C -A '-*' '(- *)'{-h,--help}'[show this help]'%s \\\n"
	         "		'1:command:%s_commands' '*::word:->words'\n"
	         "	[[ $state == words ]] || return\n	case $words[1] in\n",
	         group ? "" : " '(- *)--version[show the version]'", name);
	for (size_t i = 0; commands[i] != NULL; i++) {
		if (commands[i]->hidden || !command_is_in(commands[i], group))
			continue;
		if (command_is_group(commands[i]))
			str_addf(out, "	%s)\n		_pterm_%s ;;\n", commands[i]->name, commands[i]->name);
		else
			add_command(out, commands[i]);
	}
	str_adds(out, "	esac\n}\n");
}

void completion_zsh(struct str *out)
{
	str_adds(out, head);
	for (size_t i = 0; commands[i] != NULL; i++)
		if (!commands[i]->hidden && command_is_group(commands[i]))
			add_group(out, commands[i]);
	add_group(out, NULL);
	str_adds(out, tail);
}
