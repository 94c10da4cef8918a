#include "engine/network.h"

#include "base/child.h"
#include "base/fd.h"
#include "base/hook.h"
#include "base/loop.h"
#include "base/path.h"
#include "base/units.h"
#include "engine/slirp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define TUN NETWORK_TUN
/* Link-local, so that no network of the host's is hidden by it. */
#define PASTA_NAMESERVER "169.254.1.1"
#define SLIRP_NAMESERVER "10.0.2.3"
#define INTERFACE "eth0"

/*
 * The container's network namespace is the helper's standard input: pasta gives up the right to open it by pid before
 * it does.
 */
#define NETNS_INSIDE "/proc/self/fd/0"

enum { LOG_MAX = 16 * 1024, TERM_WAIT_MS = 200, READY_FD = 3 };

static const struct { const char *name, *nameserver; } programs[] = {
	{ "pasta", PASTA_NAMESERVER }, { "slirp4netns", SLIRP_NAMESERVER },
};

struct network {
	const char *program;             /* its name in programs[] */
	int pidfd, log;                  /* log: a memfd that cannot grow; what is past its end is lost */
	struct watch *pid_watch;
	struct slirp *slirp;             /* while ports are being published */
};

/* --- what this host has --- */

static int find_forced(const struct network_look *look, const char *forced, const char **ret_name, char **ret_path,
                       struct err *err)
{
	for (size_t i = 0; i < array_len(programs); i++) {
		if (!str_eq(path_base(forced), programs[i].name))
			continue;
		*ret_path = look->find(look->data, forced);
		*ret_name = programs[i].name;
		return *ret_path ? 0 : err_set(err, ENOENT, "no-network-program", "'%s', which $PTERM_NETWORK_PROGRAM "
		                               "names, is not installed", forced);
	}
	return err_set(err, EINVAL, "no-network-program", "$PTERM_NETWORK_PROGRAM is '%s': it must name pasta or slirp4netns",
	               forced);
}

int network_locate(const struct network_look *look, const char **ret_name, char **ret_path, struct err *err)
{
	const char *forced = look->env(look->data, "PTERM_NETWORK_PROGRAM");

	if (forced != NULL && *forced != '\0')
		return find_forced(look, forced, ret_name, ret_path, err);
	for (size_t i = 0; i < array_len(programs); i++) {
		*ret_path = look->find(look->data, programs[i].name);
		*ret_name = programs[i].name;
		if (*ret_path != NULL)
			return 0;
	}
	return err_set(err, ENOENT, "no-network-program", "a private network needs the program pasta (in the package passt) or "
	               "slirp4netns: install one of them, or use --network none or host");
}

static const char *own_env(const void *data, const char *name)
{
	return getenv(name);
}

static char *own_find(const void *data, const char *name)
{
	return child_find(name);
}

static int find_program(const char **ret_name, char **ret_path, struct err *err)
{
	return network_locate(&(struct network_look){ own_env, own_find, NULL }, ret_name, ret_path, err);
}

/* The helper opens it as the container's root: ourselves, or (@is_other) somebody who owns nothing on this host. */
static int check_tun(bool is_other, struct err *err)
{
	_fd_ fd = open(TUN, O_RDWR | O_CLOEXEC);
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return err_set(err, ENOENT, "no-tun", "a private network needs " TUN ", and there is none: load its module "
		               "(modprobe tun), give the device to the container that this runs in, or use --network none or "
		               "host");
	if (fd < 0 && (errno == ENODEV || errno == ENXIO))
		return err_set(err, errno, "no-tun", "cannot open " TUN ": %m: load its module (modprobe tun), or use --network "
		               "none or host");
	if (fd < 0)
		return err_set(err, errno, "no-tun", "cannot open " TUN " for reading and writing: %m: give it its usual mode "
		               "(chmod 666 " TUN ", harmless: using it takes rights of its own), or use --network none or host");
	if (is_other && fstat(fd, &st) == 0 && (st.st_mode & 06) != 06)
		return err_set(err, EACCES, "no-tun", TUN " has the mode %04o: the container's root, who is not root on this host, "
		               "must be able to open it: give it its usual mode (chmod 666 " TUN ", harmless: using it takes "
		               "rights of its own), or use --network none or host", (unsigned)st.st_mode & 07777);
	return 0;
}

int network_probe(const char **ret_program, struct err *err)
{
	_free_ char *path = NULL;
	const char *name;

	if (find_program(&name, &path, err) < 0 || check_tun(geteuid() == 0, err) < 0)
		return 0;
	*ret_program = name;
	return 1;
}

