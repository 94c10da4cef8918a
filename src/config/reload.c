#include "config/reload.h"

#include "base/fd.h"
#include "base/loop.h"

#include <errno.h>
#include <limits.h>
#include <sys/inotify.h>
#include <unistd.h>

struct reload {
	char *dir;
	const char *(*variable)(const char *name);
	struct config config;            /* the last good one */
	int fd;
	struct watch *watch;
	struct timer *settle;
	reload_fn *fn;
	void *data;
};

static void load_again(void *data)
{
	struct reload *r = data;
	_config_ new = { 0 };
	_err_ err = ERR_INIT;

	if (config_load(r->dir, r->variable, &new, &err) < 0) {
		r->fn(r->data, &r->config, &err);
		return;
	}
	if (config_equal(&new, &r->config))
		return;
	config_release(&r->config);
	r->config = new;
	new = (struct config){ 0 };
	r->fn(r->data, &r->config, NULL);
}

/* Lost events (IN_Q_OVERFLOW) may have been about our files. */
static bool is_about_us(const struct inotify_event *e)
{
	return (e->mask & IN_Q_OVERFLOW) || (e->len > 0 && config_is_file(e->name));
}

static void on_change(void *data, int events)
{
	struct reload *r = data;
	char buf[sizeof(struct inotify_event) + NAME_MAX + 1] __attribute__((aligned(__alignof__(struct inotify_event))));
	bool is_changed = false;
	ssize_t n;

	while ((n = read(r->fd, buf, sizeof(buf))) > 0) {
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *e = (const struct inotify_event *)(buf + at);

			is_changed |= is_about_us(e);
			at += (ssize_t)(sizeof(*e) + e->len);
		}
	}
	if (is_changed)
		timer_start(r->settle, RELOAD_SETTLE_MS);
}

int reload_new(struct uv_loop_s *loop, const char *dir, const char *(*variable)(const char *name), reload_fn *fn,
               void *data, struct reload **ret, struct err *err)
{
	struct reload *r = xcalloc(1, sizeof(*r));
	int e;

	*r = (struct reload){ .dir = xstrdup(dir), .variable = variable, .fn = fn, .data = data,
	                      .fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK) };
	/* the directory, not the files: a file that is renamed into place is another one. Watched before it is read */
	if (r->fd < 0 || inotify_add_watch(r->fd, dir,
	                                   IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ONLYDIR) < 0)
		e = err_set(err, errno, "config-watch", "cannot watch '%s' for changes of the configuration: %m",
		            dir);
	else
		e = config_load(dir, variable, &r->config, err);
	if (e == 0) {
		r->settle = timer_new(loop, load_again, r);
		r->watch = watch_new(loop, r->fd, LOOP_READ, on_change, r);
		if (r->watch == NULL)
			e = err_set(err, EIO, "loop", "cannot watch '%s' for changes of the configuration", dir);
	}
	if (e < 0) {
		reload_free(r);
		return e;
	}
	*ret = r;
	return 0;
}

const struct config *reload_config(const struct reload *r)
{
	return &r->config;
}

struct reload *reload_free(struct reload *r)
{
	if (r == NULL)
		return NULL;
	watch_free(r->watch);
	if (r->settle != NULL)
		timer_free(r->settle);
	fd_close(r->fd);
	config_release(&r->config);
	free(r->dir);
	free(r);
	return NULL;
}
