#include "http/target.h"

#include <errno.h>

void target_release(struct target *t)
{
	strv_release(&t->segments);
	strv_release(&t->keys);
	strv_release(&t->values);
}

static int bad(struct err *err, const char *what)
{
	return err_set(err, EINVAL, "bad-target", "the request's target %s", what);
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A piece of the target; *ret is the caller's. In a query '+' is a blank. */
static int decode(const char *p, size_t n, bool is_query, char **ret, struct err *err)
{
	_str_ out = STR_INIT;

	for (size_t i = 0; i < n; i++) {
		int c = (unsigned char)p[i];

		if (c == '%') {
			const int high = i + 2 < n ? hex(p[i + 1]) : -1, low = high >= 0 ? hex(p[i + 2]) : -1;

			if (low < 0)
				return bad(err, "has a % that two hexadecimal digits do not follow");
			c = high << 4 | low;
			i += 2;
		} else if (is_query && c == '+') {
			c = ' ';
		}
		if (c < 0x20 || c == 0x7f)
			return bad(err, "has a control character");
		if (c == '/' && !is_query)
			return bad(err, "has a slash within a segment of the path");
		str_addc(&out, (char)c);
	}
	for (size_t i = 0, len; i < out.len; i += len) {
		len = utf8_len(out.buf + i, out.len - i);
		if (len == 0)
			return bad(err, "is not UTF-8");
	}
	*ret = str_take(&out);
	return 0;
}

static int parse_path(const char *p, size_t n, struct target *ret, struct err *err)
{
	if (n == 0 || p[0] != '/')
		return bad(err, "must be a path that begins with /");
	for (size_t at = 1; at < n || (at > 1 && at == n);) {
		const char *slash = memchr(p + at, '/', n - at);
		const size_t len = slash ? (size_t)(slash - p) - at : n - at;
		_free_ char *segment = NULL;
		const int r = decode(p + at, len, false, &segment, err);

		if (r < 0)
			return r;
		if (len == 0 || str_eq(segment, ".") || str_eq(segment, ".."))
			return bad(err, "has an empty segment, . or .. in its path");
		if (ret->segments.len == TARGET_SEGMENTS_MAX)
			return bad(err, "has too many segments");
		strv_take(&ret->segments, TAKE(segment));
		at += len + 1;
	}
	return 0;
}

static int parse_pair(const char *p, size_t n, struct target *ret, struct err *err)
{
	const char *equals = memchr(p, '=', n);
	const size_t key_len = equals ? (size_t)(equals - p) : n;
	_free_ char *key = NULL, *value = NULL;
	int r = decode(p, key_len, true, &key, err);

	if (r == 0 && equals != NULL)
		r = decode(equals + 1, n - key_len - 1, true, &value, err);
	if (r < 0)
		return r;
	if (target_query(ret, key) != NULL)
		return bad(err, "has a parameter that comes twice");
	if (ret->keys.len == TARGET_QUERY_MAX)
		return bad(err, "has too many parameters");
	strv_take(&ret->keys, TAKE(key));
	strv_take(&ret->values, value ? TAKE(value) : xstrdup(""));
	return 0;
}

int target_parse(const char *text, struct target *ret, struct err *err)
{
	const size_t path_len = strcspn(text, "?");
	int r = parse_path(text, path_len, ret, err);

	for (const char *p = text + path_len; r == 0 && *p != '\0';) {
		const size_t n = strcspn(++p, "&");

		if (n > 0)
			r = parse_pair(p, n, ret, err);
		p += n;
	}
	return r;
}

const char *target_query(const struct target *t, const char *key)
{
	for (size_t i = 0; i < t->keys.len; i++)
		if (str_eq(t->keys.items[i], key))
			return t->values.items[i];
	return NULL;
}
