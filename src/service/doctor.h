/*
 * What this host lacks for pterm, and the exact fix. One table of checks; each looks at one thing and says what it
 * found. Nothing has to run, and nothing is changed but a temporary directory where sessions will be.
 *
 * A check sees the host only through struct host: a root that is put in front of every path, and functions for what
 * is no file. So a test can make up any host.
 */
#pragma once

#include "base/list.h"
#include "base/str.h"
#include "supervisor/house.h"

#include <sys/stat.h>
#include <sys/types.h>
#include <sys/vfs.h>

enum check_status { CHECK_OK, CHECK_WARNING, CHECK_PROBLEM, CHECK_STATUS_COUNT };
extern const char *const check_status_names[];    /* ends in NULL */

struct finding {
	enum check_status status;
	struct str found;             /* what there is; lower case, no full stop */
	struct str fix;               /* a command line to copy; empty when all is well or nothing can be done */
};

struct host {
	const char *root;             /* "" or a made-up tree */
	uid_t uid;
	char *user;                   /* its name, or its number */
	char *program;                /* the program that asks: pterm */
	const char *home, *store, *libexec, *data, *default_image;     /* as in struct house */
	struct house house;           /* of the real host: owns them */

	const char *(*env)(const char *name);
	/* Of these, every path has @root in front already. -errno on failure. */
	int (*run)(const char *const *argv, struct str *ret_output);           /* the exit code */
	int (*stat)(const char *path, struct stat *ret);
	int (*statfs)(const char *path, struct statfs *ret);
	ssize_t (*xattr)(const char *path, const char *name, void *value, size_t n);
	int (*open)(const char *path);                                         /* for reading and writing; 0, closed again */
	bool (*has_no_new_privs)(void);
	bool (*is_in_chroot)(void);
	int (*make_userns)(void);                                              /* and a mount namespace in it */
	/* Mount an overlay below @dir in a user namespace and change it. What failed is in *ret_step. */
	int (*use_overlay)(const char *dir, const char **ret_step);
	int (*use_files)(const char *dir, const char **ret_step);              /* make files, extended attributes, sockets */
};

/* The real host, and who calls. Release with host_release. */
void host_init(struct host *h);
void host_release(struct host *h);

struct check {
	const char *name;
	const char *why;              /* what it is needed for: a clause, lower case, no full stop */
	void (*run)(const struct host *h, struct finding *f);
};
extern const struct check checks[];               /* ends with a NULL name */

struct diagnosis {
	VEC(struct finding) findings;         /* in the order of checks[] */
	size_t count[CHECK_STATUS_COUNT];
};
void doctor_run(const struct host *h, struct diagnosis *ret);
void diagnosis_release(struct diagnosis *d);
