#include "engine/cgroup-tree.h"

#include "base/fd.h"
#include "base/path.h"
#include "base/units.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_SIZE_MAX = 64 * 1024, PERIOD_US = 100 * 1000, EMPTY_WAIT_MS = 2000, DEPTH_MAX = 12 };

static const struct { unsigned flag; const char *name; } controllers[] = {
	{ CONTROLLER_MEMORY, "memory" }, { CONTROLLER_CPU, "cpu" }, { CONTROLLER_PIDS, "pids" },
};

/* --- what there is --- */

unsigned tree_wanted(const struct spec *spec)
{
	return (spec->memory_bytes > 0 ? CONTROLLER_MEMORY : 0u) | (spec->cpus > 0 ? CONTROLLER_CPU : 0u) |
	       (spec->pids > 0 ? CONTROLLER_PIDS : 0u);
}

void tree_names(unsigned set, struct str *out)
{
	const size_t before = out->len;

	for (size_t i = 0; i < array_len(controllers); i++)
		if (set & controllers[i].flag)
			str_addf(out, "%s%s", out->len > before ? ", " : "", controllers[i].name);
}

char *tree_dir(const char *root, const char *cgroup)
{
	return xasprintf("%s/sys/fs/cgroup%s", root, str_eq(cgroup, "/") ? "" : cgroup);
}

bool tree_is_unified(const char *root)
{
	_free_ char *file = tree_dir(root, "/cgroup.controllers");

	return path_exists(AT_FDCWD, file);
}

int tree_of(const char *root, pid_t pid, char **ret)
{
	_free_ char *path = pid == 0 ? xasprintf("%s/proc/self/cgroup", root) : xasprintf("%s/proc/%d/cgroup", root, (int)pid);
	_str_ text = STR_INIT;
	const int r = file_read(AT_FDCWD, path, FILE_SIZE_MAX, &text);

	if (r < 0)
		return r;
	for (const char *line = text.buf; *line != '\0';) {
		const size_t n = strcspn(line, "\n");

		if (str_starts(line, "0::/")) {
			*ret = xstrndup(line + 3, n - 3);
			return 0;
		}
		line += n + (line[n] == '\n');
	}
	return -ENOENT;
}

int tree_controllers(const char *root, const char *cgroup)
{
	_free_ char *dir = tree_dir(root, cgroup);
	_free_ char *path = path_join(dir, "cgroup.controllers");
	_str_ text = STR_INIT;
	char *save = NULL;
	int set = 0;
	const int r = file_read(AT_FDCWD, path, FILE_SIZE_MAX, &text);

	if (r < 0)
		return r;
	for (char *word = strtok_r(text.buf, " \n", &save); word != NULL; word = strtok_r(NULL, " \n", &save))
		for (size_t i = 0; i < array_len(controllers); i++)
			if (str_eq(word, controllers[i].name))
				set |= (int)controllers[i].flag;
	return set;
}

static int parse_number(char *text, uint64_t *ret)
{
	text[strcspn(text, "\n ")] = '\0';
	if (str_eq(text, "max")) {
		*ret = 0;
		return 0;
	}
	return parse_uint(text, 0, UINT64_MAX, ret);
}

int tree_number(const char *dir, const char *file, const char *key, uint64_t *ret)
{
	_free_ char *path = path_join(dir, file);
	_str_ text = STR_INIT;
	const size_t key_len = key ? strlen(key) : 0;
	const int r = file_read(AT_FDCWD, path, FILE_SIZE_MAX, &text);

	if (r < 0)
		return r;
	if (key == NULL)
		return parse_number(text.buf, ret);
	for (char *line = text.buf; *line != '\0';) {
		const size_t n = strcspn(line, "\n");

		if (str_starts(line, key) && line[key_len] == ' ')
			return parse_number(line + key_len + 1, ret);
		line += n + (line[n] == '\n');
	}
	return -ENODATA;
}

/* --- making one ourselves --- */

static int put(const char *root, const char *dir, const char *file, const char *value)
{
	_free_ char *path = path_join(dir, file);
	/* a real cgroup has its files from the start; a made-up one gets them as they are written */
	_fd_ fd = open(path, O_WRONLY | O_CLOEXEC | (*root ? O_CREAT | O_TRUNC : 0), 0644);

	if (fd < 0)
		return -errno;
	return write(fd, value, strlen(value)) < 0 ? -errno : 0;
}

static int enable(const char *root, const char *parent, unsigned wanted, struct err *err)
{
	_free_ char *dir = tree_dir(root, parent);
	_str_ names = STR_INIT, words = STR_INIT;
	const int offered = tree_controllers(root, parent);
	int r;

	tree_names(offered < 0 ? wanted : wanted & ~(unsigned)offered, &names);
	if (names.len > 0)
		return err_set(err, ENOTSUP, "no-controller", "cannot limit %s: the cgroup '%s' that this runs in has no such "
		               "controller", names.buf, dir);
	for (size_t i = 0; i < array_len(controllers); i++)
		if (wanted & controllers[i].flag)
			str_addf(&words, "%s+%s", words.len > 0 ? " " : "", controllers[i].name);
	r = put(root, dir, "cgroup.subtree_control", words.buf);
	if (r == -EBUSY)
		return err_set(err, EBUSY, "no-delegation", "cannot set limits: there are processes in the cgroup '%s' itself, so it "
		               "cannot have others below it with limits: move them into a cgroup below it", dir);
	if (r < 0)
		return err_set(err, -r, "no-delegation", "cannot set limits: cannot use the controllers of '%s': %m: limits need a "
		               "cgroup that was delegated to you (there is no systemd to ask for one)", dir);
	return 0;
}

