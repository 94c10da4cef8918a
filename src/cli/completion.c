#include "cli/completion.h"

static const char names_prefix[] = "names:";

/* Values that `pterm __complete KIND` lists, or NULL. */
static const char *names_for(const struct arg_option *o)
{
	static const struct { const char *value, *kind; } kinds[] = {
		{ "TEMPLATE", "templates" },
	};

	for (size_t i = 0; o->value != NULL && i < array_len(kinds); i++)
		if (str_eq(o->value, kinds[i].value))
			return kinds[i].kind;
	return NULL;
}

enum word_kind option_kind(const struct arg_option *o)
{
	static const struct { const char *value; enum word_kind kind; } kinds[] = {
		{ "FILE", WORD_FILE }, { "PATH", WORD_FILE }, { "DIR", WORD_DIRECTORY }, { "SESSION", WORD_SESSION },
		{ "IMAGE", WORD_FILE },
	};

	if (o->type == ARG_CHOICE)
		return WORD_LIST;
	if (names_for(o) != NULL)
		return WORD_NAMES;
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
	if (str_starts(c->completes, names_prefix))
		return WORD_NAMES;
	return str_eq(c->completes, "file") ? WORD_FILE : WORD_LIST;
}

size_t command_word_count(const struct command *c)
{
	if (c->completes != NULL && str_eq(c->completes, "command"))
		return 1;                        /* the second word of `help image pull` depends on the first */
	return c->parser.stop_after > 0 ? c->parser.stop_after : c->max_words;
}

void option_words(const struct arg_option *o, struct str *out)
{
	if (names_for(o) != NULL)
		str_adds(out, names_for(o));
	for (size_t i = 0; o->choices != NULL && o->choices[i] != NULL; i++)
		str_addf(out, "%s%s", i > 0 ? " " : "", o->choices[i]);
}

void add_command_names(struct str *out, const struct command *group)
{
	for (size_t i = 0, n = 0; commands[i] != NULL; i++)
		if (!commands[i]->hidden && command_is_in(commands[i], group))
			str_addf(out, "%s%s", n++ > 0 ? " " : "", command_word(commands[i]));
}

void command_words(const struct command *c, struct str *out)
{
	if (command_kind(c) == WORD_NAMES)
		str_adds(out, c->completes + strlen(names_prefix));
	if (command_kind(c) != WORD_LIST)
		return;
	if (str_eq(c->completes, "command")) {
		add_command_names(out, NULL);
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
