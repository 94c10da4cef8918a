/*
 * Checks of the place where sessions are kept: can it hold what they need?
 */
#include "service/doctor-checks.h"

#include "config/config.h"

#include <errno.h>

/* statfs(2) numbers of file systems on which overlay uppers, attributes or sockets do not work. */
static const struct { uint32_t magic; const char *name; } unfit[] = {
	{ 0x6969, "NFS" }, { 0xff534d42, "SMB" }, { 0xfe534d42, "SMB" }, { 0x517b, "SMB" },
	{ 0x01021997, "9p (a Windows drive in WSL, or a folder shared with a virtual machine)" },
	{ 0x4d44, "FAT" }, { 0x2011bab0, "exFAT" }, { 0x5346544e, "NTFS" }, { 0x7366746e, "NTFS" },
	{ 0x786f4256, "a VirtualBox shared folder" }, { 0x5346414f, "AFS" }, { 0xf15f, "eCryptfs" },
};

static const char *unfit_name(const struct host *h, const char *dir)
{
	_free_ char *at = host_path(h, dir);
	struct statfs fs;

	if (h->statfs(at, &fs) < 0)
		return NULL;
	for (size_t i = 0; i < array_len(unfit); i++)
		if (unfit[i].magic == (uint32_t)fs.f_type)
			return unfit[i].name;
	return NULL;
}

static void fix_by_store(const struct host *h, struct finding *f)
{
	if (h->env("PTERM_STORE") != NULL)
		fix_by(f, "export PTERM_STORE=DIRECTORY  # one on a local file system (ext4, xfs, btrfs)");
	else if (h->uid == 0)
		fix_by(f, "install -d -m 711 /var/lib/pterm && export PTERM_STORE=/var/lib/pterm");
	else
		fix_by(f, "sudo install -d -m 700 -o %s /var/lib/pterm-%s && export PTERM_STORE=/var/lib/pterm-%s", h->user,
		       h->user, h->user);
}

static void cannot_write(const struct host *h, struct finding *f, const char *dir, int r)
{
	found_problem(f, "you cannot make files in %s: %s", dir, strerror(-r));
	if (r == -ENOSPC || r == -EDQUOT)
		fix_by(f, "df -h %s  # then make room", dir);
	else if (r == -EROFS)
		fix_by_store(h, f);
	else
		fix_by(f, "sudo install -d -m 700 -o %s %s", h->user, h->store);
}

void check_config(const struct host *h, struct finding *f)
{
	_free_ char *dir = host_path(h, h->home);
	_config_ c = { 0 };
	_err_ err = ERR_INIT;

	if (config_load(dir, h->env, &c, &err) == 0) {
		found_ok(f, "the configuration can be read");
		return;
	}
	found_problem(f, "%s", err_msg(&err));
	fix_by(f, "pterm config check  # and mend what it names");
}

void check_home(const struct host *h, struct finding *f)
{
	_free_ char *dir = host_nearest(h, h->store), *at = host_path(h, dir);
	const char *bad = unfit_name(h, dir), *step = "";
	int r;

	if (bad != NULL) {
		found_problem(f, "%s is on %s, which cannot hold what sessions need", h->store, bad);
		fix_by_store(h, f);
		return;
	}
	r = h->use_files(at, &step);
	if (r == 0) {
		found_ok(f, "%s", h->store);
	} else if (str_starts(step, "making")) {
		cannot_write(h, f, dir, r);
	} else {
		found_problem(f, "the file system of %s has no %s: %s", dir, step, strerror(-r));
		fix_by_store(h, f);
	}
}

void check_overlay(const struct host *h, struct finding *f)
{
	_free_ char *dir = host_nearest(h, h->store), *at = host_path(h, dir);
	const char *step = "";
	int r;

	r = h->use_overlay(at, &step);
	if (r == 0) {
		found_ok(f, "mounted one in %s", dir);
	} else if (strstr(step, "user namespace") != NULL) {
		found_problem(f, "not tried, because there is no user namespace for it: see the row userns");
	} else if (strstr(step, "directory") != NULL) {
		found_problem(f, "not tried, because you cannot make files in %s: see the row home", dir);
	} else if (r == -ENODEV) {
		found_problem(f, "the kernel has no overlay file system");
		fix_by(f, "%smodprobe overlay && echo overlay | %stee /etc/modules-load.d/overlay.conf", host_sudo(h),
		       host_sudo(h));
	} else if (r == -EPERM) {
		found_problem(f, "%s in a user namespace is refused: the kernel is older than 5.11, or a security module "
		              "forbids it", step);
		fix_by(f, "boot Linux 5.11 or later");
	} else {
		found_problem(f, "%s in %s fails: %s", step, dir, strerror(-r));
		fix_by_store(h, f);
	}
}
