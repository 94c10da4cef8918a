/*
 * What cells refer to: styles, clusters of characters, links. Each is kept once; what no cell needs any more is
 * swept out when
 * a table has doubled, so that it stays in proportion to the cells.
 */
#include "term/screen-state.h"

#include "term/unicode.h"

const struct style *style_get(const struct screen *s, uint32_t id)
{
	return intern_get(&s->styles, id, NULL);
}

uint32_t style_put(struct screen *s, const struct style *style)
{
	return intern_put(&s->styles, style, sizeof(*style));
}

typedef void cell_fn(struct screen *s, struct cell *cell, void *data);

static void each_cell(struct screen *s, cell_fn *fn, void *data)
{
	const size_t n = (size_t)s->row_count * s->col_count;

	for (size_t i = 0; i < n; i++)
		fn(s, &s->main.cells[i], data);
	for (size_t i = 0; s->alternate.cells != NULL && i < n; i++)
		fn(s, &s->alternate.cells[i], data);
}

static void mark_style(struct screen *s, struct cell *cell, void *used)
{
	((uint8_t *)used)[cell->style] = 1;
}

static void mark_cluster(struct screen *s, struct cell *cell, void *used)
{
	if (cell->text & CELL_CLUSTER)
		((uint8_t *)used)[cell->text & CELL_VALUE] = 1;
}

static void move_style(struct screen *s, struct cell *cell, void *map)
{
	cell->style = ((uint32_t *)map)[cell->style];
}

static void move_cluster(struct screen *s, struct cell *cell, void *map)
{
	if (cell->text & CELL_CLUSTER)
		cell->text = (cell->text & ~CELL_VALUE) | ((uint32_t *)map)[cell->text & CELL_VALUE];
}

static void sweep_clusters(struct screen *s)
{
	_free_ uint8_t *used = xcalloc(s->clusters.count, 1);
	_free_ uint32_t *map = NULL;

	each_cell(s, mark_cluster, used);
	map = intern_sweep(&s->clusters, used);
	each_cell(s, move_cluster, map);
}

/* Every pen that is not a cell's. */
static unsigned pens_of(struct screen *s, struct style *out[SGR_STACK_MAX + 3])
{
	unsigned n = 0;

	out[n++] = &s->cursor.pen;
	out[n++] = &s->main.saved.cursor.pen;
	out[n++] = &s->alternate.saved.cursor.pen;
	for (unsigned i = 0; i < s->sgr_count; i++)
		out[n++] = &s->sgr_stack[i];
	return n;
}

static void sweep_styles(struct screen *s)
{
	_free_ uint8_t *styles = xcalloc(s->styles.count, 1), *links = xcalloc(s->links.count, 1);
	_free_ uint32_t *style_map = xcalloc(s->styles.count, sizeof(*style_map)), *link_map = NULL;
	struct intern kept = INTERN_INIT;
	struct style *pens[SGR_STACK_MAX + 3];
	const unsigned pen_count = pens_of(s, pens);

	styles[0] = 1;
	each_cell(s, mark_style, styles);
	for (uint32_t i = 0; i < s->styles.count; i++)
		if (styles[i])
			links[style_get(s, i)->link] = 1;
	for (unsigned i = 0; i < pen_count; i++)
		links[pens[i]->link] = 1;
	link_map = intern_sweep(&s->links, links);
	for (unsigned i = 0; i < pen_count; i++)
		pens[i]->link = link_map[pens[i]->link];
	for (uint32_t i = 0; i < s->styles.count; i++) {
		struct style style = *style_get(s, i);

		style.link = link_map[style.link];
		if (styles[i])
			style_map[i] = intern_put(&kept, &style, sizeof(style));
	}
	kept.sweep_at = kept.count * 2;
	intern_release(&s->styles);
	s->styles = kept;
	s->blank = 0;
	each_cell(s, move_style, style_map);
	s->pen_is_stale = true;
}

void pen_refresh(struct screen *s)
{
	struct style blank = { .background = s->cursor.pen.background };

	if (intern_is_full(&s->styles) || intern_is_full(&s->links))
		sweep_styles(s);
	s->pen = style_put(s, &s->cursor.pen);
	/* mostly the background stayed, and what erasing leaves with it */
	if (memcmp(style_get(s, s->blank), &blank, sizeof(blank)) != 0)
		s->blank = style_put(s, &blank);
	s->pen_is_stale = false;
}

