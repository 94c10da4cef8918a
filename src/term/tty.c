/*
 * What tty_restore sends, and why just this. It must help after a session that ended, or was left, in the middle of
 * a full-screen program, and do nothing on a terminal where there was nothing to mend. We do not know which.
 *
 * - The alternate screen is left with ?47, not with ?1049: on the main screen ?1049l moves the cursor to
 *   where it was saved (in some terminals home), ?47l does nothing. Where ?47 is unknown the viewer has to use its
 *   screen model. It goes first, because some terminals keep margins and modes per screen.
 * - Margins are reset between saving and restoring the cursor, which they would move home. Origin mode is not touched, for
 *   the same reason.
 * - DECSTR (CSI ! p) would be shorter, but it turns off wrapping where the standard is followed, several terminals ignore it, and
 *   the Linux console printed a "p".
 * - The kitty keyboard is not popped: its stack may hold what belongs to the shell we were started from.
 * - Colours come last: a terminal that misreads "CSI > 4 m" as underline is mended by "CSI m".
 */
#include "term/tty.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

static const char undo[] =
	"\033[?47l"                                        /* the main screen */
	"\0337\033[r\0338"                                 /* margins: the whole screen */
	"\033[?9l\033[?1000l\033[?1002l\033[?1003l"        /* mouse reports */
	"\033[?1005l\033[?1006l\033[?1015l\033[?1016l"     /* their encodings */
	"\033[?1004l"                                      /* focus reports */
	"\033[?2004l\033[?2026l"                           /* bracketed paste, synchronised output */
	"\033[?1l\033>"                                    /* cursor keys and keypad */
	"\033[4l\033[?7h"                                  /* overwrite, wrap */
	"\033(B\017"                                       /* ASCII, in G0 */
	"\033[?25h"                                        /* the cursor is seen */
	"\033[>4m\033[m";                                  /* modifyOtherKeys, attributes */

enum { UNDO_WAIT_MS = 1000 };                     /* for a terminal that takes nothing: give up, do not hang */

int tty_raw(struct tty *t, int fd, struct err *err)
{
	struct termios raw;

	if (tcgetattr(fd, &t->before) < 0)
		return err_set(err, errno, "tty-raw", "cannot read the settings of the terminal: %m");
	raw = t->before;
	cfmakeraw(&raw);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	if (tcsetattr(fd, TCSADRAIN, &raw) < 0)
		return err_set(err, errno, "tty-raw", "cannot set the terminal to raw mode: %m");
	t->fd = fd;
	t->is_raw = true;
	return 0;
}

/*
 * All of it, or as much as the terminal takes in time. The descriptor may be non-blocking, and is not ours to change.
 */
static void send_patiently(int fd, const char *p, size_t n)
{
	struct pollfd ready = { .fd = fd, .events = POLLOUT };

	while (n > 0) {
		const int found = poll(&ready, 1, UNDO_WAIT_MS);
		const ssize_t w = found == 1 ? write(fd, p, n) : found;

		if (found == 0 || (w < 0 && errno != EINTR && errno != EAGAIN))
			return;
		if (w > 0) {
			p += w;
			n -= (size_t)w;
		}
	}
}

void tty_restore(struct tty *t)
{
	const int saved = errno;

	if (!t->is_raw)
		return;
	t->is_raw = false;
	send_patiently(t->fd, undo, sizeof(undo) - 1);
	(void)tcsetattr(t->fd, TCSANOW, &t->before);  /* TCSADRAIN would wait for ever on a stopped terminal */
	errno = saved;
}

struct term_size tty_size(int fd)
{
	struct term_size size = { 0 };

	(void)pty_get_size(fd, &size);
	if (size.rows == 0)
		size.rows = TERM_ROWS_DEFAULT;
	if (size.cols == 0)
		size.cols = TERM_COLS_DEFAULT;
	return size;
}

int tty_signals(bool with_int)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGWINCH);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	if (with_int)
		sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}
