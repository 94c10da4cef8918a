/*
 * Where the server is reached: sockets that listen.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>

/*
 * Listen on "HOST:PORT" ("[::1]:80"; port 0: any that is free). 0 with *ret, the caller's, and its address appended
 * to @ret_shown; or -errno: see @err. An address that other machines can reach is refused (-EPERM) unless
 * @may_be_public.
 */
int listen_tcp(const char *address, bool may_be_public, int *ret, struct str *ret_shown, struct err *err);
/*
 * Listen on the socket @name in directory @dirfd, whose path is @shown, for its owner alone. One that nobody
 * listens on any more is replaced; -EADDRINUSE: somebody does.
 */
int listen_unix(int dirfd, const char *name, const char *shown, int *ret, struct err *err);
