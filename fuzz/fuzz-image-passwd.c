/*
 * The passwd and group files of an image, and a -u value, all from strangers. The input is the three, separated by the
 * first two NUL bytes; whatever is found must be fit to be used.
 */
#include "image/user.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* The bytes up to the next NUL, which is skipped. */
static void take_part(const uint8_t **data, size_t *n, struct str *ret)
{
	const uint8_t *end = *n ? memchr(*data, '\0', *n) : NULL;
	const size_t len = end ? (size_t)(end - *data) : *n;

	str_add(ret, *data, len);
	*data += len + (end != NULL);
	*n -= len + (end != NULL);
}

static void check_path(const char *path)
{
	if (path[0] != '/')
		abort();
	for (; *path != '\0'; path++)
		if ((unsigned char)*path < ' ' || *path == 0x7f)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	_str_ spec = STR_INIT;
	_str_ passwd = STR_INIT;
	_str_ group = STR_INIT;
	_err_ err = ERR_INIT;
	_image_user_ u = { 0 };
	int r;

	take_part(&data, &n, &spec);
	take_part(&data, &n, &passwd);
	str_add(&group, data, n);                /* with NUL bytes, if there are more */
	r = image_user_find(&passwd, &group, spec.buf, &u, &err);
	if (r == 0) {
		check_path(u.home);
		check_path(u.shell);
		if (u.gid_count > IMAGE_USER_GROUPS_MAX || u.uid > INT32_MAX || u.gid > INT32_MAX)
			abort();
	} else if (r > 0 || err.msg == NULL || u.home != NULL) {
		abort();
	}
	return 0;
}
