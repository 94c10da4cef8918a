/*
 * What must hold for every row of the table: the help, the manual page and the scripts tell about all of it.
 */
#include "cli/completion.h"
#include "cli/man.h"

#include "base/test.h"
#include "base/text.h"

static void assert_has(const char *text, const char *part, const char *where, const char *name)
{
	if (strstr(text, part) == NULL)
		test_fail(__FILE__, __LINE__, "'%s' is not in the %s of %s", part, where, name);
}

static void assert_lines_fit(const char *text, const char *name)
{
	for (const char *p = text; *p != '\0'; p += strcspn(p, "\n"), p += *p == '\n') {
		_free_ char *line = xstrndup(p, strcspn(p, "\n"));

		if (text_width(line) > TEXT_COLUMNS)
			test_fail(__FILE__, __LINE__, "%s: too long: '%s'", name, line);
		if (line[0] != '\0' && line[strlen(line) - 1] == ' ')
			test_fail(__FILE__, __LINE__, "%s: ends in a space: '%s'", name, line);
	}
}

/* The command of a name as a table has it: one word or two. */
static const struct command *find(const char *name)
{
	_free_ char *first = xstrndup(name, strcspn(name, " "));
	const char *space = strchr(name, ' '), *const words[] = { first, space ? space + 1 : NULL };
	const size_t count = space ? 2 : 1;
	size_t used;
	const struct command *c = command_find(words, count, &used);

	return used == count ? c : NULL;
}

TEST(a_group_has_commands_and_each_a_group)
{
	for (size_t i = 0; commands[i] != NULL; i++) {
		size_t own = 0;
		bool has_group = command_is_in(commands[i], NULL);

		for (size_t k = 0; commands[k] != NULL; k++) {
			own += command_is_in(commands[k], commands[i]);
			has_group |= command_is_group(commands[k]) && command_is_in(commands[i], commands[k]);
		}
		ASSERT(has_group);
		ASSERT_EQ(own > 0, command_is_group(commands[i]));
	}
}

TEST(every_row_is_whole)
{
	for (size_t i = 0; commands[i] != NULL; i++) {
		const struct command *c = commands[i];

		ASSERT(c->name != NULL && c->summary != NULL);
		ASSERT(!command_is_group(c) || (c->parser.count == 0 && c->max_words == 0 && command_is_in(c, NULL)));
		ASSERT(c->group < GROUP_COUNT);
		ASSERT_EQ(c->hidden, str_starts(c->name, "__"));
		ASSERT(c->summary[strlen(c->summary) - 1] != '.');
		ASSERT(c->max_words == 0 || c->args != NULL);
		ASSERT(c->min_words <= c->max_words);
		ASSERT(find(c->name) == c);
		for (size_t k = 0; k < i; k++)
			ASSERT(!str_eq(commands[k]->name, c->name));
	}
}

TEST(every_option_is_whole)
{
	for (size_t i = 0; commands[i] != NULL; i++) {
		const struct arg_parser *p = &commands[i]->parser;

		for (size_t k = 0; k < p->count; k++) {
			const struct arg_option *o = &p->options[k];

			ASSERT(o->name != NULL && o->help != NULL && o->offset < commands[i]->options_size);
			ASSERT_EQ(o->type == ARG_FLAG, o->value == NULL);
			ASSERT_EQ(o->type == ARG_CHOICE, o->choices != NULL);
			ASSERT(o->help[strlen(o->help) - 1] != '.');
			for (size_t m = 0; m < k; m++)
				ASSERT(!str_eq(p->options[m].name, o->name) &&
				       (o->letter == 0 || p->options[m].letter != o->letter));
		}
	}
}

TEST(help_and_manual_tell_about_every_option)
{
	for (size_t i = 0; commands[i] != NULL; i++) {
		const struct command *c = commands[i];
		_str_ help = STR_INIT, man = STR_INIT;

		command_help(c, &help);
		man_page(c, &man);
		assert_lines_fit(help.buf, c->name);
		for (size_t k = 0; k < c->parser.count; k++) {
			const struct arg_option *o = &c->parser.options[k];
			_free_ char *plain = xasprintf("--%s", o->name);
			_str_ roff = STR_INIT;

			for (const char *p = plain; *p != '\0'; p++)
				str_addf(&roff, "%s%c", *p == '-' ? "\\" : "", *p);
			assert_has(help.buf, plain, "help", c->name);
			assert_has(man.buf, roff.buf, "manual", c->name);
		}
		assert_has(help.buf, "--help", "help", c->name);
	}
}

TEST(the_overview_lists_what_is_not_hidden)
{
	_str_ help = STR_INIT, man = STR_INIT;

	command_help(NULL, &help);
	man_page(NULL, &man);
	assert_lines_fit(help.buf, "help");
	for (size_t i = 0; commands[i] != NULL; i++) {
		_free_ char *row = xasprintf("\n  %-12s", commands[i]->name);
		_free_ char *page = xasprintf("pterm\\-%s (1)", commands[i]->name);
		const bool is_listed = !commands[i]->hidden && command_is_in(commands[i], NULL);

		ASSERT_EQ(strstr(help.buf, row) != NULL, is_listed);
		ASSERT_EQ(strstr(man.buf, page) != NULL, is_listed);
	}
}

TEST(every_script_knows_every_command_and_option)
{
	static const struct { const char *shell; void (*write)(struct str *); } t[] = {
		{ "bash", completion_bash }, { "zsh", completion_zsh }, { "fish", completion_fish },
	};

	for (size_t s = 0; s < array_len(t); s++) {
		_str_ script = STR_INIT;

		t[s].write(&script);
		for (size_t i = 0; commands[i] != NULL; i++) {
			const struct command *c = commands[i];

			if (c->hidden)
				continue;
			assert_has(script.buf, command_word(c), t[s].shell, c->name);
			for (size_t k = 0; k < c->parser.count; k++) {
				_free_ char *option = xasprintf(str_eq(t[s].shell, "fish") ? "-l %s " : "--%s",
				                                c->parser.options[k].name);

				assert_has(script.buf, option, t[s].shell, c->name);
			}
		}
	}
}

TEST(the_nearest_name)
{
	static const struct { const char *word, *want; } t[] = {
		{ "docter", "doctor" }, { "odctor", "doctor" }, { "versio", "version" }, { "vers", "version" },
		{ "hlep", "help" }, { "halp", "help" }, { "xyzzy", NULL }, { "", NULL }, { "h", NULL },
		{ "__mann", NULL }, { "doctor-of-philosophy-with-a-very-long-name", NULL },
	};

	for (size_t i = 0; i < array_len(t); i++) {
		const struct command *c = command_nearest(t[i].word, NULL);

		if (t[i].want == NULL)
			ASSERT(c == NULL);
		else
			ASSERT_STREQ(c ? c->name : NULL, t[i].want);
	}
}
