#include "cli/cmd-complete.h"

#include "base/test.h"

TEST(names_are_taken_from_what_ls_prints)
{
	static const struct { const char *json, *want; } t[] = {
		{ "{\"sessions\":[{\"id\":\"a1\",\"name\":\"web\"},{\"id\":\"b2\",\"name\":\"db.1\",\"more\":[1]}]}", "web\ndb.1\n" },
		{ "[{\"id\":\"a1\",\"name\":\"web\"}]\n", "web\n" },
		{ "{\"sessions\":[]}", "" },
		{ "{\"sessions\":[{\"id\":\"a1\"},{\"id\":\"b2\",\"name\":null}]}", "a1\nb2\n" },
		/* names that a shell could do something with: the id stands for them */
		{ "[{\"id\":\"a1\",\"name\":\"$(touch x)\"},{\"id\":\"b2\",\"name\":\"a b\"}]", "a1\nb2\n" },
		{ "[{\"id\":\"a1\",\"name\":\"a\\nb\"},{\"id\":\"b2\",\"name\":\"-rf\"},{\"id\":\"c3\",\"name\":\"ä\"}]",
		  "a1\nb2\nc3\n" },
		{ "[{\"id\":\"$x\",\"name\":\"`y`\"}]", "" },
		{ "", "" }, { "pterm ls: it failed", "" }, { "[", "" }, { "[1]", "" }, { "{\"sessions\":3}", "" },
		{ "{\"sessions\":[{\"id\":\"a1\",\"name\":7}]}", "a1\n" },
	};

	for (size_t i = 0; i < array_len(t); i++) {
		_str_ out = STR_INIT;

		complete_sessions(t[i].json, &out);
		ASSERT_STREQ(out.buf, t[i].want);
	}
}
