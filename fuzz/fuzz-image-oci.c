/*
 * Indexes, manifests and configurations from a stranger: what is let through has digests for digests, and can be written and
 * read again.
 */
#include "image/oci.h"

#include <stdlib.h>

static void check(const struct oci_descriptors *v)
{
	for (size_t i = 0; i < v->len; i++)
		if (!digest_check(v->items[i].digest) || v->items[i].size < 0)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	_oci_document_ d = { 0 };
	_oci_config_ c = { 0 };
	_err_ err = ERR_INIT;

	if (oci_read_document("it", (const char *)data, n, &d, &err) == 0) {
		_oci_document_ again = { 0 };
		_str_ text = STR_INIT;

		check(&d.manifests);
		check(&d.layers);
		(void)oci_choose("it", &d, &err);
		oci_write_index(&d.manifests, &text);
		if (oci_read_document("it", text.buf, text.len, &again, &err) < 0)
			abort();
	}
	if (oci_read_config("it", (const char *)data, n, &c, &err) == 0)
		for (size_t i = 0; i < c.rootfs.diff_ids.len; i++)
			if (!digest_check(c.rootfs.diff_ids.items[i]))
				abort();
	return 0;
}