const char *network_nameserver(const char *program)
{
	return str_eq(program, "slirp4netns") ? SLIRP_NAMESERVER : PASTA_NAMESERVER;
}

/* --- published ports --- */

static uint64_t first_free_for_all(void)
{
	_str_ text = STR_INIT;
	uint64_t first = 1024;

	if (file_read(AT_FDCWD, "/proc/sys/net/ipv4/ip_unprivileged_port_start", 32, &text) == 0)
		(void)parse_uint(strtok(text.buf, "\n"), 0, 65536, &first);
	return first;
}

static int check_port(int64_t port, struct err *err)
{
	const struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
	                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	_fd_ fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const uint64_t first = first_free_for_all();
	const int on = 1;

	if ((uint64_t)port < first)              /* also as root: the helper is the container's root, not the host's */
		return err_set(err, EACCES, "publish", "cannot publish port %lld: ports below %llu are for the host's root alone: "
		               "choose another with -p, or lower the sysctl net.ipv4.ip_unprivileged_port_start",
		               (long long)port, (unsigned long long)first);
	if (fd < 0)
		return err_set(err, errno, "publish", "cannot publish port %lld: %m", (long long)port);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (const struct sockaddr *)&at, sizeof(at)) < 0 && errno == EADDRINUSE)
		return err_set(err, EADDRINUSE, "publish", "cannot publish port %lld: something else listens on it (ss -ltnp shows "
		               "what): choose another with -p", (long long)port);
	return 0;
}

