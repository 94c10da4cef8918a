#include "service/match.h"

#include <errno.h>

int match_init(struct match *m, const struct strv *texts, const struct strv *patterns, struct err *err)
{
	*m = (struct match){ .texts = texts, .patterns = patterns, .regexes = xcalloc(patterns->len + 1, sizeof(regex_t)) };
	for (size_t i = 0; i < patterns->len; i++) {
		const int r = regcomp(&m->regexes[i], patterns->items[i], REG_EXTENDED | REG_NEWLINE);
		_free_ char *shown = visible(patterns->items[i]);
		char why[128];

		if (r == 0)
			continue;
		regerror(r, &m->regexes[i], why, sizeof(why));
		while (i-- > 0)
			regfree(&m->regexes[i]);
		free(m->regexes);
		m->regexes = NULL;
		return err_set(err, EINVAL, "bad-regex", "--regex: '%s' is no regular expression: %s", shown, why);
	}
	return 0;
}

void match_release(struct match *m)
{
	for (size_t i = 0; m->regexes != NULL && i < m->patterns->len; i++)
		regfree(&m->regexes[i]);
	free(m->regexes);
	*m = (struct match){ 0 };
}

bool match_find(const struct match *m, const char *text, struct found *ret)
{
	for (size_t i = 0; i < m->texts->len; i++)
		if (strstr(text, m->texts->items[i]) != NULL) {
			*ret = (struct found){ m->texts->items[i], false, xstrdup(m->texts->items[i]) };
			return true;
		}
	for (size_t i = 0; i < m->patterns->len; i++) {
		regmatch_t at;

		if (regexec(&m->regexes[i], text, 1, &at, 0) == 0) {
			*ret = (struct found){ m->patterns->items[i], true, xstrndup(text + at.rm_so, (size_t)(at.rm_eo - at.rm_so)) };
			return true;
		}
	}
	return false;
}

/* A line that goes on may have ended in blanks that were printed: they belong to it. */
static void add_printed_blanks(const struct screen *s, unsigned row, struct str *out)
{
	struct screen_cell c;

	for (unsigned col = screen_cols(s); col-- > 0;) {
		screen_get_cell(s, row, col, &c);
		if (!str_eq(c.text, " "))
			return;
		str_addc(out, ' ');
	}
}

void match_screen_text(const struct screen *s, struct str *out)
{
	for (unsigned row = 0; row < screen_rows(s); row++) {
		screen_add_row(s, row, SCREEN_PLAIN, out);
		if (screen_row_wraps(s, row))
			add_printed_blanks(s, row, out);
		else
			str_addc(out, '\n');
	}
}

static size_t longest(const struct strv *texts)
{
	size_t n = 0;

	for (size_t i = 0; i < texts->len; i++)
		n = max_size(n, strlen(texts->items[i]));
	return n;
}

bool match_stream(struct match_stream *st, const struct match *m, const char *data, size_t n, struct found *ret)
{
	const size_t keep = longest(m->texts);
	size_t finished;
	bool is_found;

	plain_feed(&st->plain, data, n, &st->text);
	finished = st->text.len;
	str_add(&st->text, st->plain.line.buf, st->plain.line.len);
	is_found = match_find(m, st->text.buf, ret);
	st->text.len = finished;
	if (finished > keep) {
		memmove(st->text.buf, st->text.buf + finished - keep, keep);
		st->text.len = keep;
	}
	st->text.buf[st->text.len] = '\0';
	return is_found;
}

void match_stream_release(struct match_stream *st)
{
	_str_ rest = STR_INIT;

	plain_finish(&st->plain, &rest);
	str_release(&st->text);
}
