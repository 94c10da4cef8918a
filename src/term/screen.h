/*
 * The complete state of a terminal: what it shows and everything that its next byte depends on. It is fed what the
 * session
 * prints, and it is the terminal that answers the session's questions. Nothing of it is history: a line that leaves
 * at the top is told (scrolled_off) and gone.
 *
 * What it does with a byte is what xterm does (invisible-island.net/xterm/ctlseqs), a VT420 with colours, unless
 * docs/terminal.md says otherwise. Rows and columns count from 0 here.
 *
 * Memory is bounded by the size of the screen, whatever is fed. The functions never fail: what a stranger sends has
 * an effect or none.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum { SCREEN_SIDE_MAX = 1000 };         /* rows and columns: 1 to this; other sizes are taken to the nearest */

struct screen;

/* All may be NULL. None may feed the screen that calls. */
struct screen_ops {
	/* The answer to a question, to be typed into the session. Borrowed. */
	void (*reply)(void *data, const char *bytes, size_t n);
	/*
	 * That question must not reach anybody else: byte @offset of the data being fed becomes @with when it is handed on.
	 * At most one call an offset, in rising order.
	 */
	void (*cancel)(void *data, size_t offset, uint8_t with);
	/* Row 0 of the main screen leaves for ever (screen_add_row tells what it held). */
	void (*scrolled_off)(void *data, const struct screen *s);
	void (*bell)(void *data);
	void (*titled)(void *data, const char *title);                   /* valid UTF-8 without controls */
	/* OSC 52: @text (not decoded, borrowed) for the selections named in @which. Questions are answered with nothing. */
	void (*copied)(void *data, const char *which, const char *text);
	/* OSC 133: a mark, 'A' prompt, 'B' input, 'C' output, 'D' end (with @status, -1 when it was not said). */
	void (*marked)(void *data, char mark, int status);
};

struct screen *screen_new(unsigned rows, unsigned cols, const struct screen_ops *ops, void *data);   /* @ops: borrowed */
struct screen *screen_free(struct screen *s);
DEFINE_FREEP(struct screen, screen_free)
struct screen *screen_copy(const struct screen *s);       /* without @ops */
void screen_set_ops(struct screen *s, const struct screen_ops *ops, void *data);

void screen_feed(struct screen *s, const void *data, size_t n);
/*
 * The same, and what it answered is cancelled in @data itself: the byte on which a terminal would act becomes CAN,
 * in a string
 * the byte that ends it, and a backslash after its ESC NUL, in this feed or at the beginning of the next. Positions
 * stay.
 * A screen that is fed what is then in @data comes to the same state.
 */
void screen_feed_answering(struct screen *s, void *data, size_t n);
/*
 * How many of the first bytes only print: text, tabs, line ends, and whole SGR and EL. They ask nothing, so that nothing is
 * cancelled in them when the screen is idle before them: what they do to it can be done later, together with what follows.
 */
size_t screen_printing(const void *data, size_t n);
bool screen_is_idle(const struct screen *s);              /* no sequence and no character is unfinished */
/*
 * As the window's size changed: lines that were wrapped on the main screen are wrapped anew, as tmux does; the
 * alternate
 * one is cut or extended. What does not fit leaves at the top.
 */
void screen_resize(struct screen *s, unsigned rows, unsigned cols);

unsigned screen_rows(const struct screen *s);
unsigned screen_cols(const struct screen *s);
struct screen_cursor { unsigned row, col; bool is_visible, wraps_next; int style; /* DECSCUSR: 0 to 6 */ };
struct screen_cursor screen_cursor(const struct screen *s);
bool screen_is_alternate(const struct screen *s);
const char *screen_title(const struct screen *s);         /* borrowed, never NULL, valid UTF-8 */
const char *screen_folder(const struct screen *s);        /* OSC 7, the URL as it came; "" when none did */

