/*
 * Small words that every file uses: counting, scope-bound cleanup, giving away.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define array_len(a) (sizeof(a) / sizeof((a)[0]))
#define _printf_(fmt, args) __attribute__((format(printf, fmt, args)))
#define _unused_ __attribute__((unused))
#define _noreturn_ __attribute__((noreturn))

/* Undo on leaving the scope: _cleanup_(str_release) struct str s = STR_INIT; */
#define _cleanup_(fn) __attribute__((cleanup(fn), unused))      /* unused: a lock is only held */

/* Give away what a _cleanup_ variable owns: return TAKE(p); */
#define TAKE(p) ({ __typeof__(p) take_ = (p); (p) = NULL; take_; })
#define TAKE_FD(fd) ({ int take_ = (fd); (fd) = -1; take_; })

/* Define x_freep for a destructor x_free that takes a pointer and tolerates NULL. */
#define DEFINE_FREEP(type, fn) \
	_unused_ static inline void fn##p(type **p) { fn(*p); }

#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))

static inline size_t min_size(size_t a, size_t b) { return a < b ? a : b; }
static inline size_t max_size(size_t a, size_t b) { return a > b ? a : b; }
static inline uint64_t min_u64(uint64_t a, uint64_t b) { return a < b ? a : b; }
static inline uint64_t max_u64(uint64_t a, uint64_t b) { return a > b ? a : b; }

static inline void freep(void *p)
{
	free(*(void **)p);
}
#define _free_ _cleanup_(freep)

/* Allocation that ends the process when it fails: for sizes that we choose ourselves. */
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *p, size_t size);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n);
char *xasprintf(const char *fmt, ...) _printf_(1, 2);
