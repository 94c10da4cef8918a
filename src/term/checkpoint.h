/*
 * The whole state of a screen as bytes to be kept: the index of a recording holds them. What is kept is the stream
 * of render.h in an
 * envelope: a head of 24 bytes (magic, version, flags, rows, columns, length, checksum; little-endian), then the
 * stream. So reading is
 * feeding, and whatever was damaged on the disk is refused before, by the checksum.
 */
#pragma once

#include "term/screen.h"

enum { CHECKPOINT_HEAD = 24, CHECKPOINT_MAX = 64 * 1024 * 1024 };

/* Append. About the size of the text that is shown, and some hundred bytes. */
void checkpoint_write(const struct screen *s, struct str *out);
/*
 * 0: *ret is the caller's, with @ops and @data as in screen_new. -EINVAL with @err (code "bad-checkpoint"): it is
 * cut short, damaged, or of
 * a later version.
 */
int checkpoint_read(const void *bytes, size_t n, const struct screen_ops *ops, void *data, struct screen **ret, struct err *err);
