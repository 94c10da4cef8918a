/*
 * The inside of a screen, for screen*.c and render*.c only. Everything here is state, unless it says that it follows
 * from the rest.
 */
#pragma once

#include "term/intern.h"
#include "term/parse.h"
#include "term/screen.h"

/*
 * A cell: what is printed, and an index into the styles. Text is 0 when nothing is (then the style is a background),
 * a code point, or CELL_CLUSTER and an index into
 * the clusters; CELL_WIDE is set on the first of two columns, and the second is CELL_TAIL alone.
 */
struct cell { uint32_t text, style; };
#define CELL_WIDE    UINT32_C(0x80000000)
#define CELL_CLUSTER UINT32_C(0x40000000)
#define CELL_TAIL    UINT32_C(0x20000000)
#define CELL_VALUE   UINT32_C(0x00FFFFFF)

struct style {
	uint32_t foreground, background, underline_colour;
	uint16_t attributes;             /* enum screen_attribute */
	uint16_t underline;
	uint32_t link;                   /* into the links; 0: none */
};

enum row_size { ROW_SINGLE, ROW_WIDE, ROW_TOP, ROW_BOTTOM };     /* DECSWL, DECDWL, DECDHL */
enum row_mark { MARK_PROMPT = 1, MARK_INPUT = 2, MARK_OUTPUT = 4, MARK_END = 8 };
struct row {
	struct cell *cells;
	bool is_wrapped;                 /* the text goes on in the next row */
	uint8_t size, marks;
};

enum { SINGLE_SHIFT_NONE = 0, TITLES_MAX = 10, SGR_STACK_MAX = 10, KITTY_MAX = 16, LINK_BYTES_MAX = 1 << 20,
       URI_MAX = 2083, LINK_ID_MAX = 250, TITLE_MAX = 1024, FOLDER_MAX = 4096, KEY_RESOURCES = 5 };

struct charsets { uint8_t g[4], gl, gr, shift; };        /* g: index into charset_table; shift: 2 or 3 for the next character */

struct cursor {
	uint16_t row, col;
	bool wraps_next;                 /* the last column was printed into: the next character goes to the next line */
	struct style pen;
	struct charsets charsets;
};
struct saved_cursor { bool is_set, is_origin; struct cursor cursor; };

struct buffer {
	struct row *rows;                /* NULL: the alternate screen was never used */
	struct cell *cells;              /* of all rows, in no order */
	struct saved_cursor saved;
	uint8_t kitty[KITTY_MAX], kitty_count;   /* the flags in force are the last, 0 when there are none */
};

enum mode {
	/* ANSI */
	MODE_KEYBOARD_LOCKED, MODE_INSERT, MODE_NO_ECHO, MODE_NEWLINE,
	/* DEC private */
	MODE_CURSOR_KEYS, MODE_VT100, MODE_COLUMNS, MODE_SMOOTH, MODE_REVERSE, MODE_ORIGIN, MODE_AUTOWRAP, MODE_REPEAT,
	MODE_BLINK, MODE_CURSOR, MODE_ALLOW_COLUMNS, MODE_NATIONAL, MODE_REVERSE_WRAP, MODE_KEYPAD, MODE_BACKSPACE, MODE_MARGINS,
	MODE_KEEP_COLUMNS, MODE_MOUSE_X10, MODE_MOUSE_NORMAL, MODE_MOUSE_HIGHLIGHT, MODE_MOUSE_BUTTON, MODE_MOUSE_ANY,
	MODE_FOCUS, MODE_MOUSE_UTF8, MODE_MOUSE_SGR, MODE_ALTERNATE_SCROLL, MODE_MOUSE_URXVT, MODE_MOUSE_PIXELS,
	MODE_META_EIGHT, MODE_NUMLOCK, MODE_META_ESCAPE, MODE_ALT_ESCAPE, MODE_URGENT, MODE_POP, MODE_PASTE, MODE_SYNCHRONIZED,
	MODE_GRAPHEMES, MODE_SCHEME, MODE_RESIZE_REPORTS,
	MODE_COUNT,
};

struct screen {
	uint16_t row_count, col_count;
	const struct screen_ops *ops;    /* never NULL; no state */
	void *data;
	uint8_t *answering;              /* no state: the data being fed, when it is to be changed in place */
	bool has_answered;               /* no state: the function being carried out */

