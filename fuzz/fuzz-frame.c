/* Frames from a stranger: whatever comes, in pieces cut anywhere, no byte outside is read and no message is made up. */
#include "wire/conn.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	_cleanup_(frame_reader_release) struct frame_reader r = FRAME_READER_INIT;
	const size_t cut = n > 0 ? data[0] % n : 0;
	size_t total = 0;
	struct frame f;

	(void)frame_feed(&r, data, cut, NULL, 0);
	for (int half = 0; half < 2; half++) {
		while (frame_next(&r, &f) == 1) {
			total += f.len;
			(void)message_body_fits(f.type, f.len);
			if (f.data[f.len] != '\0' && f.data + f.len > r.in.buf + r.in.len)
				abort();
		}
		if (half == 0)
			(void)frame_feed(&r, data + cut, n - cut, NULL, 0);
	}
	if (total > n)
		abort();
	return 0;
}
