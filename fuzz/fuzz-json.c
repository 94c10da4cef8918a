/* Every JSON object that is read from a file or a socket: the first byte chooses which. What is read is written and read again. */
#include "engine/spec.h"
#include "supervisor/status.h"
#include "wire/message.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void try_object(const struct json_object *object, const char *text, size_t n)
{
	_free_ void *first = xcalloc(1, object->size);
	_free_ void *second = xcalloc(1, object->size);
	_str_ out = STR_INIT, again = STR_INIT;
	_err_ err = ERR_INIT;

	if (json_decode(text, n, object, first, &err) == 0) {
		json_encode(&out, object, first);
		if (json_decode(out.buf, out.len, object, second, &err) < 0)
			abort();
		json_encode(&again, object, second);
		if (!str_eq(out.buf, again.buf))
			abort();
	}
	json_release(object, first);
	json_release(object, second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct json_object *const objects[] = {
		&spec_object, &status_object, &message_hello_object, &message_attach_object, &message_resize_object,
		&message_signal_object, &message_stop_object, &message_exec_object, &message_rename_object,
		&message_wait_object, &message_error_object, &message_ring_object, &message_usage_object,
		&message_exited_object, &message_exec_id_object, &message_upgrade_object,
	};

	if (n > 0)
		try_object(objects[data[0] % array_len(objects)], (const char *)data + 1, n - 1);
	return 0;
}
