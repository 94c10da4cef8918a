/*
 * What a viewer's terminal is shown by us instead of the raw output: the screen as it is, when they come or have lost bytes;
 * and, for as long as their window has not the session's size, the part of it that fits.
 *
 * PAINT says: write this, and read no more of the ring. RAW says: read on there.
 */
#pragma once

#include "term/pty.h"
#include "term/screen.h"

#include <stdbool.h>

struct supervisor;
struct conn;

struct paint {
	bool is_wanted;                  /* it is a terminal that understands */
	bool is_on;                      /* it is painted, and reads nothing raw */
	struct screen *shown;            /* while painted: what it shows */
};

/* Paint all of it; then raw, if @size is the session's. As conn_send. */
int paint_all(struct paint *p, struct supervisor *s, struct conn *conn, struct term_size size);
/* Paint what has changed. As conn_send; 1 when the viewer is too slow for it now. */
int paint_changes(struct paint *p, struct supervisor *s, struct conn *conn, struct term_size size);
void paint_release(struct paint *p);
