#include "service/access.h"

#include "base/test.h"

#include <errno.h>

TEST(every_right_is_asked_for)
{
	static const struct { bool is_known; unsigned has, wants; int want; const char *code; } t[] = {
		{ false, 0, RIGHT_NOTHING, 0, "" },
		{ false, 0, RIGHT_SEE, -EACCES, "not-signed-in" },
		{ true, RIGHT_SEE, RIGHT_SEE, 0, "" },
		{ true, RIGHT_SEE, RIGHT_TYPE, -EPERM, "not-allowed" },
		{ true, RIGHT_SEE, RIGHT_SEE | RIGHT_TYPE, -EPERM, "not-allowed" },
		{ true, RIGHT_SEE | RIGHT_TYPE, RIGHT_SEE | RIGHT_TYPE, 0, "" },
		{ true, 0, RIGHT_CONTROL, -EPERM, "not-allowed" },
		{ true, RIGHT_ALL, RIGHT_ALL, 0, "" },
		{ true, RIGHT_ALL & ~RIGHT_RUN, RIGHT_RUN, -EPERM, "not-allowed" },
	};

	for (size_t i = 0; i < array_len(t); i++) {
		const struct who who = { .is_known = t[i].is_known, .rights = t[i].has, .name = "ann" };
		_err_ err = ERR_INIT;

		ASSERT_EQ(access_check(&who, t[i].wants, &err), t[i].want);
		ASSERT_STREQ(err.code, t[i].code);
	}
}

TEST(a_refusal_names_what_is_missing)
{
	const struct who who = { .is_known = true, .rights = RIGHT_SEE, .name = "ann" };
	_err_ err = ERR_INIT;

	access_check(&who, RIGHT_SEE | RIGHT_TYPE | RIGHT_RUN, &err);
	ASSERT_STREQ(err_msg(&err), "'ann' may not type into sessions, execute commands in sessions");
}
