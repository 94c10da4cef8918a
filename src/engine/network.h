/*
 * The network beside a container with a network namespace of its own: pasta, or slirp4netns where there is none. It is
 * started when the container is there, so that the first prompt does not wait, and ended by pid.
 */
#pragma once

#include "engine/engine.h"

/* 1 with *ret_program ("pasta", "slirp4netns"; static) when private networks can be had here; 0: not, with the reason. */
int network_probe(const char **ret_program, struct err *err);
/* The address that resolv.conf inside names, for the program that network_probe found. */
const char *network_nameserver(const char *program);
/*
 * Connect the network namespace of @init, with the published ports of @c->spec; never the host's loopback. Sets
 * c->helper_pid and c->helper_start, and calls c->on.on_helper with them before the program is executed, so that whoever cleans
 * up after a killed supervisor knows it. 0 or -errno: see @err. Does not wait for the network to be up.
 */
int network_start(struct container *c, pid_t init, struct err *err);
void network_stop(struct container *c);                   /* end it by pid and reap it; NULL-safe: no helper, no effect */
