/*
 * Listings: the same rows as an aligned table for people or as JSON for programs.
 */
#pragma once

#include "base/args.h"
#include "base/json.h"

enum listing_form { LISTING_TABLE, LISTING_JSON };
extern const char *const listing_forms[];
/* The row for -o in an option table: LISTING_OPTION(struct x_options, form). @member is an int (ARG_CHOICE). */
#define LISTING_OPTION(type, member) \
	{ 'o', "output", "FORM", "table (the default) or json", ARG_CHOICE, offsetof(type, member), \
	  .choices = listing_forms }

/*
 * A table of text. Cells are made visible (no control character of a name reaches the terminal) and columns aligned.
 */
struct listing { struct strv cells; size_t columns; };
/* @headers: names separated by "|". */
void listing_begin(struct listing *l, const char *headers);
void listing_cell(struct listing *l, const char *text);           /* NULL and "" are shown as "-" */
void listing_cellf(struct listing *l, const char *fmt, ...) _printf_(2, 3);
/*
 * Append the finished table to @out and free it. Lines are cut with "…" where stdout is a terminal and too narrow;
 * what goes into a pipe or a file is never cut.
 */
void listing_end(struct listing *l, struct str *out);
/* The same for a terminal of @width columns; 0: never cut. */
void listing_end_at(struct listing *l, struct str *out, size_t width);

/* Columns of the terminal that stdout is, or 0 when it is none or does not say. */
size_t listing_width(void);

/*
 * Write @out to stdout, JSON indented when stdout is a terminal, and ended with a newline. 0 or -errno (a closed pipe
 * is no error).
 */
int listing_print(enum listing_form form, const struct str *out, struct err *err);
/* JSON that a person will keep: indented wherever stdout is. */
int listing_print_pretty(const struct str *json, struct err *err);
/* JSON text with the control characters that JSON lets through (DEL, C1) written as \u00XX. */
void listing_add_json(struct str *out, const char *json);
