/*
 * The messages of messages.def, and the JSON bodies they carry.
 */
#pragma once

#include "base/json.h"

enum { WIRE_VERSION = 1 };               /* raised when an old peer could misunderstand; new keys alone do not */

enum message {
#define MESSAGE(name, number, body, what) MESSAGE_##name = number,
#include "wire/messages.def"
#undef MESSAGE
};
enum message_body { BODY_NONE, BODY_JSON, BODY_BYTES, BODY_POSITION };

/* Is a body of @len bytes possible for this message? -1 for an unknown message (a newer peer's: skip it). */
int message_body_fits(unsigned type, size_t len);

struct message_hello { int64_t version; char *program; };
struct message_attach { int64_t since; bool is_viewer, read_only; int64_t rows, cols; };   /* since -1: what is recent */
struct message_resize { int64_t rows, cols; };
struct message_signal { int64_t signo; };
struct message_stop { int64_t timeout_ms; char *by; };     /* how long it may take before KILL; 0: at once */
enum { STOP_TIMEOUT_MS = 10000 };        /* when nobody said */
struct message_exec { bool tty, has_user; int64_t rows, cols, uid, gid; struct strv argv, env, groups; char *cwd; };
struct message_rename { char *name; };
struct message_wait { bool until_end; };
struct message_error { char *code, *message; int64_t no, exit_code; };
struct message_ring { int64_t position, lost; };
struct message_usage { int64_t cpu_ns, memory_bytes, memory_max, pids; };
struct message_exited { int64_t wait_status; };

extern const struct json_object message_hello_object, message_attach_object, message_resize_object,
	message_signal_object, message_stop_object, message_exec_object, message_rename_object, message_wait_object,
	message_error_object, message_ring_object, message_usage_object, message_exited_object;
