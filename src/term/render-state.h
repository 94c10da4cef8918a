/* The inside of rendering, for render*.c only. */
#pragma once

#include "term/render.h"
#include "term/screen-state.h"

struct render {
	struct screen *now;              /* what the other terminal shows after what was written */
	const struct screen *to;
	const struct row *rows;          /* of @to's screen that is being painted */
	struct str *out;
};

void render_put(struct render *r, const void *data, size_t n);
void render_f(struct render *r, const char *fmt, ...) _printf_(2, 3);
void render_mode(struct render *r, enum mode m, bool on);
void render_at(struct render *r, unsigned row, unsigned col);            /* the cursor, in no pending wrap */
void render_pen(struct render *r, const struct style *style);            /* @style: one of @to's */
void render_cell(struct render *r, struct cell cell);                    /* print a cell of @to; a blank as a space */
void render_blank(struct render *r, unsigned row, unsigned col, struct cell cell);       /* erase one, nothing else changes */
/* Have the line end behind @col, where a wrap will be pending: by a right margin or double width. */
void render_limit(struct render *r, unsigned row, unsigned col);
/* Print the cell of @to at @row, @col so that the cursor stands there with a wrap pending. */
void render_pending(struct render *r, unsigned row, unsigned col);
/* The rows of the screen that is shown, @b being the same of @to. */
void render_rows(struct render *r, const struct buffer *b);
