#include "cli/completion.h"

static const char head[] =
"#compdef pterm\n"
"# Completion of pterm for zsh; made by: pterm completion zsh\n"
"\n"
"_pterm_sessions() {\n"
"	local -a names\n"
"	names=(${(f)\"$(command pterm __complete sessions 2>/dev/null)\"})\n"
"	compadd \"$@\" -a names\n"
"}\n"
"_pterm_session_or_file() {\n"
"	local -a names\n"
"	names=(${(f)\"$(command pterm __complete sessions 2>/dev/null)\"})\n"
"	compadd -S : -a names\n"
"	_files\n"
"}\n";

static const char middle[] =
"	)\n"
"	_describe command commands\n"
"}\n"
"\n"
"_pterm() {\n"
"	local curcontext=$curcontext state line\n"
"	typeset -A opt_args\n"
"	_arguments -C -A '-*' '(- *)'{-h,--help}'[show this help]' '(- *)--version[show the version]' \\\n"
"		'1:command:_pterm_commands' '*::word:->words'\n"
"	[[ $state == words ]] || return\n"
"	case $words[1] in\n";

static const char tail[] =
"	esac\n"
"}\n"
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
		[WORD_NONE] = " ", [WORD_SESSION] = "_pterm_sessions", [WORD_SESSION_PATH] = "_pterm_session_or_file",
		[WORD_FILE] = "_files", [WORD_DIRECTORY] = "_files -/",
	};

	if (kind == WORD_LIST)
		str_addf(out, "(%s)", words);
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
	const size_t each = c->parser.stop_after ? c->parser.stop_after : c->max_words;
	_str_ words = STR_INIT;

	if (command_kind(c) == WORD_LIST)
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
	str_addf(out, "	%s)\n		_arguments -s -S%s", c->name, p.stop_after > 0 ? " -A '-*'" : "");
	for (size_t i = 0; i < p.count; i++)
		add_option(out, &p.options[i]);
	add_words(out, c);
	str_adds(out, " ;;\n");
	free((void *)p.options);
}

void completion_zsh(struct str *out)
{
	str_adds(out, head);
	str_adds(out, "_pterm_commands() {\n	local -a commands\n	commands=(\n");
	for (size_t i = 0; commands[i] != NULL; i++) {
		if (commands[i]->hidden)
			continue;
		str_addf(out, "		'%s:", commands[i]->name);
		add_shell_text(out, commands[i]->summary, ":\\");
		str_adds(out, "'\n");
	}
	str_adds(out, middle);
	for (size_t i = 0; commands[i] != NULL; i++)
		if (!commands[i]->hidden)
			add_command(out, commands[i]);
	str_adds(out, tail);
}
