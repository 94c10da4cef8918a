/*
 * What a screen shows as text for people and programs, and whether two screens are the same.
 */
#include "term/screen-state.h"

/* Columns up to the last that holds something; with styles, also up to the last that is coloured. */
static unsigned used_cols(const struct screen *s, const struct row *row, enum screen_text how)
{
	unsigned n = s->col_count;

	while (n > 0) {
		const struct cell *c = &row->cells[n - 1];
		const bool is_blank = c->text == 0 || c->text == ' ';

		if (!is_blank || (how == SCREEN_STYLED && c->style != 0))
			break;
		n--;
	}
	return n;
}

static void add_link(const struct screen *s, uint32_t link, struct str *out)
{
	const char *id, *uri;
	size_t len;

	uri = link_uri(s, link, &id, &len);
	if (uri == NULL)
		str_adds(out, "\033]8;;\033\\");
	else
		str_addf(out, "\033]8;%s%.*s;%s\033\\", len ? "id=" : "", (int)len, id, uri);
}

static void add_style(const struct screen *s, const struct style *from, const struct style *to, struct str *out)
{
	struct style a = *from, b = *to;

	if (a.link != b.link)
		add_link(s, b.link, out);
	a.link = b.link = 0;
	a.attributes &= (uint16_t)~SCREEN_PROTECTED;
	b.attributes &= (uint16_t)~SCREEN_PROTECTED;
	if (memcmp(&a, &b, sizeof(a)) == 0)
		return;
	str_adds(out, "\033[");
	style_add_sgr(&b, out);
	str_addc(out, 'm');
}

void screen_add_row(const struct screen *s, unsigned row, enum screen_text how, struct str *out)
{
	static const struct style plain;
	const struct row *r = row_at(s, min_u(row, s->row_count - 1u));
	const unsigned cols = used_cols(s, r, how);
	struct style now = plain;
	char text[SCREEN_CLUSTER_MAX * 4 + 1];

	for (unsigned c = 0; c < cols; c++) {
		const struct cell *cell = &r->cells[c];

		if (cell->text == CELL_TAIL)
			continue;
		if (how == SCREEN_STYLED) {
			const struct style *style = style_get(s, cell->style);

			add_style(s, &now, style, out);
			now = *style;
		}
		if (cell->text == 0)
			str_addc(out, ' ');
		else
			str_add(out, text, cell_add_text(s, cell->text, text));
	}
	if (how == SCREEN_STYLED)
		add_style(s, &now, &plain, out);
}

bool screen_row_wraps(const struct screen *s, unsigned row)
{
	return row_at(s, min_u(row, s->row_count - 1u))->is_wrapped;
}

void screen_add_text(const struct screen *s, enum screen_text how, struct str *out)
{
	size_t end = out->len;

	for (unsigned r = 0; r < s->row_count; r++) {
		const size_t before = out->len;

		screen_add_row(s, r, how, out);
		if (out->len > before)
			end = out->len + 1;
		str_addc(out, '\n');
	}
	out->len = end;
	if (out->cap > 0)
		out->buf[end] = '\0';
}

/* --- the same or not --- */

struct comparison { const struct screen *a, *b; struct str *what; };

static bool differ(const struct comparison *c, const char *fmt, ...) _printf_(2, 3);
static bool differ(const struct comparison *c, const char *fmt, ...)
{
	va_list ap;

	if (c->what) {
		va_start(ap, fmt);
		str_addfv(c->what, fmt, ap);
		va_end(ap);
	}
	return false;
}

static bool same_text(const char *x, const char *y)
{
	return x == y || (x != NULL && y != NULL && str_eq(x, y));
}

static bool same_cursor(const struct comparison *c, const char *which, const struct cursor *x, const struct cursor *y)
{
	if (x->row != y->row || x->col != y->col)
		return differ(c, "%s at %u,%u and %u,%u", which, x->row, x->col, y->row, y->col);
	if (x->wraps_next != y->wraps_next)
		return differ(c, "%s: wraps next", which);
	if (!styles_equal(c->a, &x->pen, c->b, &y->pen))
		return differ(c, "%s: pen", which);
	if (memcmp(&x->charsets, &y->charsets, sizeof(x->charsets)) != 0)
		return differ(c, "%s: character sets", which);
	return true;
}

static bool same_row(const struct comparison *c, const char *which, unsigned r, const struct row *x, const struct row *y)
{
	for (unsigned i = 0; i < c->a->col_count; i++)
		if (!cells_equal(c->a, x->cells[i], c->b, y->cells[i]))
			return differ(c, "%s cell %u,%u: %x and %x", which, r, i, x->cells[i].text, y->cells[i].text);
	if (x->is_wrapped != y->is_wrapped)
		return differ(c, "%s row %u: wrapped %d and %d", which, r, x->is_wrapped, y->is_wrapped);
	if (x->size != y->size || x->marks != y->marks)
		return differ(c, "%s row %u: size %u and %u, marks %u and %u", which, r, x->size, y->size, x->marks, y->marks);
	return true;
}

