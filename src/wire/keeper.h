/*
 * What a supervisor and its keeper say to each other over the leash, a SOCK_SEQPACKET pair: one keeper_message a packet,
 * with descriptors. The keeper understands none of what it holds: it gives the descriptors, as they are, to the next
 * supervisor. Both ends may come from different builds (after an upgrade), so the layout here is for ever.
 */
#pragma once

#include <stdint.h>

enum { KEEPER_LEASH_FD = 3, KEEPER_MAGIC = 0x70746b01, KEEPER_FDS_MAX = 8 };

enum keeper_op {
	KEEPER_HOLD = 1,         /* the handles come along, and replace what was held */
	KEEPER_RELEASE,          /* the session has ended: forget it and exit */
};

struct keeper_message { uint32_t magic, op; };

/* What is handed over, in this order. STATUS is a memfd with the status as JSON; from CONSOLE on only while a command runs. */
enum handle { HANDLE_STATUS, HANDLE_LOCK, HANDLE_LISTEN, HANDLE_RING, HANDLE_CONSOLE, HANDLE_LIFELINE, HANDLE_INIT, HANDLE_COUNT };

/* Where `pterm-supervisor --adopt ID` finds the leash of its keeper, and the handles. */
enum { ADOPT_LEASH_FD = 3, ADOPT_HANDLES_FD };
