#include "image/user.h"

#include "base/fd.h"
#include "base/list.h"
#include "base/path.h"
#include "base/units.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FIELD_MAX = 7, ID_MAX = INT32_MAX };              /* crun and newuidmap(1) take no larger ids */

void image_user_release(struct image_user *u)
{
	free(u->gids);
	free(u->name);
	free(u->home);
	free(u->shell);
	*u = (struct image_user){ 0 };
}

/* Split the next line of "a:b:c" into @field; false at the end. What is not text (a NUL) has no fields. */
struct fields { char *text, *field[FIELD_MAX]; size_t count; };

static bool next_line(const struct str *file, size_t *at, struct fields *ret)
{
	const char *start = file->buf + *at, *end;
	size_t n;
	char *p;

	if (*at >= file->len)
		return false;
	end = memchr(start, '\n', file->len - *at);
	n = end ? (size_t)(end - start) : file->len - *at;
	*at += n + 1;
	free(ret->text);
	*ret = (struct fields){ .text = xstrndup(start, n) };
	if (memchr(start, '\0', n) != NULL)
		return true;
	for (p = ret->text; p != NULL && ret->count < FIELD_MAX; ret->count++) {
		ret->field[ret->count] = p;
		p = strchr(p, ':');
		if (p != NULL)
			*p++ = '\0';
	}
	return true;
}

static bool read_id(const char *text, uint32_t *ret)
{
	uint64_t id;

	if (parse_uint(text, 0, ID_MAX, &id) < 0)
		return false;
	*ret = (uint32_t)id;
	return true;
}

/* An absolute path without control characters, or @otherwise. The caller frees. */
static char *clean_path(const char *text, const char *otherwise)
{
	bool ok = text[0] == '/' && strlen(text) < 4096;

	for (const char *p = text; *p != '\0'; p++)
		ok = ok && (unsigned char)*p >= ' ' && *p != 0x7f;
	return xstrdup(ok ? text : otherwise);
}

/* The entry of @name, or of @uid when @name is NULL. */
static bool find_user(const struct str *passwd, const char *name, uid_t uid, struct image_user *ret)
{
	struct fields f = { 0 };
	bool found = false;

	for (size_t at = 0; !found && next_line(passwd, &at, &f);) {
		uint32_t u, g;

		if (f.count < 7 || !read_id(f.field[2], &u) || !read_id(f.field[3], &g))
			continue;
		if (*f.field[0] == '\0' || (name ? !str_eq(f.field[0], name) : u != uid))
			continue;
		ret->uid = u;
		ret->gid = g;
		ret->name = xstrdup(f.field[0]);
		ret->home = clean_path(f.field[5], u == 0 ? "/root" : "/");
		ret->shell = clean_path(f.field[6], "/bin/sh");
		found = true;
	}
	free(f.text);
	return found;
}

static bool find_group(const struct str *group, const char *name, gid_t *ret)
{
	struct fields f = { 0 };
	bool found = false;

	for (size_t at = 0; !found && next_line(group, &at, &f);)
		found = f.count >= 3 && str_eq(f.field[0], name) && read_id(f.field[2], ret);
	free(f.text);
	return found;
}

/* Is @name in the list "a,b,c"? */
static bool lists(const char *members, const char *name)
{
	const size_t n = strlen(name);

	for (size_t len; *members != '\0'; members += len + (members[len] == ',')) {
		len = strcspn(members, ",");
		if (len == n && strncmp(members, name, n) == 0)
			return true;
	}
	return false;
}

static void find_supplementary(const struct str *group, struct image_user *u)
{
	VEC(gid_t) gids = { 0 };
	struct fields f = { 0 };

	for (size_t at = 0; gids.len < IMAGE_USER_GROUPS_MAX && next_line(group, &at, &f);) {
		bool known = false;
		uint32_t gid;

		if (f.count < 4 || !read_id(f.field[2], &gid) || gid == u->gid || !lists(f.field[3], u->name))
			continue;
		for (size_t i = 0; i < gids.len; i++)
			known = known || gids.items[i] == gid;
		if (!known)
			vec_push(&gids, gid);
	}
	free(f.text);
	u->gids = gids.items;
	u->gid_count = gids.len;
}

