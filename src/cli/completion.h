/*
 * Completion scripts, made from the table of commands: one writer per shell. Words from outside (names of sessions)
 * reach a shell only as whole lines of `pterm __complete`, and no script evaluates them.
 */
#pragma once

#include "cli/command.h"

enum word_kind { WORD_NONE, WORD_SESSION, WORD_SESSION_PATH, WORD_FILE, WORD_DIRECTORY, WORD_NAMES, WORD_LIST };

/* What stands for an option's value, and what the words of a command are. */
enum word_kind option_kind(const struct arg_option *o);
enum word_kind command_kind(const struct command *c);
/*
 * For WORD_LIST: append what is allowed, with spaces between. For WORD_NAMES: what `pterm __complete` is asked for.
 * For another kind nothing.
 */
void option_words(const struct arg_option *o, struct str *out);
void command_words(const struct command *c, struct str *out);
/* How many words of a command are completed alike (ANY_WORDS: all), before the rest is a command line. */
size_t command_word_count(const struct command *c);
/* The words of @group's commands, or with NULL of pterm's, with spaces between; hidden ones are left out. */
void add_command_names(struct str *out, const struct command *group);
/* @text with a backslash before each of @special, and each ' as '\'' : for use between single quotes. */
void add_shell_text(struct str *out, const char *text, const char *special);

void completion_bash(struct str *out);
void completion_zsh(struct str *out);
void completion_fish(struct str *out);
