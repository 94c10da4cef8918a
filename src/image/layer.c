/*
 * Unpacking happens in a child that is root of a new user namespace with the map, and that has made the staging
 * directory its root (pterm-tree). Whoever holds the source's byte of the lock file unpacks; the child holds it as
 * well, so that a lock which is free means that nobody writes any more.
 */
#include "image/layer.h"

#include "base/child.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/units.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { DIFF_ID_LEN = 64 };

/* A tar, and what it becomes under one map. */
struct source {
	const struct image_store *store;
	const struct idmap *map;
	const char *path;
	char key[96];                        /* the link in sources/ */
	char diff_id[DIFF_ID_LEN + 1];
	char *layers;                        /* <root>/images/layers/<map> */
	char *link;                          /* <root>/images/sources/<key> */
};

static void source_release(struct source *s)
{
	free(s->layers);
	free(s->link);
}

static void source_key(const struct stat *st, char *ret, size_t n)
{
	snprintf(ret, n, "%llx-%llx-%llx-%llx", (unsigned long long)st->st_dev, (unsigned long long)st->st_ino,
	         (unsigned long long)st->st_size,
	         (unsigned long long)st->st_mtim.tv_sec * 1000000000ULL + (unsigned long long)st->st_mtim.tv_nsec);
}

static bool is_diff_id(const char *text)
{
	return strspn(text, "0123456789abcdef") == DIFF_ID_LEN && text[DIFF_ID_LEN] == '\0';
}

/* Is the source known, and unpacked under this map? */
static bool find_layer(struct source *s, char **ret_layer)
{
	_free_ char *layer = NULL;
	char target[DIFF_ID_LEN + 2];
	const ssize_t n = readlink(s->link, target, sizeof(target));

	if (n != DIFF_ID_LEN)
		return false;
	target[n] = '\0';
	layer = path_join(s->layers, target);
	if (!is_diff_id(target) || !path_exists(AT_FDCWD, layer))
		return false;
	memcpy(s->diff_id, target, sizeof(s->diff_id));
	*ret_layer = TAKE(layer);
	return true;
}

/*
 * Directories above the layers. Started by root, sessions run as ids that own none of these and must get through;
 * an ordinary user's are that user's business.
 */
static int make_dirs(const char *path, struct err *err)
{
	const mode_t mode = geteuid() == 0 ? 0711 : 0700;
	_free_ char *copy = xstrdup(path);

	for (char *end = copy; end != NULL;) {
		end = strchr(end + 1, '/');
		if (end != NULL)
			*end = '\0';
		if (mkdir(copy, mode) == 0)
			(void)chmod(copy, mode);         /* whatever the umask is */
		else if (errno != EEXIST && !path_exists(AT_FDCWD, copy))
			return err_set(err, errno, "image-store", "cannot make the directory '%s': %m", copy);
		if (end != NULL)
			*end = '/';
	}
	return 0;
}

/* The layers of one map of ids are for its root alone: other users could run what is setuid in them. */
static int make_layers_dir(const struct source *s, struct err *err)
{
	const int64_t uid = idmap_outside(&s->map->uid, 0), gid = idmap_outside(&s->map->gid, 0);
	const int r = make_dirs(s->layers, err);

	if (r < 0 || geteuid() != 0)
		return r;
	if (chown(s->layers, (uid_t)uid, (gid_t)gid) < 0 || chmod(s->layers, 0700) < 0)
		return err_set(err, errno, "image-store", "cannot give '%s' to the container's root: %m", s->layers);
	return 0;
}

/* Which byte of the lock file stands for a source: FNV-1a. Two that share one only wait for each other. */
static uint64_t lock_byte(const char *key)
{
	uint64_t h = 14695981039346656037ULL;

	for (; *key != '\0'; key++)
		h = (h ^ (unsigned char)*key) * 1099511628211ULL;
	return h >> 2;
}

