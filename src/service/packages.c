#include "service/packages.h"

#include "base/path.h"
#include "base/units.h"
#include "engine/engine.h"
#include "engine/network.h"
#include "image/layout.h"
#include "service/images-make.h"
#include "service/session.h"
#include "service/wait.h"
#include "term/plain.h"
#include "term/record.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

enum { LOG_TAIL = 64 * 1024, RECORD_BYTES = 4 * 1024 * 1024, EXIT_NO_MANAGER = 119, NAME_MAX_LEN = 200 };

/*
 * Run by the image's own shell. What a package manager downloads to work with is removed again: it would be in the layer.
 * apt: as root, since its user _apt could not be used in every image.
 */
static const char script[] =
	"set -e\n"
	"if command -v apt-get >/dev/null; then\n"
	"	export DEBIAN_FRONTEND=noninteractive\n"
	"	apt-get -o APT::Sandbox::User=root -q update\n"
	"	apt-get -o APT::Sandbox::User=root -q -y --no-install-recommends -o Dpkg::Use-Pty=0 install -- \"$@\"\n"
	"	apt-get clean\n"
	"	rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin\n"
	"elif command -v apk >/dev/null; then\n"
	"	apk add --no-cache -- \"$@\"\n"
	"elif command -v dnf >/dev/null; then\n"
	"	dnf -y --setopt=install_weak_deps=False install -- \"$@\"\n"
	"	dnf clean all\n"
	"else\n"
	"	exit 119\n"
	"fi\n";

bool packages_is_name(const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	const size_t n = strlen(text);

	return n >= 1 && n <= NAME_MAX_LEN && strchr(letters, text[0]) != NULL &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.+-_:~=<>@^") == n;
}

