/*
 * The handlers of routes.c, by the file they are in. As call_fn.
 */
#pragma once

#include "http/call.h"

/* on-system.c */
int on_healthz(struct call *c, struct err *err);
int on_readyz(struct call *c, struct err *err);
int on_openapi(struct call *c, struct err *err);
int on_version(struct call *c, struct err *err);
int on_engines(struct call *c, struct err *err);

/* on-session.c */
extern const struct json_object new_session_object, new_name_object, stop_object, signal_object;
int on_session_list(struct call *c, struct err *err);
int on_session_new(struct call *c, struct err *err);
int on_session_get(struct call *c, struct err *err);
int on_session_spec(struct call *c, struct err *err);
int on_session_patch(struct call *c, struct err *err);
int on_session_delete(struct call *c, struct err *err);
int on_session_start(struct call *c, struct err *err);
int on_session_stop(struct call *c, struct err *err);
int on_session_restart(struct call *c, struct err *err);
int on_session_signal(struct call *c, struct err *err);

/* on-terminal.c */
extern const struct json_object keys_object, exec_object;
int on_input(struct call *c, struct err *err);
int on_keys(struct call *c, struct err *err);
int on_screen(struct call *c, struct err *err);
int on_log(struct call *c, struct err *err);
int on_exec(struct call *c, struct err *err);

/* ws-tty.c */
int on_tty(struct call *c, struct err *err);
