/*
 * What kind of image a file or directory holds, by its own description.
 */
#pragma once

#include "base/err.h"
#include "image/fetch.h"

/*
 * The kind of what is open as @fd (a directory or a file), and the names that the images in it have there. A compressed
 * file counts as a root file system: only tars that are not compressed are looked into. enum import_kind, or -errno.
 */
int archive_kind(int fd, struct strv *ret_names, struct err *err);
