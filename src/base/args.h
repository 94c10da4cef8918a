/*
 * Command lines, by table. The same rows give the parser, --help, completion and the man page.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>

enum arg_type {
	ARG_FLAG,                /* bool = true */
	ARG_STR,                 /* const char *, points into argv; the last one counts */
	ARG_STRV,                /* struct strv, every one */
	ARG_UINT,                /* uint64_t, between .min and .max */
	ARG_SIZE,                /* uint64_t bytes */
	ARG_SPAN,                /* uint64_t ms */
	ARG_CHOICE,              /* int, an index into .choices, which ends in NULL */
};

struct arg_option {
	char letter;             /* 0: none */
	const char *name;        /* without the dashes */
	const char *value;       /* what stands for the value in help: "SIZE"; NULL for a flag */
	const char *help;        /* one line; lower case, no full stop */
	enum arg_type type;
	size_t offset;
	uint64_t min, max;
	const char *const *choices;
	size_t rest;             /* ARG_CHOICE: offset of a const char * that gets what follows a choice and a colon, as in
	                            "session:NAME"; 0: nothing may follow */
	size_t given;            /* offset of a bool that becomes true when the option is there; 0: nobody asks */
};

struct arg_parser {
	const struct arg_option *options;
	size_t count;
	size_t stop_after;       /* with this many words read, the rest is taken as it stands; 0: never */
};

struct arg_words {
	const char **items;      /* the words that are no options; owned, points into argv */
	size_t len;
	size_t before_dashes;    /* how many of them stood before "--" */
	bool has_dashes;
	/* Everything in the order it came, where words and options stand among each other; points as .items does. */
	struct arg_given { const struct arg_option *option; const char *value; } *given;        /* no option: a word */
	size_t given_len;
};

/* Read @argv from index 1 into @out and @ret (release with arg_words_release). 0 or -EINVAL: see @err. */
int args_parse(const struct arg_parser *p, int argc, char **argv, void *out, struct arg_words *ret, struct err *err);
void arg_words_release(struct arg_words *w);
/* The options as indented help lines, wrapped at TEXT_COLUMNS. */
void args_help(const struct arg_parser *p, struct str *out);
