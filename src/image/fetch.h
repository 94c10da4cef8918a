/*
 * Images that come into the store. Before an image has a name here all of it is here: its manifest and configuration
 * are read and every blob is there, with the digest that the manifest gives it. What is cut short leaves whole blobs,
 * which the next try does not fetch again and image_prune removes, and nothing else.
 */
#pragma once

#include "image/trust.h"

enum fetched { FETCHED_NEW, FETCHED_KNOWN };

/*
 * Fetch the image of this clean name from its registry, unless exactly that is here already; its signature is verified
 * as the policy asks before any layer is fetched. Two that fetch the same name do it once. enum fetched with *ret, the
 * caller's; or -errno.
 */
int fetch_pull(const struct image_store *store, const char *name, const struct remote *remote, struct oci_descriptor *ret,
               struct err *err);
/* The digest that this clean name stands for in its registry now. 0 with *ret, the caller's; or -errno. */
int fetch_look(const struct image_store *store, const char *name, const struct remote *remote, char **ret, struct err *err);

enum import_kind { IMPORT_AUTO, IMPORT_OCI, IMPORT_OCI_ARCHIVE, IMPORT_DOCKER_ARCHIVE, IMPORT_ROOTFS };
extern const char *const import_kinds[];         /* "auto", "oci", …; ends in NULL */

struct import {
	const char *path;
	const char *name;                /* clean; NULL: the one that it has there, else from the file's name */
	int kind;                        /* enum import_kind */
	const char *which;               /* of several in an archive or layout: its name there; may be NULL */
	const struct idmap *map;         /* a root file system is unpacked for this one at once */
	const char *map_name;
};
/* Take an image from a file or directory. 0 with *ret, the caller's; or -errno. */
int fetch_import(const struct image_store *store, const struct import *what, struct oci_descriptor *ret, struct err *err);
