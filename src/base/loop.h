/*
 * What we use of libuv's loop, as objects with one owner: a watch on a descriptor, a timer. Freeing one takes effect
 * at once (no callback comes any more); its memory goes in the loop's close callback, as libuv's rule 3 wants it.
 */
#pragma once

#include "base/macros.h"

#include <stdbool.h>
#include <stdint.h>

struct uv_loop_s;

enum { LOOP_READ = 1, LOOP_WRITE = 2 };          /* UV_READABLE, UV_WRITABLE */
typedef void watch_fn(void *data, int events);   /* end and error of the descriptor come as LOOP_READ */
typedef void timer_fn(void *data);

struct watch;
struct timer;

/*
 * Watch @fd (borrowed, made non-blocking) for @events. The watch, or NULL when the loop cannot (libuv's reason is
 * lost).
 */
struct watch *watch_new(struct uv_loop_s *loop, int fd, int events, watch_fn *fn, void *data);
void watch_set(struct watch *w, int events);     /* 0: pause */
struct watch *watch_free(struct watch *w);       /* before its descriptor is closed; NULL is fine */

/* One shot, made stopped. */
struct timer *timer_new(struct uv_loop_s *loop, timer_fn *fn, void *data);
void timer_start(struct timer *t, uint64_t after_ms);
void timer_stop(struct timer *t);
bool timer_is_running(const struct timer *t);
struct timer *timer_free(struct timer *t);
