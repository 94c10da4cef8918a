#include "supervisor/status.h"

#include "base/fd.h"
#include "base/proc.h"

#include <sys/wait.h>

const char *const status_states[] = { "starting", "running", "restarting", "ended", NULL };
static const char *const status_reasons[] = {
	"none", "exited", "signaled", "out-of-memory", "stopped", "start-failed", "init-lost", "supervisor-lost", "rebooted",
	"unhealthy", NULL,
};

static const char *const status_healths[] = { "none", "starting", "healthy", "unhealthy", NULL };
static const char *const status_readinesses[] = { "none", "starting", "ready", "unready", NULL };

#define TEXT(name) { #name, FIELD_STR, offsetof(struct status, name) }
#define NUMBER(name) { #name, FIELD_INT, offsetof(struct status, name) }
static const struct json_field status_fields[] = {
	{ "id", FIELD_STR, offsetof(struct status, id), .required = true },
	{ "name", FIELD_STR, offsetof(struct status, name), .required = true },
	{ "state", FIELD_ENUM, offsetof(struct status, state), .names = status_states, .required = true },
	{ "reason", FIELD_ENUM, offsetof(struct status, reason), .names = status_reasons },
	TEXT(engine), TEXT(image), TEXT(command), NUMBER(exit_code), NUMBER(signo), TEXT(message), TEXT(by), NUMBER(pid),
	NUMBER(pid_start), NUMBER(init_pid), NUMBER(helper_pid), NUMBER(helper_start), TEXT(machine_id), TEXT(boot_id),
	NUMBER(created_ms), NUMBER(started_ms), NUMBER(ended_ms), NUMBER(run), NUMBER(restarts), NUMBER(adoptions), NUMBER(position),
	{ "health", FIELD_ENUM, offsetof(struct status, health), .names = status_healths },
	{ "readiness", FIELD_ENUM, offsetof(struct status, readiness), .names = status_readinesses },
	NUMBER(rows), NUMBER(cols),
	{ "labels", FIELD_MAP, offsetof(struct status, labels) },
	{ "has_container", FIELD_BOOL, offsetof(struct status, has_container) },
	{ "records_input", FIELD_BOOL, offsetof(struct status, records_input) },
};
const struct json_object status_object = JSON_OBJECT("a session's status", struct status, status_fields, false);

int status_read(int dirfd, struct status *ret, struct err *err)
{
	_str_ text = STR_INIT;
	int r;

	*ret = (struct status){ 0 };
	r = file_read(dirfd, "status.json", 256 * 1024, &text);
	if (r < 0)
		return err_set(err, -r, "status", "cannot read status.json: %m");
	return json_decode(text.buf, text.len, &status_object, ret, err);
}

int status_write(int dirfd, const struct status *s, struct err *err)
{
	_str_ text = STR_INIT;
	int r;

	json_encode(&text, &status_object, s);
	str_addc(&text, '\n');
	r = file_write(dirfd, "status.json", text.buf, text.len, 0600);
	return r < 0 ? err_set(err, -r, "status", "cannot write status.json: %m") : 0;
}

void status_release(struct status *s)
{
	json_release(&status_object, s);
}

void status_set(char **slot, const char *value)
{
	free(*slot);
	*slot = value ? xstrdup(value) : NULL;
}

void status_set_exit(struct status *s, int wait_status)
{
	s->signo = WIFSIGNALED(wait_status) ? WTERMSIG(wait_status) : 0;
	s->exit_code = s->signo ? 128 + s->signo : WEXITSTATUS(wait_status);
	s->reason = s->signo ? REASON_SIGNALED : REASON_EXITED;
}

void status_describe(const struct status *s, struct str *out)
{
	if (s->state == STATUS_ENDED) {
		status_describe_end(s, out);
		return;
	}
	str_adds(out, status_states[s->state]);
	if (s->state == STATUS_RUNNING && s->health != PROBE_NONE)
		str_addf(out, ", %s", s->health == PROBE_STARTING ? "health unknown" : status_healths[s->health]);
	if (s->state == STATUS_RUNNING && s->readiness != PROBE_NONE)
		str_adds(out, s->readiness == PROBE_GOOD ? ", ready" : ", not ready");
}

void status_describe_end(const struct status *s, struct str *out)
{
	switch (s->reason) {
	case REASON_EXITED:
		str_addf(out, "exited with code %lld", (long long)s->exit_code);
		break;
	case REASON_SIGNALED:
		str_addf(out, "killed by SIG%s", signal_name((int)s->signo));
		break;
	case REASON_OUT_OF_MEMORY:
		str_adds(out, "out of memory");
		break;
	case REASON_STOPPED:
		str_addf(out, "stopped by %s", s->by ? s->by : "somebody");
		break;
	case REASON_START_FAILED:
		str_adds(out, "could not start");
		break;
	case REASON_INIT_LOST:
		str_adds(out, "container killed, exit status unknown");
		break;
	case REASON_SUPERVISOR_LOST:
		str_adds(out, "supervisor lost");
		break;
	case REASON_UNHEALTHY:
		str_adds(out, "unhealthy");
		break;
	case REASON_REBOOTED:
		str_adds(out, "machine restarted");
		break;
	default:
		str_adds(out, "ended");
	}
}
