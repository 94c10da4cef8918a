#include "http/handlers.h"

#include "base/fd.h"
#include "service/engines.h"
#include "service/host-runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* Does it answer at all. */
int on_healthz(struct call *c, struct err *err)
{
	str_adds(&c->out, "{\"status\":\"ok\"}");
	return 200;
}

/* Could a session be made: is its home there, and is there room? */
int on_readyz(struct call *c, struct err *err)
{
	struct statvfs fs;

	if (faccessat(c->house->sessions_fd, ".", W_OK, 0) < 0 || fstatvfs(c->house->sessions_fd, &fs) < 0) {
		err_set(err, EAGAIN, "not-ready", "sessions cannot be written: %m");
		return -EAGAIN;
	}
	if (fs.f_bavail == 0)
		return err_set(err, EAGAIN, "not-ready", "the file system of the sessions is full");
	str_adds(&c->out, "{\"status\":\"ready\"}");
	return 200;
}

int on_openapi(struct call *c, struct err *err)
{
	enum { MAX = 4 * 1024 * 1024 };
	_free_ char *path = xasprintf("%s/openapi.json", c->house->data);
	const int r = file_read(AT_FDCWD, path, MAX, &c->out);

	return r < 0 ? err_set(err, EIO, "openapi", "cannot read '%s': %s", path, strerror(-r)) : 200;
}

int on_version(struct call *c, struct err *err)
{
	struct json_writer w = JSON_WRITER(&c->out);
	struct host_runtime runtime;
	struct host host;

	host_init(&host);
	(void)host_runtime_find(&host, &runtime);        /* one that does not run has no version */
	json_begin(&w, NULL, '{');
	json_put_str(&w, "version", PTERM_VERSION);
	json_put_str(&w, "machine", PTERM_MACHINE);
	if (runtime.path != NULL) {
		json_begin(&w, "runtime", '{');
		json_put_str(&w, "name", runtime.is_known ? runtime_name(runtime.runtime.kind) : NULL);
		json_put_str(&w, "version", runtime.is_known ? runtime.runtime.version : NULL);
		json_end(&w, '}');
	}
	json_end(&w, '}');
	host_runtime_release(&runtime);
	host_release(&host);
	return 200;
}

int on_engines(struct call *c, struct err *err)
{
	_cleanup_(engine_list_release) struct engine_list list = { 0 };
	struct json_writer w = JSON_WRITER(&c->out);

	engine_list(&list);
	json_begin(&w, NULL, '{');
	json_begin(&w, "engines", '[');
	for (size_t i = 0; i < list.len; i++)
		engine_json(&list.items[i], &w);
	json_end(&w, ']');
	json_end(&w, '}');
	return 200;
}
