/*
 * One who reads a session's output: from the ring; from the recording, whose positions are the same, what is older or
 * was overwritten meanwhile; and at the same byte with the next supervisor, when one is killed or replaced. Whatever
 * a supervisor says is checked, what stands in its memory too: a lie gives wrong bytes, or an error, and no harm.
 *
 * The caller sleeps on conn->fd (POLLIN, and POLLOUT while conn->out_first) once reader_read gave nothing and
 * reader_arm was called, and calls reader_receive when it wakes.
 */
#pragma once

#include "term/record.h"
#include "term/ring.h"
#include "wire/conn.h"

struct reader {
	struct conn *conn;               /* borrowed: to the supervisor, greeted; after coming back to another one */
	int session_fd;                  /* borrowed: the session's directory */
	const char *program;             /* borrowed: who we are, for the greeting */
	struct message_attach attach;    /* what is asked for, also when coming back: there with .since where we were */
	bool is_asked;                   /* .attach has been sent already */
	bool wants_all;                  /* what the ring has lost comes from the recording, as long as that has it */

	struct ring *ring;               /* NULL: the session has ended, and only its recording is there */
	struct recording *recording;     /* opened with the first byte that is needed from it, or by reader_keep */
	uint64_t position;               /* of the next byte */
	uint64_t recorded_until;         /* what lies before is read from the recording */
	bool is_armed, paints;           /* the supervisor will ring; it agreed to paint */
	bool has_ended;                  /* nothing more will be published */
	struct str status;               /* then: the session's status, JSON, when its supervisor could still tell */
	bool has_failed;                 /* the command could not be started: */
	int exit_code;                   /* so, and the @err of reader_begin says why */
};
#define READER_INIT { .session_fd = -1, .status = STR_INIT }

void reader_release(struct reader *r);

/*
 * Become a reader of .conn's supervisor, as .attach says, at position @since (-1: what is recent). 0; -EPIPE,
 * -ECONNRESET: it is just gone, and reader_come_back may find another; another -errno, see @err (a refusal, a ring
 * that is none). Blocks.
 */
int reader_begin(struct reader *r, int64_t since, struct err *err);
/* The same for one that has no supervisor any more: what is recorded. Nothing recorded is an output of no bytes. */
void reader_begin_ended(struct reader *r, int64_t since);
/* Go on with whoever has taken the place of a supervisor that is gone. False: nobody has. Blocks meanwhile. */
bool reader_come_back(struct reader *r, int64_t since);
/* Open the recording now: it may be removed with its session before it is needed. */
void reader_keep(struct reader *r);
/* Go to @position: the next byte read is that one, or the next that is still kept. */
void reader_seek(struct reader *r, uint64_t position);

/*
 * Copy at most @n bytes. Their number; 0: there are none now (or *ret_lost > 0: none in this piece). *ret_lost: so
 * many that lay before them are not to be had, or (not wants_all) were overwritten. Never waits for the session.
 */
size_t reader_read(struct reader *r, void *out, size_t n, uint64_t *ret_lost);
/* Nothing to read: the supervisor is to ring when there is. Once is enough. */
void reader_arm(struct reader *r);

/* A message that is not the reader's own. The frame's descriptors are closed afterwards. */
typedef void reader_frame_fn(void *data, const struct frame *f);
/*
 * Take in what the supervisor has said. 0; 1: it was gone, and another one goes on; -EPROTO: what it says is nonsense
 * (.has_ended is set). When it is gone and nobody has taken its place, .has_ended is set. Blocks only while coming
 * back.
 */
int reader_receive(struct reader *r, reader_frame_fn *fn, void *data);
/* As reader_receive for what has been received already, with an answer. */
int reader_handle(struct reader *r, reader_frame_fn *fn, void *data);
