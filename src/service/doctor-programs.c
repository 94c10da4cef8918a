/*
 * Checks of the programs that pterm needs beside it, and of where it keeps its own.
 */
#include "service/doctor-checks.h"
#include "service/host-runtime.h"

#include "base/path.h"
#include "engine/network.h"

#include <errno.h>
#include <sys/statvfs.h>

/* Debian 12 and Ubuntu 22.04 have a crun that is too old; pterm brings Debian 13's. */
static void fix_crun(const struct host *h, struct finding *f)
{
	if (host_is(h, "debian", "12") || host_is(h, "ubuntu", "22") || host_is(h, "ubuntu", "23"))
		fix_by(f, "%stools/install-crun  # in pterm's source directory", host_sudo(h));
	else
		fix_by_package(h, f, PACKAGE_CRUN);
}

static void judge_runtime(const struct host *h, const struct host_runtime *r, struct finding *f)
{
	const char *name, *oldest;

	if (!r->is_known) {
		found_problem(f, "%s is neither crun, runc nor youki: '%s'", r->path, r->said.buf);
		return;
	}
	name = runtime_name(r->runtime.kind);
	oldest = runtime_oldest(r->runtime.kind);
	if (version_compare(r->runtime.version, oldest) < 0)
		found_problem(f, "%s is %s %s, and pterm needs %s or later", r->path, name, r->runtime.version, oldest);
	else if (!r->has_seccomp)
		found_problem(f, "%s is %s %s and was built without seccomp, which confines what runs inside", r->path, name,
		              r->runtime.version);
	else
		found_ok(f, "%s %s at %s", name, r->runtime.version, r->path);
}

void check_runtime(const struct host *h, struct finding *f)
{
	struct host_runtime r;
	const int code = host_runtime_find(h, &r);

	if (r.path == NULL && r.is_given)
		found_problem(f, "PTERM_CRUN is '%s', and there is no such program", h->env("PTERM_CRUN"));
	else if (r.path == NULL)
		found_problem(f, "crun is not installed");
	else if (code < 0)
		found_problem(f, "%s does not run: %s", r.path, r.said.len > 0 ? r.said.buf : strerror(-code));
	else
		judge_runtime(h, &r, f);
	if (f->status != CHECK_OK && r.is_given)
		fix_by(f, "unset PTERM_CRUN");
	else if (f->status != CHECK_OK)
		fix_crun(h, f);
	host_runtime_release(&r);
}

/* The first of pterm's own programs that is not there; NULL when all are. */
static const char *missing_program(const struct host *h)
{
	static const char *const names[] = { "pterm-supervisor", "pterm-init", "pterm-tree" };

	for (size_t i = 0; i < array_len(names); i++) {
		_free_ char *path = path_join(h->libexec, names[i]);

		if (!host_is_program(h, path))
			return names[i];
	}
	return NULL;
}

void check_libexec(const struct host *h, struct finding *f)
{
	_free_ char *at = host_path(h, h->libexec), *filter = path_join(h->data, "seccomp.json");
	const char *missing = missing_program(h);
	struct statfs fs;

	if (missing != NULL)
		found_problem(f, "there is no %s in %s: pterm is not installed as it was built", missing, h->libexec);
	else if (!host_exists(h, filter))
		found_problem(f, "there is no %s: pterm is not installed as it was built", filter);
	if (f->found.len > 0) {
		fix_by(f, "%smake install  # in pterm's source directory", host_sudo(h));
	} else if (h->statfs(at, &fs) == 0 && (fs.f_flags & ST_NOEXEC) != 0) {
		found_problem(f, "the file system of %s is mounted noexec", h->libexec);
		fix_by(f, "%smount -o remount,exec \"$(findmnt -no TARGET -T %s)\"", host_sudo(h), h->libexec);
	} else {
		found_ok(f, "%s", h->libexec);
	}
}

void check_image(const struct host *h, struct finding *f)
{
	if (host_exists(h, h->default_image)) {
		found_ok(f, "%s", h->default_image);
		return;
	}
	found_warning(f, "there is no %s: sessions need --image", h->default_image);
	if (h->env("PTERM_DEFAULT_IMAGE") != NULL)
		fix_by(f, "unset PTERM_DEFAULT_IMAGE");
	else
		fix_by(f, "%stools/make-default-image %s  # in pterm's source directory", host_sudo(h), h->default_image);
}

void check_tun(const struct host *h, struct finding *f)
{
	_free_ char *at = host_path(h, NETWORK_TUN);
	const int r = h->open(at);
	struct stat st;

	/* the container's root opens it: the caller, or for root somebody who owns nothing here */
	if (r == 0 && h->uid == 0 && h->stat(at, &st) == 0 && (st.st_mode & 06) != 06) {
		found_warning(f, "only root may open /dev/net/tun, and root inside a session is another: sessions can use "
		              "--network none or host only");
		fix_by(f, "chmod 666 /dev/net/tun");
	} else if (r == 0) {
		found_ok(f, "/dev/net/tun can be opened");
	} else if (r == -EACCES || r == -EPERM) {
		found_warning(f, "you may not open /dev/net/tun: sessions can use --network none or host only");
		fix_by(f, "%schmod 666 /dev/net/tun", host_sudo(h));
	} else {
		found_warning(f, "there is no /dev/net/tun: sessions can use --network none or host only");
		fix_by(f, "%smodprobe tun && echo tun | %stee /etc/modules-load.d/tun.conf", host_sudo(h), host_sudo(h));
	}
}

static char *find_helper(const void *host, const char *name)
{
	if (strchr(name, '/') == NULL)
		return host_find(host, name);
	return host_is_program(host, name) ? xstrdup(name) : NULL;
}

void check_network(const struct host *h, struct finding *f)
{
	const struct network_look look = { host_look_env, find_helper, h };
	_free_ char *path = NULL;
	_err_ err = ERR_INIT;
	const char *name;
	const int r = network_locate(&look, &name, &path, &err);

	if (r == 0) {
		found_ok(f, "%s", path);
		return;
	}
	if (h->env("PTERM_NETWORK_PROGRAM") != NULL) {
		found_warning(f, "%s", err_msg(&err));
		fix_by(f, "unset PTERM_NETWORK_PROGRAM");
		return;
	}
	found_warning(f, "neither pasta nor slirp4netns is installed: sessions can use --network none or host only");
	fix_by_package(h, f, host_is(h, "ubuntu", "22") ? PACKAGE_SLIRP : PACKAGE_PASST);
}
