/*
 * The terminal of a session, from outside: what it shows, now or at any moment that is recorded, and typing into it.
 */
#pragma once

#include "service/session.h"
#include "term/screen.h"

enum { TERMINAL_ABOVE_MAX = 1000000 };

/* What it showed when @position bytes had been printed since the session's birth. */
struct shown {
	struct screen *screen;
	uint64_t position;
	bool is_partial;                 /* what came before is not kept */
};
void shown_release(struct shown *s);
#define _shown_ _cleanup_(shown_release) struct shown

/* What a connection to its supervisor is told of it now. 0 or -errno: see @err. */
int terminal_ask(struct conn *c, const struct session *s, struct shown *ret, struct err *err);
int terminal_decode(const struct frame *f, struct shown *ret, struct err *err);  /* STATE_IS; 0 or -errno */
/* What it shows now; of one that has ended, or of another machine, the last that is recorded. 0 or -errno. */
int terminal_now(const struct session *s, struct shown *ret, struct err *err);
/* What it showed @at: a position, a time, or a span before now. 0 or -errno: see @err. */
int terminal_at(const struct session *s, const char *at, struct shown *ret, struct err *err);

/*
 * Type: @encode says what, by what the terminal shows, which is of the moment before; it returns 0 or
 * -errno. *ret_position: what had been printed by then. When it returns 0 the supervisor has the bytes. A
 * supervisor that is killed in between may have had them or not: they are not sent twice. 0 or -errno: see @err.
 */
enum { TERMINAL_SEND_MAX = 1024 * 1024 };
typedef int terminal_encode_fn(const struct screen *s, void *data, struct str *out, struct err *err);
int terminal_send(const struct session *s, terminal_encode_fn *encode, void *data, uint64_t *ret_position,
                  struct err *err);

/* Texts and keys, in order, for terminal_send with terminal_encode_items. */
struct terminal_item { const char *key, *text; size_t n; };      /* a key's name, or else a text of @n bytes */
struct terminal_items { VEC(struct terminal_item) list; bool pastes; };  /* pastes: the texts, as key_paste does it */
int terminal_encode_items(const struct screen *s, void *items, struct str *out, struct err *err);

/*
 * The last @count rows (at most TERMINAL_ABOVE_MAX) that had left the main screen at its top before @position, each
 * as @row wrote it. Fewer when no more are recorded. 0 or -errno: see @err.
 */
typedef void terminal_row_fn(const struct screen *s, unsigned row, struct str *out);
int terminal_above(const struct session *s, uint64_t position, size_t count, terminal_row_fn *row, struct strv *ret,
                   struct err *err);
