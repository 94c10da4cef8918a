/*
 * The engine for real containers: a sandbox process (engine/sandbox.h) in which crun, or runc or youki, is run once,
 * detached; after the start nothing of it stays. From then on the container is its pterm-init (engine/inside.h).
 */
#include "base/child.h"
#include "base/fd.h"
#include "base/hook.h"
#include "base/loop.h"
#include "base/path.h"
#include "engine/cgroup.h"
#include "engine/crun/config.h"
#include "engine/crun/runtime.h"
#include "engine/inside.h"
#include "engine/network.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { GONE_MS = 100 };                  /* from giving up its namespaces to its end a process takes no time */

struct crun {
	int control;                     /* to the sandbox process; -1 once it has said all */
	struct watch *control_watch;
	struct cgroup cgroup;
	bool is_told;                    /* on_failed or on_started will not come from here any more */
};

static const char *libexec_of(const struct place *place, struct str *out)
{
	str_add(out, place->init_program, strlen(place->init_program) - strlen(path_base(place->init_program)) - 1);
	return out->buf;
}

static int crun_probe(const char *libexec, struct str *ret_found)
{
	struct runtime rt;
	_err_ err = ERR_INIT;

	if (runtime_find(&rt, libexec, "/nonexistent", &err) < 0) {
		str_adds(ret_found, err_msg(&err));
		return 0;
	}
	str_addf(ret_found, "%s %s at %s", path_base(rt.path), rt.version, rt.path);
	return 1;
}

/* --- preparing --- */

static void runtime_arguments(struct sandbox *s, const struct runtime *rt)
{
	strv_push(&s->runtime, rt->path);
	strv_pushf(&s->runtime, "--root=%s", s->runtime_root);
	if (rt->kind == RUNTIME_CRUN)
		strv_push(&s->runtime, "--cgroup-manager=disabled");
	else if (rt->kind == RUNTIME_RUNC)
		strv_push(&s->runtime, "--rootless=true");
	strv_push(&s->runtime, "run");
	strv_push(&s->runtime, "--detach");
	strv_push(&s->runtime, "--no-new-keyring");
	strv_push(&s->runtime, "--preserve-fds=1");
	strv_push(&s->runtime, "--console-socket=console.sock");
	strv_push(&s->runtime, "--pid-file=pid");
	strv_push(&s->runtime, s->runtime_id);
}

/*
 * Root's volumes get the owners of the container through idmapped mounts; ordinary users' are right by the map of
 * ids.
 */
static int prepare_volumes(struct sandbox *s, const struct spec *spec, const struct idmap *map, struct err *err)
{
	struct idmap volume = *map;
	const uint32_t base = map->uid.r[0].outside;

	if (spec->user.uid > 0 || spec->user.gid > 0) {      /* what the session's user makes belongs to the caller */
		const uint32_t uid = (uint32_t)spec->user.uid, gid = (uint32_t)spec->user.gid;
		const struct id_ranges u = { .n = 1, .r = { { 0, base + uid, 1 } } };
		const struct id_ranges g = { .n = 1, .r = { { 0, map->gid.r[0].outside + gid, 1 } } };

		volume = (struct idmap){ .uid = u, .gid = g };
	}
	for (size_t i = 0; i < spec->volumes.len; i++) {
		const struct spec_volume *v = &spec->volumes.items[i];
		/* what is in a named volume has the container's owners */
		const int tree = sandbox_tree(v->source, v->name ? NULL : &volume, v->read_only, err);

		if (tree < 0)
			return tree;
		vec_push(&s->trees, tree);
	}
	if (spec->ssh_agent != NULL) {
		const int tree = sandbox_tree(spec->ssh_agent, &volume, false, err);

		if (tree < 0)
			return tree;
		vec_push(&s->trees, tree);
	}
	return 0;
}

