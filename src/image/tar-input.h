/*
 * The bytes of a tar archive, whatever it was compressed with, and their digests. libarchive does not show what its
 * filters give to its formats, so two readers stand in a row: one that only uncompresses, one that only reads tar.
 */
#pragma once

#include "base/err.h"

#include <archive.h>
#include <archive_entry.h>
#include <nettle/sha2.h>
#include <stdbool.h>

struct tar_input {
	int fd;
	struct archive *raw, *tar;
	struct sha256_ctx sha;   /* of what is uncompressed */
	struct sha256_ctx raw_sha;       /* of the file, where it is compressed */
	uint64_t bytes, max_bytes;       /* uncompressed, so far and at most; 0: no limit */
	bool is_plain;           /* not compressed */
	bool has_entry;          /* data_end is where the last entry ended */
	int64_t data_end;
	char block[64 * 1024];
};

/*
 * Begin to read from @fd, which stays the caller's. More than @max_bytes uncompressed (0: no limit) are an error
 * (-EFBIG). 0 or -errno.
 */
int tar_input_init(struct tar_input *in, int fd, uint64_t max_bytes, struct err *err);
void tar_input_fini(struct tar_input *in);
/* The next entry, which is valid until the next call. 1, 0 at the end mark, or -errno. */
int tar_input_next(struct tar_input *in, struct archive_entry **ret, struct err *err);
/* Read what stands behind the end mark too, and give the digests, uncompressed and as read, in hex. 0 or -errno. */
int tar_input_finish(struct tar_input *in, char ret_sha256[65], char ret_raw_sha256[65], struct err *err);
/* The digest of all that was given to @sha, in hex. */
void sha256_hex(struct sha256_ctx *sha, char ret[65]);
/* Why the last call to libarchive failed, as an error about @what (may be NULL). Returns -errno. */
int tar_input_failed(struct tar_input *in, const char *what, struct err *err);
