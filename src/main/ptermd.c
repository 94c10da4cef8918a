/*
 * The daemon behind `pterm serve`: HTTP and WebSockets for the sessions of one home. It holds no truth about them:
 * it may be killed and started again at any moment.
 */
#include "base/args.h"
#include "base/child.h"
#include "base/fd.h"
#include "base/pool.h"
#include "http/listen.h"
#include "base/path.h"
#include "base/proc.h"
#include "http/server.h"
#include "service/serve.h"
#include "service/session.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#define LOG_MODULE "main"
#include "base/log.h"

enum { THREADS_MAX = 64, STOP_MS = 10000, FILES_WANTED = 16384 };

struct daemon {
	struct serve_options options;
	struct house house;
	struct login login;
	uv_loop_t loop;
	uv_signal_t on_term, on_int, on_child;
	struct pool *pool;
	struct http *http;
	bool is_stopping;
};

/* --- its end --- */

/* What still runs for a request goes on in its session, or ends with us: nobody waits for it. */
static void on_stopped(void *data, bool is_clean)
{
	struct daemon *d = data;

	if (!is_clean) {
		log_notice("stopped; requests that were not done in %d s get no answer", STOP_MS / 1000);
		_exit(0);
	}
	uv_stop(&d->loop);
}

static void on_signal(uv_signal_t *handle, int signo)
{
	struct daemon *d = handle->data;

	if (d->is_stopping || d->http == NULL)           /* said twice, or too early: at once */
		_exit(128 + signo);
	d->is_stopping = true;
	log_notice("stopping: %s", signal_name(signo));
	http_stop(d->http, STOP_MS, on_stopped, d);
}

/* A supervisor that was started from here has ended. */
static void on_child(uv_signal_t *handle, int signo)
{
	child_reap_left();
}

/* --- its beginning --- */

static int hold_lock(const struct house *h, int *ret, struct err *err)
{
	_free_ char *path = path_join(h->home, "serve.lock");

	*ret = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (*ret < 0)
		return err_set(err, errno, "home", "cannot open '%s': %m", path);
	if (flock(*ret, LOCK_EX | LOCK_NB) < 0)
		return err_set(err, errno, "is-running", "a pterm serve runs for '%s' already", h->home);
	return 0;
}

static int listen_on_socket(struct daemon *d, struct err *err)
{
	_free_ char *path = path_join(d->house.home, SERVE_SOCKET);
	_fd_ home = open(d->house.home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd = -1, r;

	if (home < 0)
		return err_set(err, errno, "home", "cannot open '%s': %m", d->house.home);
	r = listen_unix(home, SERVE_SOCKET, path, &fd, err);
	return r < 0 ? r : http_listen(d->http, fd, err);
}

static int listen_on_address(struct daemon *d, const char *address, struct err *err)
{
	_str_ shown = STR_INIT;
	int fd = -1, r = listen_tcp(address, d->options.insecure, &fd, &shown, err);

	if (r == 0)
		r = http_listen(d->http, fd, err);
	if (r == 0)
		printf("http://%s%s\n", shown.buf, d->options.base ? d->options.base : "/");
	return r;
}

static int listen_all(struct daemon *d, struct err *err)
{
	const struct strv *addresses = &d->options.listen;
	int r = listen_on_socket(d, err);

	if (d->options.no_tcp)
		return r;
	if (r == 0 && addresses->len == 0)
		r = listen_on_address(d, SERVE_ADDRESS, err);
	for (size_t i = 0; r == 0 && i < addresses->len; i++)
		r = listen_on_address(d, addresses->items[i], err);
	return r;
}

static void watch_signal(struct daemon *d, uv_signal_t *handle, uv_signal_cb fn, int signo)
{
	uv_signal_init(&d->loop, handle);
	handle->data = d;
	uv_signal_start(handle, fn, signo);
}

/* Each viewer has three descriptors. */
static void raise_limit(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) < 0 || l.rlim_cur >= FILES_WANTED)
		return;
	l.rlim_cur = l.rlim_max < FILES_WANTED ? l.rlim_max : FILES_WANTED;
	(void)setrlimit(RLIMIT_NOFILE, &l);
}

static void set_up_process(void)
{
	signal(SIGPIPE, SIG_IGN);
	umask(022);                                      /* as for the command line: what is private says so itself */
	raise_limit();
	mallopt(M_ARENA_MAX, 2);                         /* threads come and go: a heap for each would stay */
	/* what is looked up once is looked up before there are threads */
	(void)session_actor();
	(void)proc_boot_id();
	(void)proc_machine_id();
}

static int start(struct daemon *d, struct err *err)
{
	const struct http_setup setup = { .loop = &d->loop, .pool = d->pool, .house = &d->house, .login = &d->login,
	                                  .base = d->options.base ? d->options.base : "" };
	int r = http_new(&d->http, &setup, err);

	if (r == 0)
		r = listen_all(d, err);
	if (r < 0)
		return r;
	printf("%s/%s\n", d->house.home, SERVE_SOCKET);
	fflush(stdout);
	log_notice("pterm " PTERM_VERSION " serves '%s'", d->house.home);
	return 0;
}

static int run(struct daemon *d, struct err *err)
{
	int r;

	uv_loop_init(&d->loop);
	watch_signal(d, &d->on_term, on_signal, SIGTERM);
	watch_signal(d, &d->on_int, on_signal, SIGINT);
	watch_signal(d, &d->on_child, on_child, SIGCHLD);
	d->pool = pool_new(&d->loop, THREADS_MAX);
	r = start(d, err);
	if (r == 0)
		uv_run(&d->loop, UV_RUN_DEFAULT);
	d->pool = pool_free(d->pool);
	d->http = http_free(d->http);
	uv_close((uv_handle_t *)&d->on_term, NULL);
	uv_close((uv_handle_t *)&d->on_int, NULL);
	uv_close((uv_handle_t *)&d->on_child, NULL);
	uv_run(&d->loop, UV_RUN_DEFAULT);                /* what was closed is freed */
	(void)uv_loop_close(&d->loop);
	return r;
}

static int serve(struct daemon *d, struct err *err)
{
	_fd_ lock = -1;
	int r = house_open(&d->house, err);

	if (r == 0)
		r = hold_lock(&d->house, &lock, err);
	if (r == 0)
		r = login_open(&d->login, &d->house, err);
	if (r == 0)
		r = run(d, err);
	if (r == 0)
		log_notice("stopped");
	return r;
}

int main(int argc, char **argv)
{
	const struct arg_parser parser = { .options = serve_options, .count = SERVE_OPTIONS_COUNT };
	struct daemon d = { 0 };
	struct arg_words words = { 0 };
	_err_ err = ERR_INIT;
	int r;

	log_max = LOG_INFO;
	log_open("ptermd");
	set_up_process();
	r = args_parse(&parser, argc, argv, &d.options, &words, &err);
	if (r == 0)
		r = serve(&d, &err);
	if (r < 0)
		fprintf(stderr, "pterm serve: %s\n", err_msg(&err));
	arg_words_release(&words);
	strv_release(&d.options.listen);
	house_close(&d.house);
	return r < 0 ? 125 : 0;
}
