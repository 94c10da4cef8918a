/*
 * Files between the host and a running container, as `cp -a` and `docker cp` copy them. Two pterm-tree with a pipe
 * between them: one enters the container's user namespace and makes /proc/PID/root its own root, so that every link
 * and every ".." inside means what it means in the container; the other is on the host, as the caller, in one
 * directory.
 */
#pragma once

#include "base/err.h"

#include <sys/types.h>

/*
 * Both: @tree_program is pterm-tree, @init the container's first process, which the caller knows to be the right one;
 * when it ends meanwhile, that is the error. Paths in the container are taken from its root. What the source names:
 *
 *   path     a file, a directory with all below it, or a link as a link, also when it leads to a directory
 *   path/    what it leads to, which must be a directory
 *   path/.   what is in the directory
 *
 * A destination that is a directory (or a link to one) gets the source in it, under its own name. Else the source
 * becomes the destination, whose directory must exist; "new/" can only become a directory. A file or link that is
 * there is replaced whole, a link never written through; a directory is merged, and keeps its owner and mode. A file
 * never replaces a directory, nor a directory a file. Modes, times, hard links, holes and user.* attributes are kept,
 * set-user-ID and set-group-ID dropped. On failure what was not there before is removed again.
 *
 * Blocks until done. The number (>= 0) of devices, sockets, fifos and kernel file systems that were left out; or
 * -errno, -ENOENT when source or destination directory are not there.
 */

/* From the container to the host. What is made belongs to the caller. */
int copy_out(const char *tree_program, pid_t init, const char *path, const char *host_path, struct err *err);
/*
 * From the host to the container. What is made belongs to @uid and @gid, as the container counts; to the caller where
 * there is no user namespace (engine "process").
 */
int copy_in(const char *tree_program, pid_t init, const char *host_path, const char *path, uid_t uid, gid_t gid,
            struct err *err);

/*
 * The same as tar streams. Out: @path as one archive (pax) to @out_fd. In: everything that the archive at @in_fd
 * (which may be compressed) holds, below the directory @path, as tar -x there would; what was unpacked before a
 * failure stays.
 */
int copy_out_tar(const char *tree_program, pid_t init, const char *path, int out_fd, struct err *err);
int copy_in_tar(const char *tree_program, pid_t init, int in_fd, const char *path, uid_t uid, gid_t gid, struct err *err);

/*
 * Directories that no container holds (volumes), as tar streams with the owners that a container sees: @userns is a user
 * namespace (idmap_namespace), of which everything is done as root. Both borrow their descriptors. Out: what is in @dir,
 * as the top entry ".". In: everything that the archive holds, below @dir, as tar -x there would, with its owners.
 * Between: what is in @from, into @to, each with a namespace of its own. The number of entries that were left out, or
 * -errno; what was unpacked before a failure stays. Blocks.
 */
int copy_dir_out(const char *tree_program, int dir, int userns, int out_fd, const char *shown, struct err *err);
int copy_dir_in(const char *tree_program, int dir, int userns, int in_fd, const char *shown, struct err *err);
int copy_dir_between(const char *tree_program, int from, int from_userns, int to, int to_userns, const char *shown,
                     struct err *err);
