/*
 * Trees and tar archives: the logic of the program pterm-tree, which is the only one that links libarchive. What is
 * unpacked comes from strangers, and where it goes to may hold links made by strangers. Two walls keep every name
 * inside: the process makes the directory its root before it looks at archive or tree, and no name is reached through
 * a link (openat2(2) with RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS). libarchive only reads and writes the format.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <sys/types.h>

struct tree_options {
	int dir_fd;              /* becomes the root; tree_confine closes it */
	int userns_fd;           /* enter this user namespace and be its root; -1: stay; tree_confine closes it */
	bool is_here;            /* who may not chroot(2) goes on without: the person's own directory, as that person */
	bool keeps_owner;        /* the archive says who owns an entry; else: */
	uid_t uid;
	gid_t gid;
	bool strips_setuid;      /* set-user-ID, set-group-ID and file capabilities are dropped */
	const char *to;          /* unpack: where to, with the meaning of cp(1); NULL: the root, as an image */
	bool is_plain;           /* unpack, without .to: no layer; what looks like a whiteout is a file of that name */
	bool packs_fifos;        /* pack: they are kept; else left out */
	uint64_t max_bytes;      /* unpack: of the uncompressed stream; 0: no limit */
	bool is_layer;           /* pack: the tree is an overlay's upper directory: whiteouts as a layer's tar has them */
	const char *name;        /* pack: what the top entry is called; NULL: by the last component of the path */
};

struct tree_report {
	uint64_t entries;        /* that the archive holds */
	uint64_t skipped;        /* of these (or beside them, when packing): devices, sockets, fifos unless they are kept */
	uint64_t damaged;        /* verify: entries that are not as the list says */
	char sha256[65];         /* unpack: of the uncompressed stream from its first to its last byte, in hex */
	char raw_sha256[65];     /* unpack: of the bytes as they were read */
};

enum { TREE_ENTRY_MAX = 2000000, TREE_PATH_MAX = 4095 };

/*
 * Once, first, and for good: enter the user namespace, make the directory root and working directory, give up every
 * capability that files do not need. 0 or -errno.
 */
int tree_confine(const struct tree_options *o, struct err *err);

/*
 * Read a tar (as it is, or compressed with gzip, bzip2, xz or zstd) from @in_fd to its end and make its tree below
 * the working directory. Modes, times, hard links, holes and user.* attributes are exact; there are never device
 * nodes. An archive without its end mark is an error.
 *
 * Without .to it is a layer: an absolute name is taken from the root, as tar(1) does, a later entry replaces an earlier
 * one, entries that take something away become whiteouts (whiteout.h), and what was made before a failure stays: the
 * caller removes the directory. security.capability is kept where the kernel allows it.
 * With .to the archive holds one top entry, as tree_pack writes it. It is put into .to when that is a directory, else
 * it becomes .to; a top entry called "." is contents, which are merged into .to. Directories that were there keep
 * their owner and mode; a file or link that was there is replaced whole, never written into. On failure what was not
 * there before is removed again.
 * 0 or -errno; the first name at fault is in @err.
 */
int tree_unpack(int in_fd, const struct tree_options *o, struct tree_report *ret, struct err *err);

/*
 * Write @path, taken from the working directory, as a pax archive to @out_fd. A link named as @path is packed as the
 * link; "link/" is what it leads to; "dir/." is the contents, as the top entry ".". Below @path no link is followed
 * and kernel file systems (proc, sysfs, cgroup, …) are left out. On failure the archive has no end mark. 0 or -errno.
 */
int tree_pack(int out_fd, const char *path, const struct tree_options *o, struct tree_report *ret, struct err *err);

/*
 * The list of a layer: what is in the working directory, one record for each file, directory, link and whiteout; see
 * layer-list.h. Write it to @out_fd. 0 or -errno.
 */
int tree_list(int out_fd, struct tree_report *ret, struct err *err);
/*
 * Read every file below the working directory and compare with the list at @list_fd. 0 with .damaged and, in @said, a
 * line for each of the first names that are missing, changed or too many; or -errno.
 */
int tree_verify(int list_fd, struct str *said, struct tree_report *ret, struct err *err);
/* Everything that can be read from @fd: its SHA-256. 0 or -errno. */
int tree_digest(int fd, struct tree_report *ret, struct err *err);

/*
 * From here on SIGINT, SIGTERM and SIGHUP wait until tree_read, which then fails with -EINTR: at no other place would
 * it be certain that they are noticed before the next wait. Bytes as read(2), or -errno. Blocks.
 */
void tree_hold_signals(void);
ssize_t tree_read(int fd, void *data, size_t n);

/*
 * The name of an entry as it is used: no empty or "." components, no leading "/"; "" is the top itself. 0, or -EPERM
 * for "..", -ENAMETOOLONG. The caller frees *ret.
 */
int tree_clean_name(const char *name, char **ret);
/* user.* without user.overlay.*, which overlayfs(5) itself reads. */
bool tree_keeps_xattr(const char *name);
