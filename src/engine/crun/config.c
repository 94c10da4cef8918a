#include "engine/crun/config.h"

#include "base/fd.h"
#include "base/path.h"
#include "engine/network.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

/*
 * Where pterm-init is inside: on the container's /dev, a tmpfs of its own, so that the root file system stays clean.
 */
#define INIT_INSIDE "/dev/pterm-init"

enum { SECCOMP_FILE_MAX = 1024 * 1024, RESOLV_CONF_MAX = 64 * 1024 };

/*
 * What a shell needs and no more. CAP_SYS_ADMIN is never among them; no file or setuid bit can add one
 * (noNewPrivileges).
 */
static const char *const capabilities[] = {
	"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_NET_BIND_SERVICE", "CAP_SETFCAP",
	"CAP_SETGID", "CAP_SETPCAP", "CAP_SETUID", "CAP_SYS_CHROOT",
};
static const char *const capability_sets[] = { "bounding", "effective", "permitted" };

static const char *const masked_paths[] = {
	"/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/sched_debug", "/proc/scsi",
	"/proc/timer_list", "/proc/timer_stats", "/sys/firmware", "/sys/fs/selinux", "/sys/devices/virtual/powercap",
};
static const char *const readonly_paths[] = {
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
};

static void put_list(struct json_writer *w, const char *key, const char *const *items, size_t n)
{
	json_begin(w, key, '[');
	for (size_t i = 0; i < n; i++)
		json_put_str(w, NULL, items[i]);
	json_end(w, ']');
}

/* @options: words separated by commas. */
static void put_mount(struct json_writer *w, const char *target, const char *type, const char *source,
                      const char *options)
{
	_free_ char *words = xstrdup(options);
	char *save = NULL;

	json_begin(w, NULL, '{');
	json_put_str(w, "destination", target);
	json_put_str(w, "type", type);
	json_put_str(w, "source", source);
	json_begin(w, "options", '[');
	for (char *o = strtok_r(words, ",", &save); o != NULL; o = strtok_r(NULL, ",", &save))
		json_put_str(w, NULL, o);
	json_end(w, ']');
	json_end(w, '}');
}

static void put_process(struct json_writer *w, const struct container *c)
{
	json_begin(w, "process", '{');
	json_put_bool(w, "terminal", true);
	json_begin(w, "user", '{');
	json_put_int(w, "uid", 0);
	json_put_int(w, "gid", 0);
	json_end(w, '}');
	json_begin(w, "args", '[');
	json_put_str(w, NULL, INIT_INSIDE);
	json_put_str(w, NULL, c->place->id);             /* who it is of: whoever finds the supervisor dead knows it by this */
	json_end(w, ']');
	json_begin(w, "env", '[');
	json_put_str(w, NULL, "PATH=" PATH_DEFAULT);
#ifdef PTERM_HOOKS
	_free_ char *hook = xasprintf("PTERM_HOOK=%s", getenv("PTERM_HOOK") ? getenv("PTERM_HOOK") : "");
	json_put_str(w, NULL, hook);
#endif
	json_end(w, ']');
	json_put_str(w, "cwd", "/");
	json_put_bool(w, "noNewPrivileges", true);
	json_begin(w, "capabilities", '{');
	for (size_t i = 0; i < array_len(capability_sets); i++)
		put_list(w, capability_sets[i], capabilities, array_len(capabilities));
	json_end(w, '}');
	json_end(w, '}');
}

static void put_system_mounts(struct json_writer *w, const struct spec *spec)
{
	put_mount(w, "/proc", "proc", "proc", "nosuid,noexec,nodev");
	put_mount(w, "/dev", "tmpfs", "tmpfs", "nosuid,strictatime,mode=755,size=1m");
	put_mount(w, "/dev/pts", "devpts", "devpts", "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5");
	put_mount(w, "/dev/shm", "tmpfs", "shm", "nosuid,noexec,nodev,mode=1777,size=64m");
	put_mount(w, "/dev/mqueue", "mqueue", "mqueue", "nosuid,noexec,nodev");
	if (spec->network == NETWORK_HOST)       /* sysfs belongs to a network namespace, and this one is not ours */
		put_mount(w, "/sys", "none", "/sys", "rbind,nosuid,noexec,nodev,ro");
	else
		put_mount(w, "/sys", "sysfs", "sysfs", "nosuid,noexec,nodev,ro");
	if (spec_has_limits(spec))
		put_mount(w, "/sys/fs/cgroup", "cgroup", "cgroup", "nosuid,noexec,nodev,relatime,ro");
}

