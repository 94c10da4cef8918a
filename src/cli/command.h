/*
 * Subcommands. Adding one is a file cmd-x.c with a struct command, and a row in commands.def; help, completion and
 * the man pages are made from it.
 */
#pragma once

#include "base/args.h"

enum {
	EXIT_PTERM = 125,            /* pterm itself failed */
	EXIT_CANNOT_EXEC = 126,      /* the command is there and cannot be executed */
	EXIT_NOT_FOUND = 127,        /* there is no such command */
	EXIT_SIGNAL = 128,           /* and the number of the signal */
};

struct command {
	const char *name;
	const char *args;            /* the words after the options, as shown in help: "SESSION [-- COMMAND...]" */
	const char *summary;         /* one line; lower case, no full stop */
	const char *details;         /* paragraphs for --help and the man page, separated by an empty line; may be NULL */
	const char *examples;        /* lines "command # what it does"; may be NULL */
	struct arg_parser parser;
	size_t options_size;         /* of the struct that .parser fills; it starts as zeroes */
	size_t min_words, max_words; /* words allowed before "--" and after it together; max 0 means none */
	const char *completes;       /* what the first word is: "session", "session?" (may be absent), "file", or NULL */
	/* The exit code (0 to 255), or a negative errno with @err filled, which is printed and becomes EXIT_PTERM. */
	int (*run)(void *options, struct arg_words *words, struct err *err);
	bool hidden;
};
#define ANY_WORDS ((size_t)-1)

/* Every command, in the order of commands.def; ends in NULL. */
extern const struct command *const commands[];

/* Run `pterm argv[1…]`: the exit code. */
int command_main(int argc, char **argv);