static int lock_change(int fd, int how, short type, uint64_t byte)
{
	struct flock range = { .l_type = type, .l_whence = SEEK_SET, .l_start = (off_t)byte, .l_len = 1 };

	while (fcntl(fd, how, &range) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

/* Remove what crashes left: every directory whose lock nobody holds, @own being ours. */
static void sweep(const struct source *s, int lock, uint64_t own)
{
	DIR *dir = opendir(s->layers);

	if (dir == NULL)
		return;
	for (struct dirent *e; (e = readdir(dir)) != NULL;) {
		unsigned long long byte;
		bool is_ours;

		if (sscanf(e->d_name, ".new-%16llx", &byte) != 1)
			continue;
		is_ours = byte == own;
		if (!is_ours && lock_change(lock, F_OFD_SETLK, F_WRLCK, byte) < 0)
			continue;
		(void)tree_remove_mapped(s->map, dirfd(dir), e->d_name, NULL);
		if (!is_ours)
			(void)lock_change(lock, F_OFD_SETLK, F_UNLCK, byte);
	}
	closedir(dir);
}

/* What the child in the new user namespace needs, made ready before: it may not allocate (idmap.h). */
struct unpacker { int program, fds[6]; pid_t parent; const char *const *argv; };

static int run_unpacker(void *arg)
{
	const struct unpacker *u = arg;
	int high[array_len(u->fds)];

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != u->parent)
		return 125;
	for (size_t i = 0; i < array_len(u->fds); i++)
		high[i] = fcntl(u->fds[i], F_DUPFD_CLOEXEC, 64);
	for (size_t i = 0; i < array_len(u->fds); i++)
		if (high[i] < 0 || dup2(high[i], (int)i) < 0)
			return 125;
	syscall(SYS_execveat, u->program, "", (char *const *)u->argv, environ, AT_EMPTY_PATH);
	dprintf(2, "cannot start it: %s\n", strerror(errno));
	return 125;
}

/* The figure @name of a report of pterm-tree; empty when it is not there. */
static char *report_get(const char *report, const char *name)
{
	for (const char *line = report; *line != '\0'; line += line[0] == '\n') {
		const size_t n = strlen(name), len = strcspn(line, "\n");

		if (strncmp(line, name, n) == 0 && line[n] == ' ')
			return xstrndup(line + n + 1, len - n - 1);
		line += len;
	}
	return xstrdup("");
}

/* Run pterm-tree with @tar as its input and @staging as its root. What it says goes to @said and @report. */
static int unpack_in_userns(const struct source *s, int tar, int staging, int lock, struct str *said,
                            struct str *report, struct err *err)
{
	static const char *const argv[] = { "pterm-tree", "unpack", "--owner", "keep", "--report", "4", NULL };
	int said_pipe[2] = { -1, -1 }, report_pipe[2] = { -1, -1 };
	_fd_ null = open("/dev/null", O_RDWR | O_CLOEXEC);
	/* opened here: inside the namespace its directory may be out of reach */
	_fd_ program = open(s->store->tree_program, O_PATH | O_CLOEXEC);
	pid_t pid;
	int r;

	if (program < 0)
		return err_set(err, errno, "no-program", "cannot find the program '%s': %m", s->store->tree_program);
	if (null < 0 || pipe2(said_pipe, O_CLOEXEC) < 0 || pipe2(report_pipe, O_CLOEXEC) < 0) {
		r = err_set(err, errno, "pipe", "cannot run '%s': %m", s->store->tree_program);
		pid = -1;
	} else {
		/* 5: who writes holds the lock, also when we are killed first */
		struct unpacker u = { .program = program, .parent = getpid(), .argv = argv,
		                      .fds = { tar, null, said_pipe[1], staging, report_pipe[1], lock } };

		pid = idmap_clone(s->map, 0, run_unpacker, &u, err);
		r = pid;
	}
	fd_close(said_pipe[1]);
	fd_close(report_pipe[1]);
	if (pid > 0) {
		(void)fd_slurp(said_pipe[0], 64 * 1024, said);
		(void)fd_slurp(report_pipe[0], 4096, report);
		r = child_wait(pid);
		r = r < 0 ? err_set(err, -r, "wait", "cannot wait for '%s': %m", s->store->tree_program)
		          : child_exit_code(r);
	}
	fd_close(said_pipe[0]);
	fd_close(report_pipe[0]);
	return r;
}

static int unpack_failed(const struct source *s, int code, struct str *said, const char *report, struct err *err)
{
	_free_ char *number = report_get(report, "errno");
	_free_ char *shown = visible(s->path);
	_free_ char *why = NULL;
	uint64_t no = EIO;

	said->buf[said->len = strcspn(said->buf, "\n")] = '\0';
	if (said->len == 0)
		str_addf(said, "%s ended with exit code %d", path_base(s->store->tree_program), code);
	why = visible(said->buf);
	if (parse_uint(number, 1, 4095, &no) < 0)
		no = EIO;
	return err_set(err, (int)no, "image-unpack", "cannot unpack image '%s': %s", shown, why);
}

/* Unpack into @staging, which is ours and empty; sets s->diff_id. */
static int fill_staging(struct source *s, int tar, int lock, const char *staging, struct err *err)
{
	const int64_t uid = idmap_outside(&s->map->uid, 0), gid = idmap_outside(&s->map->gid, 0);
	_fd_ dir = open(staging, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	_free_ char *digest = NULL;
	_free_ char *shown = visible(s->path);
	_str_ said = STR_INIT;
	_str_ report = STR_INIT;
	char key[sizeof(s->key)];
	struct stat st;
	int r;

	if (dir < 0 || (geteuid() == 0 && fchown(dir, (uid_t)uid, (gid_t)gid) < 0))
		return err_set(err, errno, "image-store", "cannot prepare '%s': %m", staging);
	r = unpack_in_userns(s, tar, dir, lock, &said, &report, err);
	if (r < 0)
		return r;
	digest = report_get(report.buf, "sha256");
	if (r != 0 || !is_diff_id(digest))
		return unpack_failed(s, r, &said, report.buf, err);
	if (fstat(tar, &st) < 0)
		return err_set(err, errno, "image", "cannot read image '%s': %m", shown);
	source_key(&st, key, sizeof(key));
	if (!str_eq(key, s->key))
		return err_set(err, EAGAIN, "image", "image '%s' changed while it was unpacked: try again", shown);
	if (!layer_looks_like_root(dir))
		return err_set(err, EINVAL, "image", "image '%s' is no root file system: it has neither bin, sbin nor usr",
		               shown);
	memcpy(s->diff_id, digest, sizeof(s->diff_id));
	/* the name says that the content is whole, also after a power failure */
	return syncfs(dir) < 0 ? err_set(err, errno, "image-store", "cannot write '%s': %m", staging) : 0;
}

/* Give the finished directory its name, and remember the source. */
static int publish(const struct source *s, const char *staging, char **ret_layer, struct err *err)
{
	_free_ char *layer = path_join(s->layers, s->diff_id);
	_free_ char *tmp = xasprintf("%s.new-%d", s->link, (int)getpid());

	/* the same content by another source, finished first: the caller removes ours */
	if (rename(staging, layer) < 0 && errno != EEXIST && errno != ENOTEMPTY)
		return err_set(err, errno, "image-store", "cannot keep the image as '%s': %m", layer);
	(void)unlink(tmp);
	if (symlink(s->diff_id, tmp) < 0 || rename(tmp, s->link) < 0) {
		const int no = errno;

		(void)unlink(tmp);
		return err_set(err, no, "image-store", "cannot write '%s': %m", s->link);
	}
	*ret_layer = TAKE(layer);
	return 0;
}

static int unpack_locked(struct source *s, int tar, int lock, uint64_t byte, char **ret_layer, struct err *err)
{
	_free_ char *name = xasprintf(".new-%016llx", (unsigned long long)byte);
	_free_ char *staging = path_join(s->layers, name);
	_err_ ignored = ERR_INIT;
	int r;

	if (find_layer(s, ret_layer))
		return 0;                        /* somebody was faster */
	sweep(s, lock, byte);
	if (mkdir(staging, 0700) < 0)
		return err_set(err, errno, "image-store", "cannot make the directory '%s': %m", staging);
	r = fill_staging(s, tar, lock, staging, err);
	if (r == 0)
		r = publish(s, staging, ret_layer, err);
	(void)tree_remove_mapped(s->map, AT_FDCWD, staging, &ignored);
	return r;
}

static int unpack(struct source *s, char **ret_layer, struct err *err)
{
	_free_ char *sources = xasprintf("%s/images/sources", s->store->root);
	_free_ char *lock_path = path_join(s->layers, ".lock");
	_free_ char *shown = visible(s->path);
	_fd_ lock = -1;
	_fd_ tar = -1;
	struct stat st;
	uint64_t byte;
	int r;

	tar = open(s->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (tar < 0 || fstat(tar, &st) < 0)
		return err_set(err, errno, "image", "cannot read image '%s': %m", shown);
	if (!S_ISREG(st.st_mode))
		return err_set(err, EAGAIN, "image", "image '%s' changed while it was opened: try again", shown);
	source_key(&st, s->key, sizeof(s->key));
	r = make_layers_dir(s, err);
	if (r == 0)
		r = make_dirs(sources, err);
	if (r < 0)
		return r;
	lock = open(lock_path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (lock < 0)
		return err_set(err, errno, "image-store", "cannot open '%s': %m", lock_path);
	byte = lock_byte(s->key);
	r = lock_change(lock, F_OFD_SETLKW, F_WRLCK, byte);
	if (r < 0)
		return err_set(err, -r, "image-store", "cannot lock '%s': %m", lock_path);
	return unpack_locked(s, tar, lock, byte, ret_layer, err);
}

bool layer_looks_like_root(int dir)
{
	static const char *const each[] = { "bin", "usr", "sbin" };

	for (size_t i = 0; i < array_len(each); i++)
		if (path_exists(dir, each[i]))
			return true;
	return errno == EACCES;                  /* not for us to see; then it is not empty either */
}

int layer_from_tar(const struct image_store *store, const char *path, const struct stat *st, const struct idmap *map,
                   const char *map_name, char **ret_layer, char **ret_digest, struct err *err)
{
	_cleanup_(source_release) struct source s = { .store = store, .map = map, .path = path };
	int r = 0;

	source_key(st, s.key, sizeof(s.key));
	s.layers = xasprintf("%s/images/layers/%s", store->root, map_name);
	s.link = xasprintf("%s/images/sources/%s", store->root, s.key);
	if (!find_layer(&s, ret_layer))
		r = unpack(&s, ret_layer, err);
	if (r == 0)
		*ret_digest = xasprintf("sha256:%s", s.diff_id);
	return r;
}
