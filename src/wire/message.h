/*
 * The messages of messages.def, and the JSON bodies they carry.
 */
#pragma once

#include "base/json.h"

/* WIRE_VERSION is raised when an old peer could misunderstand: not for new keys alone. WIRE_OLDEST: still spoken. */
enum { WIRE_VERSION = 1, WIRE_OLDEST = 1 };

enum message {
#define MESSAGE(name, number, body, what) MESSAGE_##name = number,
#include "wire/messages.def"
#undef MESSAGE
};
enum message_body { BODY_NONE, BODY_JSON, BODY_BYTES, BODY_POSITION };

/* Is a body of @len bytes possible for this message? -1 for an unknown message (a newer peer's: skip it). */
int message_body_fits(unsigned type, size_t len);

struct message_hello { int64_t version, oldest; char *program; };     /* oldest 0: none but version */
struct message_attach {
	int64_t since;                   /* -1: what is recent */
	bool is_viewer, read_only, paints;
	bool is_terminal;                /* what it sends comes from a terminal, which may answer by itself */
	bool wants_status;               /* STATUS_IS whenever what the probes say has changed */
	int64_t rows, cols;
};
struct message_resize { int64_t rows, cols; };
struct message_signal { int64_t signo; };
struct message_stop { int64_t timeout_ms; char *by; };     /* how long it may take before KILL; 0: at once */
enum { STOP_TIMEOUT_MS = 10000 };        /* when nobody said */
struct message_exec { bool tty, has_user; int64_t rows, cols, uid, gid; struct strv argv, env, groups; char *cwd; };
struct message_rename { char *name; };
struct message_error { char *code, *message; int64_t no, exit_code; };
struct message_ring { int64_t position, lost; bool paints; };      /* paints: PAINT and RAW will come */
struct message_usage { int64_t cpu_ns, memory_bytes, memory_max, pids; };
struct message_exited { int64_t wait_status; };
struct message_exec_id { int64_t exec; };
struct message_upgrade { char *program; };
struct message_record { bool input; };

/* What we say of ourselves; @program: borrowed. */
struct message_hello message_hello_of(const char *program);
/*
 * Is there a version that both we and who said @theirs speak? 0; or -EPROTONOSUPPORT, with what to do about the session
 * of supervisor @pid (0: not known) in @err.
 */
int message_hello_check(const struct message_hello *theirs, int64_t pid, struct err *err);

extern const struct json_object message_hello_object, message_attach_object, message_resize_object,
	message_signal_object, message_stop_object, message_exec_object, message_rename_object,
	message_error_object, message_ring_object, message_usage_object, message_exited_object,
	message_exec_id_object, message_upgrade_object, message_record_object;
