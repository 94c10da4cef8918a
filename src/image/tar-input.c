#include "image/tar-input.h"

#include "base/str.h"
#include "image/tree.h"

#include <errno.h>
#include <stdio.h>

void sha256_hex(struct sha256_ctx *sha, char ret[65])
{
	uint8_t digest[SHA256_DIGEST_SIZE];

	sha256_digest(sha, sizeof(digest), digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(ret + 2 * i, 3, "%02x", digest[i]);
}

static bool is_compressed(struct tar_input *in)
{
	return archive_filter_code(in->raw, 0) != ARCHIVE_FILTER_NONE;
}

static la_ssize_t on_read_file(struct archive *a, void *data, const void **ret)
{
	struct tar_input *in = data;

	const ssize_t n = tree_read(in->fd, in->block, sizeof(in->block));

	*ret = in->block;
	if (n < 0)
		archive_set_error(a, (int)-n, "%s", n == -EINTR ? "interrupted" : strerror((int)-n));
	else if (!in->is_plain)
		sha256_update(&in->raw_sha, (size_t)n, (const uint8_t *)in->block);
	return n < 0 ? -1 : n;
}

static la_ssize_t on_read_tar(struct archive *a, void *data, const void **ret)
{
	struct tar_input *in = data;
	la_int64_t offset;
	size_t n;

	switch (archive_read_data_block(in->raw, ret, &n, &offset)) {
	case ARCHIVE_EOF:
		return 0;
	case ARCHIVE_OK:
	case ARCHIVE_WARN:
		in->bytes += n;
		if (in->max_bytes > 0 && in->bytes > in->max_bytes) {
			_free_ char *why = xasprintf("uncompressed it is larger than the limit of %llu MiB",
			                             (unsigned long long)in->max_bytes >> 20);

			archive_set_error(a, EFBIG, "%s", why);         /* it knows no %llu */
			return -1;
		}
		sha256_update(&in->sha, n, *ret);
		return (la_ssize_t)n;
	default:
		archive_set_error(a, archive_errno(in->raw), "%s", archive_error_string(in->raw));
		return -1;
	}
}

/* Only what is built in: for the others libarchive would run programs. */
static void support_filters(struct archive *a)
{
	if (archive_zlib_version() != NULL)
		(void)archive_read_support_filter_gzip(a);
	if (archive_bzlib_version() != NULL)
		(void)archive_read_support_filter_bzip2(a);
	if (archive_liblzma_version() != NULL)
		(void)archive_read_support_filter_xz(a);
	if (archive_libzstd_version() != NULL)
		(void)archive_read_support_filter_zstd(a);
}

static int failed(struct archive *a, const char *what, struct err *err)
{
	const char *why = archive_error_string(a);
	int no = archive_errno(a);
	_free_ char *shown = visible(what ? what : "");
	_free_ char *reason = visible(why ? why : "it is damaged");

	if (no <= 0)                             /* libarchive's own numbers: not an errno */
		no = EILSEQ;
	if (what != NULL)
		return err_set(err, no, "tar", "cannot read '%s' in the archive: %s", shown, reason);
	return err_set(err, no, "tar", "cannot read the archive: %s", reason);
}

static int no_tar(struct archive *a, struct err *err)
{
	if (archive_errno(a) > 0 && archive_errno(a) != EILSEQ /* the wrong format, to libarchive */)
		return failed(a, NULL, err);
	return err_set(err, EILSEQ, "tar", "it is no tar archive, plain or compressed with gzip, bzip2, xz or zstd");
}

int tar_input_failed(struct tar_input *in, const char *what, struct err *err)
{
	return failed(in->tar, what, err);
}

int tar_input_init(struct tar_input *in, int fd, uint64_t max_bytes, struct err *err)
{
	struct archive_entry *whole;

	in->fd = fd;
	in->max_bytes = max_bytes;
	in->has_entry = false;
	in->raw = archive_read_new();
	in->tar = archive_read_new();
	if (in->raw == NULL || in->tar == NULL)
		return err_set(err, ENOMEM, "tar", "cannot start libarchive: %m");
	sha256_init(&in->sha);
	sha256_init(&in->raw_sha);
	support_filters(in->raw);
	(void)archive_read_support_format_raw(in->raw);
	(void)archive_read_support_format_tar(in->tar);
	if (archive_read_open(in->raw, in, NULL, on_read_file, NULL) != ARCHIVE_OK ||
	    archive_read_next_header(in->raw, &whole) != ARCHIVE_OK)
		return no_tar(in->raw, err);
	in->is_plain = !is_compressed(in);       /* then one digest is enough */
	if (archive_read_open(in->tar, in, NULL, on_read_tar, NULL) != ARCHIVE_OK)
		return no_tar(in->tar, err);
	return 0;
}

void tar_input_fini(struct tar_input *in)
{
	(void)archive_read_free(in->tar);
	(void)archive_read_free(in->raw);
}

/*
 * libarchive takes an archive that stops where an entry could begin for a whole one ("some writers do omit the block
 * of nulls"). So do half-read ones. The end mark was there when the reader went on after the last entry.
 */
static int check_end_mark(struct tar_input *in, struct err *err)
{
	enum { END_MARK = 1024 };

	if (in->has_entry && archive_filter_bytes(in->tar, 0) > in->data_end)
		return 0;
	if (!in->has_entry && in->bytes >= END_MARK)
		return 0;                        /* a layer may hold nothing: buildah makes such */
	return err_set(err, EILSEQ, "tar", in->has_entry ? "the archive ends without its end mark: it is not whole" :
	               "the archive is empty");
}

int tar_input_next(struct tar_input *in, struct archive_entry **ret, struct err *err)
{
	if (in->has_entry) {
		if (archive_read_data_skip(in->tar) < ARCHIVE_WARN)
			return failed(in->tar, NULL, err);
		in->data_end = archive_filter_bytes(in->tar, 0);
	}
	switch (archive_read_next_header(in->tar, ret)) {
	case ARCHIVE_EOF:
		return check_end_mark(in, err);
	case ARCHIVE_OK:
	case ARCHIVE_WARN:
		in->has_entry = true;
		return 1;
	default:
		return in->has_entry ? failed(in->tar, NULL, err) : no_tar(in->tar, err);
	}
}

int tar_input_finish(struct tar_input *in, char ret_sha256[65], char ret_raw_sha256[65], struct err *err)
{
	const void *block;
	la_int64_t offset;
	size_t n;
	int r;

	/* What libarchive has read ahead went through on_read_tar and is in the digest already. */
	while ((r = archive_read_data_block(in->raw, &block, &n, &offset)) == ARCHIVE_OK || r == ARCHIVE_WARN)
		sha256_update(&in->sha, n, block);
	if (r != ARCHIVE_EOF)
		return failed(in->raw, NULL, err);
	sha256_hex(&in->sha, ret_sha256);
	if (in->is_plain)
		memcpy(ret_raw_sha256, ret_sha256, 65);
	else
		sha256_hex(&in->raw_sha, ret_raw_sha256);
	return 0;
}
