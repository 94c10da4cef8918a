#include "base/child.h"
#include "image/store.h"
#include "image/test-map.h"
#include "image/test-tar.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/wait.h>

/* One test's store, in a directory of its own that has the tars too. */
struct fixture { char path[32]; int dir; char root[64]; struct idmap map; struct image_store store; };

static void fixture_init(struct fixture *f)
{
	f->dir = test_dir(f->path);
	test_map(&f->map, 0);
	snprintf(f->root, sizeof(f->root), "%s/store", f->path);
	f->store = (struct image_store){ .root = f->root, .tree_program = test_tree_program() };
	ASSERT_OK(unsetenv("PTERM_DEFAULT_IMAGE"));
}

static void fixture_fini(struct fixture *f)
{
	_err_ err = ERR_INIT;

	/* an ordinary user cannot remove what belongs to subordinate ids; root can, and the directory above is root's */
	if (geteuid() != 0 && tree_remove_mapped(&f->map, f->dir, "store/images/layers/m", &err) < 0)
		test_fail(__FILE__, __LINE__, "%s", err_msg(&err));
	test_dir_remove(f->dir, f->path);
}

static char *in_fixture(const struct fixture *f, const char *name)
{
	return path_join(f->path, name);
}

static void put_tar(struct fixture *f, const char *name, const struct str *tar)
{
	ASSERT_OK(file_write(f->dir, name, tar->buf, tar->len, 0644));
}

static void put_root(struct fixture *f, const char *name, const char *also)
{
	_str_ tar = STR_INIT;

	tar_add_root(&tar);
	tar_add(&tar, (struct tar_entry){ also, '0', 0644, NULL, also, 0, 0 });
	tar_end(&tar);
	put_tar(f, name, &tar);
}

static int resolve(struct fixture *f, const char *name, struct image *ret, struct err *err)
{
	_free_ char *path = in_fixture(f, name);

	return image_resolve(&f->store, path, &f->map, "m", ret, err);
}

#define ASSERT_RESOLVES(f, name, ret) do { \
	_err_ err_ = ERR_INIT; \
	if (resolve((f), (name), (ret), &err_) < 0) \
		test_fail(__FILE__, __LINE__, "'%s': %s", (name), err_msg(&err_)); \
} while (0)

/* How many names in the map's directory start with @prefix, without the lists beside the layers. */
static size_t count_layers(const struct fixture *f, const char *prefix)
{
	_free_ char *path = in_fixture(f, "store/images/layers/m");
	DIR *d = opendir(path);
	size_t n = 0;

	if (d == NULL)
		return 0;
	for (struct dirent *e; (e = readdir(d)) != NULL;)
		n += str_starts(e->d_name, prefix) && strstr(e->d_name, ".list") == NULL && !str_eq(e->d_name, ".") &&
		     !str_eq(e->d_name, "..");
	closedir(d);
	return n;
}

TEST(a_tar_is_unpacked_once)
{
	struct fixture f;
	_image_ img = { 0 };
	_image_ again = { 0 };
	_image_ copy = { 0 };
	struct stat st;
	int layer;

	fixture_init(&f);
	put_root(&f, "a.tar", "x");
	ASSERT_RESOLVES(&f, "a.tar", &img);
	ASSERT_EQ(img.layers.len, 1);
	ASSERT(img.digest != NULL && str_starts(img.digest, "sha256:"));
	ASSERT(str_eq(path_base(img.layers.items[0]), img.digest + strlen("sha256:")));
	ASSERT_STREQ(path_base(img.label), "a.tar");
	layer = open(img.layers.items[0], O_PATH | O_DIRECTORY | O_CLOEXEC);
	ASSERT_OK(layer);
	st = test_stat(layer, ".");
	ASSERT_EQ(st.st_uid, idmap_outside(&f.map.uid, 0));
	ASSERT_EQ(st.st_mode, S_IFDIR | 0755);
	st = test_stat(layer, "home");
	ASSERT_EQ(st.st_uid, idmap_outside(&f.map.uid, 1000));
	ASSERT_EQ(st.st_gid, idmap_outside(&f.map.gid, 100));
	ASSERT_EQ(test_stat(layer, "bin/sh").st_mode, S_IFREG | 04755);
	fd_close(layer);

	/* without the program it can only be found */
	f.store.tree_program = "/nonexistent";
	ASSERT_RESOLVES(&f, "a.tar", &again);
	ASSERT_STREQ(again.layers.items[0], img.layers.items[0]);
	ASSERT_STREQ(again.digest, img.digest);
	f.store.tree_program = test_tree_program();

	/* the same bytes in another file are the same layer */
	put_root(&f, "b.tar", "x");
	ASSERT_RESOLVES(&f, "b.tar", &copy);
	ASSERT_STREQ(copy.layers.items[0], img.layers.items[0]);
	ASSERT_EQ(count_layers(&f, ""), 2);                  /* the layer and .lock */
	fixture_fini(&f);
}