static void put_file_mount(struct json_writer *w, const char *target, const char *bundle, const char *name)
{
	_free_ char *source = path_join(bundle, name);

	put_mount(w, target, "bind", source, "bind,ro,nosuid,nodev");
}

/* Hide @path inside a volume that contains it, by an empty file system that cannot be written, or an empty file. */
static void put_mask(struct json_writer *w, const struct spec_volume *v, const char *path)
{
	_free_ char *hidden = path ? realpath(path, NULL) : NULL;        /* sources are real paths, too */
	_free_ char *target = NULL;
	struct stat st;

	if (hidden == NULL || !path_is_under(hidden, v->source) || str_eq(hidden, v->source) || stat(hidden, &st) < 0)
		return;
	target = xasprintf("%s%s", v->target, hidden + (str_eq(v->source, "/") ? 0 : strlen(v->source)));
	if (S_ISDIR(st.st_mode))
		put_mount(w, target, "tmpfs", "hidden", "ro,nosuid,nodev,noexec,size=4k,mode=000");
	else
		put_mount(w, target, "bind", "/dev/null", "bind,ro,nosuid,noexec");
}

static void put_volumes(struct json_writer *w, const struct sandbox *s, const struct container *c, const char *bundle)
{
	const struct spec *spec = c->spec;

	for (size_t i = 0; i < spec->volumes.len; i++) {
		const struct spec_volume *v = &spec->volumes.items[i];
		_free_ char *tree = xasprintf("%s/v%zu", bundle, i);

		put_mount(w, v->target, "bind", i < s->trees.len ? tree : v->source,
		          v->read_only ? "rbind,rprivate,nosuid,nodev,ro" : "rbind,rprivate,nosuid,nodev");
		put_mask(w, v, c->place->home);
		if (!str_eq(c->place->store, c->place->home))
			put_mask(w, v, c->place->store);
		put_mask(w, v, c->place->runtime_dir);
		put_mask(w, v, getenv("XDG_RUNTIME_DIR"));
		put_mask(w, v, "/run/docker.sock");
		put_mask(w, v, "/run/podman");
		put_mask(w, v, "/run/containerd");
	}
}

static void put_mounts(struct json_writer *w, const struct sandbox *s, const struct container *c)
{
	const struct spec *spec = c->spec;
	_free_ char *bundle = sandbox_bundle(c->place);
	_free_ char *init = path_join(bundle, "init");

	json_begin(w, "mounts", '[');
	put_system_mounts(w, spec);
	put_file_mount(w, "/etc/hosts", bundle, "hosts");
	put_file_mount(w, "/etc/hostname", bundle, "hostname");
	put_file_mount(w, "/etc/resolv.conf", bundle, "resolv.conf");
	put_mount(w, INIT_INSIDE, "bind", s->init_tree >= 0 ? init : c->place->init_program, "bind,ro,nosuid,nodev");
	for (size_t i = 0; i < spec->tmpfs.len; i++) {
		const struct spec_tmpfs *t = &spec->tmpfs.items[i];
		_free_ char *options = xasprintf("nosuid,nodev%s%s", t->options ? "," : "", t->options ? t->options : "");

		put_mount(w, t->target, "tmpfs", "tmpfs", options);
	}
	put_volumes(w, s, c, bundle);
	if (spec->ssh_agent != NULL) {
		_free_ char *tree = xasprintf("%s/v%zu", bundle, spec->volumes.len);

		put_mount(w, SSH_AGENT_INSIDE, "bind", spec->volumes.len < s->trees.len ? tree : spec->ssh_agent,
		          "bind,nosuid,nodev");
	}
	if (spec->secrets.len > 0) {             /* last: a tmpfs on /run must not hide them */
		_free_ char *secrets = path_join(bundle, SANDBOX_SECRETS);

		put_mount(w, SECRETS_INSIDE, "bind", secrets, "bind,ro,nosuid,nodev,noexec");
	}
	json_end(w, ']');
}

