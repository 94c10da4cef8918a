/*
 * What the screen showed: from the nearest checkpoint of a recording, and what was printed since.
 */
#pragma once

#include "term/pty.h"
#include "term/record.h"
#include "term/screen.h"

/*
 * The state after the last byte before @position, and after every change of size up to there; a position behind the
 * end is the end, one that is no longer kept the first that is. @first: the size of an empty screen to begin with,
 * when nothing tells. 0: *ret is the caller's. 1: so it is, but something is missing before that nobody kept, so it
 * may show less or other than there was. -errno: see @err. *ret_next (which may be NULL) is what comes next.
 */
int recording_state_at(struct recording *r, uint64_t position, struct term_size first, struct screen **ret,
                       struct recording_cursor *ret_next, struct err *err);
/* The same, after everything that was printed up to @time_ms. */
int recording_state_at_time(struct recording *r, uint64_t time_ms, struct term_size first, struct screen **ret,
                            struct recording_cursor *ret_next, struct err *err);
/*
 * Feed @s with what comes from @c on, up to @position, and advance @c. 0; 1: bytes were missing on the way; -errno: see @err.
 */
int recording_replay(struct recording *r, struct recording_cursor *c, uint64_t position, struct screen *s, struct err *err);
/* The size that the terminal had in the beginning of what is kept, or 0 x 0: nobody said. */
struct term_size recording_first_size(struct recording *r);
