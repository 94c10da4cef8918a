/*
 * What the commands about images share.
 */
#pragma once

#include "cli/command.h"
#include "service/images.h"

extern const char *const yes_or_no[];            /* "true", "false" */

/* Rows about a registry, for an options struct with a member `struct remote_options @member`. */
struct remote_options { int tls_verify; bool has_tls_verify; const char *creds, *authfile, *cert_dir; };
#define REMOTE_OPTIONS(type, member) \
	{ 0, "tls-verify", "true|false", "whether the registry must speak TLS, with a certificate that is known", ARG_CHOICE, \
	  offsetof(type, member.tls_verify), .choices = yes_or_no, .given = offsetof(type, member.has_tls_verify) }, \
	{ 0, "creds", "USER:PASSWORD", "instead of what skopeo login has kept", ARG_STR, offsetof(type, member.creds) }, \
	{ 0, "authfile", "FILE", "where logins are kept", ARG_STR, offsetof(type, member.authfile) }, \
	{ 0, "cert-dir", "DIR", "certificates for the registry", ARG_STR, offsetof(type, member.cert_dir) }
struct remote images_remote(const struct remote_options *o);

/* Open the house and have what takes long shown, unless @is_quiet. 0 or -errno. */
int images_open(struct house *ret, bool is_quiet, struct err *err);
/* Print what an image is called and its digest: "debian:12 sha256:…". */
int images_print(const struct oci_descriptor *d, struct err *err);
/* The body of `pterm pull` and `pterm image pull`, which are the same. */
struct pull_options { struct remote_options remote; bool quiet; };
extern const struct arg_option pull_rows[];
enum { PULL_ROWS = 5 };
int images_run_pull(void *options, struct arg_words *words, struct err *err);
#define PULL_DETAILS \
	"The image is fetched from its registry with skopeo, whose logins, registries.conf and mirrors apply, and unpacked, so " \
	"that a session starts at once. Layers that are here are not fetched again. Without a registry in its name it comes from " \
	"docker.io, without a tag it is 'latest'.\n" \
	"\n" \
	"images/policy.json in pterm's store says whose signatures are required; cosign verifies them before a layer is fetched."
