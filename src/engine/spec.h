/*
 * A spec: what to run, in no engine's words. It is written to the session's spec.json when the session is made, with
 * everything resolved (image, user, environment, map of ids), so that a start tomorrow is the same as today's.
 */
#pragma once

#include "base/idmap.h"
#include "base/json.h"
#include "base/list.h"

enum { VOLUME_NAME_MAX = 63, PROBE_SPAN_MAX = 86400000, PROBE_RETRIES_MAX = 1000 };
enum spec_network { NETWORK_NONE, NETWORK_PRIVATE, NETWORK_HOST, NETWORK_SESSION };
enum spec_restart { RESTART_NO, RESTART_ON_FAILURE, RESTART_ALWAYS };
extern const char *const spec_networks[], *const spec_restarts[], *const spec_probe_kinds[];

/*
 * .name: a named volume, whose files are in .source; NULL: a directory or file of the host. .is_owned: it is made for
 * this session alone.
 */
struct spec_volume { char *source, *target, *name; bool read_only, is_owned; };
/*
 * A command that is run inside again and again: does the session work, is it ready to serve? .start_period_ms: failures
 * this soon after a start do not count before the first success.
 */
enum probe_kind { PROBE_HEALTH, PROBE_READINESS, PROBE_KIND_COUNT };
struct spec_probe { int kind; struct strv command; int64_t interval_ms, timeout_ms, retries, start_period_ms; };
struct spec_tmpfs { char *target, *options; };
struct spec_port { int64_t host, container; };
/* A file /run/secrets/NAME: what is in @file, or in @variable of the environment of whoever starts the session. */
struct spec_secret { char *name, *file, *variable; };
struct spec_image { char *label, *digest; struct strv layers; };
struct spec_user { char *name, *home, *shell; int64_t uid, gid; struct strv groups; };

struct spec {
	char *engine, *fallback;             /* names of engines; fallback NULL: none */
	char *fallback_loses;                /* options that were given and it cannot do: "--user, --tmpfs"; NULL: none */
	struct spec_image image;
	struct strv command;                 /* empty: the user's login shell */
	struct strv env;                     /* whole and final */
	char *cwd;                           /* NULL: the home directory, or / */
	bool makes_cwd;                      /* the image names it: it is made where it is missing */
	struct spec_user user;
	char *map;                           /* idmap_format; NULL: the engine makes no user namespace */
	char *map_name;                      /* the kind of map as a directory name: "u0", "u1000", "root-1900000000" */
	char *hostname;
	bool read_only, remove_at_end;
	VEC(struct spec_tmpfs) tmpfs;
	VEC(struct spec_volume) volumes;
	int64_t memory_bytes, pids;          /* 0: no limit */
	double cpus;                         /* 0: no limit */
	int network;                         /* enum spec_network */
	char *network_session;               /* SESSION: the id of the one whose user and network namespaces it enters */
	int network_joined;                  /* SESSION: what network that one has */
	VEC(struct spec_port) ports;
	char *ssh_agent;                     /* the socket outside */
	VEC(struct spec_secret) secrets;     /* where they come from: what they are is never written down */
	struct strv labels;                  /* KEY=value */
	VEC(struct spec_probe) probes;       /* one of each kind at most */
	int restart;                         /* enum spec_restart */
	int64_t restart_max;                 /* for on-failure; 0: no limit */
	int64_t restart_first_ms, restart_longest_ms, restart_forgiven_ms;   /* the delays of restarts; 0: the supervisor's own */
	int64_t rows, cols, record_bytes;
	bool record_input;                   /* what is typed is recorded too, but for passwords */
	/*
	 * Not part of the file: where texts hold this with an "i" behind it, the session's id is written instead, and with an
	 * "n" its name. NULL: nowhere.
	 */
	char *session_mark;
};

#define SSH_AGENT_INSIDE "/dev/ssh-agent"  /* where a container has it */
#define SECRETS_INSIDE "/run/secrets"
enum { SECRETS_MAX = 64, SECRET_SIZE_MAX = 128 * 1024 };

extern const struct json_object spec_object;

static inline bool spec_has_limits(const struct spec *s)
{
	return s->memory_bytes > 0 || s->pids > 0 || s->cpus > 0;
}

/* Read and check a spec.json. The spec is the caller's (spec_release), also after a failure. 0 or -errno. */
int spec_read(int dirfd, const char *name, struct spec *ret, struct err *err);
void spec_release(struct spec *s);
/* "HOST:CONTAINER" or "PORT": 0 or -EINVAL with @err. */
int spec_port_parse(const char *text, struct spec_port *ret, struct err *err);
/* May a volume be called so? Letters, digits, '.', '_', '-', a letter or digit first, at most 63. */
bool spec_is_volume_name(const char *text);
/*
 * "SOURCE:TARGET[:ro|rw|owned|z|Z…]"; not yet checked against the file system. A source without a slash is the name of a
 * volume, and .source stays NULL then. 0 or -EINVAL with @err.
 */
int spec_volume_parse(const char *text, struct spec_volume *ret, struct err *err);
/* "NAME=FILE" or "NAME=env:VARIABLE"; not yet looked at. 0 or -EINVAL with @err. */
int spec_secret_parse(const char *text, struct spec_secret *ret, struct err *err);
/*
 * What a secret is now, appended to @ret, which the caller wipes (str_wipe). 0 or -errno: the file or variable is not there,
 * or too large.
 */
int spec_secret_read(const struct spec_secret *s, struct str *ret, struct err *err);
/* "TARGET[:OPTIONS]", options as in tmpfs(5): size, mode, noexec and friends. */
int spec_tmpfs_parse(const char *text, struct spec_tmpfs *ret, struct err *err);
