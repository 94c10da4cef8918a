#include "image/test-tar.h"
#include "image/user.h"

#include <errno.h>

static const char passwd_text[] =
	"root:x:0:0:root:/root:/bin/ash\n"
	"# a comment\n"
	"broken:x:5\n"
	"huge:x:4294967296:0::/:/bin/sh\n"
	"minus:x:-1:0::/:/bin/sh\n"
	"ann:x:1000:100:Ann:/home/ann:/bin/bash\n"
	"ann:x:1001:101:Another Ann:/home/other:/bin/sh\n"
	"odd:x:1002:102::home/\033[2J:relative\n"
	"7up:x:1003:103::/home/7up:\n"
	":x:1004:104:no name:/x:/x\n"
	"last:x:1005:105::/home/last:/bin/sh";
static const char group_text[] =
	"root:x:0:\nusers:x:100:ann\nwheel:x:10:root,ann\naudio:x:11:annabel,xann\nvideo:x:12:ann,ann\n"
	"wheel2:x:10:ann\nbroken\nann:x:1000\n";

TEST(who_a_u_value_means)
{
	static const struct {
		const char *spec;
		int want;
		unsigned uid, gid, gid_count;
		const char *name, *home, *shell;
	} t[] = {
		{ NULL, 0, 0, 0, 1, "root", "/root", "/bin/ash" },
		{ "", 0, 0, 0, 1, "root", "/root", "/bin/ash" },
		{ "0", 0, 0, 0, 1, "root", "/root", "/bin/ash" },
		{ "ann", 0, 1000, 100, 2, "ann", "/home/ann", "/bin/bash" },
		{ "1000", 0, 1000, 100, 2, "ann", "/home/ann", "/bin/bash" },
		{ "1000:1000", 0, 1000, 1000, 0, "ann", "/home/ann", "/bin/bash" },
		{ "ann:wheel", 0, 1000, 10, 0, "ann", "/home/ann", "/bin/bash" },
		{ "ann:77", 0, 1000, 77, 0, "ann", "/home/ann", "/bin/bash" },
		{ "ann:", 0, 1000, 100, 2, "ann", "/home/ann", "/bin/bash" },
		{ ":wheel", 0, 0, 10, 0, "root", "/root", "/bin/ash" },
		{ "1001", 0, 1001, 101, 3, "ann", "/home/other", "/bin/sh" },
		{ "4242", 0, 4242, 0, 0, NULL, "/", "/bin/sh" },
		{ "4242:wheel", 0, 4242, 10, 0, NULL, "/", "/bin/sh" },
		{ "odd", 0, 1002, 102, 0, "odd", "/", "/bin/sh" },
		{ "7up", 0, 1003, 103, 0, "7up", "/home/7up", "/bin/sh" },
		{ "1004", 0, 1004, 0, 0, NULL, "/", "/bin/sh" },
		{ "last", 0, 1005, 105, 0, "last", "/home/last", "/bin/sh" },
		{ "eve", -ENOENT, .name = "cannot find the user 'eve': it is not in the image's /etc/passwd" },
		{ "broken", -ENOENT, .name = "cannot find the user 'broken': it is not in the image's /etc/passwd" },
		{ "huge", -ENOENT, .name = "cannot find the user 'huge': it is not in the image's /etc/passwd" },
		{ "minus", -ENOENT, .name = "cannot find the user 'minus': it is not in the image's /etc/passwd" },
		{ "-1", -ENOENT, .name = "cannot find the user '-1': it is not in the image's /etc/passwd" },
		{ "4294967295", -ENOENT, .name = "cannot find the user '4294967295': it is not in the image's /etc/passwd" },
		{ "ann:disk", -ENOENT, .name = "cannot find the group 'disk': it is not in the image's /etc/group" },
		{ "\033[2J", -ENOENT, .name = "cannot find the user '\\e[2J': it is not in the image's /etc/passwd" },
		{ "a:b:c", -EINVAL, .name = "'a:b:c' is no user: give NAME, UID, NAME:GROUP or UID:GID" },
	};
	_str_ passwd = STR_INIT;
	_str_ group = STR_INIT;

	str_adds(&passwd, passwd_text);
	str_adds(&group, group_text);
	for (size_t i = 0; i < array_len(t); i++) {
		_image_user_ u = { 0 };
		_err_ err = ERR_INIT;

		ASSERT_EQ(image_user_find(&passwd, &group, t[i].spec, &u, &err), t[i].want);
		if (t[i].want < 0) {
			ASSERT_STREQ(err_msg(&err), t[i].name);
			continue;
		}
		ASSERT_EQ(u.uid, t[i].uid);
		ASSERT_EQ(u.gid, t[i].gid);
		ASSERT_EQ(u.gid_count, t[i].gid_count);
		ASSERT_STREQ(u.name ? u.name : "(none)", t[i].name ? t[i].name : "(none)");
		ASSERT_STREQ(u.home, t[i].home);
		ASSERT_STREQ(u.shell, t[i].shell);
	}
}

