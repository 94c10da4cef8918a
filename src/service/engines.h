/*
 * Which ways to run a session this host has.
 */
#pragma once

#include "engine/engine.h"

#include <stdbool.h>

struct engine_found { const struct engine_ops *ops; bool is_usable; struct str found; };    /* found: what, or why not */
struct engine_list { struct engine_found *items; size_t len, cap; };

/* All that people may choose, the default first; release with engine_list_release. */
void engine_list(struct engine_list *ret);
void engine_list_release(struct engine_list *l);