TEST(changed_bytes_are_another_layer)
{
	struct fixture f;
	_image_ img = { 0 };
	_image_ changed = { 0 };

	fixture_init(&f);
	put_root(&f, "a.tar", "x");
	ASSERT_RESOLVES(&f, "a.tar", &img);
	put_root(&f, "a.tar", "y");
	ASSERT_RESOLVES(&f, "a.tar", &changed);
	ASSERT(!str_eq(changed.layers.items[0], img.layers.items[0]));
	ASSERT_EQ(count_layers(&f, ""), 3);
	fixture_fini(&f);
}

TEST(each_map_has_its_layers)
{
	struct fixture f;
	_image_ img = { 0 };
	_image_ other = { 0 };
	_free_ char *path = NULL;
	_err_ err = ERR_INIT;

	fixture_init(&f);
	put_root(&f, "a.tar", "x");
	path = in_fixture(&f, "a.tar");
	ASSERT_RESOLVES(&f, "a.tar", &img);
	test_map(&f.map, 1000);
	ASSERT_OK(image_resolve(&f.store, path, &f.map, "m1000", &other, &err));
	ASSERT(!str_eq(other.layers.items[0], img.layers.items[0]));
	ASSERT_STREQ(other.digest, img.digest);
	if (geteuid() != 0)
		ASSERT_EQ(test_stat(AT_FDCWD, other.layers.items[0]).st_uid, idmap_outside(&f.map.uid, 0));
	if (geteuid() != 0)
		ASSERT_OK(tree_remove_mapped(&f.map, f.dir, "store/images/layers/m1000", &err));
	test_map(&f.map, 0);
	fixture_fini(&f);
}

TEST(many_at_once_do_the_work_once)
{
	struct fixture f;
	_str_ tar = STR_INIT;
	_free_ char *layers = NULL;
	char events[8192] __attribute__((aligned(8)));
	pid_t pids[8];
	int watch, begun = 0;
	ssize_t n;

	fixture_init(&f);
	tar_add_root(&tar);
	for (int i = 0; i < 500; i++) {
		char name[32];

		snprintf(name, sizeof(name), "./bin/tool-%d", i);
		tar_add(&tar, (struct tar_entry){ name, '0', 0755, NULL, name, 0, 0 });
	}
	tar_end(&tar);
	put_tar(&f, "a.tar", &tar);
	layers = in_fixture(&f, "store/images/layers/m");
	ASSERT_OK(path_mkdirs(layers, 0711));
	ASSERT_OK(fchmodat(f.dir, "store", 0711, 0));
	watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	ASSERT_OK(inotify_add_watch(watch, layers, IN_CREATE | IN_ONLYDIR));
	for (size_t i = 0; i < array_len(pids); i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			struct image img = { 0 };
			_exit(resolve(&f, "a.tar", &img, NULL) < 0);
		}
	}
	for (size_t i = 0; i < array_len(pids); i++)
		ASSERT_EQ(child_exit_code(child_wait(pids[i])), 0);
	n = read(watch, events, sizeof(events));
	for (ssize_t at = 0; at < n;) {
		const struct inotify_event *e = (const struct inotify_event *)(events + at);

		begun += (e->mask & IN_ISDIR) && str_starts(e->name, ".new-");
		at += (ssize_t)sizeof(*e) + e->len;
	}
	ASSERT_EQ(begun, 1);
	ASSERT_EQ(count_layers(&f, ""), 2);
	fd_close(watch);
	fixture_fini(&f);
}