/* Where the network is the host's or another session's the sandbox process is in its namespace already. */
static void put_namespaces(struct json_writer *w, const struct spec *spec)
{
	static const char *const types[] = { "pid", "mount", "ipc", "uts", "cgroup", "network" };
	const bool has_network = spec->network == NETWORK_HOST || spec->network == NETWORK_SESSION;
	const size_t n = array_len(types) - has_network;

	json_begin(w, "namespaces", '[');
	for (size_t i = 0; i < n; i++) {
		json_begin(w, NULL, '{');
		json_put_str(w, "type", types[i]);
		json_end(w, '}');
	}
	json_end(w, ']');
}

static int put_linux(struct json_writer *w, const struct container *c, struct err *err)
{
	_str_ seccomp = STR_INIT;
	const int r = file_read(AT_FDCWD, c->place->seccomp_file, SECCOMP_FILE_MAX, &seccomp);

	if (r < 0)
		return err_set(err, -r, "seccomp", "cannot read the seccomp profile '%s': %m (install pterm again)",
		               c->place->seccomp_file);
	json_begin(w, "linux", '{');
	put_namespaces(w, c->spec);
	put_list(w, "maskedPaths", masked_paths, array_len(masked_paths));
	put_list(w, "readonlyPaths", readonly_paths, array_len(readonly_paths));
	json_put_raw(w, "seccomp", seccomp.buf);
	json_end(w, '}');
	return 0;
}

static struct str *add_file(struct sandbox *s, const char *name)
{
	vec_push(&s->files, ((struct sandbox_file){ .name = name, .text = STR_INIT }));
	return &s->files.items[s->files.len - 1].text;
}

static int write_resolv_conf(struct str *out, const struct spec *spec, struct err *err)
{
	_str_ host = STR_INIT;
	const int network = spec->network == NETWORK_SESSION ? spec->network_joined : spec->network;
	const char *program, *line;

	if (network == NETWORK_NONE) {
		str_adds(out, "# this session has no network (pterm new --network none)\n");
		return 0;
	}
	(void)file_read(AT_FDCWD, "/etc/resolv.conf", RESOLV_CONF_MAX, &host);
	if (network == NETWORK_HOST) {
		str_add(out, host.buf, host.len);
		return 0;
	}
	if (network_probe(&program, err) != 1)
		return err && err->no ? -err->no : -ENOTSUP;
	str_addf(out, "nameserver %s\n", network_nameserver(program));
	for (line = host.buf; line != NULL && *line != '\0'; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
		if (str_starts(line, "search ") || str_starts(line, "options "))
			str_addf(out, "%.*s\n", (int)strcspn(line, "\n"), line);
	return 0;
}

/* They are read now, at each start: the spec knows only where they come from. */
static int read_secrets(struct sandbox *s, const struct spec *spec, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < spec->secrets.len && r == 0; i++) {
		struct sandbox_secret secret = { .name = spec->secrets.items[i].name, .value = STR_INIT };

		r = spec_secret_read(&spec->secrets.items[i], &secret.value, err);
		vec_push(&s->secrets, secret);
	}
	return r;
}

int config_write(struct sandbox *s, const struct container *c, struct err *err)
{
	const struct spec *spec = c->spec;
	_str_ config = STR_INIT;
	struct json_writer w = JSON_WRITER(&config);
	int r;

	str_addf(add_file(s, "hosts"), "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n127.0.1.1\t%s\n",
	         spec->hostname);
	str_addf(add_file(s, "hostname"), "%s\n", spec->hostname);
	r = write_resolv_conf(add_file(s, "resolv.conf"), spec, err);
	if (r == 0)
		r = read_secrets(s, spec, err);
	if (r < 0)
		return r;
	json_begin(&w, NULL, '{');
	json_put_str(&w, "ociVersion", "1.0.2");
	put_process(&w, c);
	json_begin(&w, "root", '{');
	json_put_str(&w, "path", "rootfs");
	json_put_bool(&w, "readonly", spec->read_only);
	json_end(&w, '}');
	json_put_str(&w, "hostname", spec->hostname);
	put_mounts(&w, s, c);
	r = put_linux(&w, c, err);
	if (r < 0)
		return r;
	json_end(&w, '}');
	*add_file(s, "config.json") = config;
	config = (struct str)STR_INIT;
	return 0;
}