static bool same_buffer(const struct comparison *c, const char *which, const struct buffer *x, const struct buffer *y)
{
	if (x->saved.is_set != y->saved.is_set)
		return differ(c, "%s: cursor saved %d and %d", which, x->saved.is_set, y->saved.is_set);
	if (x->saved.is_set && x->saved.is_origin != y->saved.is_origin)
		return differ(c, "%s: origin mode saved", which);
	if (x->saved.is_set && !same_cursor(c, "saved cursor", &x->saved.cursor, &y->saved.cursor))
		return false;
	if (x->kitty_count != y->kitty_count || memcmp(x->kitty, y->kitty, x->kitty_count) != 0)
		return differ(c, "%s: keyboard flags", which);
	if (x->rows == NULL || y->rows == NULL)
		return (buffer_is_blank(c->a, x) && buffer_is_blank(c->b, y)) || differ(c, "%s: one is blank", which);
	for (unsigned r = 0; r < c->a->row_count; r++)
		if (!same_row(c, which, r, &x->rows[r], &y->rows[r]))
			return false;
	return true;
}

static bool same_words(const struct comparison *c)
{
	const struct screen *a = c->a, *b = c->b;

	if (!str_eq(screen_title(a), screen_title(b)) || !str_eq(a->icon ? a->icon : "", b->icon ? b->icon : "") ||
	    !str_eq(screen_folder(a), screen_folder(b)))
		return differ(c, "title, icon or folder");
	if (a->title_count != b->title_count)
		return differ(c, "titles kept: %u and %u", a->title_count, b->title_count);
	for (unsigned i = 0; i < a->title_count; i++)
		if (!same_text(a->titles[i], b->titles[i]) || !same_text(a->icons[i], b->icons[i]))
			return differ(c, "a title kept");
	for (unsigned i = 0; i < SCREEN_COLOUR_COUNT; i++)
		if ((a->palette ? a->palette[i] : 0) != (b->palette ? b->palette[i] : 0))
			return differ(c, "colour %u", i);
	return true;
}

static bool same_settings(const struct comparison *c)
{
	const struct screen *a = c->a, *b = c->b;

	if (a->modes != b->modes)
		return differ(c, "modes %llx and %llx", (unsigned long long)a->modes, (unsigned long long)b->modes);
	if (a->saved_modes != b->saved_modes)
		return differ(c, "saved modes");
	if (a->top != b->top || a->bottom != b->bottom || a->left != b->left || a->right != b->right)
		return differ(c, "margins %u-%u,%u-%u and %u-%u,%u-%u", a->top, a->bottom, a->left, a->right, b->top, b->bottom,
		              b->left, b->right);
	if (memcmp(a->tabs, b->tabs, a->col_count) != 0)
		return differ(c, "tab stops");
	if (a->cursor_style != b->cursor_style || a->is_iso_protected != b->is_iso_protected ||
	    a->attribute_extent != b->attribute_extent || a->level != b->level)
		return differ(c, "cursor style, protection, extent or level");
	if (memcmp(a->key_resources, b->key_resources, KEY_RESOURCES) != 0)
		return differ(c, "modified keys");
	if (a->sgr_count != b->sgr_count)
		return differ(c, "pens kept");
	for (unsigned i = 0; i < a->sgr_count; i++)
		if (!styles_equal(a, &a->sgr_stack[i], b, &b->sgr_stack[i]))
			return differ(c, "a pen kept");
	if (a->prompt != b->prompt || a->prompt_status != b->prompt_status)
		return differ(c, "prompt");
	if (a->last_character != b->last_character)
		return differ(c, "character to repeat: %x and %x", a->last_character, b->last_character);
	return true;
}

static bool same_parser(const struct comparison *c)
{
	_str_ x = STR_INIT;
	_str_ y = STR_INIT;

	parse_add_unfinished(&c->a->parser, &x);
	parse_add_unfinished(&c->b->parser, &y);
	return (x.len == y.len && memcmp(x.buf, y.buf, x.len) == 0) || differ(c, "what is unfinished");
}

bool screen_equal(const struct screen *a, const struct screen *b, struct str *ret_what)
{
	const struct comparison c = { a, b, ret_what };

	if (a->row_count != b->row_count || a->col_count != b->col_count)
		return differ(&c, "size");
	if (screen_is_alternate(a) != screen_is_alternate(b))
		return differ(&c, "which screen is shown");
	return same_buffer(&c, "main", &a->main, &b->main) && same_buffer(&c, "alternate", &a->alternate, &b->alternate) &&
	       same_cursor(&c, "cursor", &a->cursor, &b->cursor) && same_settings(&c) && same_words(&c) && same_parser(&c);
}
