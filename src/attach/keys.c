#include "attach/keys.h"

#include <ctype.h>
#include <errno.h>

/* One key at @text, @n bytes long: its code, or -1. */
static int parse_key(const char *text, size_t n)
{
	char c;

	if (n == 1)
		return (unsigned char)text[0];
	if (n != 6 || strncasecmp(text, "ctrl-", 5) != 0)
		return -1;
	c = (char)toupper((unsigned char)text[5]);
	return c >= '@' && c <= '_' ? c - '@' : -1;
}

int keys_parse(const char *text, struct keys *ret, struct err *err)
{
	struct keys k = { 0 };
	_free_ char *shown = NULL;

	if (str_eq(text, "none")) {
		*ret = k;
		return 0;
	}
	for (const char *p = text;; p++) {
		const size_t n = *p == ',' ? 1 : strcspn(p, ",");
		const int key = parse_key(p, n);

		if (key < 0 || k.len == KEYS_MAX)
			break;
		k.sequence[k.len++] = (uint8_t)key;
		p += n;
		if (*p == '\0') {
			*ret = k;
			return 0;
		}
		if (*p != ',')
			break;
	}
	shown = visible(text);
	return err_set(err, EINVAL, "bad-option", "'%s' are no detach keys: write them as in ctrl-\\,d or ctrl-a,ctrl-d "
	               "(at most %d), or none", shown, KEYS_MAX);
}

void keys_release(struct keys *k, struct str *pass)
{
	str_add(pass, k->sequence, k->matched);
	k->matched = 0;
}

bool keys_feed(struct keys *k, const void *data, size_t n, struct str *pass)
{
	const uint8_t *p = data;

	if (k->len == 0) {
		str_add(pass, data, n);
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		/* no match: the oldest held key goes on, and what remains may still be a beginning */
		while (k->matched > 0 && p[i] != k->sequence[k->matched]) {
			size_t keep = k->matched - 1;

			while (keep > 0 && memcmp(k->sequence, k->sequence + k->matched - keep, keep) != 0)
				keep--;
			str_add(pass, k->sequence, k->matched - keep);
			k->matched = keep;
		}
		if (p[i] != k->sequence[k->matched])
			str_addc(pass, (char)p[i]);
		else if (++k->matched == k->len)
			return true;
	}
	return false;
}
