/*
 * From what a person asked for to a spec with everything resolved and checked. Nothing is made on disk but unpacked
 * images.
 */
#pragma once

#include "engine/spec.h"
#include "supervisor/house.h"

struct launch {
	const char *image, *user, *cwd, *hostname, *engine, *fallback, *restart, *name;
	struct strv env, env_files, volumes, tmpfs, ports, labels, secrets;  /* as typed; owned, see launch_release */
	const char *const *command;
	size_t command_len;
	bool read_only, remove_at_end, ssh_agent, record_input;
	uint64_t memory_bytes, pids, record_bytes;
	const char *cpus;
	int network;                     /* enum spec_network */
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
 * 0 with *ret, the caller's (spec_release); or -errno: see @err. Unpacking an image that is new here takes its time.
 */
int launch_spec(const struct house *h, const struct launch *l, struct spec *ret, struct err *err);
