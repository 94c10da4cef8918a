/*
 * The output ring of a session: shared memory that other programs may map.
 *
 * The memory is a memfd, sealed against growing and shrinking. It begins with this header; the data follow at
 * data_offset. One writer, the session's supervisor; any number of readers, which get a read-only descriptor
 * over the session's socket (docs/shared-memory.md) and never write.
 *
 * A position is a 64-bit count of the bytes that the session has ever printed. It never wraps; byte P stands at
 * data[P & (data_size - 1)]. `head` is the number of bytes published. The writer may already be filling up to `reserve` bytes
 * from head on, so the oldest byte that can be trusted is head - (data_size - reserve), or `base` if that is later.
 * To read: load head (acquire), copy, load head again (after an acquire fence), and throw away what has become too old
 * meanwhile. The writer stores head with release order and puts a release fence behind it, before it fills what follows.
 *
 * Readers check every value before they use it, and copy what never changes (all but head and armed) once.
 */
#ifndef PTERM_RING_H
#define PTERM_RING_H

#include <stdint.h>

#define PTERM_RING_MAGIC "PTERMRNG"
#define PTERM_RING_VERSION 1u

struct pterm_ring_header {
	char magic[8];           /* PTERM_RING_MAGIC, no NUL */
	uint32_t version;        /* PTERM_RING_VERSION */
	uint32_t data_offset;    /* from the start of the memory, a multiple of the page size */
	uint64_t data_size;      /* a power of two */
	uint64_t reserve;        /* less than data_size */
	uint64_t base;           /* the position of the first byte that was ever written here */
	uint64_t head;           /* bytes ever published; written with release order, read with acquire */
	uint64_t armed;          /* the writer's own: up to here it has prepared the memory (0xFF), for whoever takes over */
	uint64_t unused[8];      /* zero */
};

#endif
