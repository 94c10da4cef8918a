#include "base/str.h"

#include <stdio.h>
#include <wchar.h>

char str_empty[1] = "";

void str_grow(struct str *s, size_t n)
{
	size_t cap = s->cap ? s->cap : 64;

	if (s->cap >= s->len + n + 1)
		return;
	while (cap < s->len + n + 1)
		cap *= 2;
	s->buf = xrealloc(s->cap ? s->buf : NULL, cap);
	s->cap = cap;
	s->buf[s->len] = '\0';
}

void str_add(struct str *s, const void *data, size_t n)
{
	if (n == 0)
		return;
	str_grow(s, n);
	memcpy(s->buf + s->len, data, n);
	s->buf[s->len += n] = '\0';
}

void str_addc(struct str *s, char c)
{
	str_add(s, &c, 1);
}

void str_adds(struct str *s, const char *z)
{
	str_add(s, z, strlen(z));
}

void str_addfv(struct str *s, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n <= 0)
		return;
	str_grow(s, (size_t)n);
	vsnprintf(s->buf + s->len, (size_t)n + 1, fmt, ap);
	s->len += (size_t)n;
}

void str_addf(struct str *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	str_addfv(s, fmt, ap);
	va_end(ap);
}

void str_clear(struct str *s)
{
	s->len = 0;
	if (s->cap)
		s->buf[0] = '\0';
}

void str_release(struct str *s)
{
	if (s->cap)
		free(s->buf);
	*s = (struct str)STR_INIT;
}

void str_wipe(struct str *s)
{
	if (s->cap > 0)
		explicit_bzero(s->buf, s->cap);
	str_release(s);
}

char *str_take(struct str *s)
{
	char *z = s->cap ? s->buf : xstrdup("");

	*s = (struct str)STR_INIT;
	return z;
}

size_t utf8_len(const char *p, size_t n)
{
	const unsigned char *u = (const unsigned char *)p;
	size_t len;
	uint32_t c;

	if (n == 0)
		return 0;
	if (u[0] < 0x80)
		return 1;
	if (u[0] >= 0xc2 && u[0] <= 0xdf) {
		len = 2;
		c = u[0] & 0x1f;
	} else if (u[0] >= 0xe0 && u[0] <= 0xef) {
		len = 3;
		c = u[0] & 0x0f;
	} else if (u[0] >= 0xf0 && u[0] <= 0xf4) {
		len = 4;
		c = u[0] & 0x07;
	} else {
		return 0;
	}
	if (n < len)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((u[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (u[i] & 0x3f);
	}
	if (len == 3 && (c < 0x800 || (c >= 0xd800 && c <= 0xdfff)))
		return 0;
	if (len == 4 && (c < 0x10000 || c > 0x10ffff))
		return 0;
	return len;
}

void str_add_visible(struct str *s, const char *data, size_t n)
{
	for (size_t i = 0; i < n;) {
		const unsigned char c = (unsigned char)data[i];
		const size_t len = utf8_len(data + i, n - i);

		if (c == '\n')
			str_adds(s, "\\n");
		else if (c == '\r')
			str_adds(s, "\\r");
		else if (c == '\t')
			str_adds(s, "\\t");
		else if (c == 0x1b)
			str_adds(s, "\\e");
		else if (c < 0x20 || c == 0x7f || len == 0)
			str_addf(s, "\\x%02x", c);
		else if (len == 2 && c == 0xc2 && (unsigned char)data[i + 1] < 0xa0)
			str_addf(s, "\\x%02x\\x%02x", c, (unsigned char)data[i + 1]);   /* C1 */
		else
			str_add(s, data + i, len);
		i += len ? len : 1;
	}
}

char *visible(const char *z)
{
	struct str s = STR_INIT;

	str_add_visible(&s, z, strlen(z));
	return str_take(&s);
}

bool str_starts(const char *z, const char *prefix)
{
	return strncmp(z, prefix, strlen(prefix)) == 0;
}

size_t text_width(const char *z)
{
	size_t width = 0;
	size_t n = strlen(z);

	while (n > 0) {
		size_t len = utf8_len(z, n);
		wchar_t w;
		mbstate_t st = { 0 };
		int cols = 1;

		if (len == 0)
			len = 1;
		else if (mbrtowc(&w, z, len, &st) == len && (cols = wcwidth(w)) < 0)
			cols = 1;
		width += (size_t)cols;
		z += len;
		n -= len;
	}
	return width;
}

void strv_take(struct strv *v, char *z)
{
	if (v->len + 2 > v->cap) {
		v->cap = v->cap ? v->cap * 2 : 8;
		v->items = xrealloc(v->items, v->cap * sizeof(*v->items));
	}
	v->items[v->len++] = z;
	v->items[v->len] = NULL;
}

void strv_push(struct strv *v, const char *z)
{
	strv_take(v, xstrdup(z));
}

void strv_pushf(struct strv *v, const char *fmt, ...)
{
	struct str s = STR_INIT;
	va_list ap;

	va_start(ap, fmt);
	str_addfv(&s, fmt, ap);
	va_end(ap);
	strv_take(v, str_take(&s));
}

void strv_copy(struct strv *to, const struct strv *from)
{
	for (size_t i = 0; i < from->len; i++)
		strv_push(to, from->items[i]);
}

void strv_release(struct strv *v)
{
	for (size_t i = 0; i < v->len; i++)
		free(v->items[i]);
	free(v->items);
	*v = (struct strv){ 0 };
}

static char **env_slot(const struct strv *v, const char *key)
{
	const size_t n = strlen(key);

	for (size_t i = 0; i < v->len; i++)
		if (strncmp(v->items[i], key, n) == 0 && v->items[i][n] == '=')
			return &v->items[i];
	return NULL;
}

void strv_set_env(struct strv *v, const char *key, const char *value)
{
	char **slot = env_slot(v, key);

	if (slot == NULL) {
		strv_pushf(v, "%s=%s", key, value);
		return;
	}
	free(*slot);
	*slot = xasprintf("%s=%s", key, value);
}
