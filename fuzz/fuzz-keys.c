/* Detach keys: the sequence as a person writes it, then what is typed. Nothing that was typed is swallowed or made up. */
#include "attach/keys.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const uint8_t *nul = n ? memchr(data, '\0', n) : NULL;
	_str_ pass = STR_INIT;
	struct keys k = { 0 };
	size_t typed;

	if (nul == NULL || keys_parse((const char *)data, &k, NULL) < 0)
		return 0;
	typed = n - (size_t)(nul + 1 - data);
	if (!keys_feed(&k, nul + 1, typed, &pass)) {
		keys_release(&k, &pass);
		if (pass.len != typed || memcmp(pass.buf, nul + 1, typed) != 0)
			abort();
	} else if (pass.len + k.len > typed) {
		abort();
	}
	return 0;
}
