/*
 * The list of an unpacked layer, kept beside it: what is in the layer, so that damage can be seen. Records end in NUL:
 *
 *   KIND MODE UID GID SIZE MTIME DIGEST PATH
 *
 * KIND is f, d, l (a symbolic link), p (a fifo) or w (a whiteout; "o" a directory that is opaque); MODE in octal; UID
 * and GID as the container counts; SIZE 0 for directories; MTIME in nanoseconds since the epoch; DIGEST the SHA-256 of
 * a file's bytes or of a link's target, else "-". PATH is relative; "." is the layer itself. The entries of a
 * directory stand together, the directory before them.
 */
#pragma once

#include "base/str.h"

#include <stdint.h>
#include <sys/stat.h>

enum { LIST_RECORD_MAX = 4096 + 256 };

struct list_record {
	char kind;
	unsigned mode;
	uint32_t uid, gid;
	uint64_t size;
	int64_t mtime_ns;
	const char *digest;      /* into the record; ends at a blank */
	const char *path;        /* into the record */
};

/* @text ends in NUL. 0, or -EINVAL for what is no record. */
int list_record_read(const char *text, struct list_record *ret);
/* Append one record with its NUL. */
void list_record_write(struct str *out, const struct list_record *r);
/* The kind of what fstatat says, without looking whether a directory is opaque; 0 for what a layer never has. */
char list_kind(const struct stat *st);
