#include "cli/listing.h"

#include "base/text.h"
#include "cli/command.h"

#include <sys/ioctl.h>
#include <unistd.h>

const char *const listing_forms[] = { "table", "json", NULL };

void listing_begin(struct listing *l, const char *headers)
{
	*l = (struct listing){ 0 };
	for (;; headers++) {
		const size_t n = strcspn(headers, "|");

		strv_take(&l->cells, xstrndup(headers, n));
		l->columns++;
		headers += n;
		if (*headers == '\0')
			return;
	}
}

void listing_cell(struct listing *l, const char *text)
{
	strv_take(&l->cells, visible(text && *text ? text : "-"));
}

void listing_cellf(struct listing *l, const char *fmt, ...)
{
	_str_ text = STR_INIT;
	va_list ap;

	va_start(ap, fmt);
	str_addfv(&text, fmt, ap);
	va_end(ap);
	listing_cell(l, text.buf);
}

static void add_line(struct str *out, struct str *line, size_t width)
{
	size_t n = line->len;

	if (width > 0 && text_width(line->buf) > width) {
		n = text_fit(line->buf, width - 1);
		line->buf[n] = '\0';
		line->len = n;
		str_adds(line, "…");
	}
	while (line->len > 0 && line->buf[line->len - 1] == ' ')
		line->len--;
	str_add(out, line->buf, line->len);
	str_addc(out, '\n');
	str_clear(line);
}

void listing_end_at(struct listing *l, struct str *out, size_t width)
{
	size_t *widths = xcalloc(l->columns, sizeof(*widths));
	_str_ line = STR_INIT;

	for (size_t i = 0; i < l->cells.len; i++)
		widths[i % l->columns] = max_size(widths[i % l->columns], text_width(l->cells.items[i]));
	for (size_t i = 0; i < l->cells.len; i++) {
		const size_t column = i % l->columns;

		str_adds(&line, l->cells.items[i]);
		if (column + 1 < l->columns)
			text_pad(&line, widths[column] - text_width(l->cells.items[i]) + 2);
		if (column + 1 == l->columns || i + 1 == l->cells.len)
			add_line(out, &line, width);
	}
	free(widths);
	strv_release(&l->cells);
	*l = (struct listing){ 0 };
}

size_t listing_width(void)
{
	struct winsize w;

	return isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 ? w.ws_col : 0;
}

void listing_end(struct listing *l, struct str *out)
{
	listing_end_at(l, out, listing_width());
}

void listing_add_json(struct str *out, const char *json)
{
	for (const char *p = json; *p != '\0'; p++) {
		const unsigned char c = (unsigned char)p[0], d = (unsigned char)p[1];

		if (c == 0x7f)
			str_adds(out, "\\u007f");
		else if (c == 0xc2 && d >= 0x80 && d < 0xa0)
			str_addf(out, "\\u%04x", (unsigned char)*++p);
		else
			str_addc(out, *p);
	}
}

int listing_print(enum listing_form form, const struct str *out, struct err *err)
{
	_str_ pretty = STR_INIT, text = STR_INIT;

	if (form == LISTING_TABLE)
		return command_print(out, err);
	if (isatty(STDOUT_FILENO)) {
		const int r = json_pretty(out->buf, out->len, &pretty, err);

		if (r < 0)
			return r;
	}
	listing_add_json(&text, pretty.len > 0 ? pretty.buf : out->buf);
	if (text.len == 0 || text.buf[text.len - 1] != '\n')
		str_addc(&text, '\n');
	return command_print(&text, err);
}

int listing_print_pretty(const struct str *json, struct err *err)
{
	_str_ pretty = STR_INIT;
	const int r = json_pretty(json->buf, json->len, &pretty, err);

	return r < 0 ? r : listing_print(LISTING_JSON, &pretty, err);
}
