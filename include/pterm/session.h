/*
 * libpterm: a session from another program. Find it, read what it prints from shared memory (or from its recording,
 * where that is older), sleep until there is more, type into it, and give its terminal another size.
 * docs/shared-memory.md tells how.
 *
 *     struct pterm_session *s = pterm_new();
 *
 *     if (pterm_open(s, NULL, "build", PTERM_RECENT, 0) < 0)
 *             errx(1, "%s", pterm_error(s));
 *     while ((n = pterm_read(s, data, sizeof(data), &lost)) > 0 || lost > 0 || !pterm_has_ended(s))
 *             if (n > 0)
 *                     use(data, n);
 *             else if (lost == 0)
 *                     pterm_wait(s, -1);
 *
 * Positions are 64-bit counts of the bytes that a session has printed since its birth. They never wrap, and are the
 * same in the ring, in the recording and in every pterm command. When the session's supervisor is killed or upgraded,
 * reading goes on at the same byte: nothing of it is seen here.
 *
 * An object belongs to one thread at a time. Functions that return a number give 0 or more, or a negative errno, and
 * then pterm_error says what failed. Nothing prints, raises a signal or ends the process, but for memory that cannot
 * be had. Whatever the other side says or writes into the memory, it harms nobody here.
 */
#ifndef PTERM_SESSION_H
#define PTERM_SESSION_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PTERM_PUBLIC __attribute__((visibility("default")))

struct pterm_session;

enum pterm_flag {
	PTERM_READ_ONLY = 1,     /* neither pterm_input nor pterm_resize */
	PTERM_VIEWER = 2,        /* a person's terminal: events.jsonl says so, its size counts only once it is the last
	                            who typed, and what it answers by itself is dropped, since the session has answered already */
};

/* Where reading begins, but for positions: */
#define PTERM_RECENT ((int64_t)-1)       /* the last 64 KiB */
#define PTERM_OLDEST ((int64_t)0)        /* all that is kept */
#define PTERM_NEW INT64_MAX              /* what is printed from now on */

PTERM_PUBLIC struct pterm_session *pterm_new(void);               /* never NULL */
PTERM_PUBLIC void pterm_free(struct pterm_session *s);            /* NULL is fine; the session goes on */
/* A sentence about the last call that failed: of @s, valid until the next call. "" when none has. */
PTERM_PUBLIC const char *pterm_error(const struct pterm_session *s);

/*
 * Connect to a session: @session is its name, its id, or three or more digits of that. @home: where sessions are;
 * NULL: $PTERM_HOME, else ~/.pachyterm. @since: the position to read from, or one of the above; what is not kept any
 * more is told as lost. @flags: enum pterm_flag. One that has ended can be read, from its recording. 0; -ENOENT:
 * there is no such session; -EEXIST: several begin so; -EPROTONOSUPPORT: its pterm is too old or too new for this
 * library. Once for each object. Blocks until the supervisor answers.
 */
PTERM_PUBLIC int pterm_open(struct pterm_session *s, const char *home, const char *session, int64_t since,
                            unsigned flags);

/*
 * Copy at most @size bytes of output and go on behind them. Their number; 0: there is nothing now, and pterm_fd will
 * be readable when there is, or the session has ended (pterm_has_ended). *ret_lost (may be NULL): so many bytes
 * before these are not to be had, neither in the ring nor in the recording; 0 bytes with some lost means: read again.
 * Does not wait for output.
 */
PTERM_PUBLIC ssize_t pterm_read(struct pterm_session *s, void *data, size_t size, uint64_t *ret_lost);
/*
 * Sleep until it is worth calling pterm_read: 1; 0 after @timeout_ms (-1: never). At once when the session has ended
 * or there is something already. It may wake for nothing.
 */
PTERM_PUBLIC int pterm_wait(struct pterm_session *s, int timeout_ms);
/*
 * For poll, select or epoll: readable when pterm_read should be called, after it gave 0. The same descriptor for the
 * life of @s, which owns it. -1 before pterm_open.
 */
PTERM_PUBLIC int pterm_fd(const struct pterm_session *s);

PTERM_PUBLIC uint64_t pterm_position(const struct pterm_session *s);      /* of the next byte that pterm_read gives */
PTERM_PUBLIC uint64_t pterm_head(const struct pterm_session *s);          /* bytes printed so far */
/*
 * Read on from @position, back or forth; beyond the head is the head. 0. What is not kept is told by the next
 * pterm_read.
 */
PTERM_PUBLIC int pterm_seek(struct pterm_session *s, uint64_t position);

/*
 * Type @size bytes, as they are. How many the supervisor has taken: fewer than @size when the command reads nothing
 * and the rest has no room. -EPERM: opened read-only; -ENOBUFS: no room for any; -ESRCH: it has ended; -EPIPE: its
 * supervisor was replaced just then. What was on its way may have been typed or not; it is never sent twice. Blocks
 * until the supervisor answers.
 */
PTERM_PUBLIC ssize_t pterm_input(struct pterm_session *s, const void *data, size_t size);
/*
 * Give the session's terminal another size, 1 to 10000 each. 0: the supervisor has heard it. A viewer's size counts
 * once it has typed, or when nobody else has. Errors as of pterm_input; -EINVAL: no size.
 */
PTERM_PUBLIC int pterm_resize(struct pterm_session *s, unsigned rows, unsigned cols);
/*
 * The size that the session's terminal has, as far as was heard while reading. 0; -ENODATA: not told yet, or it has
 * ended.
 */
PTERM_PUBLIC int pterm_size(struct pterm_session *s, unsigned *ret_rows, unsigned *ret_cols);

/* 1: the session has ended, and everything was read; 0. */
PTERM_PUBLIC int pterm_has_ended(const struct pterm_session *s);
/* After that: what its command exited with, 128 and the number of a signal that ended it. -ENODATA: nobody knows. */
PTERM_PUBLIC int pterm_exit_code(struct pterm_session *s);

#ifdef __cplusplus
}
#endif

#endif
