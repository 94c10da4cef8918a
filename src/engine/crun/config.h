/*
 * The OCI runtime configuration (config.json, runtime-spec 1.0) of a session's container. What is confined, and how,
 * is decided here.
 */
#pragma once

#include "engine/engine.h"
#include "engine/sandbox.h"

/*
 * Append config.json and the files that the container gets from us (hosts, hostname, resolv.conf) to @s->files.
 * Mount sources are absolute paths as the sandbox process sees them. 0 or -errno: see @err.
 */
int config_write(struct sandbox *s, const struct container *c, struct err *err);
