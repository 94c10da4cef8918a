/*
 * What a hostile command inside a container tries, for security.bats: `hostile calls` makes every system call that might lead out and
 * prints what came of each ("mount EPERM"); the other words try one thing. Static: it runs in any image.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <linux/mount.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static void say(const char *what, long r)
{
	printf("%s %s\n", what, r < 0 ? strerrorname_np(errno) : "OK");
}

/* --- calls --- */

static void try_mounts(void)
{
	say("mount", mount("tmpfs", "/mnt", "tmpfs", 0, NULL));
	say("mount-proc", mount("proc", "/mnt", "proc", 0, NULL));
	say("mount-bind", mount("/etc", "/mnt", NULL, MS_BIND, NULL));
	say("remount-init", mount(NULL, "/dev/pterm-init", NULL, MS_REMOUNT | MS_BIND, NULL));
	say("umount-proc-sys", umount2("/proc/sys", MNT_DETACH));
	say("umount-init", umount2("/dev/pterm-init", MNT_DETACH));
	say("pivot_root", syscall(SYS_pivot_root, "/", "/mnt"));
	say("open_tree", syscall(SYS_open_tree, AT_FDCWD, "/", OPEN_TREE_CLONE));
	say("move_mount", syscall(SYS_move_mount, AT_FDCWD, "/dev", AT_FDCWD, "/mnt", 0));
	say("fsopen", syscall(SYS_fsopen, "tmpfs", 0));
	say("fspick", syscall(SYS_fspick, AT_FDCWD, "/", 0));
	say("mount_setattr", syscall(SYS_mount_setattr, AT_FDCWD, "/", 0, &(struct mount_attr){ 0 }, sizeof(struct mount_attr)));
}

static void try_namespaces(void)
{
	static const struct { const char *name; int flag; } kinds[] = {
		{ "user", CLONE_NEWUSER }, { "mnt", CLONE_NEWNS }, { "pid", CLONE_NEWPID }, { "net", CLONE_NEWNET },
		{ "uts", CLONE_NEWUTS }, { "ipc", CLONE_NEWIPC }, { "cgroup", CLONE_NEWCGROUP },
	};
	char what[64];

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		snprintf(what, sizeof(what), "unshare-%s", kinds[i].name);
		say(what, unshare(kinds[i].flag));
	}
	say("clone-user", syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, 0));
	say("clone3", syscall(SYS_clone3, NULL, 0));
	say("setns", syscall(SYS_setns, 0, 0));
}

static void try_processes(void)
{
	char byte;
	struct iovec here = { &byte, 1 }, there = { (void *)0x400000, 1 };
	const int pidfd = (int)syscall(SYS_pidfd_open, 1, 0);

	say("ptrace-attach-1", ptrace(PTRACE_ATTACH, 1, NULL, NULL));
	say("ptrace-seize-1", ptrace(PTRACE_SEIZE, 1, NULL, NULL));
	say("vm-read-1", process_vm_readv(1, &here, 1, &there, 1, 0));
	say("vm-write-1", process_vm_writev(1, &here, 1, &there, 1, 0));
	say("getfd-1", syscall(SYS_pidfd_getfd, pidfd, 3, 0));
	say("open-1-fd", open("/proc/1/fd", O_RDONLY | O_DIRECTORY));
	say("open-1-mem", open("/proc/1/mem", O_RDWR));
	say("open-1-environ", open("/proc/1/environ", O_RDONLY));
}

static void try_kernel(void)
{
	say("bpf", syscall(SYS_bpf, 0, NULL, 0));
	say("perf_event_open", syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0));
	say("userfaultfd", syscall(SYS_userfaultfd, 0));
	say("init_module", syscall(SYS_init_module, "", 0, ""));
	say("kexec_load", syscall(SYS_kexec_load, 0, 0, NULL, 0));
	say("reboot", syscall(SYS_reboot, 0, 0, 0, NULL));
	say("swapon", syscall(SYS_swapon, "/dev/null", 0));
	say("sethostname", sethostname("x", 1));
	say("settimeofday", syscall(SYS_settimeofday, NULL, NULL));
	say("syslog", syscall(SYS_syslog, 3, NULL, 0));
	say("open_by_handle_at", syscall(SYS_open_by_handle_at, AT_FDCWD, NULL, 0));
	say("io_uring_setup", syscall(SYS_io_uring_setup, 1, NULL));
	say("keyctl", syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0));
	say("add_key", syscall(SYS_add_key, "user", "x", "y", 1, KEY_SPEC_SESSION_KEYRING));
	say("request_key", syscall(SYS_request_key, "user", "x", NULL, KEY_SPEC_SESSION_KEYRING));
	say("acct", syscall(SYS_acct, NULL));
}