unsigned cell_points(const struct screen *s, uint32_t text, uint32_t out[SCREEN_CLUSTER_MAX])
{
	size_t len;

	if (text & CELL_CLUSTER) {
		const void *points = intern_get(&s->clusters, text & CELL_VALUE, &len);

		memcpy(out, points, len);
		return (unsigned)(len / sizeof(*out));
	}
	if (text == 0 || text == CELL_TAIL)
		return 0;
	out[0] = text & CELL_VALUE;
	return 1;
}

uint32_t cell_text(struct screen *s, const uint32_t *points, unsigned n, bool is_wide)
{
	const uint32_t wide = is_wide ? CELL_WIDE : 0;

	if (n == 1)
		return points[0] | wide;
	if (intern_is_full(&s->clusters))
		sweep_clusters(s);
	return intern_put(&s->clusters, points, n * sizeof(*points)) | CELL_CLUSTER | wide;
}

/* A link is its id, NUL, its URI, NUL. */
uint32_t link_put(struct screen *s, const char *id, size_t id_len, const char *uri)
{
	_str_ link = STR_INIT;

	if (id_len > LINK_ID_MAX || strlen(uri) > URI_MAX)
		return 0;
	str_add(&link, id, id_len);
	str_addc(&link, '\0');
	str_adds(&link, uri);
	str_addc(&link, '\0');
	if (s->links.bytes.len + link.len > LINK_BYTES_MAX) {
		if (s->link_refusals++ % 64 == 0)
			sweep_styles(s);
		if (s->links.bytes.len + link.len > LINK_BYTES_MAX)
			return 0;
	}
	return intern_put(&s->links, link.buf, link.len);
}

const char *link_uri(const struct screen *s, uint32_t link, const char **ret_id, size_t *ret_id_len)
{
	size_t len;
	const char *id = intern_get(&s->links, link, &len);
	const size_t id_len = strnlen(id, len);

	if (ret_id) {
		*ret_id = id;
		*ret_id_len = id_len;
	}
	return link == 0 ? NULL : id + id_len + 1;
}

static bool links_equal(const struct screen *a, uint32_t x, const struct screen *b, uint32_t y)
{
	size_t n, m;
	const void *p = intern_get(&a->links, x, &n), *q = intern_get(&b->links, y, &m);

	return n == m && memcmp(p, q, n) == 0;
}

bool styles_equal(const struct screen *a, const struct style *x, const struct screen *b, const struct style *y)
{
	return x->foreground == y->foreground && x->background == y->background &&
	       x->underline_colour == y->underline_colour && x->attributes == y->attributes &&
	       x->underline == y->underline && links_equal(a, x->link, b, y->link);
}

bool cells_equal(const struct screen *a, struct cell x, const struct screen *b, struct cell y)
{
	uint32_t p[SCREEN_CLUSTER_MAX], q[SCREEN_CLUSTER_MAX];
	unsigned n;

	if ((x.text | y.text) & CELL_CLUSTER) {
		n = cell_points(a, x.text, p);
		if (((x.text ^ y.text) & CELL_WIDE) || n != cell_points(b, y.text, q) || memcmp(p, q, n * sizeof(*p)) != 0)
			return false;
	} else if (x.text != y.text) {
		return false;
	}
	return styles_equal(a, style_get(a, x.style), b, style_get(b, y.style));
}

size_t cell_add_text(const struct screen *s, uint32_t text, char *out)
{
	uint32_t points[SCREEN_CLUSTER_MAX];
	const unsigned n = cell_points(s, text, points);
	size_t len = 0;

	for (unsigned i = 0; i < n; i++)
		len += unicode_encode(points[i], out + len);
	out[len] = '\0';
	return len;
}

void screen_get_cell(const struct screen *s, unsigned row, unsigned col, struct screen_cell *ret)
{
	const struct cell *cell = &row_at(s, min_u(row, s->row_count - 1u))->cells[min_u(col, s->col_count - 1u)];
	const struct style *style = style_get(s, cell->style);

	*ret = (struct screen_cell){
		.columns = cell->text == CELL_TAIL ? 0 : cell->text & CELL_WIDE ? 2 : 1,
		.attributes = style->attributes, .underline = style->underline, .foreground = style->foreground,
		.background = style->background, .underline_colour = style->underline_colour,
		.link = link_uri(s, style->link, NULL, NULL),
	};
	cell_add_text(s, cell->text, ret->text);
}
