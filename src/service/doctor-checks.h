/*
 * For the files with checks only: how they read the host and say what they found.
 */
#pragma once

#include "service/doctor.h"

/* Say it: the last one counts. */
void found_ok(struct finding *f, const char *fmt, ...) _printf_(2, 3);
void found_warning(struct finding *f, const char *fmt, ...) _printf_(2, 3);
void found_problem(struct finding *f, const char *fmt, ...) _printf_(2, 3);
void fix_by(struct finding *f, const char *fmt, ...) _printf_(2, 3);

char *host_path(const struct host *h, const char *path);              /* with the root in front; the caller frees */
int host_read(const struct host *h, const char *path, struct str *ret);    /* 0 or -errno */
int host_stat(const struct host *h, const char *path, struct stat *ret);
bool host_exists(const struct host *h, const char *path);
/* Where @name is in $PATH (without the root; the caller frees), or NULL. */
char *host_find(const struct host *h, const char *name);
bool host_is_program(const struct host *h, const char *path);
/* A variable, for the engines' own searches (struct runtime_look, struct network_look). */
const char *host_look_env(const void *host, const char *name);
/* The first number in a file, or @otherwise. */
int64_t host_number(const struct host *h, const char *path, int64_t otherwise);
bool host_has_systemd(const struct host *h);
bool host_is_wsl(const struct host *h);
/* @path, or the nearest directory above it that exists; the caller frees. */
char *host_nearest(const struct host *h, const char *path);

enum host_family { FAMILY_OTHER, FAMILY_DEBIAN, FAMILY_FEDORA, FAMILY_ARCH, FAMILY_SUSE, FAMILY_ALPINE, FAMILY_COUNT };
enum host_family host_family(const struct host *h);
/* Is this the distribution @id in a version that begins with @version? */
bool host_is(const struct host *h, const char *id, const char *version);
enum package { PACKAGE_CRUN, PACKAGE_UIDMAP, PACKAGE_PASST, PACKAGE_SLIRP, PACKAGE_COUNT };
void fix_by_package(const struct host *h, struct finding *f, enum package p);
const char *host_sudo(const struct host *h);                          /* "sudo ", or "" for root */
/* A sysctl for now and for the next boot. */
void fix_by_sysctl(const struct host *h, struct finding *f, const char *setting);

void check_runtime(const struct host *h, struct finding *f);
void check_libexec(const struct host *h, struct finding *f);
void check_image(const struct host *h, struct finding *f);
void check_tun(const struct host *h, struct finding *f);
void check_network(const struct host *h, struct finding *f);

void check_subuid(const struct host *h, struct finding *f);
void check_subgid(const struct host *h, struct finding *f);
void check_newuidmap(const struct host *h, struct finding *f);
void check_no_new_privs(const struct host *h, struct finding *f);
void check_sysctls(const struct host *h, struct finding *f);
void check_apparmor(const struct host *h, struct finding *f);
void check_userns(const struct host *h, struct finding *f);

void check_overlay(const struct host *h, struct finding *f);
void check_config(const struct host *h, struct finding *f);
void check_home(const struct host *h, struct finding *f);

void check_cgroup(const struct host *h, struct finding *f);
void check_linger(const struct host *h, struct finding *f);
void check_runtime_dir(const struct host *h, struct finding *f);
void check_wsl(const struct host *h, struct finding *f);
void check_sudo(const struct host *h, struct finding *f);
