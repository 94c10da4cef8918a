/*
 * Locks of the store. One lock file has a byte for each thing that is locked by its name (F_OFD_SETLK, fcntl(2)): the
 * lock belongs to the open file, so a child that has the descriptor holds it too. Two names that share a byte only
 * wait for each other.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>

/* Open the lock file of the directory @dir, made when it is missing. The descriptor, or -errno with @err. */
int lock_open(const char *dir, struct err *err);
uint64_t lock_byte(const char *name);
/* Lock one byte, @waits until it is free or not. 0, -EAGAIN (another has it), -errno. */
int lock_take(int fd, uint64_t byte, bool waits);
/* The same, together with others who share it; waits. */
int lock_share(int fd, uint64_t byte);
void lock_drop(int fd, uint64_t byte);
