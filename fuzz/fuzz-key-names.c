/*
 * Names of keys, and what is pasted: a program's output that sets the modes, a zero, a name, a zero, a text. A key is a few
 * bytes or an error; nothing that is pasted can end its brackets, or be a control.
 */
#include "term/key-encode.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_paste(const struct screen *s, const uint8_t *text, size_t n)
{
	static const char begins[] = "\033[200~", ends[] = "\033[201~";
	const bool is_bracketed = screen_mode(s, 2004) == 1;
	_str_ out = STR_INIT;
	size_t from = 0, to;

	key_paste(s, (const char *)text, n, &out);
	to = out.len;
	if (is_bracketed) {
		if (out.len < 12 || memcmp(out.buf, begins, 6) != 0 || memcmp(out.buf + out.len - 6, ends, 6) != 0)
			abort();
		from = 6;
		to -= 6;
	}
	if (to - from > n)
		abort();
	for (size_t i = from; i < to; i++) {
		const unsigned char c = (unsigned char)out.buf[i];

		if ((c < 0x20 && c != '\t' && c != '\r') || c == 0x7F)
			abort();
		if (c == 0xC2 && i + 1 < to && (unsigned char)out.buf[i + 1] >= 0x80 && (unsigned char)out.buf[i + 1] < 0xA0)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	enum { LONGEST = 64 };
	const uint8_t *name = n ? memchr(data, '\0', n) : NULL;
	const uint8_t *text = name ? memchr(name + 1, '\0', n - (size_t)(name + 1 - data)) : NULL;
	struct screen *s;
	_str_ out = STR_INIT;
	_err_ err = ERR_INIT;
	int r;

	if (text == NULL)
		return 0;
	s = screen_new(5, 20, NULL, NULL);
	screen_feed(s, data, (size_t)(name - data));
	r = key_encode(s, (const char *)name + 1, &out, &err);
	if (r < 0 ? out.len > 0 || err.no == 0 : out.len > LONGEST)
		abort();
	check_paste(s, text + 1, n - (size_t)(text + 1 - data));
	screen_free(s);
	return 0;
}
