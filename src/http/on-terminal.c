#include "http/handlers.h"

#include "base/fd.h"
#include "base/units.h"
#include "service/exec.h"
#include "service/screen-json.h"
#include "service/terminal.h"
#include "term/record.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
	LOG_DEFAULT = 64 * 1024, LOG_MOST = 1024 * 1024,
	EXEC_OUTPUT_MOST = 1024 * 1024,          /* of both streams together */
	EXEC_DEFAULT_MS = 60000, EXEC_MOST_MS = 3600000,
	SCROLLBACK_MOST = 10000,
};

/* --- typing --- */

static void tell_position(struct call *c, uint64_t position)
{
	struct json_writer w = JSON_WRITER(&c->out);

	json_begin(&w, NULL, '{');
	json_put_int(&w, "position", (int64_t)position);
	json_end(&w, '}');
}

static int type(struct call *c, terminal_encode_fn *encode, void *data, struct err *err)
{
	_session_ s = { 0 };
	uint64_t position = 0;
	int r = call_session(c, &s, err);

	if (r == 0)
		r = terminal_send(&s, encode, data, &position, err);
	if (r < 0)
		return r;
	tell_position(c, position);
	return 200;
}

static int as_it_is(const struct screen *s, void *data, struct str *out, struct err *err)
{
	const struct str *bytes = data;

	str_add(out, bytes->buf, bytes->len);
	return 0;
}

int on_input(struct call *c, struct err *err)
{
	return type(c, as_it_is, &c->body, err);
}

struct key_item { char *key, *text; };
struct keys_request { VEC(struct key_item) items; bool paste; };

static const struct json_field key_item_fields[] = {
	{ "key", FIELD_STR, offsetof(struct key_item, key) },
	{ "text", FIELD_STR, offsetof(struct key_item, text) },
};
static const struct json_object key_item_object =
	JSON_OBJECT("a key or text", struct key_item, key_item_fields, true);
static const struct json_field keys_fields[] = {
	{ "items", FIELD_OBJV, offsetof(struct keys_request, items), .required = true, .object = &key_item_object },
	{ "paste", FIELD_BOOL, offsetof(struct keys_request, paste) },
};
const struct json_object keys_object = JSON_OBJECT("what to type", struct keys_request, keys_fields, true);

int on_keys(struct call *c, struct err *err)
{
	const struct keys_request *m = c->input;
	struct terminal_items items = { .pastes = m->paste };
	int r = 0;

	for (size_t i = 0; r == 0 && i < m->items.len; i++) {
		const struct key_item *item = &m->items.items[i];

		vec_push(&items.list, ((struct terminal_item){ item->key, item->text, item->text ? strlen(item->text) : 0 }));
		if ((item->key != NULL) == (item->text != NULL))
			r = err_set(err, EINVAL, "bad-json", "what to type: each of 'items' is a 'key' or a 'text'");
	}
	if (r == 0)
		r = type(c, terminal_encode_items, &items, err);
	else
		err_field(err, "items");
	vec_release(&items.list);
	return r;
}

/* --- what it shows --- */

static void add_plain_row(const struct screen *s, unsigned row, struct str *out)
{
	screen_add_row(s, row, SCREEN_PLAIN, out);
}

static void add_styled_row(const struct screen *s, unsigned row, struct str *out)
{
	screen_add_row(s, row, SCREEN_STYLED, out);
}

static const struct screen_form { const char *name, *type; terminal_row_fn *row; enum screen_text text; } forms[] = {
	{ "json", NULL, screen_json_row, SCREEN_PLAIN },
	{ "text", "text/plain; charset=utf-8", add_plain_row, SCREEN_PLAIN },
	{ "ansi", "text/plain; charset=utf-8", add_styled_row, SCREEN_STYLED },
};

static int read_form(const struct call *c, const struct screen_form **ret, struct err *err)
{
	const char *wanted = target_query(&c->target, "format");

	*ret = &forms[0];
	for (size_t i = 0; i < array_len(forms); i++)
		if (wanted != NULL && str_eq(wanted, forms[i].name))
			*ret = &forms[i];
	if (wanted == NULL || str_eq(wanted, (*ret)->name))
		return 0;
	err_set(err, EINVAL, "bad-parameter", "the parameter 'format' must be json, text or ansi");
	err_field(err, "format");
	return -EINVAL;
}

int on_screen(struct call *c, struct err *err)
{
	const char *at = target_query(&c->target, "at");
	const struct screen_form *form;
	_session_ s = { 0 };
	_shown_ shown = { 0 };
	_strv_ above = { 0 };
	uint64_t rows = 0;
	int r = read_form(c, &form, err);

	if (r == 0)
		r = call_number(c, "scrollback", 0, SCROLLBACK_MOST, &rows, err);
	if (r == 0)
		r = call_session(c, &s, err);
	if (r == 0)
		r = at != NULL ? terminal_at(&s, at, &shown, err) : terminal_now(&s, &shown, err);
	if (r == 0 && rows > 0)
		r = terminal_above(&s, shown.position, rows, form->row, &above, err);
	if (r < 0)
		return r;
	call_header(c, "Pterm-Position", "%llu", (unsigned long long)shown.position);
	c->type = form->type;
	if (form->type == NULL) {
		screen_json(&shown, rows > 0 ? &above : NULL, &c->out);
		return 200;
	}
	for (size_t i = 0; i < above.len; i++)
		str_addf(&c->out, "%s\n", above.items[i]);
	screen_add_text(shown.screen, form->text, &c->out);
	return 200;
}

