#include "base/idmap.h"

#include "base/child.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "base/units.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int idmap_subordinate(const char *file, const char *user, uid_t uid, uint32_t *ret_start, uint32_t *ret_count,
                      struct err *err)
{
	_str_ text = STR_INIT;
	char number[16];
	int r = file_read(AT_FDCWD, file, 1 << 20, &text);

	if (r == -ENOENT)
		return 1;
	if (r < 0)
		return err_set(err, -r, "subids", "cannot read '%s': %m", file);
	snprintf(number, sizeof(number), "%u", (unsigned)uid);
	for (char *line = text.buf, *next; line != NULL; line = next) {
		char *start, *count;
		uint64_t s, c;

		next = strchr(line, '\n');
		if (next != NULL)
			*next++ = '\0';
		start = strchr(line, ':');
		count = start ? strchr(start + 1, ':') : NULL;
		if (count == NULL)
			continue;
		*start++ = *count++ = '\0';
		if (!str_eq(line, number) && (user == NULL || !str_eq(line, user)))
			continue;
		if (parse_uint(start, 1, UINT32_MAX - 1, &s) < 0 || parse_uint(count, 1, UINT32_MAX - s, &c) < 0)
			continue;
		*ret_start = (uint32_t)s;
		*ret_count = (uint32_t)c;
		return 0;
	}
	return 1;
}

static void add_range(struct id_ranges *m, uint32_t inside, uint32_t outside, uint32_t count)
{
	if (count > 0)
		m->r[m->n++] = (struct id_range){ inside, outside, count };
}

void idmap_around(struct id_ranges *ret, uint32_t pivot, uint32_t own, uint32_t start, uint32_t count)
{
	const uint32_t below = pivot < count ? pivot : count;

	*ret = (struct id_ranges){ 0 };
	add_range(ret, 0, start, below);
	add_range(ret, pivot, own, 1);
	if (pivot == 0)
		add_range(ret, 1, start, count);
	else if (pivot + 1 < count)
		add_range(ret, pivot + 1, start + pivot + 1, count - pivot - 1);
}

void idmap_shift(struct id_ranges *ret, uint32_t start, uint32_t count)
{
	*ret = (struct id_ranges){ 0 };
	add_range(ret, 0, start, count);
}

int64_t idmap_outside(const struct id_ranges *m, uint32_t inside)
{
	for (size_t i = 0; i < m->n; i++)
		if (inside >= m->r[i].inside && inside - m->r[i].inside < m->r[i].count)
			return (int64_t)m->r[i].outside + (inside - m->r[i].inside);
	return -1;
}

static int write_directly(pid_t pid, const char *file, const struct id_ranges *m)
{
	_str_ text = STR_INIT;
	char path[64];
	_fd_ fd = -1;

	for (size_t i = 0; i < m->n; i++)
		str_addf(&text, "%u %u %u\n", m->r[i].inside, m->r[i].outside, m->r[i].count);
	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return write(fd, text.buf, text.len) < 0 ? -errno : 0;    /* a map is written with one write */
}

struct helper { const char *program; pid_t pid; int output; };

static int helper_start(struct helper *h, const char *program, pid_t pid, const struct id_ranges *m, struct err *err)
{
	_strv_ argv = { 0 };
	_fd_ out = -1;
	int pipes[2], r;

	*h = (struct helper){ .program = program, .output = -1 };
	strv_push(&argv, program);
	strv_pushf(&argv, "%d", (int)pid);
	for (size_t i = 0; i < m->n; i++) {
		strv_pushf(&argv, "%u", m->r[i].inside);
		strv_pushf(&argv, "%u", m->r[i].outside);
		strv_pushf(&argv, "%u", m->r[i].count);
	}
	if (pipe2(pipes, O_CLOEXEC) < 0)
		return err_set(err, errno, "pipe", "cannot run %s: %m", program);
	h->output = pipes[0];
	out = pipes[1];
	const struct child_fd fds[] = { { out, 1 }, { out, 2 } };
	const struct child c = { .argv = (const char *const *)argv.items, .fds = fds, .fd_count = 2 };

	r = child_start(&c, &h->pid, err);
	if (r == -ENOENT)
		err_set(err, ENOENT, "no-newuidmap", "cannot find %s, which gives a rootless container its ids: "
		        "install the package uidmap (Fedora: shadow-utils)", program);
	return r;
}

