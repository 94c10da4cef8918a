/*
 * Publishing ports through slirp4netns, which has no option for it: requests over its API socket once it is ready.
 */
#pragma once

#include "engine/engine.h"

struct slirp;
/*
 * All ports are published (@err is NULL), or one could not be, and the rest is not tried. Called once; may free it.
 */
typedef void slirp_fn(void *data, const struct err *err);

/*
 * Make a directory for the socket that the container's root owns. *ret_ready is slirp4netns's end of the pipe that it
 * says "ready" on, the caller's. 0; or -errno with @err and nothing left.
 */
int slirp_new(const struct container *c, struct slirp **ret, int *ret_ready, struct err *err);
const char *slirp_socket(const struct slirp *s);
/* From now on: wait until it is ready, then publish. */
int slirp_publish(struct slirp *s, slirp_fn *fn, void *data, struct err *err);
struct slirp *slirp_free(struct slirp *s);       /* removes socket and directory; NULL is fine */
DEFINE_FREEP(struct slirp, slirp_free)
void slirp_remove_of(const struct place *place); /* what a killed supervisor left of this */

/* The request for a port, and what the answer says: 0 or -EIO. For the unit test. */
void slirp_request(const struct spec_port *port, struct str *out);
int slirp_answer(const char *text);
