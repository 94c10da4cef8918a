/*
 * Whose signatures are asked for, and whether they are there. images/policy.json says it for registries and
 * repositories:
 *
 *   { "default": "off",
 *     "rules": [ { "images": "registry.example.com/team", "signatures": "require", "keys": ["team.pub"] },
 *                { "images": "ghcr.io/them", "signatures": "warn",
 *                  "identities": [ { "issuer": "https://…", "subject": "release@them" } ] } ] }
 *
 * A rule is for the repository it names and all below it; the longest wins. One of its keys (files; a relative name is
 * taken from images/) or identities must have signed. cosign(1) verifies; a signature with a key needs no transparency
 * log, so it can be checked offline. What was signed must also be called as it is here, unless "any_repository" is
 * true: else a signed image of another repository could stand in.
 */
#pragma once

#include "image/skopeo.h"

enum trust { TRUST_OFF, TRUST_WARN, TRUST_REQUIRE };

/* What the policy asks for images of this clean name. A policy that cannot be read is an error. enum trust or -errno. */
int trust_asks(const struct image_store *store, const char *name, struct err *err);
/*
 * Verify the image @digest of the registry that @name is in, as the policy asks. 0 with *ret_signed_by, the caller's:
 * who signed, in words, or NULL where nobody has to (under "warn" store->progress hears why not); -EACCES: refused,
 * and @err names image and reason.
 */
int trust_verify(const struct image_store *store, const char *name, const char *digest, const struct remote *remote,
                 char **ret_signed_by, struct err *err);
/* The same for an OCI layout directory on this machine, as `cosign save` makes it. */
int trust_verify_layout(const struct image_store *store, const char *name, const char *digest, const char *dir,
                        char **ret_signed_by, struct err *err);
/*
 * May an image that is here, and whose signature was verified as @signed_by says (NULL: none was), be called or used
 * as @name? 0, or -EACCES.
 */
int trust_allows(const struct image_store *store, const char *name, const char *signed_by, struct err *err);
