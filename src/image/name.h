/*
 * Names of images, as registries have them: [HOST[:PORT]/]PATH[:TAG][@DIGEST]. A name is kept in one form, whatever
 * was typed: without "docker.io/library/" or "docker.io/", and with a tag (":latest" where none was given) or a digest.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>

/* Bring @text to that form. 0 with *ret, the caller's; or -EINVAL: it can be no image's name. */
int name_clean(const char *text, char **ret, struct err *err);
/* The repository of a clean name, whole: "docker.io/library/debian", "localhost:5000/a/b". The caller frees. */
char *name_repository(const char *clean);
/* Its tag, or NULL where it has a digest only; points into @clean. */
const char *name_tag(const char *clean);
/* "sha256:…", or NULL; points into @clean. */
const char *name_digest(const char *clean);
/* Is the registry one of this machine ("localhost", 127.…, [::1]), which need not speak TLS? */
bool name_is_local(const char *clean);
