/*
 * One WebSocket: messages in, messages out, pings, and a closing that both sides know of. It reads only when it is
 * not overrun: what a client does not take stays in its owner's source, of which ws_is_full tells.
 */
#pragma once

#include "http/call.h"
#include "http/ws-frame.h"

enum { WS_ACCEPT_SIZE = 29 };
#define WS_TTY_PROTOCOL "pterm.tty.v1"

struct http;
struct link;
struct ws;

struct ws_ops {
	void (*message)(void *data, const struct ws_message *m);         /* whole, text or binary */
	void (*writable)(void *data);                                    /* what was sent has gone out */
	void (*closed)(void *data);                                      /* it is no more: the last call */
};

/* The answer to a handshake's key, 28 characters: 0, or -EINVAL when @key (may be NULL) is none. */
int ws_accept(const char *key, char ret[WS_ACCEPT_SIZE]);
/* Is @protocol in the list of a Sec-WebSocket-Protocol header? */
bool ws_offers(const char *list, const char *protocol);

/*
 * Speak on the connected, non-blocking socket @fd, which is its own from here on; @early has come already. It hangs
 * in @list. Calls upgrade->open, or ->drop when it cannot be.
 */
void ws_open(struct http *h, struct link *list, int fd, const void *early, size_t n, const struct upgrade *upgrade);
void ws_set_ops(struct ws *w, const struct ws_ops *ops, void *data);
struct http *ws_http(const struct ws *w);

/*
 * Send one message, of two pieces one after the other. What the socket does not take is copied. Nothing after
 * ws_close.
 */
void ws_send(struct ws *w, enum ws_opcode opcode, const void *head, size_t head_len, const void *data, size_t n);
bool ws_is_full(const struct ws *w);             /* something waits: send no more until .writable */
/* Say goodbye: .closed comes when the other side has answered, or has not for a while. */
void ws_close(struct ws *w, enum ws_close code, const char *reason);

void ws_close_all(struct link *list, enum ws_close code);
void ws_free_all(struct link *list);
