#include "http/routes.h"

#include "http/handlers.h"

#define SESSION "/api/v1/sessions/{id}"

const struct route routes[] = {
	/* method, path, rights, flags, query, JSON body, handler */
	{ "GET", "/healthz", RIGHT_NOTHING, ROUTE_PROMPT, NULL, NULL, on_healthz },
	{ "GET", "/readyz", RIGHT_NOTHING, 0, NULL, NULL, on_readyz },
	{ "GET", "/api/v1/openapi.json", RIGHT_NOTHING, 0, NULL, NULL, on_openapi },
	{ "GET", "/api/v1/system/version", RIGHT_SEE, 0, NULL, NULL, on_version },
	{ "GET", "/api/v1/system/engines", RIGHT_SEE, 0, NULL, NULL, on_engines },
	{ "GET", "/api/v1/sessions", RIGHT_SEE, 0, "state limit cursor ", NULL, on_session_list },
	{ "POST", "/api/v1/sessions", RIGHT_CONTROL, 0, NULL, &new_session_object, on_session_new },
	{ "GET", SESSION, RIGHT_SEE, 0, NULL, NULL, on_session_get },
	{ "PATCH", SESSION, RIGHT_CONTROL, 0, NULL, &new_name_object, on_session_patch },
	{ "DELETE", SESSION, RIGHT_CONTROL, 0, "force ", NULL, on_session_delete },
	{ "GET", SESSION "/spec", RIGHT_SEE, 0, NULL, NULL, on_session_spec },
	{ "POST", SESSION "/start", RIGHT_CONTROL, 0, NULL, NULL, on_session_start },
	{ "POST", SESSION "/stop", RIGHT_CONTROL, 0, NULL, &stop_object, on_session_stop },
	{ "POST", SESSION "/restart", RIGHT_CONTROL, 0, NULL, &stop_object, on_session_restart },
	{ "POST", SESSION "/signal", RIGHT_CONTROL, 0, NULL, &signal_object, on_session_signal },
	{ "POST", SESSION "/input", RIGHT_TYPE, ROUTE_BYTES, NULL, NULL, on_input },
	{ "POST", SESSION "/keys", RIGHT_TYPE, 0, NULL, &keys_object, on_keys },
	{ "GET", SESSION "/screen", RIGHT_SEE, 0, "at format scrollback ", NULL, on_screen },
	{ "GET", SESSION "/log", RIGHT_SEE, 0, "since limit ", NULL, on_log },
	{ "POST", SESSION "/exec", RIGHT_RUN, 0, NULL, &exec_object, on_exec },
	{ "GET", SESSION "/tty", RIGHT_SEE, ROUTE_WEBSOCKET, "since read_only paint rows cols window ", NULL, on_tty },
	{ NULL },
};
