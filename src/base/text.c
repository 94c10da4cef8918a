#include "base/text.h"

#include <wchar.h>

void text_pad(struct str *out, size_t n)
{
	while (n-- > 0)
		str_addc(out, ' ');
}

void text_wrap(struct str *out, const char *paragraph, size_t at, size_t indent, size_t columns)
{
	bool is_first = true;                            /* of its line */

	while (*(paragraph += strspn(paragraph, " \n")) != '\0') {
		const size_t n = strcspn(paragraph, " \n");
		_free_ char *word = xstrndup(paragraph, n);
		const size_t width = text_width(word);

		if (!is_first && at + 1 + width > columns) {
			str_addc(out, '\n');
			text_pad(out, indent);
			at = indent;
			is_first = true;
		}
		if (!is_first)
			str_addc(out, ' ');
		str_adds(out, word);
		at += width + !is_first;
		is_first = false;
		paragraph += n;
	}
	str_addc(out, '\n');
}

size_t text_fit(const char *z, size_t columns)
{
	const size_t n = strlen(z);
	size_t at = 0;

	while (at < n) {
		size_t len = utf8_len(z + at, n - at);
		mbstate_t st = { 0 };
		wchar_t w;
		int cols = 1;

		if (len == 0)
			len = 1;
		else if (mbrtowc(&w, z + at, len, &st) == len && (cols = wcwidth(w)) < 0)
			cols = 1;
		if ((size_t)cols > columns)
			break;
		columns -= (size_t)cols;
		at += len;
	}
	return at;
}
