#include "wire/message.h"

#include <errno.h>

static const struct { unsigned number; enum message_body body; } messages[] = {
#define MESSAGE(name, number, body, what) { number, BODY_##body },
#include "wire/messages.def"
#undef MESSAGE
};

int message_body_fits(unsigned type, size_t len)
{
	for (size_t i = 0; i < array_len(messages); i++) {
		if (messages[i].number != type)
			continue;
		switch (messages[i].body) {
		case BODY_NONE:
			return len == 0;
		case BODY_JSON:
			return len > 0;
		case BODY_BYTES:
			return 1;
		case BODY_POSITION:
			return len == 8;
		}
	}
	return -1;
}

#define SIZE_FIELDS(type) \
	{ "rows", FIELD_INT, offsetof(type, rows), .min = 0, .max = 10000 }, \
	{ "cols", FIELD_INT, offsetof(type, cols), .min = 0, .max = 10000 }

static const struct json_field hello_fields[] = {
	{ "version", FIELD_INT, offsetof(struct message_hello, version), .required = true },
	{ "oldest", FIELD_INT, offsetof(struct message_hello, oldest) },
	{ "program", FIELD_STR, offsetof(struct message_hello, program) },
};
static const struct json_field attach_fields[] = {
	{ "since", FIELD_INT, offsetof(struct message_attach, since), .min = -1, .max = INT64_MAX },
	{ "viewer", FIELD_BOOL, offsetof(struct message_attach, is_viewer) },
	{ "read_only", FIELD_BOOL, offsetof(struct message_attach, read_only) },
	{ "paints", FIELD_BOOL, offsetof(struct message_attach, paints) },
	{ "wants_status", FIELD_BOOL, offsetof(struct message_attach, wants_status) },
	{ "terminal", FIELD_BOOL, offsetof(struct message_attach, is_terminal) },
	SIZE_FIELDS(struct message_attach),
};
static const struct json_field resize_fields[] = { SIZE_FIELDS(struct message_resize) };
static const struct json_field signal_fields[] = {
	{ "signo", FIELD_INT, offsetof(struct message_signal, signo), .required = true, .min = 1, .max = 64 },
};
static const struct json_field stop_fields[] = {
	{ "timeout_ms", FIELD_INT, offsetof(struct message_stop, timeout_ms), .min = 0, .max = 86400000 },
	{ "by", FIELD_STR, offsetof(struct message_stop, by) },
};
static const struct json_field exec_fields[] = {
	{ "tty", FIELD_BOOL, offsetof(struct message_exec, tty) },
	SIZE_FIELDS(struct message_exec),
	{ "argv", FIELD_STRV, offsetof(struct message_exec, argv), .required = true },
	{ "env", FIELD_STRV, offsetof(struct message_exec, env) },
	{ "cwd", FIELD_STR, offsetof(struct message_exec, cwd) },
	{ "has_user", FIELD_BOOL, offsetof(struct message_exec, has_user) },
	{ "uid", FIELD_INT, offsetof(struct message_exec, uid), .min = 0, .max = UINT32_MAX - 1LL },
	{ "gid", FIELD_INT, offsetof(struct message_exec, gid), .min = 0, .max = UINT32_MAX - 1LL },
	{ "groups", FIELD_STRV, offsetof(struct message_exec, groups) },
};
static const struct json_field rename_fields[] = {
	{ "name", FIELD_STR, offsetof(struct message_rename, name), .required = true },
};
static const struct json_field error_fields[] = {
	{ "code", FIELD_STR, offsetof(struct message_error, code) },
	{ "message", FIELD_STR, offsetof(struct message_error, message) },
	{ "no", FIELD_INT, offsetof(struct message_error, no) },
	{ "exit_code", FIELD_INT, offsetof(struct message_error, exit_code) },
};
static const struct json_field ring_fields[] = {
	{ "position", FIELD_INT, offsetof(struct message_ring, position), .min = 0, .max = INT64_MAX },
	{ "lost", FIELD_INT, offsetof(struct message_ring, lost), .min = 0, .max = INT64_MAX },
	{ "paints", FIELD_BOOL, offsetof(struct message_ring, paints) },
};
static const struct json_field usage_fields[] = {
	{ "cpu_ns", FIELD_INT, offsetof(struct message_usage, cpu_ns) },
	{ "memory_bytes", FIELD_INT, offsetof(struct message_usage, memory_bytes) },
	{ "memory_max", FIELD_INT, offsetof(struct message_usage, memory_max) },
	{ "pids", FIELD_INT, offsetof(struct message_usage, pids) },
};
static const struct json_field exited_fields[] = {
	{ "wait_status", FIELD_INT, offsetof(struct message_exited, wait_status), .required = true },
};

static const struct json_field exec_id_fields[] = {
	{ "exec", FIELD_INT, offsetof(struct message_exec_id, exec), .min = 0, .max = UINT32_MAX },
};
static const struct json_field upgrade_fields[] = {
	{ "program", FIELD_STR, offsetof(struct message_upgrade, program), .required = true },
};

static const struct json_field record_fields[] = {
	{ "input", FIELD_BOOL, offsetof(struct message_record, input), .required = true },
};

/* A newer peer may say more than we know: never strict. */
#define OBJECT(name) \
	const struct json_object message_##name##_object = \
		JSON_OBJECT("message " #name, struct message_##name, name##_fields, false)
OBJECT(hello);
OBJECT(attach);
OBJECT(resize);
OBJECT(signal);
OBJECT(stop);
OBJECT(exec);
OBJECT(rename);
OBJECT(error);
OBJECT(ring);
OBJECT(usage);
OBJECT(exited);
OBJECT(exec_id);
OBJECT(upgrade);
OBJECT(record);

struct message_hello message_hello_of(const char *program)
{
	return (struct message_hello){ .version = WIRE_VERSION, .oldest = WIRE_OLDEST, .program = (char *)program };
}

int message_hello_check(const struct message_hello *theirs, int64_t pid, struct err *err)
{
	const int64_t oldest = theirs->oldest > 0 ? theirs->oldest : theirs->version;
	_free_ char *who = visible(theirs->program ? theirs->program : "the other side");
	_free_ char *end = pid > 0 ? xasprintf(", or end it by kill %lld", (long long)pid) : xstrdup("");

	if (theirs->version >= WIRE_OLDEST && oldest <= WIRE_VERSION)
		return 0;
	return err_set(err, EPROTONOSUPPORT, "other-version", "%s speaks version %lld of the messages between pterm and "
	               "its supervisors, and this side version %d: use the session with the pterm that started it%s", who,
	               (long long)theirs->version, (int)WIRE_VERSION, end);
}
