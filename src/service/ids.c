#include "service/ids.h"

#include "service/session.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

enum {
	ROOT_IDS_START = 1900000000,     /* above what useradd gives out and what systemd-nspawn takes */
	ROOT_IDS_COUNT = 65536,
};

static int root_map(struct idmap *ret, char **ret_name, struct err *err)
{
	const char *given = getenv("PTERM_ROOT_IDS");
	unsigned start = ROOT_IDS_START, count = ROOT_IDS_COUNT;
	char rest;

	if (given != NULL && *given != '\0' &&
	    (sscanf(given, "%u:%u%c", &start, &count, &rest) != 2 || start < 1000 || count < 1 || start > UINT32_MAX - count))
		return err_set(err, EINVAL, "bad-root-ids", "PTERM_ROOT_IDS is '%s' and must be START:COUNT, as in %u:%u", given,
		               (unsigned)ROOT_IDS_START, (unsigned)ROOT_IDS_COUNT);
	idmap_shift(&ret->uid, start, count);
	idmap_shift(&ret->gid, start, count);
	*ret_name = xasprintf("root-%u", start);
	return 0;
}

static int subordinate(const char *file, uint32_t *start, uint32_t *count, struct err *err)
{
	const char *option = strstr(file, "gid") ? "subgids" : "subuids", *who = session_actor();
	const int r = idmap_subordinate(file, who, geteuid(), start, count, err);

	if (r == 1)
		return err_set(err, ENOENT, "no-subids", "%s has no line for %s, so a rootless container can have no ids of its own: "
		               "sudo usermod --add-%s 100000-165535 %s (a range that nobody else has)", file, who, option,
		               who);
	return r;
}

int ids_map_named(const char *name, struct idmap *ret, struct err *err)
{
	_free_ char *same = NULL;
	unsigned a = 0, b = 0;
	char rest;
	int r;

	if (geteuid() == 0 && sscanf(name, "root-%u%c", &a, &rest) == 1) {
		idmap_shift(&ret->uid, a, ROOT_IDS_COUNT);
		idmap_shift(&ret->gid, a, ROOT_IDS_COUNT);
		return 0;
	}
	if (sscanf(name, "u%u-g%u%c", &a, &b, &rest) != 2) {
		if (sscanf(name, "u%u%c", &a, &rest) != 1)
			return err_set(err, ENOENT, "no-such-map", "'%s' names no map of ids", name);
		b = a;
	}
	r = geteuid() == 0 ? -ENOENT : ids_map(a, b, ret, &same, err);
	return r;
}

int ids_map(uint32_t uid, uint32_t gid, struct idmap *ret, char **ret_name, struct err *err)
{
	uint32_t uid_start, uid_count, gid_start, gid_count;
	int r;

	if (geteuid() == 0)
		return root_map(ret, ret_name, err);
	r = subordinate("/etc/subuid", &uid_start, &uid_count, err);
	if (r == 0)
		r = subordinate("/etc/subgid", &gid_start, &gid_count, err);
	if (r < 0)
		return r;
	idmap_around(&ret->uid, uid, geteuid(), uid_start, uid_count);
	idmap_around(&ret->gid, gid, getegid(), gid_start, gid_count);
	*ret_name = gid == uid ? xasprintf("u%u", uid) : xasprintf("u%u-g%u", uid, gid);
	return 0;
}