/* As docker does when a container is made: only a session's first run fills them, a restart leaves them as they are. */
static int prepare_filling(struct sandbox *s, const struct container *c, struct err *err)
{
	bool has_named = false;

	for (size_t i = 0; i < c->spec->volumes.len; i++)
		has_named |= c->spec->volumes.items[i].name != NULL;
	if (!has_named || !c->is_first)
		return 0;
	s->tree_program = open(c->place->tree_program, O_PATH | O_CLOEXEC);
	return s->tree_program >= 0 ? 0 : err_set(err, errno, "no-program", "cannot find the program '%s': %m",
	                                          c->place->tree_program);
}

/*
 * What the container's root, being nobody to the host, cannot reach or would see under wrong owners when root starts
 * it.
 */
static int prepare_trees(struct sandbox *s, const struct spec *spec, const struct idmap *map, struct err *err)
{
	int r;

	if (geteuid() != 0)
		return 0;
	r = prepare_volumes(s, spec, map, err);
	if (r < 0)
		return r;
	if (spec->image.digest == NULL && spec->image.layers.len > 0) {  /* a directory as it stands, owned by host ids */
		r = sandbox_tree(spec->image.layers.items[0], map, true, err);
		if (r < 0)
			return r;
		s->lower_tree = r;
	}
	r = sandbox_tree(s->place->init_program, NULL, true, err);
	if (r < 0)
		return r;
	s->init_tree = r;
	return 0;
}

/* The directories that the sandbox needs outside of the session's own: owned by whom it will be. */
static int prepare_directories(const struct container *c, const char *root, const struct idmap *map, struct err *err)
{
	_free_ char *bundle = sandbox_bundle(c->place);
	const uid_t owner = geteuid() == 0 ? map->uid.r[0].outside : geteuid();
	struct stat st;

	if (mkdir(bundle, 0711) < 0 && errno != EEXIST)
		return err_set(err, errno, "runtime-dir", "cannot make '%s': %m", bundle);
	if (mkdir(root, 0700) == 0) {
		if (geteuid() == 0 && chown(root, owner, owner) < 0)
			return err_set(err, errno, "runtime-dir", "cannot give '%s' to the container's root: %m", root);
	} else if (errno != EEXIST) {
		return err_set(err, errno, "runtime-dir", "cannot make '%s': %m", root);
	}
	/* it holds compiled seccomp filters: whoever can write there chooses what our containers may do */
	if (lstat(root, &st) < 0 || !S_ISDIR(st.st_mode) || st.st_uid != owner || (st.st_mode & 077) != 0)
		return err_set(err, EPERM, "runtime-dir", "'%s' must be a directory of user %u with mode 0700: remove it",
		               root, (unsigned)owner);
	return 0;
}

static char *runtime_root(const struct place *place, const char *map_name)
{
	return xasprintf("%s/crun-%s", place->runtime_dir, map_name);
}

static void on_report(void *data, int events);

/* Everything that the sandbox process needs is ready: start it, in its cgroup. */
static int launch(struct container *c, struct sandbox *s, const struct idmap *map, int own_control, struct err *err)
{
	struct crun *own = c->own;
	struct idmap_held held;
	const int flags = CLONE_NEWNS | CLONE_NEWCGROUP;
	int r = c->join_user < 0 ? idmap_hold(flags, sandbox_main, s, &held, err)
	                         : idmap_hold_in(c->join_user, flags, sandbox_main, s, &held, err);

	if (r < 0)
		return r;
	HOOK("supervisor.sandbox-held");
	if (s->stays) {
		r = cgroup_enter(&own->cgroup, c->spec, c->place->id, c->run, held.pid, err);
		if (r < 0) {
			idmap_drop(&held);
			return r;
		}
	}
	r = idmap_go(&held, map, err);
	if (r < 0)
		return r;
	c->starter_pid = held.pid;
	HOOK("supervisor.sandbox-started");
	own->control = own_control;
	own->control_watch = watch_new(c->loop, own_control, LOOP_READ, on_report, c);
	return own->control_watch ? 0 : err_set(err, EIO, "loop", "cannot watch the sandbox process");
}