static int helper_finish(struct helper *h, struct err *err)
{
	_str_ said = STR_INIT;
	int status;

	if (h->pid <= 0) {
		h->output = fd_close(h->output);
		return 0;
	}
	(void)fd_slurp(h->output, 4096, &said);
	h->output = fd_close(h->output);
	status = child_wait(h->pid);
	if (status == 0)
		return 0;
	said.buf[strcspn(said.buf, "\n")] = '\0';
	_free_ char *shown = visible(said.buf);
	return err_set(err, EPERM, "idmap", "%s refused the map of ids: %s", h->program,
	               *shown ? shown : "it gave no reason; is it setuid root?");
}

static int write_by_helpers(pid_t pid, const struct idmap *map, struct err *err)
{
	struct helper u = { .output = -1 }, g = { .output = -1 };
	int r, r2;

	r = helper_start(&u, "newuidmap", pid, &map->uid, err);
	if (r == 0)
		r = helper_start(&g, "newgidmap", pid, &map->gid, err);
	r2 = helper_finish(&u, r == 0 ? err : NULL);
	r = r < 0 ? r : r2;
	r2 = helper_finish(&g, r == 0 ? err : NULL);
	return r < 0 ? r : r2;
}

/* Directly when we may, else through the setuid programs newuidmap and newgidmap, both at once. */
static int write_map(pid_t pid, const struct idmap *map, struct err *err)
{
	int r;

	if (geteuid() != 0)
		return write_by_helpers(pid, map, err);
	r = write_directly(pid, "uid_map", &map->uid);
	if (r == 0)
		r = write_directly(pid, "gid_map", &map->gid);
	return r < 0 ? err_set(err, -r, "idmap", "cannot write the id map of process %d: %m", (int)pid) : 0;
}

/* What the child is to become. @userns -1: it is in a new user namespace already, and in the others. */
struct mapped { int go, userns, flags, (*fn)(void *); void *arg; };

static int run_mapped(const struct mapped *m)
{
	char byte;

	if (fd_read_all(m->go, &byte, 1) < 0)
		return 125;                              /* our parent gave up or died */
	fd_close(m->go);
	if (m->userns >= 0 && setns(m->userns, CLONE_NEWUSER) < 0)
		return 125;
	if (setresgid(0, 0, 0) < 0 || setgroups(0, NULL) < 0 || setresuid(0, 0, 0) < 0)
		return 125;
	if (m->userns >= 0 && unshare(m->flags) < 0)
		return 125;
	(void)prctl(PR_SET_DUMPABLE, 1);                 /* changing ids cleared it: our own user may look at us */
	return m->fn(m->arg);
}

static int hold(struct mapped m, struct idmap_held *ret, struct err *err)
{
	const int flags = m.userns < 0 ? m.flags | CLONE_NEWUSER : 0;
	_fd_ go_read = -1;
	_fd_ go_write = -1;
	int pipes[2];
	pid_t pid;

	if (pipe2(pipes, O_CLOEXEC) < 0)
		return err_set(err, errno, "pipe", "cannot make a user namespace: %m");
	m.go = go_read = pipes[0];
	go_write = pipes[1];
	pid = (pid_t)syscall(SYS_clone, (unsigned long)(flags | SIGCHLD), NULL, NULL, NULL, 0UL);
	if (pid < 0)
		return err_set(err, errno, "userns", "cannot make a user namespace: %m (pterm doctor says what this host "
		               "lacks)");
	if (pid == 0) {
		fd_close(go_write);
		_exit(run_mapped(&m));
	}
	*ret = (struct idmap_held){ .pid = pid, .go = TAKE_FD(go_write), .has_map = m.userns >= 0 };
	return 0;
}

int idmap_hold(int flags, int (*fn)(void *), void *arg, struct idmap_held *ret, struct err *err)
{
	return hold((struct mapped){ .userns = -1, .flags = flags, .fn = fn, .arg = arg }, ret, err);
}

int idmap_hold_in(int userns, int flags, int (*fn)(void *), void *arg, struct idmap_held *ret, struct err *err)
{
	return hold((struct mapped){ .userns = userns, .flags = flags, .fn = fn, .arg = arg }, ret, err);
}

void idmap_drop(struct idmap_held *h)
{
	h->go = fd_close(h->go);
	kill(h->pid, SIGKILL);
	(void)child_wait(h->pid);
}

