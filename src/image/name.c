#include "image/name.h"

#include "base/str.h"
#include "image/oci.h"

#include <errno.h>

enum { NAME_MAX_LEN = 255, TAG_MAX_LEN = 128 };

#define LOWER "abcdefghijklmnopqrstuvwxyz0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

static int bad(const char *text, const char *why, struct err *err)
{
	_free_ char *shown = visible(text);

	return err_set(err, EINVAL, "bad-image-name", "'%.200s' is no image's name: %s", shown, why);
}

/* Is the first component a registry's host? As docker decides: it has a dot or a colon, or is "localhost". */
static size_t host_len(const char *name)
{
	const size_t n = strcspn(name, "/");

	if (name[n] != '/')
		return 0;
	return memchr(name, '.', n) || memchr(name, ':', n) || (n == 9 && strncmp(name, "localhost", 9) == 0) ? n : 0;
}

static bool component_ok(const char *p, size_t n)
{
	return n > 0 && strspn(p, LOWER "._-") >= n && strchr(LOWER, p[0]) != NULL && strchr(LOWER, p[n - 1]) != NULL;
}

static bool path_ok(const char *path)
{
	for (;;) {
		const size_t n = strcspn(path, "/");

		if (!component_ok(path, n))
			return false;
		if (path[n] == '\0')
			return true;
		path += n + 1;
	}
}

static bool tag_ok(const char *tag)
{
	const size_t n = strlen(tag);

	return n > 0 && n <= TAG_MAX_LEN && strspn(tag, LETTERS "_.-") == n && tag[0] != '.' && tag[0] != '-';
}

/* Without what stands for the registry that a name without one means. */
static const char *strip_default(const char *text)
{
	static const char *const each[] = { "docker.io/library/", "index.docker.io/library/", "docker.io/", "index.docker.io/" };

	for (size_t i = 0; i < array_len(each); i++)
		if (str_starts(text, each[i]))
			return text + strlen(each[i]);
	return text;
}

/* A host has no case (RFC 4343), and two spellings must not be two names: policies are by name. The caller frees. */
static char *lower_host(const char *text)
{
	char *name = xstrdup(text);
	const size_t n = host_len(name);

	for (size_t i = 0; i < n; i++)
		name[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] + 32) : name[i];
	return name;
}

/* A dot at the end of a host changes nothing of what it means. */
static bool has_final_dot(const char *name, size_t host)
{
	const size_t n = strcspn(name, ":/");

	return host > 0 && n > 0 && n <= host && name[n - 1] == '.';
}

int name_clean(const char *text, char **ret, struct err *err)
{
	_free_ char *lower = lower_host(str_starts(text, "docker://") ? text + strlen("docker://") : text);
	_free_ char *name = xstrdup(strip_default(lower));
	char *digest = strchr(name, '@'), *tag;
	size_t host;

	if (digest != NULL) {
		*digest++ = '\0';
		if (!digest_check(digest))
			return bad(text, "after '@' comes a digest, sha256: and 64 hexadecimal digits", err);
	}
	host = host_len(name);
	tag = strchr(name + host, ':');
	if (tag != NULL) {
		*tag++ = '\0';
		if (!tag_ok(tag))
			return bad(text, "a tag has letters, digits, '.', '_' and '-', at most 128 of them", err);
	}
	if (strlen(name) > NAME_MAX_LEN || (host > 0 && strchr(LETTERS "[", name[0]) == NULL) ||
	    strspn(name, LETTERS ".-:[]") < host || has_final_dot(name, host) || !path_ok(name + host + (host > 0)))
		return bad(text, "a name has lower case letters and digits, with '.', '_' and '-' between and '/' to divide it", err);
	*ret = digest == NULL ? xasprintf("%s:%s", name, tag ? tag : "latest")
	                      : xasprintf("%s%s%s@%s", name, tag ? ":" : "", tag ? tag : "", digest);
	return 0;
}

const char *name_digest(const char *clean)
{
	const char *at = strchr(clean, '@');

	return at ? at + 1 : NULL;
}

const char *name_tag(const char *clean)
{
	const char *tag = strchr(clean + host_len(clean), ':');
	const char *digest = strchr(clean, '@');

	return tag != NULL && (digest == NULL || tag < digest) ? tag + 1 : NULL;
}

char *name_repository(const char *clean)
{
	const size_t host = host_len(clean), n = host + strcspn(clean + host, ":@");

	if (host > 0)
		return xstrndup(clean, n);
	return xasprintf("docker.io/%s%.*s", memchr(clean, '/', n) ? "" : "library/", (int)n, clean);
}

bool name_is_local(const char *clean)
{
	return str_starts(clean, "localhost/") || str_starts(clean, "localhost:") || str_starts(clean, "127.") ||
	       str_starts(clean, "[::1]");
}
