/*
 * Input: what was typed, and what the terminal answers, on its way into the container's stream; queued while the
 * command does not read. What was typed is recorded when that was asked for (term/input-log.h), answers are not:
 * nobody typed them.
 */
#pragma once

#include "base/err.h"
#include "base/list.h"
#include "base/str.h"

#include <stdbool.h>

struct supervisor;

enum input_kind { INPUT_TYPED, INPUT_ANSWER };

struct input_run { size_t end; enum input_kind kind; };  /* bytes of one kind, up to @end of the queue */

struct input_queue {
	struct str queue;                /* of which the terminal has taken .sent bytes: of this run of the command */
	size_t sent;
	VEC(struct input_run) runs;
	struct input_log *log;           /* what is typed; NULL: it is not recorded */
};
#define INPUT_INIT { .queue = STR_INIT }

/*
 * Record what is typed, or no longer; the status says so. 0, or -errno: the file cannot be made, and nothing has
 * changed.
 */
int input_record(struct supervisor *s, bool on, struct err *err);
void input_release(struct supervisor *s);

/*
 * Give the container's stream what it takes now, and queue the rest. 0, or -ENOBUFS: the queue is full, and nothing
 * was taken.
 */
int input_send(struct supervisor *s, enum input_kind kind, const void *data, size_t n);
void input_writable(void *supervisor);                    /* it takes more now */
void input_clear(struct supervisor *s);                   /* forget what waits */
