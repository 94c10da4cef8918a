/*
 * Checkpoints from a damaged or forged file: refused, or a screen. The checksum is made right, so that the rest
 * is reached.
 */
#include "term/checkpoint.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct screen *s = NULL, *from = screen_new(3, 3, NULL, NULL);
	_str_ bytes = STR_INIT;
	_str_ text = STR_INIT;

	if (checkpoint_read(data, n, NULL, NULL, &s, NULL) == 0)
		s = screen_free(s);
	screen_feed(from, data, n);
	checkpoint_write(from, &bytes);
	for (size_t i = 0; i + 1 < n && i < 4; i += 2)
		bytes.buf[data[i] % bytes.len] = (char)data[i + 1];
	if (checkpoint_read(bytes.buf, bytes.len, NULL, NULL, &s, NULL) == 0) {
		screen_add_text(s, SCREEN_STYLED, &text);
		screen_free(s);
	}
	screen_free(from);
	return 0;
}
