#include "service/serve.h"

const struct arg_option serve_options[SERVE_OPTIONS_COUNT] = {
	{ 'l', "listen", "HOST:PORT", "an address to listen on (" SERVE_ADDRESS "); port 0 takes one that is free",
	  ARG_STRV, offsetof(struct serve_options, listen) },
	{ 0, "no-tcp", NULL, "only the Unix socket in the home", ARG_FLAG, offsetof(struct serve_options, no_tcp) },
	{ 0, "base", "PATH", "what every path begins with, for a proxy that keeps it: /pterm", ARG_STR,
	  offsetof(struct serve_options, base) },
	{ 0, "insecure", NULL, "listen also where other machines can read along", ARG_FLAG,
	  offsetof(struct serve_options, insecure) },
};
