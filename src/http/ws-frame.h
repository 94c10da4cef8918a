/*
 * The frames of WebSocket (RFC 6455, section 5) as a server has them: reading masked ones that come in any pieces,
 * and the headers of those it writes. A peer decides nothing about our memory but within WS_MESSAGE_MAX.
 */
#pragma once

#include "base/str.h"

enum { WS_MESSAGE_MAX = 1024 * 1024, WS_HEADER_MAX = 10, WS_CONTROL_MAX = 125 };
enum ws_opcode { WS_CONTINUATION = 0, WS_TEXT = 1, WS_BINARY = 2, WS_CLOSE = 8, WS_PING = 9, WS_PONG = 10 };
enum ws_close {
	WS_CLOSE_NORMAL = 1000,
	WS_CLOSE_GOING_AWAY = 1001,
	WS_CLOSE_PROTOCOL = 1002,
	WS_CLOSE_UNSUPPORTED = 1003,
	WS_CLOSE_NO_STATUS = 1005,
	WS_CLOSE_BAD_DATA = 1007,
	WS_CLOSE_POLICY = 1008,
	WS_CLOSE_TOO_LARGE = 1009,
	WS_CLOSE_INTERNAL = 1011,
};

struct ws_reader {
	struct str in;                   /* arrived, of frames not yet whole */
	size_t at;                       /* of it already used */
	struct str message;              /* the pieces of a message in fragments, so far */
	bool is_in_message;
	enum ws_opcode opcode;           /* of that message */
	size_t returned;                 /* how many bytes of .in the last frame had: freed by the next call */
};
#define WS_READER_INIT { .in = STR_INIT, .message = STR_INIT }

struct ws_message { enum ws_opcode opcode; const char *data; size_t len; };    /* whole: never a continuation */

void ws_feed(struct ws_reader *r, const void *data, size_t n);
/*
 * 1: *ret is the next message or control frame, valid until the next call; 0: it is not whole yet. Otherwise the
 * code to close with, negative: -WS_CLOSE_PROTOCOL, -WS_CLOSE_TOO_LARGE, -WS_CLOSE_BAD_DATA (text, or a reason,
 * that is not UTF-8).
 */
int ws_next(struct ws_reader *r, struct ws_message *ret);
void ws_reader_release(struct ws_reader *r);

/* The header of an unfragmented, unmasked frame: its length. */
size_t ws_header(uint8_t out[WS_HEADER_MAX], enum ws_opcode opcode, size_t len);
/* The code that a CLOSE carries; WS_CLOSE_NO_STATUS when it has none, -WS_CLOSE_PROTOCOL when it cannot be right. */
int ws_close_code(const struct ws_message *m);
