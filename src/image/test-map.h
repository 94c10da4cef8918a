/*
 * For tests of this folder: a map of ids that this user may use. Root takes ids that nobody has; an ordinary user
 * needs a line in /etc/subuid, as for any rootless container.
 */
#pragma once

#include "base/idmap.h"
#include "base/test.h"

#include <pwd.h>
#include <unistd.h>

enum { TEST_MAP_START = 1900000000, TEST_MAP_COUNT = 65536 };

static inline void test_subordinate(const char *file, uint32_t *ret_start, uint32_t *ret_count)
{
	const struct passwd *pw = getpwuid(geteuid());
	_err_ err = ERR_INIT;

	if (idmap_subordinate(file, pw ? pw->pw_name : NULL, geteuid(), ret_start, ret_count, &err) != 0)
		test_skip("this user has no subordinate ids");
}

/* Where @pivot inside is the caller, or (root) a whole range of others. */
static inline void test_map(struct idmap *ret, uint32_t pivot)
{
	uint32_t start, count;

	if (geteuid() == 0) {
		idmap_shift(&ret->uid, TEST_MAP_START, TEST_MAP_COUNT);
		idmap_shift(&ret->gid, TEST_MAP_START, TEST_MAP_COUNT);
		return;
	}
	test_subordinate("/etc/subuid", &start, &count);
	idmap_around(&ret->uid, pivot, geteuid(), start, count);
	test_subordinate("/etc/subgid", &start, &count);
	idmap_around(&ret->gid, pivot, getegid(), start, count);
}
