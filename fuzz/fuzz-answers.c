/*
 * Answers among keys, in pieces as the input says: what is left is what was typed, in its order, with nothing made up;
 * without an ESC nothing is lost at all, and a filter never swallows for ever.
 */
#include "term/answers.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Is @part what remains of @whole when some of it is taken out? */
static bool is_left_of(const struct str *part, const uint8_t *whole, size_t n)
{
	size_t at = 0;

	for (size_t i = 0; i < n && at < part->len; i++)
		at += (uint8_t)part->buf[at] == whole[i];
	return at == part->len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const char plain[128 * 1024];
	struct answers a = { 0 };
	_str_ keys = STR_INIT;
	const size_t piece = n > 0 ? 1 + data[0] : 1;

	for (size_t at = 0; at < n; at += piece)
		answers_drop(&a, (const char *)data + at, min_size(piece, n - at), &keys);
	if (!is_left_of(&keys, data, n) || (memchr(data, '\033', n) == NULL && keys.len != n))
		abort();
	str_clear(&keys);
	answers_drop(&a, plain, sizeof(plain), &keys);
	answers_drop(&a, "x", 1, &keys);
	if (keys.len == 0 || keys.buf[keys.len - 1] != 'x')
		abort();
	return 0;
}
