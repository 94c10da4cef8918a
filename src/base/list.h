/*
 * Two containers. An intrusive doubly linked list for objects that live elsewhere and must be removable at
 * any time; a typed vector for everything that is only a sequence.
 */
#pragma once

#include "base/macros.h"

#include <stdbool.h>

struct link { struct link *prev, *next; };       /* a head is a link that points at itself when empty */

static inline void link_init(struct link *l) { l->prev = l->next = l; }
static inline bool link_empty(const struct link *head) { return head->next == head; }

static inline void link_add_tail(struct link *head, struct link *l)
{
	l->prev = head->prev;
	l->next = head;
	head->prev->next = l;
	head->prev = l;
}

/* Safe twice, and on a link that was only initialised. */
static inline void link_remove(struct link *l)
{
	l->prev->next = l->next;
	l->next->prev = l->prev;
	link_init(l);
}

/* Walk; the body may remove the element it stands on, and no other. */
#define link_each(type, var, head, member) \
	for (struct link *at_##var = (head)->next, *next_##var = at_##var->next; at_##var != (head); \
	     at_##var = next_##var, next_##var = at_##var->next) \
		for (type *var = container_of(at_##var, type, member); var != NULL; var = NULL)

#define VEC(type) struct { type *items; size_t len, cap; }
#define vec_push(v, x) do { \
	if ((v)->len == (v)->cap) { \
		(v)->cap = (v)->cap ? (v)->cap * 2 : 8; \
		(v)->items = xrealloc((v)->items, (v)->cap * sizeof(*(v)->items)); \
	} \
	(v)->items[(v)->len++] = (x); \
} while (0)
#define vec_release(v) do { free((v)->items); (v)->items = NULL; (v)->len = (v)->cap = 0; } while (0)
