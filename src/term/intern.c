#include "term/intern.h"

enum { SLOTS_MIN = 32, SWEEP_MIN = 256 };

/* Words are multiplied and folded; most of what comes is five or six of them. */
static uint32_t hash_of(const uint8_t *data, size_t n)
{
	uint64_t h = n, word = 0;

	for (; n >= sizeof(word); data += sizeof(word), n -= sizeof(word)) {
		memcpy(&word, data, sizeof(word));
		h = (h ^ word) * UINT64_C(0x9E3779B97F4A7C15);
		h ^= h >> 32;
	}
	word = 0;
	memcpy(&word, data, n);
	h = (h ^ word) * UINT64_C(0x9E3779B97F4A7C15);
	return (uint32_t)(h ^ h >> 32);
}

static void place(struct intern *t, uint32_t id)
{
	uint32_t at = t->items[id].hash & (t->slot_count - 1);

	while (t->slots[at] != 0)
		at = (at + 1) & (t->slot_count - 1);
	t->slots[at] = id + 1;
}

static void rehash(struct intern *t, uint32_t slot_count)
{
	free(t->slots);
	t->slot_count = slot_count;
	t->slots = xcalloc(slot_count, sizeof(*t->slots));
	for (uint32_t i = 0; i < t->count; i++)
		place(t, i);
}

static uint32_t append(struct intern *t, const void *data, size_t n, uint32_t hash)
{
	static const char zeros[4];

	if (t->count == t->cap) {
		t->cap = t->cap ? t->cap * 2 : 8;
		t->items = xrealloc(t->items, t->cap * sizeof(*t->items));
	}
	t->items[t->count] = (struct intern_item){ .offset = (uint32_t)t->bytes.len, .len = (uint32_t)n, .hash = hash };
	str_add(&t->bytes, data, n);
	str_add(&t->bytes, zeros, -n & 3);
	t->count++;
	if (t->count * 2 > t->slot_count)
		rehash(t, t->slot_count ? t->slot_count * 2 : SLOTS_MIN);
	else
		place(t, t->count - 1);
	return t->count - 1;
}

uint32_t intern_put(struct intern *t, const void *data, size_t n)
{
	const uint32_t hash = hash_of(data, n);

	if (t->slot_count > 0) {
		for (uint32_t at = hash & (t->slot_count - 1); t->slots[at] != 0; at = (at + 1) & (t->slot_count - 1)) {
			const struct intern_item *i = &t->items[t->slots[at] - 1];

			if (i->hash == hash && i->len == n && memcmp(t->bytes.buf + i->offset, data, n) == 0)
				return t->slots[at] - 1;
		}
	}
	return append(t, data, n, hash);
}

const void *intern_get(const struct intern *t, uint32_t id, size_t *ret_len)
{
	if (ret_len)
		*ret_len = t->items[id].len;
	return t->bytes.buf + t->items[id].offset;
}

bool intern_is_full(const struct intern *t)
{
	return t->count >= max_size(t->sweep_at, SWEEP_MIN);
}

uint32_t *intern_sweep(struct intern *t, const uint8_t *used)
{
	uint32_t *map = xcalloc(t->count + 1, sizeof(*map));
	struct intern kept = INTERN_INIT;

	for (uint32_t i = 0; i < t->count; i++)
		if (i == 0 || used[i])
			map[i] = append(&kept, t->bytes.buf + t->items[i].offset, t->items[i].len, t->items[i].hash);
	kept.sweep_at = kept.count * 2;
	intern_release(t);
	*t = kept;
	return map;
}

void intern_release(struct intern *t)
{
	str_release(&t->bytes);
	free(t->items);
	free(t->slots);
	*t = (struct intern)INTERN_INIT;
}
