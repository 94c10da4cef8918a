#include "base/list.h"
#include "base/test.h"
#include "engine/crun/runtime.h"

#include <errno.h>

/* --- a made-up host --- */

static const char *given, *programs;             /* $PTERM_CRUN; the programs that there are, with a blank around each */

static const char *made_up_env(const void *data, const char *name)
{
	ASSERT_STREQ(name, "PTERM_CRUN");
	return given;
}

static bool made_up_is_program(const void *data, const char *path)
{
	_free_ char *word = xasprintf(" %s ", path);

	return strstr(programs, word) != NULL;
}

static char *made_up_find(const void *data, const char *name)
{
	_free_ char *path = strchr(name, '/') ? xstrdup(name) : xasprintf("/usr/bin/%s", name);

	return made_up_is_program(NULL, path) ? TAKE(path) : NULL;
}

static void assert_found(const char *want, bool want_given)
{
	static const struct runtime_look look = { made_up_env, made_up_is_program, made_up_find, NULL };
	bool is_given;
	_free_ char *found = runtime_locate(&look, "/build/src", &is_given);

	ASSERT_EQ(is_given, want_given);
	if (want == NULL)
		ASSERT(found == NULL);
	else
		ASSERT_STREQ(found, want);
}

TEST(the_nearest_runtime_is_taken)
{
	given = NULL;
	programs = " /usr/bin/youki ";
	assert_found("/usr/bin/youki", false);
	programs = " /usr/bin/youki /usr/bin/runc ";
	assert_found("/usr/bin/runc", false);
	programs = " /usr/bin/youki /usr/bin/runc /usr/bin/crun ";
	assert_found("/usr/bin/crun", false);
	programs = " /usr/bin/crun /usr/local/libexec/pterm/crun/crun ";         /* also with another PREFIX */
	assert_found("/usr/local/libexec/pterm/crun/crun", false);
	programs = " /usr/bin/crun /usr/local/libexec/pterm/crun/crun " PTERM_LIBEXECDIR "/crun/crun ";
	assert_found(PTERM_LIBEXECDIR "/crun/crun", false);
	programs = " /usr/bin/crun /build/src/crun/crun " PTERM_LIBEXECDIR "/crun/crun ";
	assert_found("/build/src/crun/crun", false);
	programs = "";
	assert_found(NULL, false);
}

TEST(the_one_that_was_given_is_taken_or_none)
{
	programs = " /usr/bin/crun /opt/my ";
	given = "/opt/my";
	assert_found("/opt/my", true);
	given = "crun";
	assert_found("/usr/bin/crun", true);
	given = "/opt/other";
	assert_found(NULL, true);
	given = "";                                      /* as if it were not there */
	assert_found("/usr/bin/crun", false);
}

TEST(versions_are_compared_number_by_number)
{
	ASSERT(version_compare("1.9", "1.14") < 0);
	ASSERT(version_compare("1.14", "1.14") == 0);
	ASSERT(version_compare("1.14.1", "1.14") > 0);
	ASSERT(version_compare("2", "1.99.99") > 0);
	ASSERT(version_compare("1.21-dirty", "1.21") == 0);
}

TEST(what_a_runtime_says_of_itself)
{
	static const struct { const char *text; int r; enum runtime_kind kind; const char *version; } t[] = {
		{ "crun version 1.21\ncommit: 1\n", 0, RUNTIME_CRUN, "1.21" },
		{ "runc version 1.1.5+ds1\n", 0, RUNTIME_RUNC, "1.1.5+ds1" },
		{ "youki version: 0.3.3\n", 0, RUNTIME_YOUKI, "0.3.3" },
		{ "crun version UNKNOWN\n", -EINVAL, 0, NULL },
		{ "docker version 1.2\n", -EINVAL, 0, NULL },
		{ "", -EINVAL, 0, NULL },
		{ "crun version 1.11111111111111111111111111111111111111111111111111111111\n", 0, RUNTIME_CRUN,
		  "1.11111111111111111111111111111" },
	};

	for (size_t i = 0; i < array_len(t); i++) {
		struct runtime r = { 0 };

		ASSERT_EQ(runtime_parse_version(t[i].text, &r), t[i].r);
		if (t[i].r < 0)
			continue;
		ASSERT_EQ(r.kind, t[i].kind);
		ASSERT_STREQ(r.version, t[i].version);
	}
}