/* What the runtime says: a file, so that it outlives a supervisor that is killed during the start. */
static int open_log(const struct place *place)
{
	_free_ char *path = path_join(place->session_dir, "runtime.log");

	/* crun gives what it writes to to the container's root: that of an earlier run may not be ours to open any more */
	(void)unlink(path);
	return open(path, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
}

static int crun_create(struct container *c, struct err *err)
{
	struct crun *own = xcalloc(1, sizeof(*own));
	_cleanup_(sandbox_release) struct sandbox s = { .spec = c->spec, .place = c->place, .lower_tree = -1, .init_tree = -1,
		.lifeline = -1, .control = -1, .log = -1, .tree_program = -1, .join_net = -1, .stays = spec_has_limits(c->spec) };
	_free_ char *root = runtime_root(c->place, c->spec->map_name ? c->spec->map_name : "u0");
	_free_ char *id = xasprintf("%s-%u", c->place->id, c->run);
	_str_ libexec = STR_INIT;
	struct runtime rt;
	struct idmap map;
	int control[2], r;

	own->control = -1;
	c->own = own;
	if (c->spec->map == NULL || idmap_parse(c->spec->map, &map) < 0)
		return err_set(err, EINVAL, "bad-spec", "the session's spec has no map of ids");
	r = runtime_find(&rt, libexec_of(c->place, &libexec), c->place->runtime_dir, err);
	if (r == 0)
		r = network_check(c->spec, err);
	if (r == 0)
		r = prepare_directories(c, root, &map, err);
	if (r == 0)
		r = prepare_trees(&s, c->spec, &map, err);
	if (r == 0)
		r = prepare_filling(&s, c, err);
	if (r == 0)
		r = config_write(&s, c, err);
	if (r == 0)
		r = inside_open(c, &s.lifeline, err);
	if (r < 0)
		return r;
	if (c->join_net >= 0 && (s.join_net = fcntl(c->join_net, F_DUPFD_CLOEXEC, 3)) < 0)
		return err_set(err, errno, "network", "cannot keep the network of the other session: %m");
	s.runtime_root = root;
	s.runtime_id = id;
	runtime_arguments(&s, &rt);
	c->log_fd = open_log(c->place);
	s.log = c->log_fd < 0 ? -1 : fcntl(c->log_fd, F_DUPFD_CLOEXEC, 3);
	if (s.log < 0)
		return err_set(err, errno, "runtime-log", "cannot write '%s/runtime.log': %m", c->place->session_dir);
	r = fd_socketpair(SOCK_SEQPACKET, control);
	if (r < 0)
		return err_set(err, -r, "sandbox", "cannot talk to a sandbox process: %m");
	s.control = control[1];
	r = launch(c, &s, &map, control[0], err);
	if (own->control < 0)
		fd_close(control[0]);
	return r;
}

/* --- what the sandbox process says --- */

static void end_sandbox(struct container *c)
{
	struct crun *own = c->own;

	own->control_watch = watch_free(own->control_watch);
	own->control = fd_close(own->control);
	if (c->starter_pid > 0) {
		(void)kill(c->starter_pid, SIGKILL);               /* it has said all it has to say */
		(void)child_wait(c->starter_pid);
	}
	c->starter_pid = 0;
}

/* Orphans of a start that did not work come to us, the subreaper; end them so that nothing is left. */
static void end_orphans(const struct container *c)
{
	_str_ text = STR_INIT;

	for (int rounds = 0; rounds < 1000; rounds++) {
		bool any = false;

		str_clear(&text);
		if (file_read(AT_FDCWD, "/proc/thread-self/children", 1 << 20, &text) < 0)
			return;
		for (char *p = text.buf, *end;; p = end) {
			const pid_t pid = (pid_t)strtol(p, &end, 10);

			if (end == p)
				break;
			if (pid == c->helper_pid || pid == c->keeper_pid)
				continue;
			(void)kill(pid, SIGKILL);
			(void)child_wait(pid);
			any = true;
		}
		if (!any)
			return;
	}
}

/* The last line that the runtime printed says why; the whole goes into crash/. */
static void add_runtime_words(struct container *c, struct str *out)
{
	_str_ log = STR_INIT;
	char *line;

	if (c->log_fd < 0 || lseek(c->log_fd, 0, SEEK_SET) < 0 || fd_slurp(c->log_fd, 64 * 1024, &log) < 0)
		return;
	while (log.len > 0 && (log.buf[log.len - 1] == '\n' || log.buf[log.len - 1] == '\r'))
		log.buf[--log.len] = '\0';
	line = strrchr(log.buf, '\n');
	line = line ? line + 1 : log.buf;
	if (*line != '\0') {
		str_adds(out, ": ");
		str_add_visible(out, line, strlen(line));
	}
}

static void start_failed(struct container *c, const struct err *why)
{
	struct crun *own = c->own;

	end_sandbox(c);
	end_orphans(c);
	if (own->is_told)
		return;
	own->is_told = true;
	c->on.on_failed(c->data, why, 125);
}

/* State directories of runs that were cut short: ID-1, ID-2 … below the runtime's root. */
static void remove_runtime_state(const struct spec *spec, const struct place *place)
{
	_free_ char *path = runtime_root(place, spec->map_name ? spec->map_name : "u0");
	_free_ char *prefix = xasprintf("%s-", place->id);
	_fd_ root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = root < 0 ? NULL : fdopendir(openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));

	for (struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;)
		if (str_starts(e->d_name, prefix))
			(void)path_remove_tree(root, e->d_name);
	if (dir != NULL)
		closedir(dir);
}