static int put_limits(const char *root, const char *dir, const struct spec *spec)
{
	char value[64];
	int r = 0;

	if (spec->memory_bytes > 0) {
		snprintf(value, sizeof(value), "%lld", (long long)spec->memory_bytes);
		r = put(root, dir, "memory.max", value);
		(void)put(root, dir, "memory.swap.max", "0");    /* absent where the kernel does not count swap */
	}
	if (r == 0 && spec->cpus > 0) {
		snprintf(value, sizeof(value), "%llu %d", (unsigned long long)tree_quota_us(spec->cpus, PERIOD_US), PERIOD_US);
		r = put(root, dir, "cpu.max", value);
	}
	if (r == 0 && spec->pids > 0) {
		snprintf(value, sizeof(value), "%lld", (long long)spec->pids + TREE_OWN_PIDS);
		r = put(root, dir, "pids.max", value);
	}
	return r;
}

int tree_make(const char *root, const char *parent, const char *name, const struct spec *spec, char **ret_dir,
              struct err *err)
{
	_free_ char *above = tree_dir(root, parent);
	_free_ char *dir = path_join(above, name);
	int r = enable(root, parent, tree_wanted(spec), err);

	if (r < 0)
		return r;
	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return err_set(err, errno, "no-delegation", "cannot set limits: cannot make the cgroup '%s': %m", dir);
	r = put_limits(root, dir, spec);
	if (r < 0) {
		err_set(err, -r, "limits", "cannot set limits in the cgroup '%s': %m", dir);
		(void)tree_remove(dir);
		return r;
	}
	*ret_dir = TAKE(dir);
	return 0;
}

int tree_move(const char *root, const char *dir, pid_t pid)
{
	char value[16];

	snprintf(value, sizeof(value), "%d", (int)pid);
	return put(root, dir, "cgroup.procs", value);
}

/* --- removing --- */

typedef int below_fn(int parent, const char *name, void *data);

/* Call @fn for each cgroup directly below @dir until it returns something other than 0, and return that. */
static int each_below(int dir, below_fn *fn, void *data)
{
	const int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	int r = 0;

	if (d == NULL) {
		fd_close(copy);
		return 0;
	}
	for (struct dirent *e; r == 0 && (e = readdir(d)) != NULL;)
		if (e->d_type == DT_DIR && !str_eq(e->d_name, ".") && !str_eq(e->d_name, ".."))
			r = fn(dir, e->d_name, data);
	closedir(d);
	return r;
}

/* Before cgroup.kill (Linux 5.14): one by one, again and again until no new ones come. */
static int kill_each(int parent, const char *name, void *data)
{
	_fd_ dir = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (int rounds = 0; dir >= 0 && rounds < 1000; rounds++) {
		_str_ text = STR_INIT;
		int count = 0;

		if (file_read(dir, "cgroup.procs", FILE_SIZE_MAX, &text) < 0)
			break;
		for (char *p = text.buf, *end;; p = end, count++) {
			const long pid = strtol(p, &end, 10);

			if (end == p || pid <= 1)
				break;
			(void)kill((pid_t)pid, SIGKILL);
		}
		if (count == 0)
			break;
	}
	return dir < 0 ? 0 : each_below(dir, kill_each, data);
}

static void kill_all(int dir)
{
	_fd_ fd = openat(dir, "cgroup.kill", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "1", 1) < 0)
		(void)kill_each(dir, ".", NULL);
}

/* The kernel raises POLLPRI on cgroup.events when "populated" changes. */
static void wait_until_empty(int dir)
{
	_fd_ fd = openat(dir, "cgroup.events", O_RDONLY | O_CLOEXEC);
	const uint64_t until = time_mono_ns() + EMPTY_WAIT_MS * 1000000ULL;

	while (fd >= 0) {
		struct pollfd p = { .fd = fd, .events = POLLPRI };
		const uint64_t now = time_mono_ns();
		char text[256] = "";

		if (pread(fd, text, sizeof(text) - 1, 0) <= 0 || strstr(text, "populated 1") == NULL || now >= until)
			return;
		(void)poll(&p, 1, (int)((until - now) / 1000000) + 1);
	}
}

static int remove_below(int parent, const char *name, void *data)
{
	_fd_ dir = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (dir >= 0)
		(void)each_below(dir, remove_below, NULL);
	(void)unlinkat(parent, name, AT_REMOVEDIR);
	return 0;
}

int tree_remove(const char *path)
{
	_fd_ dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return errno == ENOENT ? 0 : -errno;
	kill_all(dir);
	wait_until_empty(dir);
	(void)each_below(dir, remove_below, NULL);
	return rmdir(path) < 0 && errno != ENOENT ? -errno : 0;      /* systemd may have been quicker */
}

struct search { const char *name; struct str path; int depth; };

static int find_below(int parent, const char *name, void *data)
{
	_fd_ dir = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct search *s = data;
	const size_t len = s->path.len;
	struct stat st;
	int found = 0;

	if (dir < 0 || s->depth >= DEPTH_MAX)
		return 0;
	str_addf(&s->path, "/%s", name);
	if (str_eq(name, s->name) && fstat(dir, &st) == 0 && st.st_uid == geteuid())
		return 1;
	s->depth++;
	found = each_below(dir, find_below, s);
	s->depth--;
	if (found == 0)
		s->path.buf[s->path.len = len] = '\0';
	return found;
}

char *tree_find(const char *root, const char *name)
{
	_free_ char *top = tree_dir(root, "/");
	_fd_ dir = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct search s = { .name = name, .path = STR_INIT };
	char *ret = NULL;

	str_adds(&s.path, top);
	if (dir >= 0 && each_below(dir, find_below, &s) == 1)
		ret = xstrdup(s.path.buf);
	str_release(&s.path);
	return ret;
}
