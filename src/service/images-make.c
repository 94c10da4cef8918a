#include "service/images-make.h"

#include "base/fd.h"
#include "base/path.h"
#include "image/name.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

const char *const export_kinds[] = { "oci-archive", "docker-archive", "oci", NULL };

int images_tag(const struct house *h, const char *ref, const char *name, struct err *err)
{
	const struct image_store store = images_store(h);
	struct oci_descriptor d = { 0 };
	_free_ char *clean = NULL;
	_free_ char *from = NULL;
	_free_ char *to = NULL;
	int r = name_clean(name, &clean, err);

	if (r == 0 && name_digest(clean) != NULL)
		r = err_set(err, EINVAL, "bad-image-name", "'%s' cannot be given as a name: it has a digest", clean);
	if (r == 0)
		r = image_find(&store, ref, &d, err);
	if (r < 0)
		return r;
	from = d.notes.name ? name_repository(d.notes.name) : xstrdup("");
	to = name_repository(clean);
	if (!str_eq(from, to)) {                 /* what was signed was called otherwise; and this is not pulled by that name */
		free(d.notes.signed_by);
		free(d.notes.source);
		d.notes.signed_by = d.notes.source = NULL;
	}
	free(d.notes.name);
	d.notes.name = TAKE(clean);
	r = trust_allows(&store, d.notes.name, d.notes.signed_by, err);
	if (r == 0)
		r = layout_add(&store, &d, err);
	oci_descriptor_release(&d);
	return r;
}

int images_push(const struct house *h, const char *ref, const char *name, const struct remote *remote, struct err *err)
{
	const struct image_store store = images_store(h);
	struct oci_descriptor d = { 0 };
	_free_ char *clean = NULL;
	_free_ char *target = NULL;
	int r = image_find(&store, ref, &d, err);

	if (r == 0 && name == NULL && d.notes.name == NULL)
		r = err_set(err, EINVAL, "bad-image-name", "image '%s' has no name: say what to call it in the registry", ref);
	if (r == 0)
		r = name_clean(name ? name : d.notes.name, &clean, err);
	if (r == 0) {
		target = xasprintf("docker://%s", clean);
		progress_step(store.progress, "sending '%s' to '%s'", image_called(&d), clean);
		r = skopeo_send(&store, d.digest, target, remote, "push", clean, err);
	}
	oci_descriptor_release(&d);
	return r;
}

/* --- export --- */

/*
 * A directory that nobody else can write, beside what is written: the place may be everybody's (/tmp), where a name
 * that can be guessed may be somebody's link. A descriptor, or -errno.
 */
static int make_private(int dir, char **ret_name)
{
	for (;;) {
		_free_ char *name = NULL;
		uint64_t chance;
		struct stat st;
		_fd_ fd = -1;

		if (getrandom(&chance, sizeof(chance), 0) != (ssize_t)sizeof(chance))
			return -errno;
		name = xasprintf(".pterm-export-%016llx", (unsigned long long)chance);
		if (mkdirat(dir, name, 0700) < 0 && errno != EEXIST)
			return -errno;
		fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0 || fstat(fd, &st) < 0 || st.st_uid != geteuid() || (st.st_mode & 077) != 0)
			continue;
		*ret_name = TAKE(name);
		return TAKE_FD(fd);
	}
}

/* skopeo writes into a directory of ours beside the target, so that a half-written file never has its name. */
static int export_to(const struct image_store *store, const struct oci_descriptor *d, const char *path, int kind,
                     struct err *err)
{
	_free_ char *dir_path = xstrndup(path, (size_t)(path_base(path) - path));
	_fd_ dir = open(*dir_path ? dir_path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_free_ char *shown = visible(path);
	_free_ char *target = NULL;
	_free_ char *tmp = NULL;
	_fd_ at = dir < 0 ? -errno : make_private(dir, &tmp);
	int r;

	if (at < 0)
		return err_set(err, -at, "export", "cannot write '%s': %m", shown);
	target = xasprintf("%s:/proc/%d/fd/%d/image%s%s", export_kinds[kind], (int)getpid(), at,
	                   d->notes.name ? ":" : "", d->notes.name ? d->notes.name : "");
	r = skopeo_send(store, d->digest, target, NULL, "export", path, err);
	if (r == 0 && renameat2(at, "image", dir, path_base(path), RENAME_NOREPLACE) < 0)
		r = err_set(err, errno, "export", "cannot write '%s': %m", shown);
	(void)path_remove_tree(dir, tmp);
	return r;
}

int images_export(const struct house *h, const char *ref, const char *path, int kind, struct err *err)
{
	const struct image_store store = images_store(h);
	struct oci_descriptor d = { 0 };
	_free_ char *shown = visible(path);
	int r;

	if (path_exists(AT_FDCWD, path))
		return err_set(err, EEXIST, "export", "cannot write '%s': it is there already", shown);
	r = image_find(&store, ref, &d, err);
	if (r == 0)
		r = export_to(&store, &d, path, kind, err);
	oci_descriptor_release(&d);
	return r;
}
