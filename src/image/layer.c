/*
 * Unpacking happens in a child that is root of a new user namespace with the map, and that has made the staging
 * directory its root (pterm-tree). Whoever holds the layer's byte of the lock file unpacks; the child holds it as
 * well, so that a lock which is free means that nobody writes any more.
 */
#include "image/layer.h"

#include "base/child.h"
#include "base/fd.h"
#include "base/list.h"
#include "base/path.h"
#include "base/proc.h"
#include "image/layout.h"
#include "image/lock.h"
#include "image/oci.h"
#include "image/tree-run.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { AT_ONCE_MAX = 4, TELL_EVERY_MS = 100, SYNC_LATER = 64 << 20 };

enum state { WAITING, RUNNING, UNPACKED, DONE };

/* One source on its way to a layer. */
struct job {
	const struct layer_source *source;
	struct layer_result *ret;
	enum state state;
	int lock, tar, dir, list;
	uint64_t byte, size;
	struct stat began;                   /* the file, when we began */
	char *staging, *staging_list;
	struct tree_run run;
};

struct work {
	const struct image_store *store;
	const struct idmap *map;
	char *layers;                        /* <root>/images/layers/<map> */
	struct job *jobs;
	size_t n;
	bool syncs_later;                    /* of a large layer: nobody has to wait for the disk */
};

char *layer_path(const struct image_store *store, const char *map_name, const char *hex)
{
	return xasprintf("%s/images/layers/%s/%s", store->root, map_name, hex);
}

bool layer_is_there(const char *layer)
{
	_free_ char *list = xasprintf("%s.list", layer);

	return path_exists(AT_FDCWD, layer) && path_exists(AT_FDCWD, list);
}

bool layer_looks_like_root(int dir)
{
	static const char *const each[] = { "bin", "usr", "sbin" };

	for (size_t i = 0; i < array_len(each); i++)
		if (path_exists(dir, each[i]))
			return true;
	return errno == EACCES;                  /* not for us to see; then it is not empty either */
}

/* --- the links of tars that were named (store.h) --- */

static bool read_link(const char *link, char ret_hex[DIGEST_HEX + 1])
{
	char hex[DIGEST_HEX + 2];
	const ssize_t n = link ? readlink(link, hex, sizeof(hex)) : -1;

	if (n != DIGEST_HEX)
		return false;
	memcpy(ret_hex, hex, DIGEST_HEX);
	ret_hex[DIGEST_HEX] = '\0';
	return strspn(ret_hex, "0123456789abcdef") == DIGEST_HEX;
}

static int write_link(const char *link, const char *hex, struct err *err)
{
	_free_ char *dir = xstrndup(link, (size_t)(path_base(link) - link - 1));
	_free_ char *tmp = xasprintf("%s.new-%d", link, (int)getpid());
	int r = layout_make_dirs(dir, err);

	if (r < 0)
		return r;
	(void)unlink(tmp);
	if (symlink(hex, tmp) < 0 || rename(tmp, link) < 0) {
		r = err_set(err, errno, "image-store", "cannot write '%s': %m", link);
		(void)unlink(tmp);
	}
	return r;
}

/* --- directories --- */

/* The layers of one map of ids are for its root alone: other users could run what is setuid in them. */
static int make_layers_dir(const struct work *w, struct err *err)
{
	const int64_t uid = idmap_outside(&w->map->uid, 0), gid = idmap_outside(&w->map->gid, 0);
	const int r = layout_make_dirs(w->layers, err);

	if (r < 0 || geteuid() != 0)
		return r;
	if (chown(w->layers, (uid_t)uid, (gid_t)gid) < 0 || chmod(w->layers, 0700) < 0)
		return err_set(err, errno, "image-store", "cannot give '%s' to the container's root: %m", w->layers);
	return 0;
}

static bool is_ours(const struct work *w, uint64_t byte)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->jobs[i].staging != NULL && w->jobs[i].byte == byte)
			return true;
	return false;
}

