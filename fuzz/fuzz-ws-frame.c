/*
 * What a client sends over a WebSocket, in pieces of any size: messages stay within their maximum, and an end is an
 * end.
 */
#include "http/ws-frame.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct ws_reader r = WS_READER_INIT;
	struct ws_message m;
	int rc = 0;

	if (n < 1)
		return 0;
	for (size_t at = 1, piece = (size_t)data[0] + 1; at < n && rc >= 0; at += piece) {
		ws_feed(&r, data + at, min_size(piece, n - at));
		while ((rc = ws_next(&r, &m)) == 1) {
			volatile char last = m.len > 0 ? m.data[m.len - 1] : 0;

			(void)last;
			if (m.len > WS_MESSAGE_MAX || m.opcode == WS_CONTINUATION ||
			    (m.opcode >= WS_CLOSE && m.len > WS_CONTROL_MAX))
				abort();
			if (m.opcode == WS_CLOSE && ws_close_code(&m) == 0)
				abort();
		}
		if (rc < 0 && rc > -1000)
			abort();
	}
	ws_reader_release(&r);
	return 0;
}
