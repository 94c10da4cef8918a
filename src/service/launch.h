/*
 * From what a person asked for to a spec with everything resolved and checked. Nothing is made on disk but unpacked
 * images.
 */
#pragma once

#include "engine/spec.h"
#include "supervisor/house.h"

/* A command for the shell, run again and again; NULL: none. 0 for what nobody said. */
struct launch_probe { const char *command; uint64_t interval_ms, timeout_ms, retries, start_period_ms; };
enum { HEALTH_INTERVAL_MS = 30000, READY_INTERVAL_MS = 10000, PROBE_TIMEOUT_MS = 30000, PROBE_RETRIES = 3 };

struct launch {
	const char *image, *user, *cwd, *hostname, *engine, *fallback, *restart, *name;
	struct strv env, env_files, volumes, tmpfs, ports;   /* as typed */
	const char *const *command;
	size_t command_len;
	bool read_only, remove_at_end, ssh_agent, record_input;
	uint64_t memory_bytes, pids, record_bytes;
	const char *cpus;
	struct launch_probe health, readiness;
	int network;                     /* enum spec_network */
	const char *network_session;     /* NETWORK_SESSION: which, as session_find takes it */
	bool has_network;                /* it was asked for */
	bool may_fall_back;              /* nobody asked, but a person is there who will see it */
	uint16_t rows, cols;
};

/*
 * The map of ids of a session: for root a range of its own (PTERM_ROOT_IDS, START:COUNT), for others around the
 * caller, who is @uid and @gid inside. *ret_name (the caller's) names it in paths. 0 or -errno.
 */
int launch_map(uint32_t uid, uint32_t gid, struct idmap *ret, char **ret_name, struct err *err);
/*
 * 0 with *ret, the caller's (spec_release); or -errno: see @err. Unpacking an image that is new here takes its time.
 */
int launch_spec(const struct house *h, const struct launch *l, struct spec *ret, struct err *err);
