#include "base/fd.h"
#include "base/path.h"
#include "base/test.h"
#include "supervisor/house.h"
#include "supervisor/status.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static char top[64];

static void make_house(struct house *h)
{
	_err_ err = ERR_INIT;

	snprintf(top, sizeof(top), "/tmp/pterm-test-XXXXXX");
	ASSERT(mkdtemp(top) != NULL);
	setenv("PTERM_HOME", top, 1);
	setenv("PTERM_STORE", top, 1);
	if (house_open(h, &err) < 0)
		test_fail(__FILE__, __LINE__, "%s", err_msg(&err));
}

TEST(a_name_belongs_to_one)
{
	_house_ h = { 0 };
	_free_ char *id = NULL;

	make_house(&h);
	ASSERT_OK(mkdirat(h.sessions_fd, "0123456789ab", 0700));
	ASSERT_EQ(name_claim(&h, "one", "0123456789ab", NULL), 0);
	ASSERT_EQ(name_claim(&h, "one", "ba9876543210", NULL), 1);
	id = name_resolve(h.sessions_fd, h.names_fd, "one");
	ASSERT_STREQ(id, "0123456789ab");
	names_release(&h, "ba9876543210", NULL);         /* not its */
	ASSERT_EQ(name_claim(&h, "one", "ba9876543210", NULL), 1);
	ASSERT_OK(unlinkat(h.sessions_fd, "0123456789ab", AT_REMOVEDIR));
	ASSERT(name_resolve(h.sessions_fd, h.names_fd, "one") == NULL);
	ASSERT_EQ(name_claim(&h, "one", "ba9876543210", NULL), 0);       /* left by a crash: taken over */
	ASSERT_OK(path_remove_tree(AT_FDCWD, top));
}

TEST(names_that_cannot_be)
{
	static const char *const bad[] = { "", "a/b", "../x", ".", "-x", "a\nb", "\033[2J", "ä", "a b",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };

	for (size_t i = 0; i < array_len(bad); i++) {
		_err_ err = ERR_INIT;

		ASSERT_EQ(name_check(bad[i], &err), -EINVAL);
		ASSERT(strchr(err_msg(&err), '\033') == NULL && strchr(err_msg(&err), '\n') == NULL);
	}
	ASSERT_OK(name_check("a", NULL));
	ASSERT_OK(name_check("A-1_b.c", NULL));
}

TEST(a_status_is_read_as_it_was_written)
{
	_house_ h = { 0 };
	_cleanup_(status_release) struct status a = { .id = xstrdup("x"), .name = xstrdup("n\033"), .state = STATUS_ENDED,
		.reason = REASON_SIGNALED, .signo = 9, .exit_code = 137, .position = 1LL << 40 };
	_cleanup_(status_release) struct status b = { 0 };
	_str_ words = STR_INIT;

	make_house(&h);
	ASSERT_OK(status_write(h.sessions_fd, &a, NULL));
	ASSERT_OK(status_read(h.sessions_fd, &b, NULL));
	ASSERT_STREQ(a.name, b.name);
	ASSERT_EQ(b.position, 1LL << 40);
	status_describe(&b, &words);
	ASSERT_STREQ(words.buf, "killed by SIGKILL");
	ASSERT_OK(path_remove_tree(AT_FDCWD, top));
}
