/*
 * What a layer takes away, as overlayfs(5) stores it (mounted with userxattr) and as a layer's tar writes it (the OCI
 * image specification, layer.md): a file "hidden" by a device 0:0 is the entry ".wh.hidden"; a directory that hides all
 * that lies below it has the attribute user.overlay.opaque, and in the tar an entry ".wh..wh..opq".
 */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>

#define WHITEOUT_PREFIX ".wh."
#define WHITEOUT_OPAQUE ".wh..wh..opq"

/* Is this an entry about something that is taken away? @name is the last component. */
bool whiteout_is_entry(const char *name);
/*
 * Make what such an entry of directory @dir (may be O_PATH) means. What the layer itself has under the name stays: a
 * directory becomes opaque. 0; 1: it means nothing (aufs' own notes); -EPERM: it hides nothing that can be; -errno.
 */
int whiteout_make(int dir, const char *name);
bool whiteout_is_node(const struct stat *st);
/* Make the directory @name in @dir opaque. 0 or -errno. */
int whiteout_set_opaque(int dir, const char *name);
/* Is the open directory so? */
bool whiteout_is_opaque(int fd);
