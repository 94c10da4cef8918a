/*
 * File descriptors: closing once, whole reads and writes, files that are written whole and renamed into
 * place, descriptors sent over a socket. Everything opened here is close-on-exec.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <sys/types.h>

/* Close and return -1; never retried on EINTR: on Linux the descriptor is gone either way (close(2)). Keeps errno. */
int fd_close(int fd);
static inline void fd_closep(int *fd) { *fd = fd_close(*fd); }
#define _fd_ _cleanup_(fd_closep) int

int fd_set_nonblock(int fd, bool on);                     /* 0 or -errno */
int fd_set_cloexec(int fd, bool on);
/* Close every descriptor from @first on but those in @keep (count @n): for children that do not exec at once. */
void fd_close_from(int first, const int *keep, size_t n);

/* All @n bytes, through EINTR and short counts. 0, or -errno (-EPIPE where a read meets the end). Blocks. */
int fd_write_all(int fd, const void *data, size_t n);
int fd_read_all(int fd, void *data, size_t n);

/* Append the whole of a file (at most @max bytes, else -EFBIG) to @ret. 0 or -errno. */
int fd_slurp(int fd, size_t max, struct str *ret);
int file_read(int dirfd, const char *path, size_t max, struct str *ret);
/* Write whole into a temporary name beside it and rename: readers see the old or the new one. 0 or -errno. */
int file_write(int dirfd, const char *name, const void *data, size_t n, mode_t mode);

/*
 * One message with up to FD_PASS_MAX descriptors. As sendmsg(2)/recvmsg(2): bytes, or -errno. Never raises SIGPIPE.
 */
enum { FD_PASS_MAX = 8 };
ssize_t fd_send(int sock, const void *data, size_t n, const int *fds, size_t nfds);
/*
 * What arrives beyond FD_PASS_MAX is closed. *ret_nfds descriptors in @fds are the caller's, close-on-exec.
 * 0 bytes is the end of the stream. @flags as for recvmsg (MSG_DONTWAIT).
 */
ssize_t fd_recv(int sock, void *data, size_t n, int fds[FD_PASS_MAX], size_t *ret_nfds, int flags);

/* A pair of connected Unix sockets of @type. 0 or -errno. */
int fd_socketpair(int type, int ret[2]);
/*
 * Bind, or connect to, the Unix socket @name in directory @dirfd. sun_path holds 107 bytes (unix(7)), so the
 * address goes through /proc/self/fd, which works at any depth (AT_FDCWD: as it stands). The descriptor, or -errno.
 */
int fd_listen_unix(int dirfd, const char *name, int type);
int fd_connect_unix(int dirfd, const char *name, int type);
