/*
 * The terminal that the session prints to: its screen is always known, and it alone answers what programs ask of it.
 * Its states are kept in the recording, so that whoever adopts the session, or plays it, need not read all of it.
 */
#pragma once

#include "base/err.h"
#include "term/pty.h"
#include "term/screen.h"

#include <stddef.h>

struct supervisor;
struct timer;

struct terminal {
	struct screen *screen;
	struct str answers;              /* to be typed once the question is published, cancelled */
	struct timer *quiet_timer;
	uint64_t fed;                    /* the position that the screen has come to: what only prints can wait in the ring */
	uint64_t printed_ns, checkpoint; /* when it last printed; the position of the last checkpoint */
};

/*
 * A new one of the session's size; or, with an adopted ring, as it was at the end of the recording, position
 * @recorded.
 */
void terminal_open(struct supervisor *s);
void terminal_adopt(struct supervisor *s, bool is_recorded, uint64_t recorded);
void terminal_close(struct supervisor *s);

/* The screen as of all that is published. Borrowed until more is printed. */
struct screen *terminal_screen(struct supervisor *s);
/*
 * The next bytes of output, at @position, not yet recorded or published: the questions among them are cancelled in
 * @data. Their answers are typed by terminal_answer, after the publishing: an answer may be lost with a killed
 * supervisor, none is given twice. What cannot ask is fed later, for most of it has scrolled away when somebody
 * wants to see the screen.
 */
void terminal_feed(struct supervisor *s, uint64_t position, void *data, size_t n);
void terminal_answer(struct supervisor *s);
void terminal_resize(struct supervisor *s, struct term_size size);
/* Room for @n bytes of output in the recording; a state is kept where a new pair of files begins. */
void terminal_make_room(struct supervisor *s, size_t n);
/* Keep a state when it is time; what was fed is published. */
void terminal_keep(struct supervisor *s);
