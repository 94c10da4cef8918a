/*
 * The bytes of a tar archive, whatever it was compressed with, and their digest. libarchive does not show what its
 * filters give to its formats, so two readers stand in a row: one that only uncompresses, one that only reads tar.
 */
#pragma once

#include "base/err.h"

#include <archive.h>
#include <archive_entry.h>
#include <sodium.h>
#include <stdbool.h>

struct tar_input {
	int fd;
	struct archive *raw, *tar;
	crypto_hash_sha256_state sha;
	bool has_entry;          /* data_end is where the last entry ended */
	int64_t data_end;
	char block[64 * 1024];
};

/* Begin to read from @fd, which stays the caller's. 0 or -errno. */
int tar_input_init(struct tar_input *in, int fd, struct err *err);
void tar_input_fini(struct tar_input *in);
/* The next entry, which is valid until the next call. 1, 0 at the end mark, or -errno. */
int tar_input_next(struct tar_input *in, struct archive_entry **ret, struct err *err);
/* Read what stands behind the end mark too, and give the digest in hex. 0 or -errno. */
int tar_input_finish(struct tar_input *in, char ret_sha256[65], struct err *err);
/* Why the last call to libarchive failed, as an error about @what (may be NULL). Returns -errno. */
int tar_input_failed(struct tar_input *in, const char *what, struct err *err);