/* A tar that takes long enough to be interrupted, and a watch that tells when its unpacking has begun. */
static void put_large(struct fixture *f, const char *name)
{
	_str_ tar = STR_INIT;

	tar_add_root(&tar);
	for (int i = 0; i < 4000; i++) {
		char entry[32];

		snprintf(entry, sizeof(entry), "./bin/d%d/e%d", i % 40, i);
		tar_add(&tar, (struct tar_entry){ entry, '0', 0600, NULL, entry, 5, 5 });
	}
	tar_end(&tar);
	put_tar(f, name, &tar);
}

/* Wait for the staging directory: until inotify descriptor @watch tells of a name that begins with ".new-". */
static void wait_begun(int watch)
{
	char events[4096] __attribute__((aligned(8)));

	for (;;) {
		ssize_t n;

		ASSERT_EQ(poll(&(struct pollfd){ .fd = watch, .events = POLLIN }, 1, 20000), 1);
		n = read(watch, events, sizeof(events));
		ASSERT(n > 0);
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *e = (const struct inotify_event *)(events + at);

			if (str_starts(e->name, ".new-"))
				return;
			at += (ssize_t)sizeof(*e) + e->len;
		}
	}
}

/* Who unpacks is killed at once, without a chance to clean up. */
TEST(a_crash_leaves_only_what_the_next_one_removes)
{
	struct fixture f;
	_image_ img = { 0 };
	_image_ large = { 0 };
	_free_ char *layers = NULL;

	fixture_init(&f);
	put_large(&f, "large.tar");
	put_root(&f, "small.tar", "x");
	layers = in_fixture(&f, "store/images/layers/m");
	ASSERT_OK(path_mkdirs(layers, 0711));
	ASSERT_OK(fchmodat(f.dir, "store", 0711, 0));
	for (int round = 0; round < 3; round++) {
		const int watch = inotify_init1(IN_CLOEXEC);
		pid_t pid;

		ASSERT_OK(inotify_add_watch(watch, layers, IN_CREATE));
		pid = fork();
		if (pid == 0) {
			struct image got = { 0 };
			_exit(resolve(&f, "large.tar", &got, NULL) < 0);
		}
		wait_begun(watch);
		fd_close(watch);
		ASSERT_OK(kill(pid, SIGKILL));
		ASSERT_EQ(child_exit_code(child_wait(pid)), 128 + SIGKILL);
		ASSERT_EQ(count_layers(&f, "."), 2);         /* .lock and what is half made */
		if (round == 1)
			ASSERT_RESOLVES(&f, "small.tar", &img);      /* removes it, unless the killed one's child still writes */
	}
	ASSERT_RESOLVES(&f, "large.tar", &large);
	ASSERT_EQ(count_layers(&f, ".new-"), 0);
	ASSERT_EQ(count_layers(&f, ""), 3);
	fixture_fini(&f);
}

