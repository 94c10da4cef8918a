#include "cli/lines.h"

#include "base/units.h"

static void add_time(const struct lines *l, struct str *out)
{
	if (!l->has_times)
		return;
	str_add_instant(out, l->began_ms);
	str_addc(out, ' ');
}

/* @text holds whole lines, or the last one without its end. */
static void add_lines(const struct lines *l, const struct str *text, struct str *out)
{
	for (size_t at = 0; at < text->len;) {
		const char *end = memchr(text->buf + at, '\n', text->len - at);
		const size_t n = end ? (size_t)(end + 1 - (text->buf + at)) : text->len - at;

		add_time(l, out);
		str_add(out, text->buf + at, n);
		at += n;
	}
}

/* Bytes of one line. */
static void feed_line(struct lines *l, uint64_t position, const char *data, size_t n, struct str *out)
{
	_str_ text = STR_INIT;
	const bool begins = !l->is_inside;

	if (begins && l->has_times)
		l->began_ms = l->time_at(l->data, position);
	l->is_inside = data[n - 1] != '\n';
	if (l->is_plain) {
		plain_feed(&l->plain, data, n, &text);
		add_lines(l, &text, out);
		return;
	}
	if (begins)
		add_time(l, out);
	str_add(out, data, n);
}

void lines_feed(struct lines *l, uint64_t position, const char *data, size_t n, struct str *out)
{
	if (!l->is_plain && !l->has_times) {
		str_add(out, data, n);
		return;
	}
	while (n > 0) {
		const char *end = memchr(data, '\n', n);
		const size_t len = end ? (size_t)(end + 1 - data) : n;

		feed_line(l, position, data, len, out);
		position += len;
		data += len;
		n -= len;
	}
}

void lines_finish(struct lines *l, struct str *out)
{
	_str_ text = STR_INIT;

	plain_finish(&l->plain, &text);
	add_lines(l, &text, out);
}