static void on_sandbox_gone(struct container *c)
{
	struct crun *own = c->own;
	_err_ err = ERR_INIT;

	if (inside_pid(c) > 0) {                                 /* all went well, and it is done */
		end_sandbox(c);
		remove_runtime_state(c->spec, c->place);         /* which it may have been killed before */
		return;
	}
	if (!own->is_told) {
		_str_ words = STR_INIT;

		str_adds(&words, "the sandbox process was killed while it started the container");
		add_runtime_words(c, &words);
		err_set(&err, ECHILD, "sandbox-lost", "%s", words.buf);
	}
	start_failed(c, &err);
}

static void on_failed_report(struct container *c, struct sandbox_report *report)
{
	_str_ words = STR_INIT;
	_err_ err = ERR_INIT;

	report->text[sizeof(report->text) - 1] = '\0';
	str_adds(&words, report->text);
	add_runtime_words(c, &words);
	err_set(&err, report->value > 0 ? report->value : EIO, "start", "%s", words.buf);
	start_failed(c, &err);
}

static int on_init_report(struct container *c, pid_t pid, struct err *err)
{
	int r = inside_set_init(c, pid, err);

	if (r < 0 || c->spec->network != NETWORK_PRIVATE)
		return r;
	r = network_start(c, pid, err);
	if (r < 0 && inside_has_ended(c, GONE_MS)) {             /* it was quick: what counts is how it ended */
		err_release(err);
		return 0;
	}
	return r;
}

static void on_report(void *data, int events)
{
	struct container *c = data;
	struct crun *own = c->own;
	struct sandbox_report report;
	int fds[FD_PASS_MAX];
	size_t fd_count;
	const ssize_t n = fd_recv(own->control, &report, sizeof(report), fds, &fd_count, MSG_DONTWAIT);
	_err_ err = ERR_INIT;
	int r = 0;

	if (n == -EAGAIN)
		return;
	if (n == (ssize_t)sizeof(report) && report.say == SANDBOX_CONSOLE && fd_count == 1) {
		HOOK("supervisor.console");
		fd_count = 0;
		r = inside_set_console(c, fds[0], &err);
	} else if (n == (ssize_t)sizeof(report) && report.say == SANDBOX_INIT) {
		HOOK("supervisor.init-known");
		r = on_init_report(c, report.value, &err);
	} else if (n == (ssize_t)sizeof(report) && report.say == SANDBOX_FAILED) {
		on_failed_report(c, &report);
	} else {
		on_sandbox_gone(c);
	}
	for (size_t i = 0; i < fd_count; i++)
		fd_close(fds[i]);
	if (r < 0)
		start_failed(c, &err);
}

