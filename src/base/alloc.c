/*
 * Allocations of sizes that we choose ourselves: when one fails there is nothing sensible left to do.
 * A size that a peer can choose is checked against a named maximum before it comes here.
 */
#include "base/macros.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void *or_die(void *p)
{
	if (p == NULL) {
		fputs("pterm: out of memory\n", stderr);
		abort();
	}
	return p;
}

void *xcalloc(size_t count, size_t size)
{
	return or_die(calloc(count ? count : 1, size ? size : 1));
}

void *xrealloc(void *p, size_t size)
{
	return or_die(realloc(p, size ? size : 1));
}

char *xstrdup(const char *s)
{
	return or_die(strdup(s));
}

char *xstrndup(const char *s, size_t n)
{
	return or_die(strndup(s, n));
}

char *xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *s = NULL;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		s = NULL;
	va_end(ap);
	return or_die(s);
}
