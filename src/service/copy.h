/*
 * Files between the host and a running session.
 */
#pragma once

#include "service/session.h"

/*
 * Paths and results are those of copy_in and copy_out (image/copy.h). What is made inside belongs to the session's
 * user, what is made outside to the caller. How many special files were left out, or -errno. Blocks until done.
 */
int session_copy_in(const struct house *h, const struct session *s, const char *host_path, const char *path, struct err *err);
int session_copy_out(const struct house *h, const struct session *s, const char *path, const char *host_path,
                     struct err *err);
/* As tar streams. */
int session_copy_in_tar(const struct house *h, const struct session *s, int in_fd, const char *path, struct err *err);
int session_copy_out_tar(const struct house *h, const struct session *s, const char *path, int out_fd, struct err *err);