/* Remove what crashes left: every staging directory and list whose lock nobody holds. */
static void sweep(const struct work *w)
{
	_fd_ lock = lock_open(w->layers, NULL);
	DIR *dir = lock < 0 ? NULL : opendir(w->layers);

	if (dir == NULL)
		return;
	for (struct dirent *e; (e = readdir(dir)) != NULL;) {
		unsigned long long byte;

		if (sscanf(e->d_name, ".new-%16llx", &byte) != 1 || is_ours(w, byte) || lock_take(lock, byte, false) < 0)
			continue;
		(void)tree_remove_mapped(w->map, dirfd(dir), e->d_name, NULL);
		lock_drop(lock, byte);
	}
	closedir(dir);
}

/* --- one job --- */

static void job_clear(struct job *j, const struct work *w)
{
	tree_abandon(&j->run);
	if (j->staging != NULL)
		(void)tree_remove_mapped(w->map, AT_FDCWD, j->staging, NULL);
	if (j->staging_list != NULL)
		(void)unlink(j->staging_list);
	free(j->staging);
	free(j->staging_list);
	j->staging = j->staging_list = NULL;
	j->dir = fd_close(j->dir);
	j->list = fd_close(j->list);
	j->tar = fd_close(j->tar);
	j->lock = fd_close(j->lock);             /* last: now others may */
}