TEST(bad_tars_are_errors_and_leave_nothing)
{
	static const struct { struct tar_entry e; const char *says; } t[] = {
		{ { "../x", '0', 0644, NULL, "x", 0, 0 }, "'../x' is refused: its name leads out of the directory" },
		{ { "./bin", '0', 0644, NULL, "x", 0, 0 }, "'bin' is refused: there is a directory of this name" },
		{ { "x", '0', 0644, NULL, "x", 2000000, 0 }, "'x' belongs to 2000000:0, ids that the container does not have" },
		{ { "x", '9', 0644, NULL, "", 0, 0 }, NULL },
	};
	struct fixture f;
	_image_ img = { 0 };
	_str_ cut = STR_INIT;
	_err_ err = ERR_INIT;

	fixture_init(&f);
	for (size_t i = 0; i < array_len(t) - 1; i++) {
		_str_ tar = STR_INIT;

		tar_add_root(&tar);
		tar_add(&tar, t[i].e);
		tar_end(&tar);
		put_tar(&f, "bad.tar", &tar);
		ASSERT(resolve(&f, "bad.tar", &img, &err) < 0);
		if (strstr(err_msg(&err), t[i].says) == NULL)
			test_fail(__FILE__, __LINE__, "it says \"%s\", not \"%s\"", err_msg(&err), t[i].says);
		ASSERT(strstr(err_msg(&err), "cannot unpack image '/tmp/") != NULL);
	}
	tar_add_root(&cut);
	put_tar(&f, "bad.tar", &cut);
	ASSERT(resolve(&f, "bad.tar", &img, &err) < 0);
	ASSERT(strstr(err_msg(&err), "the archive ends without its end mark: it is not whole") != NULL);
	test_put(f.dir, "bad.tar", "#!/bin/sh\n");
	ASSERT(resolve(&f, "bad.tar", &img, &err) < 0);
	ASSERT(strstr(err_msg(&err), "it is no tar archive") != NULL);
	str_clear(&cut);
	tar_add(&cut, (struct tar_entry){ "README", '0', 0644, NULL, "x", 0, 0 });
	tar_end(&cut);
	put_tar(&f, "bad.tar", &cut);
	ASSERT(resolve(&f, "bad.tar", &img, &err) < 0);
	ASSERT(strstr(err_msg(&err), "is no root file system: it has neither bin, sbin nor usr") != NULL);
	ASSERT_EQ(count_layers(&f, ""), 1);
	ASSERT_EQ(img.layers.len, 0);
	fixture_fini(&f);
}

TEST(a_program_that_is_not_there)
{
	struct fixture f;
	_image_ img = { 0 };
	_err_ err = ERR_INIT;

	fixture_init(&f);
	put_root(&f, "a.tar", "x");
	f.store.tree_program = "/nonexistent/pterm-tree";
	ASSERT_EQ(resolve(&f, "a.tar", &img, &err), -ENOENT);
	ASSERT_STREQ(err_msg(&err), "cannot find the program '/nonexistent/pterm-tree': No such file or directory");
	f.store.tree_program = "/etc/passwd";
	ASSERT(resolve(&f, "a.tar", &img, &err) < 0);
	ASSERT(strstr(err_msg(&err), "cannot start it: Permission denied") != NULL);
	ASSERT_EQ(count_layers(&f, ""), 1);
	fixture_fini(&f);
}

TEST(directories_are_used_as_they_stand)
{
	struct fixture f;
	_image_ img = { 0 };
	_free_ char *real = NULL;
	_err_ err = ERR_INIT;

	fixture_init(&f);
	ASSERT_OK(mkdirat(f.dir, "root", 0755));
	ASSERT_OK(symlinkat("root", f.dir, "link"));
	ASSERT_EQ(resolve(&f, "root", &img, &err), -EINVAL);
	ASSERT(strstr(err_msg(&err), "is no root file system: it has neither bin, sbin nor usr") != NULL);
	ASSERT_OK(symlinkat("usr/bin", f.dir, "root/bin"));  /* also when it leads nowhere yet */
	ASSERT_RESOLVES(&f, "link/../link/", &img);
	real = realpath(f.path, NULL);
	ASSERT_EQ(img.layers.len, 1);
	ASSERT(str_starts(img.layers.items[0], real));
	ASSERT_STREQ(img.layers.items[0] + strlen(real), "/root");
	ASSERT(img.digest == NULL);
	ASSERT_STREQ(path_base(img.label), "");

	ASSERT_OK(fchmodat(f.dir, "root", 0, 0));
	image_release(&img);
	ASSERT_EQ(resolve(&f, "root", &img, &err), -EACCES);
	ASSERT_OK(fchmodat(f.dir, "root", 0755, 0));
	ASSERT_OK(mkdirat(f.dir, "store", 0755));
	ASSERT_OK(mkdirat(f.dir, "bin", 0755));
	ASSERT_EQ(resolve(&f, ".", &img, &err), -EINVAL);
	ASSERT(strstr(err_msg(&err), "pterm's own store") != NULL);
	fixture_fini(&f);
}