/* The state that a DEC private mode is in, by its number (ctlseqs, DECSET): 0 reset, 1 set, -1 not known. */
int screen_mode(const struct screen *s, unsigned number);
bool screen_ansi_mode(const struct screen *s, unsigned number);          /* IRM 4, LNM 20 */
unsigned screen_kitty_flags(const struct screen *s);      /* of the kitty keyboard protocol, those in force */
int screen_modify_keys(const struct screen *s);           /* modifyOtherKeys: 0 to 2 */
/* OSC 133: the last mark, 0 when there was none; and the last status of a D, -1. */
char screen_prompt(const struct screen *s, int *ret_status);

/*
 * The colours of the terminal that people look at, for the answers to OSC 4, 10, 11, 12: what an application set goes
 * before. @index: 0 to 255 of the palette, or SCREEN_COLOUR_*. @rgb: 0xRRGGBB. They are no part of the state.
 */
enum { SCREEN_COLOUR_FOREGROUND = 256, SCREEN_COLOUR_BACKGROUND, SCREEN_COLOUR_CURSOR, SCREEN_COLOUR_COUNT = 266 };
void screen_set_viewer_colour(struct screen *s, unsigned index, uint32_t rgb);
void screen_set_cell_pixels(struct screen *s, unsigned height, unsigned width);  /* for the answers to CSI 14 t and 16 t */

/*
 * Rows as text, without a newline. Plain: UTF-8, blanks at the end cut off. With SCREEN_STYLED: SGR and OSC 8 before
 * what
 * they apply to, and reset at the end: the row stands for itself on any terminal.
 */
enum screen_text { SCREEN_PLAIN, SCREEN_STYLED };
void screen_add_row(const struct screen *s, unsigned row, enum screen_text how, struct str *out);
bool screen_row_wraps(const struct screen *s, unsigned row);     /* the next row goes on with the same line */
/* All rows, each ended by a newline. Empty ones at the end are left out. */
void screen_add_text(const struct screen *s, enum screen_text how, struct str *out);

/* What one place shows. A wide character has its second column as a cell of its own with columns 0 and no text. */
enum screen_attribute {
	SCREEN_BOLD = 1 << 0, SCREEN_FAINT = 1 << 1, SCREEN_ITALIC = 1 << 2, SCREEN_BLINK = 1 << 3, SCREEN_INVERSE = 1 << 4,
	SCREEN_HIDDEN = 1 << 5, SCREEN_STRIKE = 1 << 6, SCREEN_OVERLINE = 1 << 7, SCREEN_PROTECTED = 1 << 8,
};
enum screen_underline { UNDERLINE_NONE, UNDERLINE_SINGLE, UNDERLINE_DOUBLE, UNDERLINE_CURLY, UNDERLINE_DOTTED, UNDERLINE_DASHED };
/* A colour: COLOUR_DEFAULT, COLOUR_INDEXED | 0 to 255, or COLOUR_RGB | 0xRRGGBB. */
enum { COLOUR_DEFAULT = 0, COLOUR_INDEXED = 1 << 24, COLOUR_RGB = 1 << 25, COLOUR_VALUE = 0xFFFFFF };
enum { SCREEN_CLUSTER_MAX = 16 };                         /* code points in a cell; further ones are dropped */
struct screen_cell {
	char text[SCREEN_CLUSTER_MAX * 4 + 1];   /* UTF-8; "" when nothing was ever printed here */
	unsigned columns;
	unsigned attributes, underline;
	uint32_t foreground, background, underline_colour;
	const char *link;                        /* borrowed; NULL for none */
};
void screen_get_cell(const struct screen *s, unsigned row, unsigned col, struct screen_cell *ret);

/*
 * Whether two states are the same, for all that a program or a person could find out. If not, *ret_what (which may
 * be NULL)
 * gets a word or two about the first difference.
 */
bool screen_equal(const struct screen *a, const struct screen *b, struct str *ret_what);
