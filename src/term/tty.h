/*
 * The person's own terminal, for the time that it shows a session.
 */
#pragma once

#include "base/err.h"
#include "term/pty.h"

#include <stdbool.h>
#include <termios.h>

struct tty { int fd; struct termios before; bool is_raw; };

/* Raw mode: every key is ours (cfmakeraw(3)), output is left as it comes. 0 or -errno. */
int tty_raw(struct tty *t, int fd, struct err *err);
/* As it was; also sends what ends modes that a program in the session may have left on. Safe twice. */
void tty_restore(struct tty *t);
/* The size, or 24 x 80 where the terminal says 0 or is none. */
struct term_size tty_size(int fd);
/*
 * For whoever shows a session: a signalfd of WINCH, TERM and HUP, and INT where no raw terminal makes it a key. They are
 * blocked from now on, and PIPE is ignored. -1 when there is none.
 */
int tty_signals(bool with_int);
