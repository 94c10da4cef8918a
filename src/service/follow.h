/*
 * The output of a session, byte for byte and as it comes: for programs, not for a terminal (attach/view.h).
 */
#pragma once

#include "service/session.h"

/* The @n bytes that were printed at @position. 0: go on; 1: it is enough; -errno, with @err. */
typedef int session_output_fn(void *data, uint64_t position, const void *bytes, size_t n, struct err *err);

/*
 * Give @fn all from *position on, until the session has ended, @fn has enough, or nobody reads from @sink_fd any more (a pipe or
 * terminal; -1: none). What a slow @fn misses in the ring comes from the recording; *ret_lost grows by what is not kept there
 * either. *position: behind the last byte that was given. 0 or -errno: see @err; -EPIPE also when the supervisor was killed
 * and the session with it. Blocks.
 */
int session_follow(const struct session *s, uint64_t *position, int sink_fd, session_output_fn *fn, void *data,
                   uint64_t *ret_lost, struct err *err);
