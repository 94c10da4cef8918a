/*
 * The output ring: one writer, any number of readers in other processes. The layout, and the one idea needed to
 * read on, stand in include/pterm/ring.h.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <sys/types.h>

enum { RING_RESERVE = 64 * 1024 };                /* the most that ring_space offers */

struct ring {
	struct pterm_ring_header *h;
	uint8_t *data;
	size_t map_size;
	uint64_t data_size, reserve, base;        /* checked copies: what the header says later is not believed */
	int fd;                                   /* -1 in a reader */
};

/* A new ring of @size bytes (a power of two, at least 2 * RING_RESERVE) whose first byte has position @base. */
int ring_create(struct ring **ret, size_t size, uint64_t base, struct err *err);
/*
 * Map somebody's ring for reading; consumes @fd, on failure too. Refuses what is not sealed, too short or
 * inconsistent.
 */
int ring_map(struct ring **ret, int fd, struct err *err);
/* Map a ring for writing, in the place of its writer who is gone; consumes @fd, on failure too. */
int ring_adopt(struct ring **ret, int fd, struct err *err);
int ring_fd(const struct ring *r);                        /* of the memory itself, borrowed: for ring_adopt */
/* A second descriptor of the memory, opened read-only, to be given to a reader: the caller's, or -errno. */
int ring_reader_fd(const struct ring *r);
struct ring *ring_free(struct ring *r);
DEFINE_FREEP(struct ring, ring_free)

/*
 * Where the next bytes go: at most RING_RESERVE, never across the end of the memory. Not published until
 * ring_publish.
 */
uint8_t *ring_space(struct ring *r, size_t *ret_n);
/*
 * Before @n bytes are put in place at @at of ring_space: mark them with 0xFF, which UTF-8 never has, so that whoever
 * adopts the ring of a killed writer finds where what had arrived ends.
 */
void ring_arm(struct ring *r, size_t at, size_t n);
/* How many bytes of ring_space a killed writer had put there and not published. What ended in 0xFF counts up to there. */
size_t ring_unpublished(const struct ring *r);
void ring_publish(struct ring *r, size_t n);              /* n <= what ring_space offered */
void ring_write(struct ring *r, const void *data, size_t n);

uint64_t ring_head(const struct ring *r);
uint64_t ring_oldest(const struct ring *r);               /* the oldest position that can still be read */
/* The writer's own: published bytes from @pos on, where they stand; *ret_n: how many stand together there. */
const uint8_t *ring_at(const struct ring *r, uint64_t pos, size_t *ret_n);
/*
 * Copy at most @n bytes that @pos has not seen, and advance it. *ret_lost counts the bytes that were overwritten
 * before they could be read (they are skipped, and lie before those returned). A @pos beyond head reads nothing. 0
 * with bytes lost means that the writer was faster throughout: there is more. Never blocks.
 */
size_t ring_read(const struct ring *r, uint64_t *pos, void *out, size_t n, uint64_t *ret_lost);
/* The same for another thread of the writer's, up to position @end, which stands in the memory but may not be published. */
size_t ring_read_own(const struct ring *r, uint64_t *pos, uint64_t end, void *out, size_t n, uint64_t *ret_lost);
