/*
 * Frames: how messages travel over a stream socket. 8 bytes of header (length of the body, type, number of
 * descriptors that come along, a zero), little-endian, then the body. Descriptors are sent with the first byte of
 * their frame. Frames are put together here and nowhere else; a peer decides nothing about our memory but within
 * FRAME_MAX.
 */
#pragma once

#include "base/err.h"
#include "base/fd.h"
#include "base/str.h"

enum { FRAME_HEADER = 8, FRAME_MAX = 1024 * 1024, FRAME_FDS_QUEUED_MAX = 4 * FD_PASS_MAX };

struct frame {
	uint16_t type;
	const char *data;                /* valid until the next call on the same reader; a NUL follows */
	size_t len;
	int fds[FD_PASS_MAX];            /* the receiver's to close: frame_close_fds, or -1 when taken */
	size_t fd_count;
};

struct frame_reader {
	struct str in;
	size_t at;                       /* bytes of @in already handed out */
	int fds[FRAME_FDS_QUEUED_MAX];   /* arrived, not yet handed out */
	size_t fd_count;
};
#define FRAME_READER_INIT { .in = STR_INIT }

void frame_header(char out[FRAME_HEADER], uint16_t type, size_t len, size_t fd_count);
/* Give the reader bytes and descriptors (which it owns from now on). 0, or -EPROTO: too many descriptors. */
int frame_feed(struct frame_reader *r, const void *data, size_t n, const int *fds, size_t fd_count);
/* 1: *ret is the next frame; 0: it is not whole yet; -EPROTO: this is no frame, or too large. */
int frame_next(struct frame_reader *r, struct frame *ret);
void frame_close_fds(struct frame *f);
void frame_reader_release(struct frame_reader *r);
