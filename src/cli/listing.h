/*
 * Listings: the same rows as an aligned table for people or as JSON for programs.
 */
#pragma once

#include "base/args.h"
#include "base/json.h"

enum listing_form { LISTING_TABLE, LISTING_JSON };
extern const char *const listing_forms[];
/* The row for -o in an option table: LISTING_OPTION(struct x_options, form) */
#define LISTING_OPTION(type, member) \
	{ 'o', "output", "FORM", "table (the default) or json", ARG_CHOICE, offsetof(type, member), \
	  .choices = listing_forms }

/* A table of text. Cells are made visible (no control character of a name reaches the terminal) and columns aligned. */
struct listing { struct strv cells; size_t columns; };
/* @headers: names separated by "|". */
void listing_begin(struct listing *l, const char *headers);
void listing_cell(struct listing *l, const char *text);
void listing_cellf(struct listing *l, const char *fmt, ...) _printf_(2, 3);
/* Append the finished table to @out and free it. */
void listing_end(struct listing *l, struct str *out);

/* Write @out to stdout, JSON indented when stdout is a terminal. 0 or -errno (a closed pipe is no error). */
int listing_print(enum listing_form form, const struct str *out, struct err *err);