TEST(a_nul_hides_its_line_and_no_other)
{
	static const char text[] = "eve:x:0:0::/:/bin/sh\0ann:x:1:1::/:/bin/sh\nbob:x:2:2::/b:/bin/sh\n";
	_str_ passwd = STR_INIT;
	_str_ group = STR_INIT;
	_image_user_ u = { 0 };
	_err_ err = ERR_INIT;

	str_add(&passwd, text, sizeof(text) - 1);
	ASSERT_EQ(image_user_find(&passwd, &group, "eve", &u, &err), -ENOENT);
	ASSERT_OK(image_user_find(&passwd, &group, "bob", &u, &err));
	ASSERT_EQ(u.uid, 2);
}

TEST(the_files_of_the_image_and_no_others)
{
	char path[32];
	_fd_ dir = test_dir(path);
	_image_ img = { 0 };
	_err_ err = ERR_INIT;
	struct image_user u = { 0 };
	_free_ char *huge = NULL;

	ASSERT_OK(mkdirat(dir, "low", 0755));
	ASSERT_OK(mkdirat(dir, "low/etc", 0755));
	ASSERT_OK(mkdirat(dir, "high", 0755));
	ASSERT_OK(mkdirat(dir, "high/etc", 0755));
	strv_pushf(&img.layers, "%s/low", path);
	strv_pushf(&img.layers, "%s/high", path);
	ASSERT_OK(image_user(&img, "12", &u, &err));         /* no file at all: numbers work */
	ASSERT_EQ(u.uid, 12);
	image_user_release(&u);
	test_put(dir, "low/etc/passwd", passwd_text);
	ASSERT_OK(image_user(&img, "ann", &u, &err));
	ASSERT_EQ(u.uid, 1000);
	image_user_release(&u);
	test_put(dir, "high/etc/passwd", "ann:x:7:7::/:/bin/sh\n");
	ASSERT_OK(image_user(&img, "ann", &u, &err));
	ASSERT_EQ(u.uid, 7);
	image_user_release(&u);
	ASSERT_EQ(image_user(&img, "odd", &u, &err), -ENOENT);

	/* a link means the image's file, also an absolute one and one that climbs */
	test_put(dir, "secret", "ann:x:666:666::/:/bin/sh\n");
	ASSERT_OK(renameat(dir, "high/etc/passwd", dir, "high/real"));
	ASSERT_OK(symlinkat("/real", dir, "high/etc/passwd"));
	ASSERT_OK(image_user(&img, "ann", &u, &err));
	ASSERT_EQ(u.uid, 7);
	image_user_release(&u);
	ASSERT_OK(unlinkat(dir, "high/etc/passwd", 0));
	ASSERT_OK(symlinkat("../../secret", dir, "high/etc/passwd"));
	ASSERT_OK(image_user(&img, "ann", &u, &err));
	ASSERT_EQ(u.uid, 1000);                              /* not in this layer; then the lower one's */
	image_user_release(&u);

	/* what is no file is not opened: a fifo would hang */
	ASSERT_OK(unlinkat(dir, "high/etc/passwd", 0));
	ASSERT_OK(mkfifoat(dir, "high/etc/passwd", 0644));
	ASSERT_EQ(image_user(&img, "ann", &u, &err), -ENOENT);
	ASSERT_OK(image_user(&img, "5", &u, &err));
	image_user_release(&u);

	/* nor is a file without end */
	ASSERT_OK(unlinkat(dir, "high/etc/passwd", 0));
	test_put(dir, "high/etc/passwd", "");
	huge = xasprintf("%s/high/etc/passwd", path);
	ASSERT_OK(truncate(huge, 1 << 30));
	ASSERT_EQ(image_user(&img, "ann", &u, &err), -EFBIG);
	ASSERT_STREQ(err_msg(&err), "cannot read the image's /etc/passwd: File too large");
	ASSERT_OK(image_user(&img, "5", &u, &err));
	image_user_release(&u);
	ASSERT_OK(path_remove_tree(AT_FDCWD, path));
}
