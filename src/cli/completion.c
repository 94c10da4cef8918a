#include "cli/completion.h"

enum word_kind option_kind(const struct arg_option *o)
{
	static const struct { const char *value; enum word_kind kind; } kinds[] = {
		{ "FILE", WORD_FILE }, { "PATH", WORD_FILE }, { "DIR", WORD_DIRECTORY }, { "SESSION", WORD_SESSION },
		{ "IMAGE", WORD_FILE },
	};

	if (o->type == ARG_CHOICE)
		return WORD_LIST;
	for (size_t i = 0; o->value != NULL && i < array_len(kinds); i++)
		if (str_eq(o->value, kinds[i].value))
			return kinds[i].kind;
	/* "SRC:DST[:ro]": a path of this host comes first */
	return o->value != NULL && str_starts(o->value, "SRC:") ? WORD_FILE : WORD_NONE;
}

enum word_kind command_kind(const struct command *c)
{
	if (c->completes == NULL)
		return WORD_NONE;
	if (str_eq(c->completes, "session") || str_eq(c->completes, "session?"))
		return WORD_SESSION;
	if (str_eq(c->completes, "session:"))
		return WORD_SESSION_PATH;
	return str_eq(c->completes, "file") ? WORD_FILE : WORD_LIST;
}

void option_words(const struct arg_option *o, struct str *out)
{
	for (size_t i = 0; o->choices != NULL && o->choices[i] != NULL; i++)
		str_addf(out, "%s%s", i > 0 ? " " : "", o->choices[i]);
}

void add_command_names(struct str *out)
{
	for (size_t i = 0, n = 0; commands[i] != NULL; i++)
		if (!commands[i]->hidden)
			str_addf(out, "%s%s", n++ > 0 ? " " : "", commands[i]->name);
}

void command_words(const struct command *c, struct str *out)
{
	if (str_eq(c->completes, "command")) {
		add_command_names(out);
		return;
	}
	for (const char *p = c->completes; *p != '\0'; p++)
		str_addc(out, *p == '|' ? ' ' : *p);
}

void add_shell_text(struct str *out, const char *text, const char *special)
{
	for (; *text != '\0'; text++) {
		if (*text == '\'') {
			str_adds(out, "'\\''");
			continue;
		}
		if (strchr(special, *text) != NULL)
			str_addc(out, '\\');
		str_addc(out, *text);
	}
}
