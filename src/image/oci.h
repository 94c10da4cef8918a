/*
 * The JSON documents of the OCI image specification, and those of Docker that mean the same: what is in them that we
 * use. They come from strangers: what these functions let through can be used as it stands (digests are digests, so
 * no name made of one leaves a directory; there is a diff id for each layer).
 */
#pragma once

#include "base/json.h"
#include "base/list.h"

enum {
	OCI_DOCUMENT_MAX = 4 << 20,      /* bytes of an index, manifest or configuration; registries allow 4 MiB */
	OCI_LAYERS_MAX = 500,            /* overlayfs: OVL_MAX_STACK */
	DIGEST_HEX = 64,
};

#define OCI_INDEX_TYPE "application/vnd.oci.image.index.v1+json"
#define OCI_MANIFEST_TYPE "application/vnd.oci.image.manifest.v1+json"
#define OCI_CONFIG_TYPE "application/vnd.oci.image.config.v1+json"
#define OCI_LAYER_TYPE "application/vnd.oci.image.layer.v1.tar"          /* and +gzip, +zstd */

struct oci_platform { char *os, *architecture, *variant; };
/* The annotations that we read and write. */
struct oci_notes {
	char *name;              /* org.opencontainers.image.ref.name */
	char *kind;              /* kind: what `cosign save` says about what it saves */
	char *base_name, *base_digest;   /* org.opencontainers.image.base.* */
	char *source;            /* dev.pterm.source: the reference that it was pulled by, as skopeo takes it */
	char *source_digest;     /* dev.pterm.source-digest: what that reference stood for: a manifest or an index */
	char *signed_by;         /* dev.pterm.signed-by: whose signature was verified, in words */
	char *recipe;            /* dev.pterm.recipe: JSON: how `image build` made it */
	char *taken;             /* dev.pterm.taken: when it came here, RFC 3339 */
};
struct oci_descriptor { char *media_type, *digest; int64_t size; struct oci_platform platform; struct oci_notes notes; };
struct oci_descriptors { struct oci_descriptor *items; size_t len, cap; };

/* An index (or Docker's manifest list) or a manifest; which one is by what it holds. */
struct oci_document {
	int64_t version;
	char *media_type;
	struct oci_descriptors manifests;        /* of an index */
	struct oci_descriptor config;            /* of a manifest */
	struct oci_descriptors layers;
	struct oci_notes notes;
};

struct oci_history { char *created, *created_by, *comment; bool is_empty; };
struct oci_run { char *user, *workdir, *stop_signal; struct strv env, entrypoint, cmd; };
struct oci_config {
	char *architecture, *os, *variant, *created;
	struct oci_run run;
	struct { char *type; struct strv diff_ids; } rootfs;
	struct { struct oci_history *items; size_t len, cap; } history;
};

/* "sha256:" and 64 hexadecimal digits. */
bool digest_check(const char *text);
/* The digits of a digest that digest_check has accepted. */
const char *digest_hex(const char *digest);

/* All 0 or -EINVAL: see @err, which begins with @what. On failure *ret is empty. */
int oci_read_index(const char *what, const char *text, size_t n, struct oci_document *ret, struct err *err);
/* An index or a manifest: @ret->manifests.len tells. */
int oci_read_document(const char *what, const char *text, size_t n, struct oci_document *ret, struct err *err);
int oci_read_manifest(const char *what, const char *text, size_t n, struct oci_document *ret, struct err *err);
int oci_read_config(const char *what, const char *text, size_t n, struct oci_config *ret, struct err *err);
void oci_document_release(struct oci_document *d);
void oci_config_release(struct oci_config *c);
#define _oci_document_ _cleanup_(oci_document_release) struct oci_document
#define _oci_config_ _cleanup_(oci_config_release) struct oci_config

/* The manifest of this machine's platform in an index, or NULL with @err, which says what there is. Borrowed. */
const struct oci_descriptor *oci_choose(const char *what, const struct oci_document *index, struct err *err);
/* GOARCH of this machine: "amd64". */
const char *oci_architecture(void);

void oci_write_index(const struct oci_descriptors *manifests, struct str *out);
/* A manifest with the layers @layers and the configuration @config. */
void oci_write_manifest(const struct oci_descriptor *config, const struct oci_descriptors *layers, struct str *out);

/* Copy, the caller's. */
void oci_descriptor_copy(struct oci_descriptor *to, const struct oci_descriptor *from);
void oci_descriptor_release(struct oci_descriptor *d);
void oci_descriptors_release(struct oci_descriptors *v);
