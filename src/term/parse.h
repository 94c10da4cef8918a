/*
 * Bytes of a terminal's output taken apart: text, controls, sequences, strings. The state machine is that of a VT500
 * as
 * vt100.net/emu/dec_ansi_parser describes it, with UTF-8 decoded first (so C1 controls are U+0080 to U+009F, never
 * single
 * bytes), colons between subparameters, and strings of limited length. What is unfinished at the end of a feed is
 * kept: cut
 * a stream anywhere and the same calls come, but that a text may come in more pieces.
 *
 * What a control function does is not known here: see screen.h.
 */
#pragma once

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	PARSE_PARAMS_MAX = 32,           /* further ones are dropped, as xterm and xterm.js do */
	PARSE_VALUE_MAX = 65535,
	PARSE_OMITTED = -1,
	PARSE_STRING_MAX = 8192,         /* bytes of an OSC or a wanted DCS; a longer one has no effect */
};

enum parse_state {
	PARSE_GROUND, PARSE_ESCAPE, PARSE_ESCAPE_INTERMEDIATE,
	PARSE_CSI_ENTRY, PARSE_CSI_PARAM, PARSE_CSI_INTERMEDIATE, PARSE_CSI_IGNORE,
	PARSE_DCS_ENTRY, PARSE_DCS_PARAM, PARSE_DCS_INTERMEDIATE, PARSE_DCS_PASSTHROUGH, PARSE_DCS_IGNORE,
	PARSE_OSC_STRING, PARSE_STRING,
	PARSE_TAIL,                      /* a string was answered and its ESC cancelled: a backslash that follows goes as well */
	PARSE_STATE_COUNT,
};

struct parser {
	uint8_t state;
	uint8_t held_len, held[4];       /* an unfinished UTF-8 character; in a string, a C2 that may begin ST */
	uint8_t marker;                  /* < = > ? or 0 */
	uint8_t intermediates[2], intermediate_count;        /* 3: there were more, it means nothing to us */
	uint8_t final;                   /* of a DCS; of SOS, PM, APC: X ^ _ */
	bool is_wanted, is_too_long;     /* of a string: its content is kept; it had more than PARSE_STRING_MAX */
	bool is_full;                    /* of parameters: there were more */
	uint8_t count;                   /* parameters that were begun; at least 1 when there is a final byte */
	uint32_t subs;                   /* bit i: a colon stands before parameter i */
	int32_t params[PARSE_PARAMS_MAX];        /* PARSE_OMITTED where there is no digit */
	struct str string;
};
#define PARSER_INIT { .string = STR_INIT }

/*
 * Called in the order of the stream. Those that return bool say whether they answered a question: then the byte that
 * ended
 * it is cancelled (see parse_feed).
 */
struct parse_ops {
	void (*text)(void *data, const uint8_t *text, size_t n);         /* 0x20 to 0x7E, at least one */
	void (*character)(void *data, uint32_t c);                       /* U+00A0 and up; invalid bytes are U+FFFD */
	bool (*control)(void *data, uint8_t c);                          /* C0 but NUL and ESC */
	bool (*escape)(void *data, const struct parser *p, uint8_t final);       /* also a C1 control, as ESC and final */
	bool (*csi)(void *data, const struct parser *p, uint8_t final);
	bool (*dcs_begin)(void *data, const struct parser *p, uint8_t final);    /* true: its content is wanted */
	bool (*dcs)(void *data, const struct parser *p);                 /* ended well; p->string is the content */
	bool (*osc)(void *data, const struct parser *p);
	/* Byte @offset of the data being fed becomes @with when it is handed on, for nobody else shall answer. */
	void (*cancel)(void *data, size_t offset, uint8_t with);
};

/*
 * Feed @n bytes. An answered sequence is cancelled at the byte on which a parser would act: a final byte, a BEL, the
 * 9C of a
 * ST in one character, or the ESC of the two-byte ST become CAN; the backslash after that ESC becomes NUL, also when
 * it is the
 * first of the next feed. A control (ENQ) becomes NUL. The parser goes on as one that was fed the cancelled stream.
 */
void parse_feed(struct parser *p, const void *data, size_t n, const struct parse_ops *ops, void *ctx);

/* Parameter @i, or @omitted where there is none. */
static inline int parse_param(const struct parser *p, unsigned i, int omitted)
{
	return i < p->count && p->params[i] != PARSE_OMITTED ? p->params[i] : omitted;
}
/* The intermediate when there is just one, 0 when there is none, else something that no function has. */
static inline uint8_t parse_intermediate(const struct parser *p)
{
	return p->intermediate_count == 0 ? 0 : p->intermediate_count == 1 ? p->intermediates[0] : 0xFF;
}

/*
 * Append the bytes that bring a parser in its first state to where @p is (PARSE_TAIL: none, it is ground to all
 * others).
 */
void parse_add_unfinished(const struct parser *p, struct str *out);
bool parse_is_idle(const struct parser *p);               /* nothing is unfinished */
void parse_copy(struct parser *to, const struct parser *from);   /* @to was initialised */
void parse_release(struct parser *p);
