#include "supervisor/house.h"

#include "base/fd.h"
#include "base/path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

static int make_private(const char *path, mode_t mode, struct err *err)
{
	struct stat st;
	int r = path_mkdirs(path, mode);

	if (r < 0)
		return err_set(err, -r, "home", "cannot make '%s': %m (is its file system full or read-only? set PTERM_HOME to "
		               "a directory that you can write)", path);
	if (stat(path, &st) < 0)
		return err_set(err, errno, "home", "cannot look at '%s': %m", path);
	if (st.st_uid != geteuid())
		return err_set(err, EPERM, "home", "'%s' belongs to user %u and not to you: set PTERM_HOME to a directory of "
		               "your own", path, (unsigned)st.st_uid);
	return 0;
}

static char *find_store(const char *home)
{
	const char *given = getenv("PTERM_STORE");

	if (given != NULL && *given != '\0')
		return path_absolute(given);
	return xstrdup(geteuid() == 0 ? "/var/lib/pterm" : home);
}

static bool is_tmpfs(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && fs.f_type == TMPFS_MAGIC;
}

/* A directory of ours that nobody else can write: crun keeps compiled seccomp filters there. */
static bool is_usable_runtime(const char *path, mode_t mode)
{
	struct stat st;

	if (mkdir(path, mode) < 0 && errno != EEXIST)
		return false;
	return lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() && (st.st_mode & 022) == 0;
}

static char *find_runtime(const char *home)
{
	const char *xdg = getenv("XDG_RUNTIME_DIR");
	const mode_t mode = geteuid() == 0 ? 0711 : 0700;        /* mapped root must pass through ours */
	char *candidates[3] = { 0 };
	char *found = NULL;

	if (geteuid() == 0)
		candidates[0] = xstrdup("/run/pterm");
	else if (xdg != NULL && xdg[0] == '/' && access(xdg, W_OK) == 0)
		candidates[0] = path_join(xdg, "pterm");
	if (is_tmpfs("/dev/shm"))
		candidates[1] = xasprintf("/dev/shm/pterm-%u", (unsigned)geteuid());
	candidates[2] = path_join(home, "run");
	for (size_t i = 0; i < array_len(candidates); i++) {
		if (candidates[i] != NULL && found == NULL && is_usable_runtime(candidates[i], mode))
			found = TAKE(candidates[i]);
		free(candidates[i]);
	}
	return found;
}

/* Where our other programs are: beside this one (a build tree), else where they were installed. */
static void find_programs(struct house *h)
{
	char exe[4096];
	const ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	_free_ char *beside = NULL;

	if (n > 0) {
		exe[n] = '\0';
		beside = xstrndup(exe, (size_t)(path_base(exe) - exe - 1));
		_free_ char *init = path_join(beside, "pterm-init");
		_free_ char *data = xasprintf("%s/../share", beside);    /* the build tree: src/ and share/ */

		if (access(init, X_OK) == 0 && access(data, X_OK) == 0) {
			h->libexec = TAKE(beside);
			h->data = TAKE(data);
		}
	}
	if (h->libexec == NULL) {
		h->libexec = xstrdup(PTERM_LIBEXECDIR);
		h->data = xstrdup(PTERM_DATADIR);
	}
	h->init_program = path_join(h->libexec, "pterm-init");
	h->tree_program = path_join(h->libexec, "pterm-tree");
	h->supervisor_program = path_join(h->libexec, "pterm-supervisor");
	h->keeper_program = path_join(h->libexec, "pterm-keeper");
	h->seccomp_file = path_join(h->data, "seccomp.json");
	h->default_image = xstrdup(getenv("PTERM_DEFAULT_IMAGE") ? getenv("PTERM_DEFAULT_IMAGE") : "");
	if (*h->default_image == '\0') {
		free(h->default_image);
		h->default_image = path_join(h->data, "default-image.tar");
	}
}

/* Without links: volumes that contain it are recognised by its name (engine/crun/config.c). */
static void make_real(char **path)
{
	char *real = realpath(*path, NULL);

	if (real == NULL)
		return;
	free(*path);
	*path = real;
}

static int open_dir(const char *path, int *ret, struct err *err)
{
	*ret = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *ret < 0 ? err_set(err, errno, "home", "cannot open '%s': %m", path) : 0;
}

