/*
 * Which ways to run a session this host has.
 */
#pragma once

#include "base/json.h"
#include "engine/engine.h"

#include <stdbool.h>

struct engine_found { const struct engine_ops *ops; bool is_usable; struct str found; };     /* what, or why not */
struct engine_list { struct engine_found *items; size_t len, cap; };

/* All that people may choose, the default first; release with engine_list_release. */
void engine_list(struct engine_list *ret);
/* One as an object, for programs. */
void engine_json(const struct engine_found *e, struct json_writer *w);
void engine_list_release(struct engine_list *l);
