/*
 * What `pterm image verify` and `pterm image repair` have in common.
 */
#pragma once

#include "cli/images.h"
#include "cli/listing.h"

/* Check, with @mends repair, and print. 0; 1: something is damaged; or -errno. */
int image_parts_run(const struct arg_words *words, bool mends, const struct remote *remote, int form, bool is_quiet,
                    struct err *err);