static int prepare_staging(struct work *w, struct job *j, struct err *err)
{
	const int64_t uid = idmap_outside(&w->map->uid, 0), gid = idmap_outside(&w->map->gid, 0);

	j->staging = xasprintf("%s/.new-%016llx", w->layers, (unsigned long long)j->byte);
	j->staging_list = xasprintf("%s.list", j->staging);
	if (mkdir(j->staging, 0700) < 0 && (errno != EEXIST || tree_remove_mapped(w->map, AT_FDCWD, j->staging, err) < 0 ||
	                                    mkdir(j->staging, 0700) < 0))
		return err_set(err, errno, "image-store", "cannot make the directory '%s': %m", j->staging);
	j->dir = open(j->staging, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	j->list = open(j->staging_list, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (j->dir < 0 || j->list < 0 || (geteuid() == 0 && fchown(j->dir, (uid_t)uid, (gid_t)gid) < 0))
		return err_set(err, errno, "image-store", "cannot prepare '%s': %m", j->staging);
	return 0;
}

static int start_program(struct work *w, struct job *j, struct err *err)
{
	_free_ char *max = xasprintf("--max-bytes=%llu", (unsigned long long)w->store->max_layer);
	_free_ char *list = xasprintf("--list=%d", TREE_LIST_FD);
	const char *const argv[] = { "pterm-tree", "unpack", "--owner", "keep", "--report", "4", list, max, NULL };
	const struct tree_job job = { .program = w->store->tree_program, .map = w->map, .argv = argv, .in = j->tar, .out = -1,
	                              .dir = j->dir, .lock = j->lock, .list = j->list };
	const int r = tree_start(&job, &j->run, err);

	if (r == 0)
		j->state = RUNNING;
	return r;
}

/* The layer that @s is known to be, if it is there: fills @ret. */
static bool find_layer(const char *layers, const struct layer_source *s, struct layer_result *ret)
{
	_free_ char *layer = NULL;
	char hex[DIGEST_HEX + 1];

	if (s->diff_id != NULL)
		snprintf(hex, sizeof(hex), "%s", s->diff_id);
	else if (!read_link(s->link, hex))
		return false;
	layer = path_join(layers, hex);
	if (!layer_is_there(layer))
		return false;
	memcpy(ret->diff_id, hex, sizeof(hex));
	ret->layer = TAKE(layer);
	return true;
}

/* Take its lock and start. 0; -EAGAIN: another process is at it; -errno. */
static int job_start(struct work *w, struct job *j, bool waits, struct err *err)
{
	const struct layer_source *s = j->source;
	int r;

	j->lock = lock_open(w->layers, err);
	if (j->lock < 0)
		return j->lock;
	r = lock_take(j->lock, j->byte, waits);
	if (r < 0) {
		j->lock = fd_close(j->lock);
		return r == -EAGAIN ? r : err_set(err, -r, "image-store", "cannot lock '%s/.lock': %m", w->layers);
	}
	if (find_layer(w->layers, s, j->ret)) {          /* somebody was faster */
		j->state = DONE;
		job_clear(j, w);
		return 0;
	}
	j->tar = open(s->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (j->tar < 0 || fstat(j->tar, &j->began) < 0)
		return err_set(err, errno, "image", "cannot read %s: %m", s->shown);
	if (!S_ISREG(j->began.st_mode))
		return err_set(err, EINVAL, "image", "cannot read %s: it is no file", s->shown);
	j->size = (uint64_t)j->began.st_size;
	r = prepare_staging(w, j, err);
	return r < 0 ? r : start_program(w, j, err);
}

static int check_root(const struct job *j, struct err *err)
{
	struct stat now;

	if (fstat(j->tar, &now) < 0)
		return err_set(err, errno, "image", "cannot read %s: %m", j->source->shown);
	if (now.st_size != j->began.st_size || now.st_mtim.tv_sec != j->began.st_mtim.tv_sec ||
	    now.st_mtim.tv_nsec != j->began.st_mtim.tv_nsec)
		return err_set(err, EAGAIN, "image", "%s changed while it was unpacked: try again", j->source->shown);
	if (!layer_looks_like_root(j->dir))
		return err_set(err, EINVAL, "image", "%s is no root file system: it has neither bin, sbin nor usr",
		               j->source->shown);
	return 0;
}

/* What its program has to say. The directory is whole then, and not yet in place. */
static int job_finish(struct work *w, struct job *j, struct err *err)
{
	_str_ said = STR_INIT;
	_str_ report = STR_INIT;
	_free_ char *diff_id = NULL;
	_free_ char *raw = NULL;
	const int code = tree_finish(&j->run, &said, &report, err);

	if (code < 0)
		return code;
	diff_id = tree_figure(&report, "sha256");
	raw = tree_figure(&report, "raw");
	if (code != 0 || strlen(diff_id) != DIGEST_HEX || strlen(raw) != DIGEST_HEX)
		return tree_failed(code, "unpack", j->source->shown, &said, &report, err);
	if (j->source->raw != NULL && !str_eq(raw, j->source->raw))
		return err_set(err, EILSEQ, "image-damaged", "cannot unpack %s: its bytes are not what the image's manifest "
		               "says (sha256:%.12s, not sha256:%.12s); pterm image repair fetches it again", j->source->shown, raw,
		               j->source->raw);
	if (j->source->diff_id != NULL && !str_eq(diff_id, j->source->diff_id))
		return err_set(err, EILSEQ, "image-damaged", "cannot unpack %s: uncompressed it is not what the image's "
		               "configuration says (sha256:%.12s, not sha256:%.12s)", j->source->shown, diff_id, j->source->diff_id);
	memcpy(j->ret->diff_id, diff_id, sizeof(j->ret->diff_id));
	memcpy(j->ret->raw, raw, sizeof(j->ret->raw));
	j->state = UNPACKED;
	return j->source->is_root ? check_root(j, err) : 0;
}

/* Give the finished directory its name; the list goes first, so that a layer is never without. */
static int job_publish(struct work *w, struct job *j, struct err *err)
{
	_free_ char *layer = path_join(w->layers, j->ret->diff_id);
	_free_ char *list = xasprintf("%s.list", layer);
	_free_ char *unsynced = layer_unsynced(layer);
	const bool is_new = !layer_is_there(layer);      /* or: the same content by another name, finished first */

	if (is_new && path_exists(AT_FDCWD, layer))      /* without a list nobody knows whether it is whole */
		(void)layer_put_aside(layer, NULL);
	if (is_new && w->syncs_later &&
	    file_write(AT_FDCWD, unsynced, proc_boot_id(), strlen(proc_boot_id()), 0600) < 0)
		return err_set(err, EIO, "image-store", "cannot write '%s'", unsynced);
	if (is_new && (rename(j->staging_list, list) < 0 ||
	               (rename(j->staging, layer) < 0 && errno != EEXIST && errno != ENOTEMPTY)))
		return err_set(err, errno, "image-store", "cannot keep the layer as '%s': %m", layer);
	if (j->source->link != NULL) {
		const int r = write_link(j->source->link, j->ret->diff_id, err);

		if (r < 0)
			return r;
	}
	j->ret->layer = TAKE(layer);
	j->state = DONE;
	job_clear(j, w);
	return 0;
}

/* --- all of them --- */

static size_t count(const struct work *w, enum state state)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n; i++)
		n += w->jobs[i].state == state;
	return n;
}

/* A process that outlives us, writes the file system out and takes the marks away. */
static void sync_later(const struct work *w, int dir)
{
	if (fork() != 0)
		return;
	(void)setsid();
	for (int fd = 0; fd <= 2; fd++)          /* nobody waits for the end of our pipes */
		(void)!dup2(dir, fd);
	fd_close_from(3, NULL, 0);               /* nor for our locks */
	if (syncfs(0) == 0)
		for (size_t i = 0; i < w->n; i++) {
			_free_ char *mark = w->jobs[i].ret->layer ? layer_unsynced(w->jobs[i].ret->layer) : NULL;

			if (mark != NULL)
				(void)unlink(mark);
		}
	_exit(0);
}

/*
 * Everything that is unpacked gets its name. The name says that the content is whole, also after a power failure, or
 * there is a mark beside it until it is.
 */
static int publish_all(struct work *w, struct err *err)
{
	_fd_ dir = count(w, UNPACKED) > 0 ? open(w->layers, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	uint64_t bytes = 0;
	int r = 0;

	for (size_t i = 0; i < w->n; i++)
		bytes += w->jobs[i].state == UNPACKED ? w->jobs[i].size : 0;
	w->syncs_later = bytes > SYNC_LATER;
	if (dir >= 0 && !w->syncs_later && syncfs(dir) < 0)
		return err_set(err, errno, "image-store", "cannot write '%s': %m", w->layers);
	for (size_t i = 0; i < w->n && r == 0; i++)
		if (w->jobs[i].state == UNPACKED)
			r = job_publish(w, &w->jobs[i], err);
	if (r == 0 && dir >= 0 && w->syncs_later)
		sync_later(w, dir);
	return r;
}

/* Start what may run now. Waits for another process only when nothing is held that it could wait for. */
static int start_some(struct work *w, size_t at_once, struct err *err)
{
	for (size_t i = 0; i < w->n; i++) {
		int r;

		if (w->jobs[i].state != WAITING || count(w, RUNNING) >= at_once)
			continue;
		r = job_start(w, &w->jobs[i], false, err);
		if (r < 0 && r != -EAGAIN)
			return r;
	}
	if (count(w, RUNNING) > 0 || count(w, WAITING) == 0)
		return 0;
	const int r = publish_all(w, err);

	for (size_t i = 0; i < w->n && r == 0; i++)
		if (w->jobs[i].state == WAITING)
			return job_start(w, &w->jobs[i], true, err);
	return r;
}

static void tell(const struct work *w)
{
	uint64_t done = 0, total = 0;

	for (size_t i = 0; i < w->n; i++) {
		const struct job *j = &w->jobs[i];
		/* the program reads through the same open file */
		const off_t at = j->state == RUNNING ? lseek(j->tar, 0, SEEK_CUR) : 0;

		total += j->size;
		done += j->state == RUNNING && at > 0 ? (uint64_t)at : j->state > RUNNING ? j->size : 0;
	}
	progress_part(w->store->progress, done, total);
}

static int await_some(struct work *w, struct err *err)
{
	_free_ struct pollfd *fds = xcalloc(w->n, sizeof(*fds));
	int r = 0;

	for (size_t i = 0; i < w->n; i++)
		fds[i] = (struct pollfd){ .fd = w->jobs[i].state == RUNNING ? w->jobs[i].run.report : -1, .events = POLLIN };
	if (poll(fds, w->n, w->store->progress != NULL ? TELL_EVERY_MS : -1) < 0 && errno != EINTR)
		return err_set(err, errno, "poll", "cannot wait for pterm-tree: %m");
	tell(w);
	for (size_t i = 0; i < w->n && r == 0; i++)
		if (fds[i].fd >= 0 && fds[i].revents != 0)
			r = job_finish(w, &w->jobs[i], err);
	return r;
}

static int run_jobs(struct work *w, struct err *err)
{
	const long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	const size_t at_once = cpus < 1 ? 1 : min_size((size_t)cpus, AT_ONCE_MAX);
	int r = make_layers_dir(w, err);

	if (r < 0)
		return r;
	sweep(w);
	if (w->n > 1)
		progress_step(w->store->progress, "unpacking %zu layers", w->n);
	while (r == 0 && count(w, DONE) + count(w, UNPACKED) < w->n) {
		r = start_some(w, at_once, err);
		if (r == 0 && count(w, RUNNING) > 0)
			r = await_some(w, err);
	}
	return r < 0 ? r : publish_all(w, err);
}

static void add_job(struct work *w, const struct layer_source *s, struct layer_result *ret)
{
	struct job *j = &w->jobs[w->n++];

	*j = (struct job){ .source = s, .ret = ret, .lock = -1, .tar = -1, .dir = -1, .list = -1, .run = TREE_RUN_INIT,
	                   .byte = lock_byte(s->diff_id ? s->diff_id : s->link ? path_base(s->link) : s->path) };
}

/* Is it there, and does it look whole? One that does not is put aside, and counts as missing. */
static bool find_whole(const struct work *w, const struct layer_source *s, size_t budget, struct layer_result *ret)
{
	_str_ why = STR_INIT;

	if (!find_layer(w->layers, s, ret))
		return false;
	if (layer_check(ret->layer, w->map, budget, &why) == 0)
		return true;
	progress_step(w->store->progress, "layer %.12s is damaged (%s): it is made anew", ret->diff_id, why.buf);
	(void)layer_put_aside(ret->layer, NULL);
	free(ret->layer);
	*ret = (struct layer_result){ 0 };
	return false;
}

/* An image may name the same layer twice. */
static bool find_twin(const struct layer_source *sources, size_t i, const struct layer_result *made,
                      struct layer_result *ret)
{
	for (size_t k = 0; k < i; k++)
		if (sources[k].diff_id != NULL && sources[i].diff_id != NULL && str_eq(sources[k].diff_id, sources[i].diff_id) &&
		    made[k].layer != NULL) {
			*ret = made[k];
			ret->layer = xstrdup(made[k].layer);
			return true;
		}
	return false;
}

int layers_make(const struct image_store *store, const struct idmap *map, const char *map_name,
                const struct layer_source *sources, size_t n, struct layer_result *ret, struct err *err)
{
	struct work w = { .store = store, .map = map, .layers = xasprintf("%s/images/layers/%s", store->root, map_name),
	                  .jobs = xcalloc(n, sizeof(*w.jobs)) };
	int r = 0;

	memset(ret, 0, n * sizeof(*ret));
	for (size_t i = 0; i < n; i++)
		if (!find_twin(sources, i, ret, &ret[i]) && !find_whole(&w, &sources[i], layer_budget(n), &ret[i]))
			add_job(&w, &sources[i], &ret[i]);
	if (w.n > 0)
		r = run_jobs(&w, err);
	for (size_t i = 0; i < w.n; i++)
		job_clear(&w.jobs[i], &w);
	for (size_t i = 0; i < n && r < 0; i++) {
		free(ret[i].layer);
		ret[i].layer = NULL;
	}
	free(w.jobs);
	free(w.layers);
	return r;
}
