/*
 * A root of its own for a program that runs what strangers wrote (buildah's RUN): of the host's files the programs, the
 * configuration in /etc and what is named, and no other process. Who leaves a chroot inside finds nothing more.
 */
#pragma once

struct helper_root {
	const char *at;                  /* an empty directory of ours, over which the root is mounted */
	const char *shown;               /* a directory to be seen there by the same path, read-only; NULL: none */
	const char *writable;            /* the same, to be written in */
};

/*
 * Enter it: in a process that is root of a user namespace and has a mount, a PID and an IPC namespace of its own
 * (idmap_clone). Gives up the controlling terminal as well. 0, or -errno with *ret_what (static, or a path of @root): what
 * could not be done. The caller executes a program or exits.
 */
int helper_root_enter(const struct helper_root *root, const char **ret_what);
