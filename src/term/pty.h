/*
 * Pseudoterminals (pty(7)): made by us for the engines process and fake, or received from a container's /dev/pts.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct term_size { uint16_t rows, cols; };
enum { TERM_ROWS_DEFAULT = 24, TERM_COLS_DEFAULT = 80, TERM_SIZE_MAX = 10000 };

/* A new pair, close-on-exec, sane modes, UTF-8 input editing on. 0 with both descriptors, or -errno: see @err. */
int pty_open(struct term_size size, int *ret_master, int *ret_slave, struct err *err);
/* Check that @fd is the master of a pseudoterminal, and prepare it as ours: non-blocking, IUTF8. 0 or -errno. */
int pty_adopt(int fd);
int pty_set_size(int fd, struct term_size size);          /* 0 or -errno; 0 rows or columns are left as they are */
int pty_get_size(int fd, struct term_size *ret);
