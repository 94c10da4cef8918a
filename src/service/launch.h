/*
 * From what a person asked for to a spec with everything resolved and checked. Nothing is made on disk but unpacked
 * images.
 */
#pragma once

#include "engine/spec.h"
#include "service/images-build.h"
#include "supervisor/house.h"

/* A command that is run again and again: for the shell, or (.argv, of a template) as it is. 0 for what nobody said. */
struct launch_probe {
	const char *command;             /* NULL: none, or .argv */
	const struct strv *argv;
	uint64_t interval_ms, timeout_ms, retries, start_period_ms;
};
enum { HEALTH_INTERVAL_MS = 30000, READY_INTERVAL_MS = 10000, PROBE_TIMEOUT_MS = 30000, PROBE_RETRIES = 3 };

struct launch {
	const char *image, *entrypoint, *user, *cwd, *hostname, *engine, *fallback, *restart, *name;
	struct strv env, env_files, volumes, tmpfs, ports, labels, secrets;  /* as typed; owned, see launch_release */
	struct strv packages;            /* of the image's distribution, to be had inside (packages.h); owned */
	struct images_build build;       /* instead of an image; .context NULL: none. Its list is owned */
	const char *const *command;
	size_t command_len;
	bool never_pulls;                /* an image that is not here is an error */
	bool read_only, remove_at_end, ssh_agent, record_input;
	uint64_t memory_bytes, pids, record_bytes;
	const char *cpus;
	struct launch_probe health, readiness;
	int network;                     /* enum spec_network */
	const char *network_session;     /* NETWORK_SESSION: which, as session_find takes it */
	bool has_network;                /* it was asked for */
	bool may_fall_back;              /* nobody asked, but a person is there who will see it */
	bool makes_sources;              /* a volume's SOURCE that begins with ./ is made where it is missing */
	const char *session_mark;        /* as in struct spec */
	uint64_t restart_first_ms, restart_longest_ms, restart_forgiven_ms;      /* 0: the supervisor's own */
	uint16_t rows, cols;
};

void launch_release(struct launch *l);
#define _launch_ _cleanup_(launch_release) struct launch

/*
 * 0 with *ret, the caller's (spec_release); or -errno: see @err. Fetching and unpacking an image that is new here take
 * their time, and tell h->progress about it.
 */
int launch_spec(const struct house *h, const struct launch *l, struct spec *ret, struct err *err);