	struct parser parser;
	struct intern styles, clusters, links;
	struct buffer main, alternate;
	struct buffer *buffer;           /* the one that is shown */

	struct cursor cursor;
	uint32_t pen, blank;             /* follow from cursor.pen: as an index; what erasing leaves */
	bool pen_is_stale;               /* both must be looked up again */
	uint32_t last_character;         /* what REP repeats: printed just before, 0 otherwise */

	uint16_t top, bottom, left, right;       /* margins, inclusive */
	uint8_t *tabs;                   /* a byte a column */
	uint64_t modes, saved_modes;     /* bits of enum mode; XTSAVE */
	uint8_t cursor_style, attribute_extent, level;   /* DECSCUSR; DECSACE; DECSCL, 61 to 65 */
	bool is_iso_protected;           /* SPA: what is protected is spared by all erasing, not just the selective kind */
	int8_t key_resources[KEY_RESOURCES];     /* XTMODKEYS; -1: as the terminal likes */
	struct style sgr_stack[SGR_STACK_MAX];
	uint8_t sgr_count;

	char *title, *icon, *folder;     /* NULL: never set */
	char *titles[TITLES_MAX], *icons[TITLES_MAX];    /* XTWINOPS 22; NULL when one was never set */
	uint8_t title_count;
	uint32_t *palette;               /* COLOUR_RGB | value where an application set one; NULL: none did */
	uint32_t *viewer_palette;        /* the same, what viewers have; no state */
	uint16_t cell_height, cell_width;        /* no state */
	uint32_t link_refusals;          /* no state: how often there was no room for a link */
	char prompt;
	int prompt_status;
};

static inline bool mode_is_set(const struct screen *s, enum mode m) { return s->modes >> m & 1; }
static inline void mode_put(struct screen *s, enum mode m, bool on)
{
	s->modes = on ? s->modes | UINT64_C(1) << m : s->modes & ~(UINT64_C(1) << m);
}
static inline struct row *row_at(const struct screen *s, unsigned row) { return &s->buffer->rows[row]; }
/* Columns of a row that can be reached. */
static inline unsigned row_cols(const struct screen *s, unsigned row)
{
	return row_at(s, row)->size == ROW_SINGLE || s->col_count == 1 ? s->col_count : s->col_count / 2u;
}
/* Parameters as most functions have them: 0 and nothing mean 1. */
static inline unsigned count_param(const struct parser *p, unsigned i)
{
	const int v = parse_param(p, i, 1);

	return v > 0 ? (unsigned)v : 1;
}
/* The column behind the last that a character at the cursor can go to. */
static inline unsigned print_limit(const struct screen *s)
{
	const unsigned cols = row_cols(s, s->cursor.row);

	return s->cursor.col <= s->right && s->right + 1u < cols ? s->right + 1u : cols;
}
static inline unsigned min_u(unsigned a, unsigned b) { return a < b ? a : b; }
static inline unsigned max_u(unsigned a, unsigned b) { return a > b ? a : b; }

typedef void control_fn(struct screen *s, const struct parser *p);
/* One control function: what stands between CSI (or ESC, or DCS) and the final byte, and what it does. */
struct control { char marker, intermediate, final; control_fn *run; };

/* screen-style.c */
const struct style *style_get(const struct screen *s, uint32_t id);
uint32_t style_put(struct screen *s, const struct style *style);
void pen_refresh(struct screen *s);                       /* look up @pen and @blank */
static inline void pen_changed(struct screen *s) { s->pen_is_stale = true; }
/* The code points of a cell: 0 for a blank or a tail. */
unsigned cell_points(const struct screen *s, uint32_t text, uint32_t out[SCREEN_CLUSTER_MAX]);
size_t cell_add_text(const struct screen *s, uint32_t text, char *out);          /* UTF-8 and NUL */
uint32_t cell_text(struct screen *s, const uint32_t *points, unsigned n, bool is_wide);
/* The number of a link, 0 for none; both borrowed. */
uint32_t link_put(struct screen *s, const char *id, size_t id_len, const char *uri);
const char *link_uri(const struct screen *s, uint32_t link, const char **ret_id, size_t *ret_id_len);
bool styles_equal(const struct screen *a, const struct style *x, const struct screen *b, const struct style *y);
bool cells_equal(const struct screen *a, struct cell x, const struct screen *b, struct cell y);