/* --- operations that need more than init --- */

static int crun_kill(struct container *c)
{
	if (inside_pid(c) > 0)
		return inside_kill(c);
	if (c->starter_pid <= 0)
		return -ESRCH;
	if (inside_hang_up(c) == 0)              /* else the terminal is there, and init ends when it reads */
		(void)kill(c->starter_pid, SIGKILL);
	return 0;
}

static int crun_stats(struct container *c, struct proc_usage *ret, uint64_t *ret_memory_max)
{
	struct crun *own = c->own;

	if (own->cgroup.path != NULL && cgroup_stats(&own->cgroup, ret, ret_memory_max) == 0)
		return 0;
	return inside_stats(c, ret, ret_memory_max);
}

static void crun_close(struct container *c)
{
	struct crun *own = c->own;
	bool cut_short;

	if (own == NULL)
		return;
	cut_short = own->is_told || own->control >= 0;           /* a whole start removes its state itself, last of all */
	if (own->cgroup.path != NULL)
		c->was_oom |= cgroup_had_oom(&own->cgroup);
	end_sandbox(c);
	if (inside_pid(c) == 0)
		end_orphans(c);
	if (cut_short)
		remove_runtime_state(c->spec, c->place);
	if (c->inside != NULL)
		inside_close(c);
	network_stop(c);
	cgroup_remove(&own->cgroup);
	c->log_fd = fd_close(c->log_fd);
	free(own);
	c->own = NULL;
}

static int crun_adopt(struct container *c, const struct engine_handles *h, struct err *err)
{
	struct crun *own = xcalloc(1, sizeof(*own));

	own->control = -1;
	own->is_told = true;                             /* it has started: what there is to tell comes from inside */
	c->own = own;
	if (spec_has_limits(c->spec))
		cgroup_find(&own->cgroup, c->place->id, c->run);
	network_adopt(c);
	return inside_adopt(c, h, err);
}

/* In the container's user namespace. @data: the place. */
static int remove_inside(void *data)
{
	const struct place *place = data;
	_fd_ dir = open(place->store_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r, r2;

	if (dir < 0)
		return errno != ENOENT;
	r = path_remove_tree(dir, "upper");
	r2 = path_remove_tree(dir, "work");
	return r < 0 || r2 < 0;
}

static void crun_forget(const struct spec *spec, const struct place *place)
{
	remove_runtime_state(spec, place);
	network_remove_of(place);
}

static int crun_remove(const struct spec *spec, const struct place *place, struct err *err)
{
	struct idmap map;
	pid_t pid;

	crun_forget(spec, place);
	if (!path_exists(AT_FDCWD, place->store_dir))
		return 0;
	if (spec->map == NULL || idmap_parse(spec->map, &map) < 0)
		return 0;
	pid = idmap_clone(&map, 0, remove_inside, (void *)place, err);   /* the files in upper/ belong to the container's ids */
	if (pid < 0)
		return pid;
	return child_wait(pid) == 0 ? 0 : err_set(err, EIO, "remove", "cannot remove the session's files in '%s'",
	                                          place->store_dir);
}

extern const struct engine_ops engine_crun;

const struct engine_ops engine_crun = {
	.name = "crun",
	.summary = "a rootless OCI container by crun (runc and youki work too)",
	.features = ENGINE_ISOLATES | ENGINE_IMAGES | ENGINE_NETWORKS | ENGINE_LIMITS,
	.probe = crun_probe,
	.create = crun_create,
	.read = inside_read,
	.write = inside_write,
	.watch = inside_watch,
	.resize = inside_resize,
	.signal = inside_signal,
	.kill = crun_kill,
	.exec = inside_exec,
	.exec_signal = inside_exec_signal,
	.stats = crun_stats,
	.pid = inside_pid,
	.handles = inside_handles,
	.adopt = crun_adopt,
	.close = crun_close,
	.forget = crun_forget,
	.remove = crun_remove,
};
