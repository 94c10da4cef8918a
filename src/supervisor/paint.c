#include "supervisor/paint.h"

#include "supervisor/supervisor.h"
#include "term/render.h"
#include "wire/conn.h"

enum { QUEUED_MAX = 128 * 1024, PIECE = 512 * 1024 };

static bool fits(const struct supervisor *s, struct term_size size)
{
	return size.rows == 0 || size.cols == 0 || (size.rows == s->size.rows && size.cols == s->size.cols);
}

static int send_paint(struct conn *conn, const struct str *bytes)
{
	int r = 0;

	for (size_t at = 0; r >= 0 && at < bytes->len; at += PIECE)
		r = conn_send(conn, MESSAGE_PAINT, bytes->buf + at, min_size(PIECE, bytes->len - at), NULL, 0);
	return r;
}

int paint_all(struct paint *p, struct supervisor *s, struct conn *conn, struct term_size size)
{
	_str_ bytes = STR_INIT;
	int r;

	p->shown = screen_free(p->shown);
	p->is_on = !fits(s, size);
	if (p->is_on)
		p->shown = screen_crop(terminal_screen(s), size.rows, size.cols);
	render_full(p->is_on ? p->shown : terminal_screen(s), &bytes);
	r = send_paint(conn, &bytes);
	if (r >= 0 && !p->is_on)
		r = conn_send_position(conn, MESSAGE_RAW, ring_head(s->ring));
	return r;
}

int paint_changes(struct paint *p, struct supervisor *s, struct conn *conn, struct term_size size)
{
	_cleanup_(screen_freep) struct screen *now = NULL;
	_str_ bytes = STR_INIT;

	if (!p->is_on)
		return 0;
	if (conn->queued > QUEUED_MAX)
		return 1;
	now = screen_crop(terminal_screen(s), size.rows, size.cols);
	(void)render_difference(p->shown, now, &bytes);
	screen_free(p->shown);
	p->shown = TAKE(now);
	return send_paint(conn, &bytes);
}

void paint_release(struct paint *p)
{
	p->shown = screen_free(p->shown);
}