/* screen-grid.c: rows and cells. Columns are from, to: @to is not touched any more. */
void buffer_init(struct screen *s, struct buffer *b);
void buffer_release(struct buffer *b);
bool buffer_is_blank(const struct screen *s, const struct buffer *b);
void row_clear(struct screen *s, struct row *row, uint32_t style);
void row_erase(struct screen *s, struct row *row, unsigned from, unsigned to, bool is_selective);
void row_cut(const struct screen *s, struct row *row, unsigned col);     /* no wide character lies across the left edge of @col */
void row_settle(const struct screen *s, struct row *row);  /* nor across the end of a line of double width */
void row_insert(struct screen *s, struct row *row, unsigned from, unsigned to, unsigned n);
void row_delete(struct screen *s, struct row *row, unsigned from, unsigned to, unsigned n);
struct area { unsigned top, bottom, left, right; };       /* inclusive */
void scroll_up(struct screen *s, struct area area, unsigned n);
void scroll_down(struct screen *s, struct area area, unsigned n);
void scroll_screen(struct screen *s, unsigned n);         /* up, within the margins; what leaves at the top is told */
void tell_scrolled_off(struct screen *s, unsigned n);
struct area margins(const struct screen *s);

/* screen-skip.c: how many of the bytes to be fed need not be, for what they print scrolls away; @s is then as good as fed them */
size_t screen_skip(struct screen *s, const uint8_t *data, size_t n);

/* screen-edit.c, screen-rectangle.c, screen-modes.c, ... */
void cursor_to(struct screen *s, unsigned row, unsigned col);            /* absolute; clamped */
/* What happened to the row may have moved its end: the cursor is on the row, and waits for a wrap only there. */
void cursor_settle(struct screen *s);
void cursor_index(struct screen *s);                      /* one down, scrolling at the bottom margin */
void cursor_save(struct screen *s);
void cursor_restore(struct screen *s);
void screen_home(struct screen *s);
void screen_reset(struct screen *s, bool is_hard);
void margins_reset(struct screen *s);
void erase_screen(struct screen *s);
void buffer_switch(struct screen *s, bool to_alternate);
void tabs_reset(struct screen *s);
unsigned key_flags(const struct screen *s);
void sgr_run(struct screen *s, const struct parser *p);
void sgr_apply(struct style *pen, const struct parser *p, unsigned from);
void style_add_sgr(const struct style *style, struct str *out);          /* "0;1;31": everything but link and protection */
void charset_designate(struct screen *s, unsigned g, bool is_96, uint8_t intermediate, uint8_t final);
uint32_t charset_map(const struct screen *s, uint32_t c);
const char *charset_designator(unsigned charset, bool *ret_is_96);
extern const unsigned charset_count;
void edit_control(struct screen *s, uint8_t c);
void edit_escape(struct screen *s, const struct parser *p, uint8_t final);
void screen_repeat(struct screen *s, unsigned n);
bool edit_csi(struct screen *s, const struct parser *p, uint8_t final);
void report_size(struct screen *s);                       /* mode 2048 */
uint64_t modes_default(void);
/* DEC private modes and ANSI modes as numbers: for render. */
struct mode_row { uint16_t number; bool is_private, is_default; uint8_t mode; };
extern const struct mode_row mode_table[];
extern const unsigned mode_table_count;
bool osc_run(struct screen *s, const struct parser *p);
void report_attributes(struct screen *s);               /* DA1 */
void reply_f(struct screen *s, const char *fmt, ...) _printf_(2, 3);
/* screen-reports.c, screen-rectangle.c: more rows of the table of control sequences */
extern const struct control report_table[], rectangle_table[], mode_control_table[];
extern const unsigned report_table_count, rectangle_table_count, mode_control_table_count;
uint32_t colour_of(const struct screen *s, unsigned index);
char **title_slot(struct screen *s, bool is_icon);
void title_set(struct screen *s, bool is_icon, const char *text);
bool dcs_is_wanted(const struct parser *p, uint8_t final);
void dcs_run(struct screen *s, const struct parser *p);