static int no_such(struct err *err, const char *kind, const char *name, const char *file)
{
	_free_ char *shown = visible(name);

	return err_set(err, ENOENT, "no-such-user", "cannot find the %s '%s': it is not in the image's /etc/%s", kind,
	               shown, file);
}

int image_user_find(const struct str *passwd, const struct str *group, const char *user_spec,
                    struct image_user *ret, struct err *err)
{
	const char *spec = user_spec ? user_spec : "";
	const size_t n = strcspn(spec, ":");
	_free_ char *who = xstrndup(spec, n);
	const char *of = spec[n] == ':' ? spec + n + 1 : "";
	_image_user_ u = { 0 };
	uid_t uid = 0;
	const bool is_number = *who == '\0' || read_id(who, &uid);
	const bool found = find_user(passwd, is_number ? NULL : who, uid, &u);

	if (strlen(spec) > 512 || strchr(of, ':') != NULL) {
		_free_ char *shown = visible(spec);

		return err_set(err, EINVAL, "bad-user", "'%.100s' is no user: give NAME, UID, NAME:GROUP or UID:GID", shown);
	}
	if (!found && !is_number)
		return no_such(err, "user", who, "passwd");
	if (!found) {
		u.uid = uid;
		u.home = xstrdup(uid == 0 ? "/root" : "/");
		u.shell = xstrdup("/bin/sh");
	}
	if (*of != '\0' && !read_id(of, &u.gid) && !find_group(group, of, &u.gid))
		return no_such(err, "group", of, "group");
	if (*of == '\0' && u.name != NULL)
		find_supplementary(group, &u);
	*ret = u;
	u = (struct image_user){ 0 };
	return 0;
}

/* Read @path of one layer. 1: it is there; 0: not; or -errno. It is opened for reading only when it is a file. */
static int read_in_layer(const char *layer, const char *path, struct str *ret)
{
	_fd_ root = open(layer, O_PATH | O_DIRECTORY | O_CLOEXEC);
	_fd_ at = root < 0 ? -errno : path_open_in_root(root, path, O_PATH);
	_fd_ fd = -1;
	char name[40];
	struct stat st;
	int r;

	if (at == -ENOENT || at == -ENOTDIR)
		return 0;
	if (at < 0)
		return at;
	if (fstat(at, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return 1;                        /* a whiteout hides the layers below; nothing else makes sense */
	snprintf(name, sizeof(name), "/proc/self/fd/%d", at);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = fd_slurp(fd, IMAGE_USER_FILE_MAX, ret);
	return r < 0 ? r : 1;
}

static int read_in_image(const struct image *img, const char *path, struct str *ret)
{
	int r = 0;

	for (size_t i = img->layers.len; i-- > 0 && r == 0;)
		r = read_in_layer(img->layers.items[i], path, ret);
	return r < 0 ? r : 0;
}

int image_user(const struct image *img, const char *user_spec, struct image_user *ret, struct err *err)
{
	_str_ passwd = STR_INIT;
	_str_ group = STR_INIT;
	_err_ why = ERR_INIT;
	const int r1 = read_in_image(img, "etc/passwd", &passwd), r2 = read_in_image(img, "etc/group", &group);
	const int unread = r1 < 0 ? r1 : r2;
	int r;

	if (r1 < 0)
		str_clear(&passwd);
	if (r2 < 0)
		str_clear(&group);
	r = image_user_find(&passwd, &group, user_spec, ret, &why);
	if (r == -ENOENT && unread < 0)          /* the name may well be there */
		return err_set(err, -unread, "image-user", "cannot read the image's /etc/%s: %m", r1 < 0 ? "passwd" : "group");
	return r < 0 ? err_move(err, &why) : 0;
}
