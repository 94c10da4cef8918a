/*
 * What was typed into a session, for those who asked for it to be recorded: beside its output, in input.log, with
 * time and with the position of the output at that moment. When it is full it becomes input.log.1, and the one before
 * goes.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>

enum { INPUT_LOG_MAX = 8 * 1024 * 1024 };
struct input_log;

/*
 * Open or make it for writing in directory @dirfd (borrowed for the call); a tail that was cut short goes. 0 or
 * -errno: see @err.
 */
int input_log_open(struct input_log **ret, int dirfd, uint64_t max_bytes, struct err *err);
/* 0 or -errno, then it is as if nothing had been written. */
int input_log_write(struct input_log *l, uint64_t position, const void *data, size_t n, uint64_t now_ms);
struct input_log *input_log_close(struct input_log *l);
DEFINE_FREEP(struct input_log, input_log_close)

/*
 * May what is typed into the terminal @fd now be written down? Not while it takes lines and does not show them: so
 * programs ask for passwords. (A shell's prompt has both off.) Nor when nobody can tell.
 */
bool input_may_be_recorded(int fd);

struct input_entry { uint64_t position, time_ms; struct str bytes; };
struct input_reader;
/* 0; or 1: nothing was recorded. */
int input_reader_open(struct input_reader **ret, int dirfd);
/*
 * The oldest that was not read yet: true, with *ret, whose bytes are replaced. Any content of the files is safe to
 * read.
 */
bool input_reader_next(struct input_reader *r, struct input_entry *ret);
struct input_reader *input_reader_close(struct input_reader *r);
DEFINE_FREEP(struct input_reader, input_reader_close)
