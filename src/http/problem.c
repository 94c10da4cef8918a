#include "http/problem.h"

#include "base/json.h"

#include <errno.h>

/* An error is known by its code where the number says too little. */
static const struct { const char *code; int status; } by_code[] = {
	{ "not-signed-in", 401 },
	{ "method-not-allowed", 405 },
	{ "upgrade-required", 426 },
	{ "body-large", 413 },
	{ "input-large", 413 },
	{ "body-type", 415 },
	{ "no-recording", 404 },
	{ "other-version", 409 },
	{ "busy", 503 },
	{ "input-full", 503 },
};

static const struct { int no, status; } by_number[] = {
	{ EINVAL, 400 },   { ERANGE, 400 },    { EPERM, 403 },  { EACCES, 403 },  { ENOENT, 404 },
	{ EEXIST, 409 },   { EBUSY, 409 },     { ESRCH, 409 },  { EREMOTE, 409 }, { EDEADLK, 409 },
	{ EMSGSIZE, 413 }, { EFBIG, 413 },     { E2BIG, 413 },  { ENOTSUP, 422 }, { EAGAIN, 503 },
	{ ENOBUFS, 503 },  { ETIMEDOUT, 504 }, { ENOSPC, 507 }, { EDQUOT, 507 },
};

static const struct { int status; const char *title; } titles[] = {
	{ 400, "Bad request" },
	{ 401, "Not signed in" },
	{ 403, "Not allowed" },
	{ 404, "Not found" },
	{ 405, "Method not allowed" },
	{ 409, "Conflict" },
	{ 413, "Too large" },
	{ 415, "Not of this type" },
	{ 417, "Expectation failed" },
	{ 422, "Cannot be done as asked" },
	{ 426, "Upgrade required" },
	{ 500, "Failed" },
	{ 503, "Busy" },
	{ 504, "Too slow an answer" },
	{ 505, "Not spoken" },
	{ 507, "No room" },
};

int problem_status(const struct err *err)
{
	for (size_t i = 0; i < array_len(by_code); i++)
		if (str_eq(err->code, by_code[i].code))
			return by_code[i].status;
	for (size_t i = 0; i < array_len(by_number); i++)
		if (err->no == by_number[i].no)
			return by_number[i].status;
	return 500;
}

const char *problem_title(int status)
{
	for (size_t i = 0; i < array_len(titles); i++)
		if (titles[i].status == status)
			return titles[i].title;
	return "Failed";
}

void problem_write(int status, const struct err *err, const char *request_id, struct str *out)
{
	const char *code = err->code[0] != '\0' ? err->code : "failed";
	_free_ char *type = xasprintf("urn:pterm:problem:%s", code);
	struct json_writer w = JSON_WRITER(out);

	json_begin(&w, NULL, '{');
	json_put_str(&w, "type", type);
	json_put_str(&w, "title", problem_title(status));
	json_put_int(&w, "status", status);
	json_put_str(&w, "detail", err_msg(err));
	json_put_str(&w, "code", code);
	json_put_str(&w, "field", err->field[0] != '\0' ? err->field : NULL);
	json_put_str(&w, "request_id", request_id);
	json_end(&w, '}');
}
