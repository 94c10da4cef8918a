/*
 * The network beside a container with a network namespace of its own: pasta, or slirp4netns where there is none. It
 * is started when the container is there, so that the first prompt does not wait, and ended by pid.
 *
 * The helper has no rights on the host: before it is executed it enters the container's user namespace as its root,
 * so the helper of a session that host root started is not host root either. It opens /dev/net/tun as that user.
 */
#pragma once

#include "engine/engine.h"

#define NETWORK_TUN "/dev/net/tun"

/* How a host is looked at: this one, or one that is made up. */
struct network_look {
	const char *(*env)(const void *data, const char *name);
	char *(*find)(const void *data, const char *name);     /* in $PATH, or as it stands with a slash; the caller frees */
	const void *data;
};
/*
 * The program for private networks: what $PTERM_NETWORK_PROGRAM names, else the first of pasta, slirp4netns in $PATH. 0 with
 * its name (static) and path (the caller's); -ENOENT: there is none, -EINVAL: the variable names another; see @err.
 */
int network_locate(const struct network_look *look, const char **ret_name, char **ret_path, struct err *err);

/*
 * 1 with *ret_program ("pasta", "slirp4netns"; static) when private networks can be had here; 0: not, with the
 * reason. $PTERM_NETWORK_PROGRAM chooses: one of these names, or a path that ends in one.
 */
int network_probe(const char **ret_program, struct err *err);
/* The address that resolv.conf inside names, for the program that network_probe found. */
const char *network_nameserver(const char *program);
/*
 * Can what @spec asks for be had now: the program, the device, the published ports? To be asked before a container is
 * started. 0; or -errno with what to do in @err.
 */
int network_check(const struct spec *spec, struct err *err);
int network_check_ports(const struct spec *spec, struct err *err);   /* the ports alone */
/*
 * Connect the network namespace of @init, with the published ports of @c->spec; never the host's loopback. Sets
 * c->helper_pid and c->helper_start, and calls c->on.on_helper with them before the program is executed, so that
 * whoever cleans up after a killed supervisor knows it. 0 or -errno: see @err. Does not wait for the network to be
 * up: what goes wrong later comes as c->on.on_helper_failed, and what the program said is added to c->log_fd.
 */
int network_start(struct container *c, pid_t init, struct err *err);
/*
 * Go on with the helper c->helper_pid, c->helper_start that another process started. One that has ended meanwhile is told
 * like any other.
 */
void network_adopt(struct container *c);
void network_stop(struct container *c);                   /* end it by pid and reap it; NULL-safe: no helper, no effect */
void network_remove_of(const struct place *place);        /* what a killed supervisor left on disk; the process is ended by pid */

/*
 * For network_start, and for its test: the arguments of @program, whose standard input is the network namespace.
 * @ready_fd and @api_socket are slirp4netns's, for published ports; NULL: none.
 */
void network_arguments(const char *program, const struct spec *spec, int ready_fd, const char *api_socket, struct strv *out);
/* The line in what a helper said (@text) that tells why it ended, into @out; nothing when it said nothing. */
void network_reason(const char *text, struct str *out);
