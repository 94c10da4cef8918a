/*
 * What `pterm volume ls` and `inspect` tell of a volume.
 */
#pragma once

#include "service/volume.h"

struct volume_row {
	const struct volume *volume;     /* borrowed */
	struct volume_users users;
	uint64_t bytes;
};
void volume_row_release(struct volume_row *r);
#define _volume_row_ _cleanup_(volume_row_release) struct volume_row

/* 0; -ENOENT: it was removed meanwhile; -errno. The size only where @measures says so: each file is looked at. */
int volume_row_read(const struct house *h, const struct volume *v, bool measures, struct volume_row *ret,
                    struct err *err);
/* As one JSON object, an element of a list or the whole. @path: where its files are; NULL: not told. */
void volume_row_put(struct json_writer *w, const struct volume_row *row, const char *path);
