#include "image/tree.h"

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <locale.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static volatile sig_atomic_t stopped;

static void on_signal(int signo)
{
	stopped = 1;
}

void tree_hold_signals(void)
{
	static const int each[] = { SIGINT, SIGTERM, SIGHUP };
	const struct sigaction stop = { .sa_handler = on_signal };
	sigset_t held;

	sigemptyset(&held);
	for (size_t i = 0; i < array_len(each); i++) {
		(void)sigaction(each[i], &stop, NULL);
		sigaddset(&held, each[i]);
	}
	sigprocmask(SIG_BLOCK, &held, NULL);
}

ssize_t tree_read(int fd, void *data, size_t n)
{
	struct pollfd input = { .fd = fd, .events = POLLIN };
	sigset_t none;

	sigemptyset(&none);
	for (;;) {
		const int ready = ppoll(&input, 1, NULL, &none);
		ssize_t got;

		if (stopped)
			return -EINTR;
		if (ready < 0 && errno != EINTR)
			return -errno;
		got = ready > 0 ? read(fd, data, n) : -1;
		if (got >= 0)
			return got;
		if (errno != EINTR)
			return -errno;
	}
}

static int enter_userns(int fd, struct err *err)
{
	if (fd < 0)
		return 0;
	if (setns(fd, CLONE_NEWUSER) < 0)
		return err_set(err, errno, "userns", "cannot enter the container's user namespace: %m");
	fd_close(fd);
	if (setresgid(0, 0, 0) < 0 || setgroups(0, NULL) < 0 || setresuid(0, 0, 0) < 0)
		return err_set(err, errno, "userns", "cannot become root of the container's user namespace: %m");
	return 0;
}

/* Root that keeps CAP_SYS_CHROOT can leave a chroot again; and nothing here needs more than these. */
static int drop_capabilities(void)
{
	static const uint32_t wanted[2] = {
		1u << CAP_CHOWN | 1u << CAP_DAC_OVERRIDE | 1u << CAP_DAC_READ_SEARCH | 1u << CAP_FOWNER |
			1u << CAP_FSETID | 1u << CAP_SETFCAP,
		0,
	};
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[2] = { 0 };

	if (syscall(SYS_capget, &head, caps) < 0)
		return -errno;
	for (int i = 0; i < 2; i++) {
		caps[i].permitted &= wanted[i];
		caps[i].effective = caps[i].permitted;
		caps[i].inheritable = 0;
	}
	return syscall(SYS_capset, &head, caps) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

/*
 * From here on no library is loaded and no program started: they would be the tree's. This is against an accident in
 * a library (iconv, nss), not a wall against code that already runs here; a kernel without seccomp goes without.
 */
static void forbid_new_code(void)
{
	enum { NO = SECCOMP_RET_ERRNO | EACCES };
	static struct sock_filter rules[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_execve, 6, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_execveat, 5, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mprotect, 0, 2),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, NO),
	};
	const struct sock_fprog program = { .len = array_len(rules), .filter = rules };

	(void)prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

/* One descriptor is open for each level of the tree. */
static void raise_open_files(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return;
	files.rlim_cur = files.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &files);
}

int tree_confine(const struct tree_options *o, struct err *err)
{
	int r;

	raise_open_files();
	/* pax names are UTF-8, and libarchive passes them on only where the locale can hold them */
	if (setlocale(LC_CTYPE, "C.UTF-8") == NULL)
		(void)setlocale(LC_CTYPE, "en_US.UTF-8");
	umask(0);
	r = enter_userns(o->userns_fd, err);
	if (r < 0)
		return r;
	if (fchdir(o->dir_fd) < 0)
		return err_set(err, errno, "tree", "cannot enter the directory: %m");
	fd_close(o->dir_fd);
	if (chroot(".") < 0 && !(errno == EPERM && o->is_here && o->userns_fd < 0))
		return err_set(err, errno, "tree", "cannot confine itself to the directory: %m");
	r = drop_capabilities();
	if (r < 0)
		return err_set(err, -r, "tree", "cannot give up capabilities: %m");
	forbid_new_code();
	return 0;
}

int tree_clean_name(const char *name, char **ret)
{
	_str_ out = STR_INIT;

	for (size_t n; *name != '\0'; name += n) {
		name += strspn(name, "/");
		n = strcspn(name, "/");
		if (n == 0 || (n == 1 && name[0] == '.'))
			continue;
		if (n == 2 && name[0] == '.' && name[1] == '.')
			return -EPERM;
		if (n > NAME_MAX || out.len + n >= TREE_PATH_MAX)
			return -ENAMETOOLONG;
		if (out.len > 0)
			str_addc(&out, '/');
		str_add(&out, name, n);
	}
	*ret = str_take(&out);
	return 0;
}

bool tree_keeps_xattr(const char *name)
{
	return str_starts(name, "user.") && !str_starts(name, "user.overlay.");
}
