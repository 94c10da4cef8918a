#include "engine/slirp.h"

#include "base/fd.h"
#include "base/loop.h"
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ANSWER_MAX = 4096 };

struct slirp {
	const struct container *c;
	char *dir, *socket;
	int ready, api;                  /* the pipe it says "ready" on; the connection of the request that waits */
	struct watch *ready_watch, *api_watch;
	size_t port;                     /* the one in spec->ports that is being published */
	slirp_fn *fn;
	void *data;
};

static char *socket_dir(const struct place *place)
{
	return xasprintf("%s/slirp-%s", place->runtime_dir, place->id);
}

void slirp_remove_of(const struct place *place)
{
	_free_ char *dir = socket_dir(place);

	(void)path_remove_tree(AT_FDCWD, dir);
}

/* The directory, as one in which the container's root, who slirp4netns is, can make a socket. 0 or an errno. */
static int make_dir(const struct container *c, const char *dir)
{
	struct idmap map;
	int64_t root = geteuid();

	if (mkdir(dir, 0700) < 0)
		return errno;
	if (c->spec->map != NULL && idmap_parse(c->spec->map, &map) == 0)
		root = idmap_outside(&map.uid, 0);
	if (geteuid() != 0 || root <= 0)
		return 0;
	/* an ordinary user is mapped in there, so the container's root may write what is his; host root is not */
	return chown(dir, (uid_t)root, (gid_t)root) < 0 ? errno : 0;
}

int slirp_new(const struct container *c, struct slirp **ret, int *ret_ready, struct err *err)
{
	_cleanup_(slirp_freep) struct slirp *s = xcalloc(1, sizeof(*s));
	int pipes[2], no;

	*s = (struct slirp){ .c = c, .ready = -1, .api = -1, .dir = socket_dir(c->place) };
	s->socket = xasprintf("%s/api", s->dir);
	slirp_remove_of(c->place);                       /* of a start that was cut */
	no = make_dir(c, s->dir);
	if (no != 0)
		return err_set(err, no, "network", "cannot make '%s' for slirp4netns: %m", s->dir);
	if (pipe2(pipes, O_CLOEXEC) < 0)
		return err_set(err, errno, "network", "cannot make a pipe for slirp4netns: %m");
	s->ready = pipes[0];
	*ret_ready = pipes[1];
	*ret = TAKE(s);
	return 0;
}

const char *slirp_socket(const struct slirp *s)
{
	return s->socket;
}

void slirp_request(const struct spec_port *port, struct str *out)
{
	str_addf(out, "{\"execute\":\"add_hostfwd\",\"arguments\":{\"proto\":\"tcp\",\"host_addr\":\"127.0.0.1\","
	         "\"host_port\":%lld,\"guest_port\":%lld}}", (long long)port->host, (long long)port->container);
}

int slirp_answer(const char *text)
{
	return strstr(text, "\"return\"") != NULL && strstr(text, "\"error\"") == NULL ? 0 : -EIO;
}

/* --- one request a connection --- */

static void finish(struct slirp *s, const struct err *err)
{
	slirp_fn *fn = s->fn;

	s->fn = NULL;
	s->ready_watch = watch_free(s->ready_watch);
	s->api_watch = watch_free(s->api_watch);
	if (fn != NULL)
		fn(s->data, err);                        /* may free us */
}

static void fail(struct slirp *s, int no, const char *why)
{
	const struct spec_port *port = &s->c->spec->ports.items[s->port];
	_err_ err = ERR_INIT;

	err_set(&err, no, "publish", "cannot publish port %lld: %s", (long long)port->host, why);
	finish(s, &err);
}

static void request_next(struct slirp *s);

static void on_answer(void *data, int events)
{
	struct slirp *s = data;
	char answer[ANSWER_MAX];
	const ssize_t n = read(s->api, answer, sizeof(answer) - 1);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	answer[n > 0 ? n : 0] = '\0';
	s->api_watch = watch_free(s->api_watch);
	s->api = fd_close(s->api);
	if (slirp_answer(answer) < 0) {
		fail(s, EADDRINUSE, "slirp4netns cannot listen on it: is it taken?");
		return;
	}
	s->port++;
	request_next(s);
}

static void request_next(struct slirp *s)
{
	_str_ request = STR_INIT;
	int r;

	if (s->port == s->c->spec->ports.len) {
		finish(s, NULL);
		return;
	}
	slirp_request(&s->c->spec->ports.items[s->port], &request);
	s->api = fd_connect_unix(AT_FDCWD, s->socket, SOCK_STREAM);
	r = s->api < 0 ? s->api : (int)fd_send(s->api, request.buf, request.len, NULL, 0);
	if (r >= 0) {
		(void)shutdown(s->api, SHUT_WR);         /* it reads to the end */
		s->api_watch = watch_new(s->c->loop, s->api, LOOP_READ, on_answer, s);
	}
	if (s->api_watch == NULL)
		fail(s, r < 0 ? -r : EIO, "cannot talk to slirp4netns");
}

static void on_ready(void *data, int events)
{
	struct slirp *s = data;
	char byte;
	const ssize_t n = read(s->ready, &byte, 1);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	s->ready_watch = watch_free(s->ready_watch);
	if (n == 1)
		request_next(s);
	else
		finish(s, NULL);                         /* it died: who watches its process tells why */
}

int slirp_publish(struct slirp *s, slirp_fn *fn, void *data, struct err *err)
{
	s->fn = fn;
	s->data = data;
	s->ready_watch = watch_new(s->c->loop, s->ready, LOOP_READ, on_ready, s);
	return s->ready_watch ? 0 : err_set(err, EIO, "loop", "cannot watch a pipe of slirp4netns");
}

struct slirp *slirp_free(struct slirp *s)
{
	if (s == NULL)
		return NULL;
	watch_free(s->ready_watch);
	watch_free(s->api_watch);
	fd_close(s->ready);
	fd_close(s->api);
	(void)unlink(s->socket);
	(void)rmdir(s->dir);
	free(s->socket);
	free(s->dir);
	free(s);
	return NULL;
}