void house_find(struct house *h)
{
	*h = (struct house){ .sessions_fd = -1, .names_fd = -1 };
	h->home = home_find(NULL);
	h->store = find_store(h->home);
	find_programs(h);
}

int house_open(struct house *h, struct err *err)
{
	int r;

	house_find(h);
	r = make_private(h->home, 0700, err);
	make_real(&h->home);
	h->sessions = path_join(h->home, "sessions");
	h->names = path_join(h->home, "names");
	if (r == 0)
		r = make_private(h->sessions, 0700, err);
	if (r == 0)
		r = make_private(h->names, 0700, err);
	if (r == 0)
		r = make_private(h->store, geteuid() == 0 ? 0711 : 0700, err);
	make_real(&h->store);
	if (r == 0)
		r = open_dir(h->sessions, &h->sessions_fd, err);
	if (r == 0)
		r = open_dir(h->names, &h->names_fd, err);
	if (r < 0)
		return r;
	h->runtime = find_runtime(h->home);
	if (h->runtime != NULL)
		make_real(&h->runtime);
	return h->runtime ? 0 : err_set(err, EACCES, "runtime-dir", "there is no directory for sockets and caches: set "
	                                "XDG_RUNTIME_DIR to a directory of your own");
}

void house_close(struct house *h)
{
	char **owned[] = { &h->home, &h->store, &h->runtime, &h->sessions, &h->names, &h->libexec, &h->data,
	                   &h->init_program, &h->tree_program, &h->supervisor_program, &h->keeper_program, &h->seccomp_file, &h->default_image };

	for (size_t i = 0; i < array_len(owned); i++) {
		free(*owned[i]);
		*owned[i] = NULL;
	}
	if (h->sessions_fd > 0)
		h->sessions_fd = fd_close(h->sessions_fd);
	if (h->names_fd > 0)
		h->names_fd = fd_close(h->names_fd);
}

void house_place(const struct house *h, const char *id, struct place *ret)
{
	*ret = (struct place){
		.id = xstrdup(id), .home = h->home, .store = h->store, .runtime_dir = h->runtime,
		.init_program = h->init_program, .tree_program = h->tree_program, .seccomp_file = h->seccomp_file,
		.session_dir = path_join(h->sessions, id),
		.store_dir = xasprintf("%s/sessions/%s", h->store, id),
	};
}

void place_release(struct place *p)
{
	free((char *)p->id);
	free((char *)p->session_dir);
	free((char *)p->store_dir);
	*p = (struct place){ 0 };
}

/*
 * Claiming and releasing look first and change then: one at a time. The lock is a file, since NFS locks no
 * directories.
 */
static int lock_names(const struct house *h)
{
	const int fd = openat(h->names_fd, ".lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	while (fd >= 0 && flock(fd, LOCK_EX) < 0 && errno == EINTR)
		;
	return fd;
}

/* The id that link @name points to, in @ret; false: there is no such link. */
static bool read_link(const struct house *h, const char *name, char *ret, size_t size)
{
	const ssize_t n = readlinkat(h->names_fd, name, ret, size - 1);

	if (n > 0)
		ret[n] = '\0';
	return n > 0;
}

int name_claim(const struct house *h, const char *name, const char *id, struct err *err)
{
	_fd_ lock = lock_names(h);
	_free_ char *making = NULL;
	char holder[64];

	if (lock < 0)
		return err_set(err, errno, "home", "cannot write in '%s': %m", h->names);
	if (read_link(h, name, holder, sizeof(holder))) {
		making = xasprintf(".new-%s", holder);
		if (path_exists(h->sessions_fd, holder) || path_exists(h->sessions_fd, making))
			return 1;
		(void)unlinkat(h->names_fd, name, 0);        /* its session is gone: the name was left by a crash */
	}
	return symlinkat(id, h->names_fd, name) == 0 ? 0 :
	       err_set(err, errno, "home", "cannot write in '%s': %m", h->names);
}

void names_release(const struct house *h, const char *id, const char *keep)
{
	_fd_ lock = lock_names(h);
	DIR *dir = fdopendir(openat(h->names_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	char holder[64];

	for (struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;)
		if (e->d_name[0] != '.' && !(keep != NULL && str_eq(e->d_name, keep)) &&
		    read_link(h, e->d_name, holder, sizeof(holder)) && str_eq(holder, id))
			(void)unlinkat(h->names_fd, e->d_name, 0);
	if (dir != NULL)
		closedir(dir);
}
