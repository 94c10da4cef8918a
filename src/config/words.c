#include "config/words.h"

#include <errno.h>

/* Bytes of the parameter at @p, braces inside counted; 1 when it has no end (which is told later). */
static size_t parameter_len(const char *p)
{
	int open = 0;

	for (size_t i = 0; p[i] != '\0'; i++) {
		if (p[i] == '$' && p[i + 1] == '{')
			open++;
		else if (p[i] == '}' && --open == 0)
			return i + 1;
	}
	return 1;
}

int words_split(const char *line, struct strv *ret, struct err *err)
{
	_str_ word = STR_INIT;
	bool in_word = false;
	char quote = '\0';

	for (const char *p = line; *p != '\0';) {
		size_t n = 1;

		if (p[0] == '$' && p[1] == '{') {
			n = parameter_len(p);
			str_add(&word, p, n);
			in_word = true;
		} else if (*p == quote) {
			quote = '\0';
		} else if (quote == '\0' && (*p == '\'' || *p == '"')) {
			quote = *p;
			in_word = true;
		} else if (*p == '\\' && quote != '\'' && (quote == '\0' || p[1] == '"' || p[1] == '\\')) {
			if (p[1] == '\0')
				return err_set(err, EINVAL, "bad-command",
				               "after the last backslash a character is missing");
			str_addc(&word, p[1]);
			in_word = true;
			n = 2;
		} else if (quote == '\0' && strchr(" \t\n", *p) != NULL) {
			if (in_word)
				strv_push(ret, word.buf);
			str_clear(&word);
			in_word = false;
		} else {
			str_addc(&word, *p);
			in_word = true;
		}
		p += n;
	}
	if (quote != '\0')
		return err_set(err, EINVAL, "bad-command", "a %c has no end", quote);
	if (in_word)
		strv_push(ret, word.buf);
	return 0;
}
