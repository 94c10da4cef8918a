/*
 * "did you mean": the candidate that is nearest to a word which somebody mistyped.
 */
#pragma once

#include <stddef.h>

struct near {
	const char *word;
	const char *best;        /* the nearest candidate so far; NULL: none is near */
	size_t least;            /* its distance; who is not nearer than this is not taken */
};

/* @word and what is offered are borrowed. The first of two that are equally near stays. */
struct near near_to(const char *word);
void near_offer(struct near *n, const char *candidate);
