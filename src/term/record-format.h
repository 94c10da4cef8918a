/*
 * What stands in output.idx: a header, then entries, all of fixed size and little-endian, each with a checksum, so
 * that whoever opens the file after a crash can tell what was written from what was not.
 *
 * An entry says: the byte at `offset` of the log has this position and was printed at this time. Where positions
 * advance further than offsets from one entry to the next, bytes are missing just before the second; such an entry
 * has kind RECORD_GAP. It is written before the bytes that follow it, as is a change of the terminal's size
 * (RECORD_RESIZE); any other entry after them, so a log may be longer than its index knows and positions are right
 * all the same. Positions, times and offsets never go back.
 *
 * output.states holds states of the screen (checkpoints): a header like that of the index, with the same base, then
 * for each a struct record_state and so many bytes. The file may be absent, of another base, or cut short: what is
 * whole before counts. The last one may be overwritten by a newer one, while others read.
 */
#pragma once

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define RECORD_MAGIC "PTERMIDX"
#define RECORD_LOG "output.log"
#define RECORD_IDX "output.idx"
#define RECORD_STATES "output.states"
#define RECORD_STATES_MAGIC "PTERMSTA"
#define RECORD_LOCK "output.lock"

enum { RECORD_VERSION = 1 };
/* Others may come: skipped, but their position holds. The low four bits; those above are the kind's own. */
enum record_kind { RECORD_OUTPUT = 1, RECORD_GAP, RECORD_RESIZE };
enum { RECORD_KIND_MASK = 15, RECORD_SIDE_MAX = (1 << 14) - 1 };

#define RECORD_POSITION_MAX (1ULL << 62)                          /* so that sums of positions and sizes stay numbers */

struct record_header {
	char magic[8];
	uint32_t version, unused;
	uint64_t base;                   /* the position of the log's first byte */
	uint64_t created_ms;             /* 0 unknown */
	uint32_t reserved[7];
	uint32_t check;
};

struct record_entry { uint64_t position, time_ms, offset; uint32_t kind, check; };

struct record_state {
	uint64_t position, time_ms, offset;      /* as in an entry */
	uint64_t entries;                /* so many of the index came before: the resizes among these are in the state */
	uint32_t size, state_check, unused, check;
};

_Static_assert(sizeof(struct record_header) == 64 && sizeof(struct record_entry) == 32, "as on disk");
_Static_assert(sizeof(struct record_state) == 48, "as on disk");

static inline uint32_t record_hash(const void *data, size_t n)    /* FNV-1a */
{
	const uint8_t *p = data;
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 16777619u;
	return h;
}

/* Of all but the last four bytes, where it stands. */
static inline uint32_t record_check(const void *data, size_t n)
{
	return record_hash(data, n - sizeof(uint32_t));
}

/* The kind of an entry that says that the terminal has another size from here on, and back. */
static inline uint32_t record_kind_resize(unsigned rows, unsigned cols)
{
	return RECORD_RESIZE | (uint32_t)rows << 4 | (uint32_t)cols << 18;
}

static inline unsigned record_kind_rows(uint32_t kind) { return kind >> 4 & RECORD_SIDE_MAX; }
static inline unsigned record_kind_cols(uint32_t kind) { return kind >> 18 & RECORD_SIDE_MAX; }

static inline struct record_entry record_entry_pack(uint64_t position, uint64_t time_ms, uint64_t offset, uint32_t kind)
{
	struct record_entry e = { htole64(position), htole64(time_ms), htole64(offset), htole32(kind), 0 };

	e.check = htole32(record_check(&e, sizeof(e)));
	return e;
}

/* From what was read in place. False: this is no entry of an index whose log begins at @base. */
static inline bool record_entry_unpack(struct record_entry *e, uint64_t base)
{
	if (le32toh(e->check) != record_check(e, sizeof(*e)))
		return false;
	*e = (struct record_entry){ le64toh(e->position), le64toh(e->time_ms), le64toh(e->offset), le32toh(e->kind), 0 };
	return e->kind != 0 && e->position >= base && e->position < RECORD_POSITION_MAX && e->position - base >= e->offset;
}

static inline struct record_header record_header_of(const char *magic, uint64_t base, uint64_t created_ms)
{
	struct record_header h = { .version = htole32(RECORD_VERSION), .base = htole64(base),
	                           .created_ms = htole64(created_ms) };

	memcpy(h.magic, magic, sizeof(h.magic));
	h.check = htole32(record_check(&h, sizeof(h)));
	return h;
}

static inline struct record_header record_header_pack(uint64_t base, uint64_t created_ms)
{
	return record_header_of(RECORD_MAGIC, base, created_ms);
}

static inline bool record_header_is(struct record_header *h, const char *magic)
{
	if (memcmp(h->magic, magic, sizeof(h->magic)) != 0 || le32toh(h->check) != record_check(h, sizeof(*h)))
		return false;
	h->version = le32toh(h->version);
	h->base = le64toh(h->base);
	h->created_ms = le64toh(h->created_ms);
	return h->base < RECORD_POSITION_MAX;
}

static inline bool record_header_unpack(struct record_header *h)
{
	return record_header_is(h, RECORD_MAGIC);
}

static inline uint64_t record_slot(uint64_t i)                    /* where entry @i stands */
{
	return sizeof(struct record_header) + i * sizeof(struct record_entry);
}