TEST(root_needs_a_way_for_others)
{
	struct fixture f;
	_image_ img = { 0 };
	_err_ err = ERR_INIT;

	if (geteuid() != 0)
		test_skip("for root, whose sessions run as others");
	fixture_init(&f);
	ASSERT_OK(mkdirat(f.dir, "private", 0700));
	ASSERT_OK(mkdirat(f.dir, "private/root", 0755));
	ASSERT_OK(mkdirat(f.dir, "private/root/bin", 0755));
	ASSERT_EQ(resolve(&f, "private/root", &img, &err), -EACCES);
	ASSERT(strstr(err_msg(&err), "cannot enter '") != NULL);
	ASSERT(strstr(err_msg(&err), "/private' (mode 0700)") != NULL);
	ASSERT_OK(fchmodat(f.dir, "private", 0711, 0));
	ASSERT_RESOLVES(&f, "private/root", &img);
	fixture_fini(&f);
}

TEST(what_a_reference_is)
{
	static const struct { const char *ref, *says; } t[] = {
		{ "alpine", "there is no image 'alpine' here: pterm image ls lists them, pterm pull alpine fetches it" },
		{ "docker.io/library/alpine", "there is no image 'docker.io/library/alpine' here" },
		{ "alpine:3.20", "pterm pull alpine:3.20 fetches it" },
		{ "./none", "cannot find image './none': there is no such file or directory" },
		{ "/none/none.tar", "cannot find image '/none/none.tar': there is no such file or directory" },
		{ "/etc/passwd/x", "cannot find image '/etc/passwd/x': there is no such file or directory" },
		{ "/dev/null", "cannot use '/dev/null' as an image: it is neither a directory nor a file" },
		{ "\033[2J", "there is no image '\\e[2J' here" },
		{ "", "the name of the image is empty" },
	};
	struct fixture f;

	fixture_init(&f);
	for (size_t i = 0; i < array_len(t); i++) {
		_image_ img = { 0 };
		_err_ err = ERR_INIT;

		ASSERT(image_resolve(&f.store, t[i].ref, &f.map, "m", &img, &err) < 0);
		if (strstr(err_msg(&err), t[i].says) == NULL)
			test_fail(__FILE__, __LINE__, "it says \"%s\", not \"%s\"", err_msg(&err), t[i].says);
	}
	ASSERT(!path_exists(f.dir, "store"));                /* nothing was made for them */
	fixture_fini(&f);
}

TEST(the_default_image)
{
	struct fixture f;
	_image_ img = { 0 };
	_image_ other = { 0 };
	_free_ char *a = NULL;
	_free_ char *b = NULL;
	_err_ err = ERR_INIT;

	fixture_init(&f);
	ASSERT_EQ(image_resolve(&f.store, NULL, &f.map, "m", &img, &err), -ENOENT);
	a = in_fixture(&f, "a.tar");
	b = in_fixture(&f, "b.tar");
	f.store.default_image = a;
	ASSERT_EQ(image_resolve(&f.store, NULL, &f.map, "m", &img, &err), -ENOENT);
	ASSERT(strstr(err_msg(&err), "is not there: install pterm again") != NULL);
	put_root(&f, "a.tar", "x");
	put_root(&f, "b.tar", "y");
	ASSERT_OK(image_resolve(&f.store, NULL, &f.map, "m", &img, &err));
	ASSERT_STREQ(img.label, "default");
	ASSERT_OK(setenv("PTERM_DEFAULT_IMAGE", b, 1));
	ASSERT_OK(image_resolve(&f.store, NULL, &f.map, "m", &other, &err));
	ASSERT(!str_eq(other.digest, img.digest));
	ASSERT_OK(unsetenv("PTERM_DEFAULT_IMAGE"));
	fixture_fini(&f);
}

TEST(names_that_are_no_names)
{
	struct fixture f;
	_image_ img = { 0 };

	fixture_init(&f);
	ASSERT_EQ(image_resolve(&f.store, "x", &f.map, "", &img, NULL), -EINVAL);
	ASSERT_EQ(image_resolve(&f.store, "x", &f.map, "../m", &img, NULL), -EINVAL);
	ASSERT_EQ(image_resolve(&f.store, "x", &f.map, "..", &img, NULL), -EINVAL);
	f.store.root = "relative";
	ASSERT_EQ(image_resolve(&f.store, "x", &f.map, "m", &img, NULL), -EINVAL);
	fixture_fini(&f);
}
