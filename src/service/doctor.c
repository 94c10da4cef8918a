#include "service/doctor-checks.h"

const char *const check_status_names[] = { "ok", "warning", "problem", NULL };

const struct check checks[] = {
	{ "runtime", "it starts the containers", check_runtime },
	{ "subuid", "a container has users of its own, and they need user ids outside", check_subuid },
	{ "subgid", "a container has groups of its own, and they need group ids outside", check_subgid },
	{ "newuidmap", "newuidmap and newgidmap give a container those ids", check_newuidmap },
	{ "no-new-privs", "newuidmap has to gain privileges to do its work", check_no_new_privs },
	{ "userns-limits", "a rootless container lives in a user namespace", check_sysctls },
	{ "apparmor", "a rootless container lives in a user namespace", check_apparmor },
	{ "userns", "a rootless container lives in a user namespace", check_userns },
	{ "overlay", "sessions share the files of an image and keep their own changes", check_overlay },
	{ "home", "sessions keep their files and sockets there", check_home },
	{ "config", "every command reads it", check_config },
	{ "libexec", "pterm's own programs and its seccomp filter are there", check_libexec },
	{ "image", "a session that names no image gets it", check_image },
	{ "tun", "private networking makes its device with it", check_tun },
	{ "network", "private networking needs pasta or slirp4netns", check_network },
	{ "cgroup", "limits (--memory, --cpus, --pids) need controllers that are delegated to you", check_cgroup },
	{ "linger", "sessions should outlive your logout", check_linger },
	{ "runtime-dir", "sockets and caches are there", check_runtime_dir },
	{ "wsl", "sessions live only as long as their machine", check_wsl },
	{ "sudo", "people look for it inside", check_sudo },
	{ NULL }
};

void doctor_run(const struct host *h, struct diagnosis *ret)
{
	*ret = (struct diagnosis){ 0 };
	for (const struct check *c = checks; c->name != NULL; c++) {
		struct finding f = { .found = STR_INIT, .fix = STR_INIT };

		c->run(h, &f);
		ret->count[f.status]++;
		vec_push(&ret->findings, f);
	}
}

void diagnosis_release(struct diagnosis *d)
{
	for (size_t i = 0; i < d->findings.len; i++) {
		str_release(&d->findings.items[i].found);
		str_release(&d->findings.items[i].fix);
	}
	vec_release(&d->findings);
}
