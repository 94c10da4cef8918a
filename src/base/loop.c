#include "base/loop.h"

#include <uv.h>

struct watch { uv_poll_t handle; watch_fn *fn; void *data; int events; };
struct timer { uv_timer_t handle; timer_fn *fn; void *data; };

static void on_closed(uv_handle_t *h)
{
	free(h->data);
}

static void on_poll(uv_poll_t *h, int status, int events)
{
	struct watch *w = h->data;

	if (status < 0)                          /* an error of the descriptor: reading will tell which */
		events = LOOP_READ;
	if (w->fn != NULL)
		w->fn(w->data, events);
}

struct watch *watch_new(struct uv_loop_s *loop, int fd, int events, watch_fn *fn, void *data)
{
	struct watch *w = xcalloc(1, sizeof(*w));

	w->fn = fn;
	w->data = data;
	if (uv_poll_init(loop, &w->handle, fd) < 0) {
		free(w);
		return NULL;
	}
	w->handle.data = w;
	watch_set(w, events);
	return w;
}

void watch_set(struct watch *w, int events)
{
	if (w->events == events)
		return;
	w->events = events;
	if (events == 0)
		uv_poll_stop(&w->handle);
	else
		uv_poll_start(&w->handle, events | UV_DISCONNECT, on_poll);
}

struct watch *watch_free(struct watch *w)
{
	if (w == NULL)
		return NULL;
	w->fn = NULL;
	uv_close((uv_handle_t *)&w->handle, on_closed);
	return NULL;
}

static void on_timer(uv_timer_t *h)
{
	struct timer *t = h->data;

	if (t->fn != NULL)
		t->fn(t->data);
}

struct timer *timer_new(struct uv_loop_s *loop, timer_fn *fn, void *data)
{
	struct timer *t = xcalloc(1, sizeof(*t));

	t->fn = fn;
	t->data = data;
	uv_timer_init(loop, &t->handle);
	t->handle.data = t;
	return t;
}

void timer_start(struct timer *t, uint64_t after_ms)
{
	uv_update_time(t->handle.loop);
	uv_timer_start(&t->handle, on_timer, after_ms, 0);
}

void timer_stop(struct timer *t)
{
	uv_timer_stop(&t->handle);
}

bool timer_is_running(const struct timer *t)
{
	return uv_is_active((const uv_handle_t *)&t->handle);
}

struct timer *timer_free(struct timer *t)
{
	if (t == NULL)
		return NULL;
	t->fn = NULL;
	uv_close((uv_handle_t *)&t->handle, on_closed);
	return NULL;
}
