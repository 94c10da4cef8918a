/*
 * One end of a control connection. It works on blocking descriptors (the command line) and on non-blocking ones in
 * a loop (the supervisor): what cannot be sent at once is queued up to CONN_QUEUE_MAX.
 */
#pragma once

#include "wire/frame.h"
#include "wire/message.h"

enum { CONN_QUEUE_MAX = 2 * 1024 * 1024 };

struct conn { int fd; struct frame_reader in; struct conn_item *out_first, *out_last; size_t queued; };

void conn_init(struct conn *c, int fd);                   /* owns @fd */
void conn_close(struct conn *c);                          /* safe twice */
#define _conn_ _cleanup_(conn_close) struct conn

enum { CONN_ANSWER_MS = 30000 };                          /* how long a supervisor may take for an answer */
/* Say first on a new connection who we are: @program. 0 or -errno. */
int conn_greet(struct conn *c, const char *program, struct err *err);
/*
 * Connect to the supervisor of the session in directory @session_fd, greet it, and hear whether we can talk to each
 * other. 0; -ECONNREFUSED, -ENOENT: there is none; -EPIPE, -ECONNRESET: it is just gone, and another may take its
 * place; -EPROTONOSUPPORT, another -errno: see @err. @pid is the supervisor as far as one knows (0), for that text.
 * Blocks.
 */
int conn_connect(struct conn *ret, int session_fd, const char *program, int64_t pid, struct err *err);

/*
 * Send or queue one frame; @fds are duplicated when they must wait. 0; -ENOBUFS: the peer does not read and the queue
 * is full; another -errno: the connection is broken.
 */
int conn_send(struct conn *c, enum message type, const void *data, size_t n, const int *fds, size_t fd_count);
int conn_send_json(struct conn *c, enum message type, const struct json_object *object, const void *body);
int conn_send_position(struct conn *c, enum message type, uint64_t position);
int conn_send_error(struct conn *c, const struct err *err, int exit_code);
/* Send what waits: 1 when something still does, 0 when all is gone, or -errno. */
int conn_flush(struct conn *c);
/* Take in what there is. 1: the peer has closed; 0; -EAGAIN: nothing there (non-blocking); another -errno. */
int conn_receive(struct conn *c, int flags);
/* As frame_next; a message whose body cannot be right is -EPROTO, unknown messages are skipped. */
int conn_next(struct conn *c, struct frame *ret);

/*
 * Wait for the next frame, for at most @timeout_ms (-1: for ever). 1, 0 in time-out, -EPIPE at the end, -errno.
 * Blocks.
 */
int conn_wait(struct conn *c, struct frame *ret, int timeout_ms);
/*
 * Wait for a frame of type @want, skipping others. An ERROR frame becomes @err and its errno. @timeout_ms as above,
 * -ETIMEDOUT when it passes. 0 with the frame in @ret (close its fds).
 */
int conn_expect(struct conn *c, enum message want, struct frame *ret, int timeout_ms, struct err *err);
/*
 * What an ERROR frame says, into @err: its -errno. *ret_exit_code (may be NULL) is what a command exits with for it.
 */
int conn_error(const struct frame *f, int *ret_exit_code, struct err *err);
uint64_t frame_position(const struct frame *f);