/* --- what it has printed --- */

int on_log(struct call *c, struct err *err)
{
	_cleanup_(recording_closep) struct recording *rec = NULL;
	uint64_t since = 0, limit = LOG_DEFAULT, lost = 0, first;
	_session_ s = { 0 };
	ssize_t n = 1;
	int r = call_number(c, "since", 0, INT64_MAX, &since, err);

	if (r == 0)
		r = call_number(c, "limit", 1, LOG_MOST, &limit, err);
	if (r == 0)
		r = call_session(c, &s, err);
	if (r == 0)
		r = recording_open(&rec, s.fd, err);
	if (r < 0)
		return r;
	if (r == 1)
		return err_set(err, ENOENT, "no-recording", "nothing of session '%s' is recorded", s.status.name);
	first = since;
	while (c->out.len < limit && n > 0) {
		uint64_t skipped = 0;

		str_grow(&c->out, (size_t)limit);
		n = recording_read(rec, &since, c->out.buf + c->out.len, (size_t)limit - c->out.len, &skipped);
		if (n <= 0)
			break;
		if (skipped > 0 && c->out.len > 0) {     /* a hole ends the answer: its bytes are of one piece */
			since = first + c->out.len;
			break;
		}
		lost += skipped;
		first += skipped;
		c->out.len += (size_t)n;
	}
	if (n < 0)
		return err_set(err, (int)-n, "recording", "cannot read the recording: %m");
	call_header(c, "Pterm-Position", "%llu", (unsigned long long)first);
	call_header(c, "Pterm-Next", "%llu", (unsigned long long)since);
	call_header(c, "Pterm-Lost", "%llu", (unsigned long long)lost);
	call_header(c, "Pterm-End", "%llu", (unsigned long long)recording_end(rec));
	c->type = "application/octet-stream";
	return 200;
}

/* --- one more command --- */

struct exec_request { struct strv command, env; char *workdir, *user, *input; int64_t timeout_ms; };
static const struct json_field exec_fields[] = {
	{ "command", FIELD_STRV, offsetof(struct exec_request, command), .required = true },
	{ "env", FIELD_STRV, offsetof(struct exec_request, env) },
	{ "workdir", FIELD_STR, offsetof(struct exec_request, workdir) },
	{ "user", FIELD_STR, offsetof(struct exec_request, user) },
	{ "input", FIELD_STR, offsetof(struct exec_request, input) },
	{ "timeout_ms", FIELD_INT, offsetof(struct exec_request, timeout_ms), .min = 0, .max = EXEC_MOST_MS },
};
const struct json_object exec_object = JSON_OBJECT("an exec", struct exec_request, exec_fields, true);

struct taken { struct str out, errors; };

static bool take(void *data, bool is_stderr, const char *bytes, size_t n)
{
	struct taken *t = data;
	const size_t room = EXEC_OUTPUT_MOST - t->out.len - t->errors.len;

	str_add(is_stderr ? &t->errors : &t->out, bytes, min_size(n, room));
	return n <= room;
}

/* Its input as a file: nobody has to be there to write it. */
static int make_input(const char *text, int *ret, struct err *err)
{
	_fd_ fd = text != NULL ? memfd_create("input", MFD_CLOEXEC) : -1;
	int r = 0;

	if (text != NULL && fd < 0)
		r = -errno;
	if (fd >= 0)
		r = fd_write_all(fd, text, strlen(text));
	if (fd >= 0 && r == 0 && lseek(fd, 0, SEEK_SET) < 0)
		r = -errno;
	if (r < 0)
		return err_set(err, -r, "exec", "cannot keep the input: %m");
	*ret = TAKE_FD(fd);
	return 0;
}

static void tell_result(struct call *c, int code, const struct taken *t, const struct err *why)
{
	struct json_writer w = JSON_WRITER(&c->out);

	json_begin(&w, NULL, '{');
	json_put_int(&w, "exit_code", code);
	json_put_str(&w, "stdout", t->out.buf);
	json_put_str(&w, "stderr", t->errors.buf);
	json_put_bool(&w, "timed_out", why->no == ETIMEDOUT);
	json_put_bool(&w, "truncated", why->no == EFBIG);
	json_put_str(&w, "message", why->no != 0 ? err_msg(why) : NULL);
	json_end(&w, '}');
}

int on_exec(struct call *c, struct err *err)
{
	const struct exec_request *m = c->input;
	struct taken t = { STR_INIT, STR_INIT };
	_fd_ in = -1;
	_session_ s = { 0 };
	int r = call_session(c, &s, err);

	if (r == 0 && m->command.len == 0) {
		r = err_set(err, EINVAL, "bad-json", "an exec: 'command' must not be empty");
		err_field(err, "command");
	}
	if (r == 0)
		r = make_input(m->input, &in, err);
	if (r == 0) {
		const struct exec x = {
			.argv = (const char *const *)m->command.items, .argc = m->command.len, .env = &m->env, .cwd = m->workdir,
			.user = m->user, .in_fd = in, .output = take, .output_data = &t,
			.timeout_ms = m->timeout_ms > 0 ? (uint64_t)m->timeout_ms : EXEC_DEFAULT_MS,
		};

		r = exec_run(&s, &x, err);
		if (r >= 0 || r == -ETIMEDOUT || r == -EFBIG) {
			tell_result(c, r < 0 ? 128 + 9 : r, &t, err);
			r = 200;
		}
	}
	str_release(&t.out);
	str_release(&t.errors);
	return r;
}
