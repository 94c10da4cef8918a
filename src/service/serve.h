/*
 * What `pterm serve` and the daemon behind it agree on.
 */
#pragma once

#include "base/args.h"

#define SERVE_ADDRESS "127.0.0.1:7878"           /* where it listens unless told otherwise */
#define SERVE_SOCKET "serve.sock"                /* in the home, for its owner */

struct serve_options {
	struct strv listen;
	const char *base;
	bool no_tcp, insecure;
};
extern const struct arg_option serve_options[];
enum { SERVE_OPTIONS_COUNT = 4 };