static int check(const struct strv *packages, struct err *err)
{
	if (packages->len > PACKAGES_MAX)
		return err_set(err, EINVAL, "bad-package", "%zu packages are too many: at most %d", packages->len, PACKAGES_MAX);
	for (size_t i = 0; i < packages->len; i++) {
		_free_ char *shown = visible(packages->items[i]);

		if (!packages_is_name(packages->items[i]))
			return err_set(err, EINVAL, "bad-package", "'%s' cannot be the name of a package", shown);
	}
	return 0;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int packages_name(const struct house *h, const char *digest, const struct strv *packages, char **ret, struct err *err)
{
	_strv_ sorted = { 0 };
	_str_ text = STR_INIT;

	strv_copy(&sorted, packages);
	qsort(sorted.items, sorted.len, sizeof(*sorted.items), by_text);
	str_addf(&text, "%s\n", digest);
	for (size_t i = 0; i < sorted.len; i++)
		if (i == 0 || !str_eq(sorted.items[i], sorted.items[i - 1]))
			str_addf(&text, "%s\n", sorted.items[i]);
	return images_name_by(h, "packages", &text, ret, err);
}

/* --- the session that installs them --- */

struct job {
	const struct house *h;
	const char *image, *name;        /* what they go on; what comes of it */
	const struct strv *packages;
	char *list;                      /* the packages, for people */
	char *no_network;                /* why their session has none; NULL: it has one */
};

static char *list_packages(const struct strv *packages)
{
	_str_ text = STR_INIT;

	for (size_t i = 0; i < packages->len && text.len < 200; i++)
		str_addf(&text, "%s%s", i > 0 ? ", " : "", packages->items[i]);
	return str_take(&text);
}

static void fill_spec(struct images_use *use, struct job *job, const struct packages_limits *limits, struct spec *spec)
{
	const char *program;
	_err_ why = ERR_INIT;
	_str_ map = STR_INIT;
	const bool has_network = network_probe(&program, &why) == 1;

	idmap_format(&use->map, &map);
	*spec = (struct spec){
		.engine = xstrdup(engines[0]->name), .map = str_take(&map), .map_name = TAKE(use->map_name),
		.hostname = xstrdup("packages"), .cwd = xstrdup("/"), .memory_bytes = limits->memory_bytes, .pids = limits->pids,
		.cpus = limits->cpus, .rows = 24, .cols = 200, .record_bytes = RECORD_BYTES,
		.network = has_network ? NETWORK_PRIVATE : NETWORK_NONE,
		.user = { .name = xstrdup("root"), .home = xstrdup("/root"), .shell = xstrdup("/bin/sh") },
		.image = { .label = TAKE(use->image.label), .digest = TAKE(use->image.digest), .layers = use->image.layers },
	};
	use->image.layers = (struct strv){ 0 };
	job->no_network = has_network ? NULL : xstrdup(err_msg(&why));
	strv_push(&spec->command, "/bin/sh");
	strv_push(&spec->command, "-c");
	strv_push(&spec->command, "eval \"$INSTALL\"");   /* short in listings */
	strv_push(&spec->command, "packages");
	for (size_t i = 0; i < job->packages->len; i++)
		strv_push(&spec->command, job->packages->items[i]);
	strv_set_env(&spec->env, "INSTALL", script);
	strv_set_env(&spec->env, "PATH", PATH_DEFAULT);
	strv_set_env(&spec->env, "HOME", "/root");
	strv_set_env(&spec->env, "LANG", "C.UTF-8");
	strv_set_env(&spec->env, "TERM", "dumb");
}

/* The last line that it printed which is not empty, without escape sequences; the caller's. */
static char *last_words(const struct session *s)
{
	struct recording *rec = NULL;
	struct plain plain = PLAIN_INIT;
	_str_ raw = STR_INIT, text = STR_INIT;
	uint64_t position, lost;
	char buf[4096], *line;
	ssize_t n;

	if (recording_open(&rec, s->fd, NULL) != 0)
		return xstrdup("");
	position = recording_end(rec);
	position = position > LOG_TAIL ? position - LOG_TAIL : 0;
	while ((n = recording_read(rec, &position, buf, sizeof(buf), &lost)) > 0)
		str_add(&raw, buf, (size_t)n);
	recording_close(rec);
	plain_feed(&plain, raw.buf, raw.len, &text);
	plain_finish(&plain, &text);
	while (text.len > 0 && strchr(" \r\n\t", text.buf[text.len - 1]) != NULL)
		text.buf[--text.len] = '\0';
	line = strrchr(text.buf, '\n');
	return visible(line ? line + 1 : text.buf);
}

static int begin(struct job *job, struct images_use *use, const struct packages_limits *limits, const char *name,
                 struct session *s, struct err *err)
{
	_cleanup_(spec_release) struct spec spec = { 0 };
	_conn_ conn = { .fd = -1 };
	int r;

	fill_spec(use, job, limits, &spec);
	r = session_create(job->h, &spec, name, NULL, s, &conn, err);
	if (r == 0)
		r = session_await_start(&conn, NULL, err);
	return r > 0 ? -err->no : r;
}

/* Wait for the end of the session that installs them, and say how it went. 0; -errno: not well. */
static int await_end(const struct job *job, struct session *s, struct err *err)
{
	const struct strv nothing = { 0 };
	const struct waiting w = { .match = { .texts = &nothing, .patterns = &nothing }, .for_exit = true, .since = -1,
	                           .idle_ms = UINT64_MAX, .timeout_ms = UINT64_MAX };
	_cleanup_(waited_release) struct waited waited = { 0 };
	_free_ char *words = NULL;
	int r = session_wait(s, &w, &waited, err);

	if (r < 0)
		return r;
	if (waited.has_exit && waited.status.reason == REASON_EXITED && waited.status.exit_code == 0)
		return 0;
	if (waited.has_exit && waited.status.exit_code == EXIT_NO_MANAGER)
		return err_set(err, ENOTSUP, "no-packages", "the image '%s' has no package manager (apt, apk or dnf), so nothing can be "
		               "installed in it", job->image);
	words = last_words(s);
	return err_set(err, EIO, "packages", "cannot install %s in the image '%s': %s%s%s%s", job->list, job->image,
	               *words ? words : "it was ended", job->no_network ? " (without a network: " : "",
	               job->no_network ? job->no_network : "", job->no_network ? ")" : "");
}

/*
 * The session of this name that installs them: one that somebody left alone (an interrupted pterm new) is gone on with, or
 * made anew where it has failed.
 */
static int install(struct job *job, struct images_use *use, const struct packages_limits *limits, const char *name,
                   struct session *s, struct err *err)
{
	int r = session_find(job->h, name, s, err);

	if (r == 0 && !s->is_alive && (s->status.reason != REASON_EXITED || s->status.exit_code != 0)) {
		r = session_discard(job->h, s, err);
		session_release(s);
		if (r < 0)
			return r;
		r = -ENOENT;
	}
	if (r == -ENOENT) {
		err_release(err);
		r = begin(job, use, limits, name, s, err);
	}
	return r < 0 ? r : await_end(job, s, err);
}

static int make(struct job *job, struct images_use *use, const struct packages_limits *limits, struct err *err)
{
	_free_ char *name = xasprintf("packages-%.12s", strchr(job->name, ':') + 1);
	_free_ char *message = xasprintf("packages: %s", job->list);
	const struct images_changes changes = { .message = message };
	struct oci_descriptor d = { 0 };
	_session_ s = { 0 };
	int r;

	progress_step(job->h->progress, "installing %s", job->list);
	r = install(job, use, limits, name, &s, err);
	if (r == 0)
		r = images_commit(job->h, s.id, job->name, &changes, &d, err);
	oci_descriptor_release(&d);
	if (s.id != NULL) {
		_session_ again = { 0 };

		if (session_find(job->h, s.id, &again, NULL) == 0)
			(void)session_remove_forced(job->h, &again, NULL);
	}
	return r;
}

int packages_image(const struct house *h, const char *image, bool pulls, const struct strv *packages,
                   const struct packages_limits *limits, char **ret, struct err *err)
{
	const struct image_store store = images_store(h);
	_free_ char *name = NULL;
	_free_ char *list = list_packages(packages);
	struct job job = { .h = h, .image = image ? image : "default", .packages = packages, .list = list };
	struct oci_descriptor there = { 0 };
	_images_use_ use = { 0 };
	_fd_ lock = -1;
	int r = check(packages, err);

	if (r == 0)
		r = images_use(h, image, "0", pulls, &use, err);
	if (r < 0)
		return r;
	if (use.image.digest == NULL)
		return err_set(err, EINVAL, "no-digest", "packages need an image that does not change, and '%s' is a directory: "
		               "pterm image import makes one of a tar", job.image);
	r = packages_name(h, use.image.digest, packages, &name, err);
	if (r == 0)
		r = layout_open(&store, err);
	lock = r < 0 ? r : layout_lock(&store, name, err);
	if (lock < 0)
		return lock;
	job.name = name;
	r = image_find(&store, name, &there, NULL);
	oci_descriptor_release(&there);
	if (r == -ENOENT)
		r = make(&job, &use, limits, err);
	free(job.no_network);
	if (r == 0)
		*ret = TAKE(name);
	return r;
}