int network_check_ports(const struct spec *spec, struct err *err)
{
	for (size_t i = 0; i < spec->ports.len; i++) {
		const struct spec_port *p = &spec->ports.items[i];
		int r;

		for (size_t j = 0; j < i; j++)
			if (spec->ports.items[j].host == p->host)
				return err_set(err, EINVAL, "publish", "cannot publish port %lld twice", (long long)p->host);
		r = check_port(p->host, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int network_check(const struct spec *spec, struct err *err)
{
	_free_ char *path = NULL;
	const char *name;
	struct idmap map;
	bool is_other = geteuid() == 0;
	int r;

	if (spec->network != NETWORK_PRIVATE)
		return 0;
	if (spec->map != NULL && idmap_parse(spec->map, &map) == 0)
		is_other = idmap_outside(&map.uid, 0) != (int64_t)geteuid();
	r = find_program(&name, &path, err);
	if (r == 0)
		r = check_tun(is_other, err);
	return r == 0 ? network_check_ports(spec, err) : r;
}

/* --- arguments --- */

static void pasta_arguments(const struct spec *spec, struct strv *out)
{
	/* never the host's loopback: nothing forwarded out of the namespace, and the gateway's address is the gateway's */
	static const char *const fixed[] = { "--foreground", "--quiet", "--config-net", "--no-map-gw", "-u", "none",
	                                     "-T", "none", "-U", "none", "--dns-forward", PASTA_NAMESERVER,
	                                     "--ns-ifname", INTERFACE };

	for (size_t i = 0; i < array_len(fixed); i++)
		strv_push(out, fixed[i]);
	for (size_t i = 0; i < spec->ports.len; i++) {
		strv_push(out, "-t");
		strv_pushf(out, "127.0.0.1/%lld:%lld", (long long)spec->ports.items[i].host,
		           (long long)spec->ports.items[i].container);
	}
	if (spec->ports.len == 0) {
		strv_push(out, "-t");
		strv_push(out, "none");
	}
	strv_push(out, "--netns");
	strv_push(out, NETNS_INSIDE);
}

static void slirp_arguments(int ready_fd, const char *api_socket, struct strv *out)
{
	static const char *const fixed[] = { "--configure", "--mtu=65520", "--disable-host-loopback", "--enable-sandbox",
	                                     "--enable-seccomp", "--netns-type=path" };

	for (size_t i = 0; i < array_len(fixed); i++)
		strv_push(out, fixed[i]);
	if (api_socket != NULL) {
		strv_pushf(out, "--api-socket=%s", api_socket);
		strv_pushf(out, "--ready-fd=%d", ready_fd);
	}
	strv_push(out, NETNS_INSIDE);
	strv_push(out, INTERFACE);
}

void network_arguments(const char *program, const struct spec *spec, int ready_fd, const char *api_socket, struct strv *out)
{
	if (str_eq(program, "slirp4netns"))
		slirp_arguments(ready_fd, api_socket, out);
	else
		pasta_arguments(spec, out);
}

/* --- when it ends --- */

void network_reason(const char *text, struct str *out)
{
	const char *found = NULL;
	size_t found_len = 0;

	for (const char *line = text; *line != '\0';) {
		const size_t n = strcspn(line, "\n");

		/* pasta complains about a missing syslog after every line */
		if (n > 0 && !str_starts(line, "Failed to send ")) {
			found = line;
			found_len = n;
		}
		line += n + (line[n] == '\n');
	}
	str_add_visible(out, found ? found : "", found_len);
	if (str_eq(out->buf, "External interface not usable"))
		str_adds(out, " (this host has no default route; once it has one, restart the session)");
}

static void keep_words(struct container *c, const char *text)
{
	const int fd = c->log_fd;

	if (fd >= 0 && lseek(fd, 0, SEEK_END) >= 0)
		(void)fd_write_all(fd, text, strlen(text));
}

static void forget(struct container *c)
{
	struct network *net = c->network;

	watch_free(net->pid_watch);
	slirp_free(net->slirp);
	fd_close(net->pidfd);
	fd_close(net->log);
	free(net);
	c->network = NULL;
	c->helper_pid = 0;
	c->helper_start = 0;
}

static void on_helper_ended(void *data, int events)
{
	struct container *c = data;
	struct network *net = c->network;
	char text[LOG_MAX + 1] = "";
	_str_ reason = STR_INIT;
	_err_ err = ERR_INIT;
	siginfo_t si = { 0 };

	if (waitid(P_PIDFD, (id_t)net->pidfd, &si, WEXITED | WNOHANG) < 0 && errno != ECHILD && errno != EBADF)
		return;
	(void)!pread(net->log, text, LOG_MAX, 0);
	if (si.si_code == CLD_EXITED)
		network_reason(text, &reason);
	if (reason.len == 0)
		str_addf(&reason, si.si_code == CLD_EXITED ? "exit code %d" : "killed by signal %d", si.si_status);
	err_set(&err, ENETDOWN, "network-lost", "the network's helper %s ended: %s", net->program,
	        si.si_pid != 0 ? reason.buf : "it was started by a supervisor that is gone, so how is not known");
	keep_words(c, text);
	forget(c);
	if (c->on.on_helper_failed != NULL)
		c->on.on_helper_failed(c->data, &err);
}

/* --- starting --- */

struct joining { bool drops_groups; };

/* In the helper, before it is executed: become the root of the container's user namespace, with no right outside. */
static int join_user_namespace(void *data, int user_ns)
{
	const struct joining *j = data;

	(void)umask(0);                                  /* we must be able to connect to slirp4netns's socket, in a 0700 place */
	if (setns(user_ns, CLONE_NEWUSER) < 0 || setresgid(0, 0, 0) < 0)
		return errno;
	if (j->drops_groups && setgroups(0, NULL) < 0)
		return errno;
	return setresuid(0, 0, 0) < 0 ? errno : 0;
}

static int make_log(void)
{
	_fd_ fd = memfd_create("network-log", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || ftruncate(fd, LOG_MAX) < 0 || fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK) < 0)
		return -errno;
	return TAKE_FD(fd);
}

static void on_published(void *data, const struct err *err)
{
	struct container *c = data;

	c->network->slirp = slirp_free(c->network->slirp);
	if (err != NULL && c->on.on_helper_failed != NULL)
		c->on.on_helper_failed(c->data, err);
}

/* Make the process, tell its pid, and only then let it run. */
static int execute(struct container *c, const struct child *child, int user_ns, struct err *err)
{
	struct network *net = c->network;
	struct joining joining = { .drops_groups = geteuid() == 0 };
	struct child_held held;
	int r = child_hold(child, join_user_namespace, &joining, user_ns, &held, err);

	if (r < 0)
		return r;
	HOOK("network.held");
	c->helper_pid = held.pid;
	net->pidfd = proc_pidfd(held.pid);
	if (proc_start_time(held.pid, &c->helper_start) == 0 && c->on.on_helper != NULL)
		c->on.on_helper(c->data, held.pid, c->helper_start);
	HOOK("network.told");
	r = child_go(&held, err);
	if (r < 0) {
		c->helper_pid = 0;                       /* reaped */
		return err_wrap(err, "%s", child->argv[0]);
	}
	if (net->pidfd >= 0)
		net->pid_watch = watch_new(c->loop, net->pidfd, LOOP_READ, on_helper_ended, c);
	return net->pid_watch ? 0 : err_set(err, EIO, "loop", "cannot watch the network's helper");
}

static int open_namespace(pid_t init, const char *kind, struct err *err)
{
	_free_ char *path = xasprintf("/proc/%d/ns/%s", (int)init, kind);
	const int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? err_set(err, errno, "network", "cannot open the container's %s namespace: %m", kind) : fd;
}

/* @ready: slirp4netns's end of its pipe, or -1. */
static int start_program(struct container *c, const char *path, pid_t init, int ready, struct err *err)
{
	static char search[] = "PATH=" PATH_DEFAULT;
	static char *const env[] = { search, NULL };
	struct network *net = c->network;
	_fd_ user_ns = open_namespace(init, "user", err);
	_fd_ net_ns = user_ns < 0 ? user_ns : open_namespace(init, "net", err);
	_strv_ argv = { 0 };

	if (net_ns < 0)
		return net_ns;
	net->log = make_log();
	if (net->log < 0)
		return err_set(err, -net->log, "network", "cannot make a log for the network's helper: %m");
	strv_push(&argv, path);
	network_arguments(net->program, c->spec, READY_FD, net->slirp ? slirp_socket(net->slirp) : NULL, &argv);
	const struct child_fd fds[] = { { net_ns, 0 }, { net->log, 1 }, { net->log, 2 }, { ready, READY_FD } };
	const struct child child = { .argv = (const char *const *)argv.items, .env = env, .fds = fds,
	                             .fd_count = ready < 0 ? 3 : 4, .new_session = true };

	return execute(c, &child, user_ns, err);
}

static int start_slirp(struct container *c, const char *path, pid_t init, struct err *err)
{
	_fd_ ready = -1;
	int r = slirp_new(c, &c->network->slirp, &ready, err);

	if (r == 0)
		r = start_program(c, path, init, ready, err);
	return r == 0 ? slirp_publish(c->network->slirp, on_published, c, err) : r;
}

int network_start(struct container *c, pid_t init, struct err *err)
{
	_free_ char *path = NULL;
	const char *name;
	int r = find_program(&name, &path, err);

	if (r < 0)
		return r;
	c->network = xcalloc(1, sizeof(*c->network));
	*c->network = (struct network){ .program = name, .pidfd = -1, .log = -1 };
	r = str_eq(name, "slirp4netns") && c->spec->ports.len > 0 ? start_slirp(c, path, init, err)
	                                                           : start_program(c, path, init, -1, err);
	if (r < 0) {
		network_stop(c);
		return err_wrap(err, "cannot start the network");
	}
	return 0;
}

/* --- ending --- */

/* TERM, a moment to close its connections, KILL. Reaps it if it is ours. */
void network_adopt(struct container *c)
{
	_fd_ pidfd = c->helper_pid > 0 ? proc_pidfd(c->helper_pid) : -1;
	uint64_t start = 0;

	if (c->helper_pid <= 0)
		return;
	c->network = xcalloc(1, sizeof(*c->network));
	*c->network = (struct network){ .program = "", .pidfd = -1, .log = -1 };
	/* the start time is read after the pidfd was taken: in between the pid cannot be another's */
	if (pidfd < 0 || proc_start_time(c->helper_pid, &start) < 0 || start != c->helper_start)
		pidfd = fd_close(pidfd);
	c->network->pidfd = pidfd >= 0 ? TAKE_FD(pidfd) : eventfd(1, EFD_CLOEXEC);       /* as readable as one that has ended */
	c->network->pid_watch = watch_new(c->loop, c->network->pidfd, LOOP_READ, on_helper_ended, c);
}

static void end_process(int pidfd)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	(void)proc_signal(pidfd, SIGTERM);
	if (poll(&p, 1, TERM_WAIT_MS) <= 0) {
		(void)proc_signal(pidfd, SIGKILL);
		(void)poll(&p, 1, -1);
	}
	(void)waitid(P_PIDFD, (id_t)pidfd, &(siginfo_t){ 0 }, WEXITED);
}

void network_stop(struct container *c)
{
	_fd_ pidfd = c->helper_pid > 0 ? proc_pidfd(c->helper_pid) : -1;
	uint64_t start = 0;

	/* the start time is read after the pidfd was taken: in between the pid cannot be another's */
	if (pidfd >= 0 && proc_start_time(c->helper_pid, &start) == 0 && start == c->helper_start)
		end_process(pidfd);
	c->helper_pid = 0;
	c->helper_start = 0;
	if (c->network != NULL)
		forget(c);
}

void network_remove_of(const struct place *place)
{
	slirp_remove_of(place);
}
