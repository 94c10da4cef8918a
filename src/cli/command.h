/*
 * Subcommands. Adding one is a file cmd-x.c with `const struct command cmd_x`, and a row in commands.def; help,
 * completion and the man pages are made from it. Where one noun has several verbs (`pterm image pull`), the noun is a
 * group, a row without .run, and each verb a command whose .name is "image pull".
 */
#pragma once

#include "base/args.h"

enum {
	EXIT_PTERM = 125,            /* pterm itself failed */
	EXIT_CANNOT_EXEC = 126,      /* the command is there and cannot be executed */
	EXIT_NOT_FOUND = 127,        /* there is no such command */
	EXIT_SIGNAL = 128,           /* and the number of the signal */
};

/* Under which heading `pterm help` lists a command. */
enum command_group { GROUP_SESSIONS, GROUP_LOOK, GROUP_IMAGES, GROUP_HOST, GROUP_COUNT };
extern const char *const command_groups[GROUP_COUNT];

struct command {
	const char *name;            /* one word, or the group's and one more: "image pull" */
	const char *args;            /* the words after the options, as shown in help: "SESSION [-- COMMAND...]" */
	const char *summary;         /* one line; lower case, no full stop */
	const char *details;         /* paragraphs for --help and the man page, separated by an empty line; one that starts
	                                with a space is shown as it stands; may be NULL */
	const char *examples;        /* lines "command # what it does"; may be NULL */
	enum command_group group;
	struct arg_parser parser;    /* --help (and -h, where no option has that letter) comes by itself */
	size_t options_size;         /* of the struct that .parser fills; it starts as zeroes, and its ARG_STRVs are freed */
	size_t min_words, max_words; /* words allowed before "--" and after it together; max 0 means none */
	const char *completes;       /* what the words are, for completion: "session", "session?" (may be absent), "session:"
	                                (or a file), "file", "command", "a|b|c" (one of these), "names:KIND" (what
	                                `pterm __complete KIND` prints); or NULL. With .parser.stop_after only so many
	                                words are completed so, the rest as a command line */
	/* The exit code (0 to 255), or a negative errno with @err filled, which is printed and becomes EXIT_PTERM. NULL: a
	   group, which prints its help */
	int (*run)(void *options, struct arg_words *words, struct err *err);
	bool is_for_repair;          /* runs with a configuration that cannot be read, too */
	bool hidden;                 /* its row is HIDDEN(x): neither help nor completion nor a man page shows it */
};
#define ANY_WORDS ((size_t)-1)

/* Every command, in the order of commands.def; ends in NULL. */
extern const struct command *const commands[];
/*
 * The command that @words (@count of them) begin with, and in *ret_words how many of them are its name, 1 or 2. For a
 * group followed by nothing of its own that is the group. NULL and 0: the first word is no command.
 */
const struct command *command_find(const char *const *words, size_t count, size_t *ret_words);
bool command_is_group(const struct command *c);
/* Is @c one of @group's commands? NULL: has it a name of one word? */
bool command_is_in(const struct command *c, const struct command *group);
/* The word that @c has in its group or, with a name of one word, in pterm: the last of its name. */
const char *command_word(const struct command *c);
/* Of @group's commands (NULL: of pterm's) the one whose word is nearest to @word, or NULL when none is near. */
const struct command *command_nearest(const char *word, const struct command *group);

/* Its options with --help at the end; the caller frees ret->options. */
void command_parser(const struct command *c, struct arg_parser *ret);
/* What `pterm CMD --help` prints, and `pterm help` with NULL. */
void command_help(const struct command *c, struct str *out);
/* In a line of .examples: the bytes before " # ", or the whole line. */
size_t example_len(const char *line);

/* Write to stdout, all of it, after what stdio still holds. 0 or -errno; a closed pipe is no error. */
int command_print(const struct str *out, struct err *err);

/* Run `pterm argv[1…]`: the exit code. */
int command_main(int argc, char **argv);
