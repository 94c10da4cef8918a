#include "cli/open.h"
#include "cli/settings.h"

#include "term/tty.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

int open_session(struct house *h, const char *ref, struct session *ret, struct err *err)
{
	const int r = house_open(h, err);

	return r < 0 ? r : session_find(h, ref, ret, err);
}

int await_start(struct conn *conn, const char *command, const char *name, struct err *err)
{
	_err_ why = ERR_INIT;
	const int code = session_await_start(conn, NULL, &why);

	if (code < 0)
		return err_move(err, &why);
	if (code > 0)
		fprintf(stderr, "pterm %s: %s\n", command, err_msg(&why));
	else
		printf("%s\n", name);
	return code;
}

static int exit_code_of(const struct str *status_json)
{
	_cleanup_(status_release) struct status st = { 0 };

	if (json_decode(status_json->buf, status_json->len, &status_object, &st, NULL) < 0)
		return EXIT_PTERM;
	return (int)st.exit_code & 255;
}

int view_session(struct view *v, struct view_result *ret, struct err *err)
{
	_cleanup_(status_release) struct status now = { 0 };
	const int r = view_run(v, ret, err);

	if (r == 0 && ret->how == VIEW_ENDED && ret->status.len == 0 && status_read(v->session_fd, &now, NULL) == 0 &&
	    now.state == STATUS_ENDED)
		json_encode(&ret->status, &status_object, &now);
	return r;
}

int open_view(const char *keys, int64_t since, struct view *ret, struct err *err)
{
	*ret = (struct view){ .since = since, .session_fd = -1, .in_fd = STDIN_FILENO,
	                      .out_fd = STDOUT_FILENO };
	return keys_parse(keys ? keys : config_text(settings(), OPTION_attach_detach_keys), &ret->keys, err);
}

int show_session(struct view *v, const char *name, struct err *err)
{
	struct view_result result = { .status = STR_INIT };
	int r = view_session(v, &result, err);

	if (r < 0 && !result.has_failed) {
		str_release(&result.status);
		return r;
	}
	if (result.lost > 0)
		fprintf(stderr, "pterm: %llu bytes of output were printed faster than they were taken, and are not kept any more\n",
		        (unsigned long long)result.lost);
	if (result.skipped > 0)
		fprintf(stderr, "[%llu bytes were printed faster than this terminal takes them, and not shown one by one: pterm logs %s "
		        "has them]\n", (unsigned long long)result.skipped, name);
	if (result.has_failed) {
		fprintf(stderr, "pterm: %s\n", err_msg(err));
		err_release(err);
		r = result.exit_code;
	} else if (result.how == VIEW_ENDED && result.status.len > 0) {
		r = exit_code_of(&result.status);
	} else if (result.how == VIEW_ENDED) {
		r = err_set(err, EPIPE, "supervisor-lost", "the supervisor of session '%s' was killed, and the session ended with it",
		            name);
	} else if (result.how == VIEW_DETACHED) {
		fprintf(stderr, "[detached from session %s: pterm attach %s comes back]\n", name, name);
	}
	str_release(&result.status);
	return r;
}
