/*
 * Who may do what: the one place where it is decided, for every request of either protocol. The command line on
 * this machine does not ask: it acts as the person who owns the home, and the file system has let them in.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>

/* What a request needs. Each is a bit of who.rights but RIGHT_NOTHING, which anybody has. */
enum right {
	RIGHT_NOTHING = 0,
	RIGHT_SEE = 1 << 0,              /* list and inspect sessions, read what they show and have printed */
	RIGHT_TYPE = 1 << 1,             /* type into them, give them a size */
	RIGHT_RUN = 1 << 2,              /* execute commands in them */
	RIGHT_CONTROL = 1 << 3,          /* make, start, stop, signal, rename and remove them */
	RIGHT_ALL = RIGHT_SEE | RIGHT_TYPE | RIGHT_RUN | RIGHT_CONTROL,
};

struct who {
	bool is_known;                   /* they have shown who they are */
	unsigned rights;
	char name[64];                   /* for the record */
};

/* 0; -EACCES (code "not-signed-in"): nobody knows who asks; -EPERM (code "not-allowed"). See @err. */
int access_check(const struct who *who, unsigned rights, struct err *err);
