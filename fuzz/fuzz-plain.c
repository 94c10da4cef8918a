/* Any bytes, cut where the first byte says: the same text as in one piece, valid UTF-8, no controls, no endless line. */
#include "base/str.h"
#include "term/plain.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(const struct str *s)
{
	size_t line = 0;

	for (size_t i = 0, len; i < s->len; i += len) {
		const unsigned char c = (unsigned char)s->buf[i];

		len = utf8_len(s->buf + i, s->len - i);
		line = c == '\n' ? 0 : line + len;
		if (len == 0 || line > PLAIN_LINE_MAX || c == 0x7F || (c < 0x20 && c != '\n' && c != '\t'))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct plain a = PLAIN_INIT, b = PLAIN_INIT;
	_str_ whole = STR_INIT, pieces = STR_INIT;
	const size_t step = n > 0 ? 1 + data[0] % 16 : 1;

	plain_feed(&a, data, n, &whole);
	plain_finish(&a, &whole);
	for (size_t at = 0; at < n; at += step)
		plain_feed(&b, data + at, min_size(step, n - at), &pieces);
	plain_finish(&b, &pieces);
	if (whole.len != pieces.len || memcmp(whole.buf, pieces.buf, whole.len) != 0)
		abort();
	check(&whole);
	return 0;
}
