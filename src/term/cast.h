/*
 * A terminal session as asciicast, version 2 or 3 (docs.asciinema.org/manual/asciicast): lines of JSON. JSON is
 * Unicode, what a session prints is bytes: a character that is cut between two pieces is carried over to the second,
 * and what is no UTF-8 becomes U+FFFD, one for each sequence that cannot be gone on with, as terminals show it.
 */
#pragma once

#include "base/str.h"
#include "term/pty.h"

struct cast_text { char held[4]; uint8_t len; };  /* the beginning of a character */
struct cast {
	int version;                              /* 2 or 3 */
	uint64_t idle_max_ms;                     /* no pause is longer; 0: as they were */
	/* its own: */
	uint64_t seen_ms;                         /* the last event, in the session's time; */
	uint64_t told_ms, at_ms;                  /* in the cast's; and now */
	struct cast_text output, input;
};

/* Strings may be NULL. */
struct cast_header { struct term_size size; uint64_t time_ms; const char *title, *command, *term; };

/* Each appends lines to @out. Times are those of the session, ms, and never go back. */
void cast_begin(struct cast *c, const struct cast_header *h, struct str *out);
void cast_output(struct cast *c, uint64_t time_ms, const void *data, size_t n, struct str *out);
void cast_input(struct cast *c, uint64_t time_ms, const void *data, size_t n, struct str *out);
void cast_resize(struct cast *c, uint64_t time_ms, struct term_size size, struct str *out);
void cast_marker(struct cast *c, uint64_t time_ms, const char *label, struct str *out);
/* What is held goes out. @exit_code: -1 when the command has not ended (version 3 tells it). */
void cast_end(struct cast *c, uint64_t time_ms, int exit_code, struct str *out);
