#include "cli/completion.h"

static const char head[] =
"# Completion of pterm for bash; made by: pterm completion bash\n"
"\n"
"# What begins with the word at the cursor. The candidates are compared and never evaluated (compgen -W would).\n"
"_pterm_match() {\n"
"	local word\n"
"	for word in \"$@\"; do\n"
"		if [[ $word == \"$cur\"* ]]; then COMPREPLY+=(\"$word\"); fi\n"
"	done\n"
"}\n"
"# Names of kind $1, each with $2 behind it\n"
"_pterm_names() {\n"
"	local names\n"
"	mapfile -t names < <(command pterm __complete \"$1\" 2>/dev/null)\n"
"	_pterm_match \"${names[@]/%/$2}\"\n"
"}\n"
"_pterm_files() {\n"
"	local names\n"
"	mapfile -t names < <(compgen \"$1\" -- \"$cur\")\n"
"	COMPREPLY+=(\"${names[@]}\")\n"
"	compopt -o filenames 2>/dev/null\n"
"}\n"
"\n"
"# Of command $1: its options, those that take a value, how many words it takes, after how many the rest is a command\n"
"# line; of a group: its commands\n"
"_pterm_command() {\n"
"	case $1 in\n";

static const char middle[] =
"	esac\n"
"}\n"
"\n"
"_pterm() {\n"
"	local cur=${COMP_WORDS[COMP_CWORD]} word cmd= pending= raw= subs= count=0 i\n"
"	local options='-h --help --version' valued= max=0 stop=0 IFS=$' \\t\\n'\n"
"	COMPREPLY=()\n"
"	for ((i = 1; i < COMP_CWORD; i++)); do\n"
"		word=${COMP_WORDS[i]}\n"
"		if [[ -n $raw ]]; then\n"
"			:\n"
"		elif [[ -n $pending ]]; then\n"
"			if [[ $word != '=' ]]; then pending=; fi\n"
"		elif [[ $word == [=:] ]]; then\n"
"			i=$((i + 1))  # readline broke one word here: its end is no word of its own\n"
"		elif [[ $word == -- ]]; then\n"
"			raw=1\n"
"		elif [[ $word == -* ]]; then\n"
"			if [[ \" $valued \" == *\" $word \"* ]]; then pending=$word; fi\n"
"		elif [[ -z $cmd ]]; then\n"
"			cmd=$word\n"
"			_pterm_command \"$cmd\"\n"
"		elif [[ -n $subs ]]; then\n"
"			cmd+=\" $word\"\n"
"			subs=\n"
"			_pterm_command \"$cmd\"\n"
"		else\n"
"			count=$((count + 1))\n"
"			if ((stop > 0 && count >= stop)); then raw=1; fi\n"
"		fi\n"
"	done\n"
"	if [[ $cur == '=' && -n $pending ]]; then cur=; fi\n"
"	if [[ -n $raw ]]; then\n"
"		compopt -o default 2>/dev/null\n"
"	elif [[ -n $pending ]]; then\n"
"		_pterm_value \"$cmd$pending\"\n"
"	elif ((i > COMP_CWORD)) || [[ $cur == [=:] ]]; then\n"
"		:\n"
"	elif [[ $cur == -* ]]; then\n"
"		_pterm_match $options\n"
"	elif [[ -n $subs ]]; then\n"
"		_pterm_match $subs\n"
"	elif [[ -z $cmd ]]; then\n";

static const char tail[] =
"	elif ((count < max)); then\n"
"		_pterm_word \"$cmd\"\n"
"	fi\n"
"}\n"
"complete -F _pterm pterm\n";

static void add_options(struct str *out, const struct arg_parser *p, bool only_valued)
{
	for (size_t i = 0; i < p->count; i++) {
		const struct arg_option *o = &p->options[i];

		if (only_valued && o->value == NULL)
			continue;
		if (out->buf[out->len - 1] != '\'')
			str_addc(out, ' ');
		if (o->letter)
			str_addf(out, "-%c ", o->letter);
		str_addf(out, "--%s", o->name);
	}
}

static void add_command(struct str *out, const struct command *c)
{
	const size_t max = min_size(command_word_count(c), 1000);
	struct arg_parser p;

	command_parser(c, &p);
	str_addf(out, "	'%s')\n		options='", c->name);
	add_options(out, &p, false);
	str_adds(out, "'\n		valued='");
	add_options(out, &p, true);
	if (command_is_group(c)) {
		str_adds(out, "'\n		subs='");
		add_command_names(out, c);
	}
	str_addf(out, "'\n		max=%zu stop=%zu ;;\n", max, p.stop_after);
	free((void *)p.options);
}

static void add_completer(struct str *out, enum word_kind kind, const char *words)
{
	if (kind == WORD_LIST)
		str_addf(out, "_pterm_match %s ;;\n", words);
	else if (kind == WORD_SESSION)
		str_adds(out, "_pterm_names sessions ;;\n");
	else if (kind == WORD_NAMES)
		str_addf(out, "_pterm_names %s ;;\n", words);
	else if (kind == WORD_SESSION_PATH)
		str_adds(out, "_pterm_files -f; _pterm_names sessions :; compopt -o nospace 2>/dev/null ;;\n");
	else
		str_addf(out, "_pterm_files %s ;;\n", kind == WORD_DIRECTORY ? "-d" : "-f");
}

static void add_values(struct str *out, const struct command *c)
{
	for (size_t i = 0; i < c->parser.count; i++) {
		const struct arg_option *o = &c->parser.options[i];
		_str_ words = STR_INIT;

		if (option_kind(o) == WORD_NONE)
			continue;
		option_words(o, &words);
		str_adds(out, "	");
		if (o->letter)
			str_addf(out, "'%s-%c' | ", c->name, o->letter);
		str_addf(out, "'%s--%s') ", c->name, o->name);
		add_completer(out, option_kind(o), words.buf);
	}
}

void completion_bash(struct str *out)
{
	str_adds(out, head);
	for (size_t i = 0; commands[i] != NULL; i++)
		if (!commands[i]->hidden)
			add_command(out, commands[i]);
	str_adds(out, "	esac\n}\n\n# The value of an option: $1 is the command and the option\n_pterm_value() {\n	case $1 in\n");
	for (size_t i = 0; commands[i] != NULL; i++)
		if (!commands[i]->hidden)
			add_values(out, commands[i]);
	str_adds(out, "	esac\n}\n\n# A word of command $1\n_pterm_word() {\n	case $1 in\n");
	for (size_t i = 0; commands[i] != NULL; i++) {
		const struct command *c = commands[i];
		_str_ words = STR_INIT;

		if (c->hidden || command_kind(c) == WORD_NONE)
			continue;
		command_words(c, &words);
		str_addf(out, "	'%s') ", c->name);
		add_completer(out, command_kind(c), words.buf);
	}
	str_adds(out, middle);
	str_adds(out, "		_pterm_match ");
	add_command_names(out, NULL);
	str_addc(out, '\n');
	str_adds(out, tail);
}
