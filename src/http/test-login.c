#include "http/login.h"
#include "http/ws.h"

#include "base/fd.h"
#include "base/path.h"
#include "base/test.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

TEST(who_has_shown_who_they_are)
{
	static const struct login l = { .token = "pterm_0123456789abcdef0123456789abcdef" };
	const int64_t me = (int64_t)geteuid(), other = me + 1;
	const struct { const char *header; int64_t uid; bool want; } t[] = {
		{ "Bearer pterm_0123456789abcdef0123456789abcdef", -1, true },
		{ "bearer pterm_0123456789abcdef0123456789abcdef", -1, true },
		{ "Bearer pterm_0123456789abcdef0123456789abcdeF", -1, false },
		{ "Bearer pterm_0123456789abcdef0123456789abcde", -1, false },
		{ "Bearer pterm_0123456789abcdef0123456789abcdef0", -1, false },
		{ "Bearer ", -1, false },
		{ "Bearer", -1, false },
		{ "", -1, false },
		{ "Basic pterm_0123456789abcdef0123456789abcdef", -1, false },
		{ NULL, -1, false },
		{ NULL, me, true },
		{ NULL, 0, true },
		{ NULL, other, false },
		{ "Bearer pterm_0123456789abcdef0123456789abcdef", other, true },
		{ "Bearer wrong", me, false },           /* what is shown counts */
	};

	for (size_t i = 0; i < array_len(t); i++) {
		struct who who;

		login_who(&l, t[i].header, t[i].uid, &who);
		if (who.is_known != t[i].want || who.rights != (t[i].want ? RIGHT_ALL : 0))
			test_fail(__FILE__, __LINE__, "row %zu: known %d, rights %u", i, who.is_known, who.rights);
	}
}

TEST(pages_of_other_origins_are_strangers)
{
	static const struct { const char *origin, *host; bool want; } t[] = {
		{ NULL, "a:1", true }, { "http://a:1", "a:1", true }, { "https://A:1", "a:1", true }, { "http://a:2", "a:1", false },
		{ "http://a:1.evil", "a:1", false }, { "http://evil", "a:1", false }, { "null", "a:1", false }, { "", "a:1", false },
		{ "a:1", "a:1", false }, { "ftp://a:1", "a:1", false }, { "http://a:1/", "a:1", false }, { "http://a:1", NULL, false },
	};

	for (size_t i = 0; i < array_len(t); i++)
		if (login_origin_fits(t[i].origin, t[i].host) != t[i].want)
			test_fail(__FILE__, __LINE__, "row %zu", i);
}

TEST(the_token_is_made_once_and_is_ours_alone)
{
	char dir[] = "/tmp/pterm-login.XXXXXX";
	const struct house h = { .home = dir };
	struct login first = { 0 }, second = { 0 };
	_free_ char *path = NULL;
	_err_ err = ERR_INIT;
	struct stat st;

	ASSERT(mkdtemp(dir) != NULL);
	path = path_join(dir, "serve.token");
	ASSERT_OK(login_open(&first, &h, &err));
	ASSERT_OK(login_open(&second, &h, &err));
	ASSERT_STREQ(second.token, first.token);
	ASSERT(strlen(first.token) >= 43);
	ASSERT_EQ(stat(path, &st), 0);
	ASSERT_EQ(st.st_mode & 0777, 0600);
	ASSERT_EQ(chmod(path, 0640), 0);
	ASSERT_EQ(login_open(&second, &h, &err), -EPERM);
	ASSERT_EQ(chmod(path, 0600), 0);
	ASSERT_EQ(truncate(path, 10), 0);
	ASSERT_EQ(login_open(&second, &h, &err), -EINVAL);
	ASSERT_OK(path_remove_tree(AT_FDCWD, dir));
}

TEST(the_handshake_of_a_websocket)
{
	char got[WS_ACCEPT_SIZE];

	ASSERT_OK(ws_accept("dGhlIHNhbXBsZSBub25jZQ==", got));   /* RFC 6455, 1.3 */
	ASSERT_STREQ(got, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
	ASSERT_EQ(ws_accept(NULL, got), -EINVAL);
	ASSERT_EQ(ws_accept("", got), -EINVAL);
	ASSERT_EQ(ws_accept("dGhlIHNhbXBsZSBub25jZ===", got), -EINVAL);
	ASSERT_EQ(ws_accept("dGhlIHNhbXBsZSBub25jZQ==dGhl", got), -EINVAL);
	ASSERT(ws_offers("a, pterm.tty.v1", WS_TTY_PROTOCOL));
	ASSERT(!ws_offers("pterm.tty.v11,xpterm.tty.v1", WS_TTY_PROTOCOL));
}
