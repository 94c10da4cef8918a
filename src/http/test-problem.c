#include "http/problem.h"

#include "base/test.h"

#include <errno.h>

TEST(errors_have_a_status)
{
	static const struct { int no; const char *code; int want; } t[] = {
		{ EINVAL, "bad-json", 400 }, { EINVAL, "body-type", 415 }, { EACCES, "not-signed-in", 401 }, { EPERM, "not-allowed", 403 },
		{ ENOENT, "no-such-session", 404 }, { EINVAL, "method-not-allowed", 405 }, { EINVAL, "upgrade-required", 426 },
		{ EEXIST, "name-taken", 409 }, { EBUSY, "is-running", 409 }, { ESRCH, "not-running", 409 }, { EMSGSIZE, "body-large", 413 },
		{ ENOTSUP, "engine-cannot", 422 }, { EAGAIN, "busy", 503 }, { ENOSPC, "session-dir", 507 }, { EIO, "anything", 500 },
		{ 4095, "", 500 },
	};

	for (size_t i = 0; i < array_len(t); i++) {
		_err_ err = ERR_INIT;

		err_set(&err, t[i].no, t[i].code, "x");
		ASSERT_EQ(problem_status(&err), t[i].want);
	}
}

TEST(a_problem_says_what_failed_and_where)
{
	_str_ out = STR_INIT;
	_err_ err = ERR_INIT;

	err_set(&err, EINVAL, "bad-json", "a stop: 'timeout_ms' must be a \"number\"\x01");
	err_field(&err, "timeout_ms");
	problem_write(400, &err, "0001", &out);
	ASSERT_STREQ(out.buf, "{\"type\":\"urn:pterm:problem:bad-json\",\"title\":\"Bad request\",\"status\":400,\"detail\":"
	             "\"a stop: 'timeout_ms' must be a \\\"number\\\"\\u0001\",\"code\":\"bad-json\",\"field\":\"timeout_ms\","
	             "\"request_id\":\"0001\"}");
}