static void try_devices(void)
{
	say("mknod-block", mknod("/tmp/block", S_IFBLK | 0666, makedev(8, 0)));
	say("mknod-mem", mknod("/tmp/mem", S_IFCHR | 0666, makedev(1, 1)));
	say("mknod-dev", mknod("/dev/kmsg", S_IFCHR | 0666, makedev(1, 11)));
	say("socket-packet", socket(AF_PACKET, SOCK_RAW, 0));
	say("socket-vsock", socket(AF_VSOCK, SOCK_STREAM, 0));
	say("socket-alg", socket(AF_ALG, SOCK_SEQPACKET, 0));
	say("socket-raw", socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
}

static int calls(void)
{
	try_mounts();
	try_namespaces();
	try_processes();
	try_kernel();
	try_devices();
	return 0;
}

/* --- one thing each --- */

static int connect_abstract(const char *name)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	const size_t n = strlen(name);

	memcpy(a.sun_path + 1, name, n);
	say("connect", connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&a,
	                       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + n)));
	return 0;
}

static int connect_unix(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	say("connect", connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&a, sizeof(a)));
	return 0;
}

static int connect_loopback(const char *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)),
	                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	say("connect", connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&a, sizeof(a)));
	return 0;
}

static int type_into_terminal(const char *path)
{
	const int tty = open(path, O_RDWR);

	say("open", tty);
	say("TIOCSTI", ioctl(tty, TIOCSTI, "x"));
	say("TIOCSTI-high-bits", syscall(SYS_ioctl, tty, TIOCSTI | 1ul << 32, "x"));
	say("TIOCLINUX", ioctl(tty, TIOCLINUX, "\2"));
	return 0;
}

/* Every open descriptor, by asking the kernel and not /proc. */
static int descriptors(void)
{
	for (int fd = 0; fd < 65536; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			printf("%d%c", fd, fd < 2 ? ' ' : '\n');
	return 0;
}

static int identity(void)
{
	uid_t r, e, s;

	(void)getresuid(&r, &e, &s);
	printf("uid %u %u %u\n", (unsigned)r, (unsigned)e, (unsigned)s);
	return 0;
}

/* CVE-2019-5736: whoever runs a program of the host inside offers it by /proc/PID/exe. Wait for such, and try to open it to write. */
static int catch_exe(const char *rounds)
{
	char path[64];
	int seen = 0, opened = 0, looked_at = 0;
	struct stat init, st;

	if (stat("/dev/pterm-init", &init) < 0)
		return 1;
	for (int i = 0, last = atoi(rounds); i < last; i++) {
		for (int pid = 1; pid < 400; pid++) {
			char comm[32] = "";
			int fd;

			snprintf(path, sizeof(path), "/proc/%d/comm", pid);
			fd = open(path, O_RDONLY);
			if (fd < 0)
				continue;
			if (read(fd, comm, sizeof(comm) - 1) <= 0 || strncmp(comm, "pterm-init", 10) != 0) {
				close(fd);
				continue;
			}
			close(fd);
			seen += pid > 1;
			snprintf(path, sizeof(path), "/proc/%d/exe", pid);
			fd = open(path, O_PATH);
			/* an exec changes the program a moment before the name: that one is the container's own */
			if (fd >= 0 && fstat(fd, &st) == 0 && st.st_ino == init.st_ino && st.st_dev == init.st_dev) {
				char again[64];
				int w;

				looked_at++;
				snprintf(again, sizeof(again), "/proc/self/fd/%d", fd);
				w = open(again, O_WRONLY);
				opened += w >= 0;
				if (w >= 0)
					close(w);
			}
			if (fd >= 0)
				close(fd);
		}
	}
	printf("seen %s looked-at %d opened %d\n", seen ? "some" : "none", looked_at, opened);
	return 0;
}

/* Out of a chroot, as root may (chroot(2)): the directory that is worked in stays outside of the second one. */
static int leave_chroot(const char *command)
{
	(void)mkdir("/second", 0755);
	if (chroot("/second") < 0) {
		printf("cannot chroot: %s\n", strerror(errno));
		return 1;
	}
	for (int i = 0; i < 64; i++)
		(void)!chdir("..");
	if (chroot(".") == 0)
		execl("/bin/sh", "sh", "-c", command, NULL);
	printf("cannot leave: %s\n", strerror(errno));
	return 1;
}

int main(int argc, char *argv[])
{
	static const struct { const char *name; int (*one)(const char *); } ones[] = {
		{ "abstract", connect_abstract }, { "unix", connect_unix }, { "loopback", connect_loopback },
		{ "type", type_into_terminal }, { "catch-exe", catch_exe }, { "leave-chroot", leave_chroot },
	};
	const char *what = argc > 1 ? argv[1] : "";

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (size_t i = 0; argc > 2 && i < sizeof(ones) / sizeof(ones[0]); i++)
		if (strcmp(ones[i].name, what) == 0)
			return ones[i].one(argv[2]);
	if (strcmp(what, "calls") == 0)
		return calls();
	if (strcmp(what, "descriptors") == 0)
		return descriptors();
	return identity();
}
