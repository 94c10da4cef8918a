/*
 * Between the files of service/volume.h: volume.c keeps the records, volume-files.c works on what is in a volume.
 */
#pragma once

#include "service/volume.h"

/*
 * Its directory, open and locked, as a descriptor whose end gives the lock back. -ENOENT: there is no such volume;
 * -errno: see @err.
 */
int volume_open(const struct house *h, const char *name, struct err *err);

/* All on a volume's directory, locked: */

/* Give its files the owners by @map, in the form of idmap_format. @name is for errors. 0 or -errno. */
int volume_use_map(const struct house *h, int dir, const char *name, const char *map, struct err *err);
/* Is it kept under another map than @map? One that was never used is under none. */
bool volume_has_other_map(int dir, const char *map);
/* Remove @dir/@name, files of mapped owners included. 0 or -errno. */
int volume_empty(int dir, const char *name, struct err *err);
