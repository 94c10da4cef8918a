#include "wire/home.h"

#include "base/path.h"
#include "base/str.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <unistd.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#define HEXADECIMAL "0123456789abcdef"

char *home_find(const char *given)
{
	const char *home = getenv("HOME");
	const struct passwd *pw;

	if (given == NULL || *given == '\0')
		given = getenv("PTERM_HOME");
	if (given != NULL && *given != '\0')
		return path_absolute(given);
	if (home == NULL || *home == '\0') {
		pw = getpwuid(geteuid());
		home = pw ? pw->pw_dir : "/";
	}
	return path_join(home, ".pachyterm");
}

bool id_check(const char *text)
{
	return strlen(text) == SESSION_ID_LEN && strspn(text, HEXADECIMAL) == SESSION_ID_LEN;
}

int name_check(const char *name, struct err *err)
{
	const size_t n = strlen(name);
	_free_ char *shown = NULL;

	if (n >= 1 && n <= SESSION_NAME_MAX && strchr(LETTERS, name[0]) != NULL && strspn(name + 1, LETTERS "._-") == n - 1)
		return 0;
	shown = visible(name);
	return err_set(err, EINVAL, "bad-name", "'%s' cannot be a session's name: use 1 to %d letters, digits, '.', '_' "
	               "and '-', a letter or digit first", shown, SESSION_NAME_MAX);
}

char *name_resolve(int sessions_fd, int names_fd, const char *name)
{
	char id[64];
	ssize_t n;

	if (name_check(name, NULL) < 0)
		return NULL;
	n = readlinkat(names_fd, name, id, sizeof(id) - 1);
	if (n <= 0)
		return NULL;
	id[n] = '\0';
	return id_check(id) && path_exists(sessions_fd, id) ? xstrdup(id) : NULL;
}

static char *find_by_prefix(int sessions_fd, const char *ref, int *ret_count)
{
	const size_t n = strlen(ref);
	char *found = NULL;
	DIR *dir;

	*ret_count = 0;
	if (n < SESSION_PREFIX_MIN || strspn(ref, HEXADECIMAL) != n)
		return NULL;
	dir = fdopendir(openat(sessions_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	for (struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;) {
		if (!id_check(e->d_name) || strncmp(e->d_name, ref, n) != 0)
			continue;
		free(found);
		found = xstrdup(e->d_name);
		(*ret_count)++;
	}
	if (dir != NULL)
		closedir(dir);
	return found;
}

int session_unknown(const char *ref, struct err *err)
{
	_free_ char *shown = visible(ref);

	return err_set(err, ENOENT, "no-such-session", "there is no session '%s': see pterm ls", shown);
}

int session_resolve(int sessions_fd, int names_fd, const char *ref, char **ret_id, struct err *err)
{
	_free_ char *id = name_resolve(sessions_fd, names_fd, ref);
	int count = 0;

	if (id == NULL)
		id = find_by_prefix(sessions_fd, ref, &count);
	if (count > 1) {
		_free_ char *shown = visible(ref);

		return err_set(err, EEXIST, "ambiguous", "%d sessions have an id that begins with '%s': give more of it", count,
		               shown);
	}
	if (id == NULL)
		return session_unknown(ref, err);
	*ret_id = TAKE(id);
	return 0;
}
