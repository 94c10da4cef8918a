/*
 * Checks of the programs that pterm needs beside it, and of where it keeps its own.
 */
#include "service/doctor-checks.h"
#include "service/runtime.h"

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

static void no_runtime(const struct host *h, struct finding *f)
{
	_free_ char *runc = host_find(h, "runc");

	if (h->env("PTERM_CRUN") != NULL) {
		found_problem(f, "PTERM_CRUN is '%s', and there is no such program", h->env("PTERM_CRUN"));
		fix_by(f, "unset PTERM_CRUN");
		return;
	}
	if (runc != NULL)
		found_problem(f, "crun is not installed (PTERM_CRUN=%s would use runc instead)", runc);
	else
		found_problem(f, "crun is not installed");
	fix_crun(h, f);
}

static void judge_crun(const struct host *h, const struct host_runtime *r, struct finding *f)
{
	if (r->version == NULL) {
		found_warning(f, "%s does not say its version: '%s'", r->path, r->said.buf);
	} else if (!version_at_least(r->version, CRUN_MIN_MAJOR, CRUN_MIN_MINOR)) {
		found_problem(f, "%s is crun %s, and pterm needs %d.%d or later", r->path, r->version, CRUN_MIN_MAJOR,
		              CRUN_MIN_MINOR);
		fix_crun(h, f);
	} else if (!r->has_seccomp) {
		found_problem(f, "%s is crun %s and was built without seccomp, which confines what runs inside", r->path,
		              r->version);
		fix_crun(h, f);
	} else {
		found_ok(f, "crun %s at %s", r->version, r->path);
	}
}

void check_runtime(const struct host *h, struct finding *f)
{
	struct host_runtime r;
	const int code = host_runtime_find(h, &r);

	if (r.path == NULL) {
		no_runtime(h, f);
	} else if (code < 0) {
		found_problem(f, "%s does not run: %s", r.path, r.said.len > 0 ? r.said.buf : strerror(-code));
		if (str_eq(r.from, "PTERM_CRUN"))
			fix_by(f, "unset PTERM_CRUN");
		else
			fix_crun(h, f);
	} else if (r.version != NULL && !str_eq(r.name, "crun")) {
		found_ok(f, "%s %s at %s, in place of crun", r.name, r.version, r.path);
	} else {
		judge_crun(h, &r, f);
	}
	host_runtime_release(&r);
}

void check_libexec(const struct host *h, struct finding *f)
{
	_free_ char *at = host_path(h, h->libexec);
	struct statfs fs;

	if (h->statfs(at, &fs) < 0) {
		found_problem(f, "%s is not there: pterm is not installed as it was built", h->libexec);
		fix_by(f, "%smake install  # in pterm's source directory", host_sudo(h));
	} else if ((fs.f_flags & ST_NOEXEC) != 0) {
		found_problem(f, "the file system of %s is mounted noexec", h->libexec);
		fix_by(f, "%smount -o remount,exec \"$(findmnt -no TARGET -T %s)\"", host_sudo(h), h->libexec);
	} else {
		found_ok(f, "%s", h->libexec);
	}
}

void check_tun(const struct host *h, struct finding *f)
{
	_free_ char *at = host_path(h, "/dev/net/tun");
	const int r = h->open(at);

	if (r == 0) {
		found_ok(f, "/dev/net/tun can be opened");
	} else if (r == -EACCES || r == -EPERM) {
		found_warning(f, "you may not open /dev/net/tun: sessions can use --network none or host only");
		fix_by(f, "%schmod 666 /dev/net/tun", host_sudo(h));
	} else {
		found_warning(f, "there is no /dev/net/tun: sessions can use --network none or host only");
		fix_by(f, "%smodprobe tun && echo tun | %stee /etc/modules-load.d/tun.conf", host_sudo(h), host_sudo(h));
	}
}

void check_network(const struct host *h, struct finding *f)
{
	_free_ char *pasta = host_find(h, "pasta"), *slirp = host_find(h, "slirp4netns");

	if (pasta != NULL || slirp != NULL) {
		found_ok(f, "%s", pasta ? pasta : slirp);
		return;
	}
	found_warning(f, "neither pasta nor slirp4netns is installed: sessions can use --network none or host only");
	fix_by_package(h, f, host_is(h, "ubuntu", "22") ? PACKAGE_SLIRP : PACKAGE_PASST);
}
