/*
 * Byte strings, each kept once and named by a number, so that a cell can name its style, its characters and its link
 * with
 * few bits. Number 0 is the empty string (or what the owner put first) and is always there.
 */
#pragma once

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct intern_item { uint32_t offset, len, hash; };
struct intern {
	struct str bytes;
	struct intern_item *items;
	uint32_t count, cap;
	uint32_t *slots;                 /* item + 1, 0 where empty; open addressing */
	uint32_t slot_count;             /* a power of two, more than twice @count */
	uint32_t sweep_at;               /* when @count reaches this, what is no longer used is worth looking for */
};
#define INTERN_INIT { .bytes = STR_INIT }

uint32_t intern_put(struct intern *t, const void *data, size_t n);
const void *intern_get(const struct intern *t, uint32_t id, size_t *ret_len);    /* aligned to 4; until the next put */
bool intern_is_full(const struct intern *t);              /* a sweep is due */
/* Keep what @used marks (and 0). The result, to be freed, maps old numbers to new ones. */
uint32_t *intern_sweep(struct intern *t, const uint8_t *used);
void intern_release(struct intern *t);