int idmap_go(struct idmap_held *h, const struct idmap *map, struct err *err)
{
	int r = h->has_map ? 0 : write_map(h->pid, map, err);

	if (r == 0 && (r = fd_write_all(h->go, "", 1)) < 0)
		r = err_set(err, -r, "userns", "the process in the new user namespace was lost: %m");
	if (r < 0) {
		idmap_drop(h);
		return r;
	}
	h->go = fd_close(h->go);
	return 0;
}

pid_t idmap_clone(const struct idmap *map, int flags, int (*fn)(void *), void *arg, struct err *err)
{
	struct idmap_held h;
	int r = idmap_hold(flags, fn, arg, &h, err);

	if (r == 0)
		r = idmap_go(&h, map, err);
	return r < 0 ? r : h.pid;
}

static int pause_until_killed(void *data)
{
	for (;;)
		pause();
	return 0;
}

int idmap_namespace(const struct idmap *map, struct err *err)
{
	const pid_t pid = idmap_clone(map, 0, pause_until_killed, NULL, err);
	char path[64];
	int fd;

	if (pid < 0)
		return pid;
	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fd = err_set(err, errno, "idmap", "cannot open a user namespace: %m");
	(void)kill(pid, SIGKILL);
	(void)child_wait(pid);
	return fd;
}

static void format_ranges(const struct id_ranges *m, struct str *out)
{
	for (size_t i = 0; i < m->n; i++)
		str_addf(out, "%s%u:%u:%u", i ? "," : "", m->r[i].inside, m->r[i].outside, m->r[i].count);
}

void idmap_format(const struct idmap *map, struct str *out)
{
	format_ranges(&map->uid, out);
	str_addc(out, ';');
	format_ranges(&map->gid, out);
}

static int parse_ranges(const char *text, size_t n, struct id_ranges *ret)
{
	const char *end = text + n;

	*ret = (struct id_ranges){ 0 };
	while (text < end) {
		struct id_range r;
		int used = 0;

		if (ret->n == array_len(ret->r) ||
		    sscanf(text, "%u:%u:%u%n", &r.inside, &r.outside, &r.count, &used) != 3 || text + used > end)
			return -EINVAL;
		ret->r[ret->n++] = r;
		text += used;
		if (text < end && *text++ != ',')
			return -EINVAL;
	}
	return ret->n > 0 ? 0 : -EINVAL;
}

int idmap_parse(const char *text, struct idmap *ret)
{
	const char *semicolon = strchr(text, ';');
	struct idmap map;

	if (semicolon == NULL || parse_ranges(text, (size_t)(semicolon - text), &map.uid) < 0 ||
	    parse_ranges(semicolon + 1, strlen(semicolon + 1), &map.gid) < 0)
		return -EINVAL;
	*ret = map;
	return 0;
}

/* The child of tree_remove_mapped: empty the directory that @arg points to a descriptor of. */
static int empty_dir(void *arg)
{
	const int fd = openat(*(const int *)arg, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	int r = 0;

	if (dir == NULL)
		return errno & 0x7f;
	for (struct dirent *e; (e = readdir(dir)) != NULL;) {
		int now;

		if (str_eq(e->d_name, ".") || str_eq(e->d_name, ".."))
			continue;
		now = path_remove_tree(fd, e->d_name);
		if (r == 0)
			r = -now;
	}
	closedir(dir);
	return r & 0x7f;                         /* an exit code; the errnos that matter are below 128 */
}

int tree_remove_mapped(const struct idmap *map, int dirfd, const char *name, struct err *err)
{
	_free_ char *shown = NULL;
	_fd_ fd = -1;
	pid_t pid;
	int r;

	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT || unlinkat(dirfd, name, AT_REMOVEDIR) == 0)
		return 0;
	shown = visible(name);
	fd = openat(dirfd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, errno, "remove", "cannot remove '%s': %m", shown);
	pid = idmap_clone(map, 0, empty_dir, &fd, err);
	if (pid < 0)
		return err_wrap(err, "cannot remove '%s'", shown);
	r = child_wait(pid);
	r = r < 0 ? -r : child_exit_code(r);
	if (unlinkat(dirfd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	return err_set(err, r > 0 && r < 128 ? r : errno, "remove", "cannot remove '%s': %m", shown);
}
