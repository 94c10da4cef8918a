/*
 * What takes long says how far it is. Whoever starts it (a command) decides how that is shown; NULL is silence.
 */
#pragma once

#include "base/macros.h"

struct progress {
	/* A step begins: one sentence, lower case, no full stop. */
	void (*step)(void *data, const char *text);
	/* Of the step that began last: @done of @total bytes (0: nobody knows how many). May be called often. */
	void (*part)(void *data, uint64_t done, uint64_t total);
	void *data;
};

/* printf for .step */
void progress_step(const struct progress *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static inline void progress_part(const struct progress *p, uint64_t done, uint64_t total)
{
	if (p != NULL)
		p->part(p->data, done, total);
}
