/*
 * Every check against made-up hosts: at least one that is well and one that is not. What the real functions of a host
 * do is in test-doctor-host.c.
 */
#include "service/doctor-checks.h"

#include "base/fd.h"
#include "base/path.h"
#include "base/test.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* What the made-up host answers where the answer is no file. */
static struct {
	const char *env_path, *env_crun, *env_network, *env_store, *env_image, *env_runtime_dir;
	const char *program_says;
	int program_exits;
	mode_t mode;                          /* of every file, where not 0 */
	uid_t owner;                          /* of every file */
	uint32_t fs_type, fs_flags;
	bool has_capability, no_new_privs, in_chroot;
	unsigned capability;
	int open, userns, overlay, files;
	const char *step;
} says;

static char root[64];
static struct host host;
static struct finding f;

static const char *made_up_env(const char *name)
{
	if (str_eq(name, "PATH"))
		return says.env_path;
	if (str_eq(name, "PTERM_CRUN"))
		return says.env_crun;
	if (str_eq(name, "PTERM_STORE"))
		return says.env_store;
	if (str_eq(name, "PTERM_NETWORK_PROGRAM"))
		return says.env_network;
	if (str_eq(name, "PTERM_DEFAULT_IMAGE"))
		return says.env_image;
	return str_eq(name, "XDG_RUNTIME_DIR") ? says.env_runtime_dir : NULL;
}

static int made_up_run(const char *const *argv, struct str *ret_output)
{
	(void)argv;
	if (says.program_exits < 0)
		return says.program_exits;
	str_adds(ret_output, says.program_says);
	return says.program_exits;
}

static int made_up_stat(const char *path, struct stat *ret)
{
	if (stat(path, ret) < 0)
		return -errno;
	ret->st_uid = says.owner;
	if (says.mode)
		ret->st_mode = (ret->st_mode & S_IFMT) | says.mode;
	return 0;
}

static int made_up_statfs(const char *path, struct statfs *ret)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	*ret = (struct statfs){ .f_type = says.fs_type, .f_flags = says.fs_flags };
	return 0;
}

static ssize_t made_up_xattr(const char *path, const char *name, void *value, size_t n)
{
	unsigned char data[20] = { 1, 0, 0, 2 };          /* VFS_CAP_REVISION_2, effective */

	(void)path;
	if (!says.has_capability || !str_eq(name, "security.capability"))
		return -ENODATA;
	data[4] = (unsigned char)(1 << says.capability);
	memcpy(value, data, min_size(n, sizeof(data)));
	return sizeof(data);
}

static int made_up_open(const char *path) { (void)path; return says.open; }
static bool made_up_no_new_privs(void) { return says.no_new_privs; }
static bool made_up_in_chroot(void) { return says.in_chroot; }
static int made_up_userns(void) { return says.userns; }
static int made_up_overlay(const char *dir, const char **step) { (void)dir; *step = says.step; return says.overlay; }
static int made_up_files(const char *dir, const char **step) { (void)dir; *step = says.step; return says.files; }

/* A file of the made-up host, with its directories. */
static void put(const char *path, const char *text, mode_t mode)
{
	_free_ char *at = xasprintf("%s%s", root, path), *dir = xstrdup(at);

	*strrchr(dir, '/') = '\0';
	ASSERT_OK(path_mkdirs(dir, 0755));
	ASSERT_OK(file_write(AT_FDCWD, at, text, strlen(text), mode));
	ASSERT_EQ(chmod(at, mode), 0);
}

static void put_dir(const char *path)
{
	_free_ char *at = xasprintf("%s%s", root, path);

	ASSERT_OK(path_mkdirs(at, 0755));
}

static void clear_finding(void)
{
	str_release(&f.found);
	str_release(&f.fix);
	f = (struct finding){ .found = STR_INIT, .fix = STR_INIT };
}

static void end(void)
{
	clear_finding();
	if (root[0] != '\0')
		ASSERT_OK(path_remove_tree(AT_FDCWD, root));
	root[0] = '\0';
}

/* A fresh Debian 13 host and an ordinary user, with nothing installed. */
static void begin(void)
{
	const char *tmp = getenv("TMPDIR");

	end();
	snprintf(root, sizeof(root), "%s/pterm-doctor-XXXXXX", tmp && strlen(tmp) < 30 ? tmp : "/tmp");
	ASSERT(mkdtemp(root) != NULL);
	memset(&says, 0, sizeof(says));
	says.env_path = "/usr/local/bin:/usr/bin";
	says.program_says = "";
	says.step = "";
	host = (struct host){
		.root = root, .uid = 1000, .user = (char *)"alice", .program = (char *)"/opt/bin/pterm",
		.home = "/home/alice/.pachyterm", .store = "/home/alice/.pachyterm", .libexec = "/opt/libexec/pterm",
		.data = "/opt/share/pterm", .default_image = "/opt/share/pterm/default-image.tar",
		.env = made_up_env, .run = made_up_run, .stat = made_up_stat, .statfs = made_up_statfs,
		.xattr = made_up_xattr, .open = made_up_open, .has_no_new_privs = made_up_no_new_privs,
		.is_in_chroot = made_up_in_chroot, .make_userns = made_up_userns, .use_overlay = made_up_overlay,
		.use_files = made_up_files,
	};
	put("/etc/os-release", "ID=debian\nVERSION_ID=\"13\"\n", 0644);
	put_dir("/home/alice");
}

#define EXPECT(check, want_status, want_found, want_fix) do { \
	clear_finding(); \
	check(&host, &f); \
	ASSERT_STREQ(f.found.buf, want_found); \
	ASSERT_STREQ(f.fix.buf, want_fix); \
	ASSERT_EQ(f.status, want_status); \
} while (0)

#define CRUN_OK "crun version 1.21\ncommit: 1\n+SYSTEMD +SECCOMP +YAJL\n"

TEST(runtime)
{
	begin();
	EXPECT(check_runtime, CHECK_PROBLEM, "crun is not installed", "sudo apt-get install crun");
	put("/usr/bin/youki", "", 0755);
	says.program_says = "youki version 0.5.4\n";
	EXPECT(check_runtime, CHECK_OK, "youki 0.5.4 at /usr/bin/youki", "");
	put("/usr/bin/runc", "", 0755);
	says.program_says = "runc version 1.1.5+ds1\nlibseccomp: 2.5.4\n";
	EXPECT(check_runtime, CHECK_OK, "runc 1.1.5+ds1 at /usr/bin/runc", "");
	put("/usr/bin/crun", "", 0755);
	says.program_says = CRUN_OK;
	EXPECT(check_runtime, CHECK_OK, "crun 1.21 at /usr/bin/crun", "");
	put(PTERM_LIBEXECDIR "/crun/crun", "", 0755);
	EXPECT(check_runtime, CHECK_OK, "crun 1.21 at " PTERM_LIBEXECDIR "/crun/crun", "");
	put("/opt/libexec/pterm/crun/crun", "", 0755);
	EXPECT(check_runtime, CHECK_OK, "crun 1.21 at /opt/libexec/pterm/crun/crun", "");
	put("/usr/local/bin/mine", "", 0755);
	says.env_crun = "mine";
	EXPECT(check_runtime, CHECK_OK, "crun 1.21 at /usr/local/bin/mine", "");
	says.env_crun = "/no/such";
	says.program_exits = -ENOENT;
	EXPECT(check_runtime, CHECK_PROBLEM, "/no/such does not run: No such file or directory", "unset PTERM_CRUN");
	says.env_crun = "no-such";
	EXPECT(check_runtime, CHECK_PROBLEM, "PTERM_CRUN is 'no-such', and there is no such program", "unset PTERM_CRUN");
	end();
}

TEST(runtime_says_its_version)
{
	static const struct { const char *says; enum check_status status; const char *found; } t[] = {
		{ "crun version 1.14.1\n+SECCOMP\n", CHECK_OK, "crun 1.14.1 at /usr/bin/crun" },
		{ "crun version 2.0\n+SECCOMP\n", CHECK_OK, "crun 2.0 at /usr/bin/crun" },
		{ "crun version 1.8.1\n+SECCOMP\n", CHECK_PROBLEM, "/usr/bin/crun is crun 1.8.1, and pterm needs 1.14 or later" },
		{ "crun version 1.21\n+SYSTEMD\n", CHECK_PROBLEM,
		  "/usr/bin/crun is crun 1.21 and was built without seccomp, which confines what runs inside" },
		{ "crun version UNKNOWN\n", CHECK_PROBLEM, "/usr/bin/crun is neither crun, runc nor youki: 'crun version UNKNOWN'" },
		{ "runc version 1.0.3\n", CHECK_PROBLEM, "/usr/bin/crun is runc 1.0.3, and pterm needs 1.1 or later" },
		{ "", CHECK_PROBLEM, "/usr/bin/crun is neither crun, runc nor youki: ''" },
	};

	for (size_t i = 0; i < array_len(t); i++) {
		begin();
		put("/usr/bin/crun", "", 0755);
		says.program_says = t[i].says;
		EXPECT(check_runtime, t[i].status, t[i].found, t[i].status == CHECK_OK ? "" : "sudo apt-get install crun");
	}
	says.program_exits = 127;
	says.program_says = "error while loading \033[2Jshared libraries\nmore\n";
	EXPECT(check_runtime, CHECK_PROBLEM, "/usr/bin/crun does not run: error while loading \\e[2Jshared libraries",
	       "sudo apt-get install crun");
	end();
}

TEST(runtime_fix_is_for_the_distribution)
{
	static const struct { const char *release, *fix; } t[] = {
		{ "ID=debian\nVERSION_ID=\"12\"\n", "sudo tools/install-crun  # in pterm's source directory" },
		{ "ID=ubuntu\nID_LIKE=debian\nVERSION_ID=\"22.04\"\n", "sudo tools/install-crun  # in pterm's source directory" },
		{ "ID=ubuntu\nID_LIKE=debian\nVERSION_ID=\"24.04\"\n", "sudo apt-get install crun" },
		{ "NAME=x\nID=linuxmint\nID_LIKE=\"ubuntu debian\"\n", "sudo apt-get install crun" },
		{ "ID=fedora\nVERSION_ID=40\n", "sudo dnf install crun" },
		{ "ID='rocky'\nID_LIKE=\"rhel centos fedora\"\n", "sudo dnf install crun" },
		{ "ID=arch\n", "sudo pacman -S crun" },
		{ "ID=\"opensuse-leap\"\nID_LIKE=\"suse opensuse\"\n", "sudo zypper install crun" },
		{ "ID=alpine\r\n", "sudo apk add crun" },
		{ "ID=other\n", "install the package crun (it may have another name here)" },
		{ "ID=", "install the package crun (it may have another name here)" },
	};

	for (size_t i = 0; i < array_len(t); i++) {
		begin();
		put("/etc/os-release", t[i].release, 0644);
		EXPECT(check_runtime, CHECK_PROBLEM, "crun is not installed", t[i].fix);
	}
	host.uid = 0;
	put("/etc/os-release", "ID=fedora\n", 0644);
	EXPECT(check_runtime, CHECK_PROBLEM, "crun is not installed", "dnf install crun");
	end();
}

TEST(subids)
{
	begin();
	EXPECT(check_subuid, CHECK_PROBLEM, "/etc/subuid has no line for alice",
	       "sudo usermod --add-subuids 100000-165535 alice");
	put("/etc/subuid", "bob:100000:65536\n# none\ncarol:300000:1000\n", 0644);
	EXPECT(check_subuid, CHECK_PROBLEM, "/etc/subuid has no line for alice",
	       "sudo usermod --add-subuids 301000-366535 alice");
	put("/etc/subuid", "bob:100000:65536\nalice:165536:1000\n", 0644);
	EXPECT(check_subuid, CHECK_PROBLEM, "/etc/subuid gives alice 1000 ids, and 65536 are needed",
	       "sudo usermod --del-subuids 165536-166535 --add-subuids 166536-232071 alice");
	put("/etc/subuid", "alice:165536:65536\n", 0644);
	EXPECT(check_subuid, CHECK_OK, "65536 ids from 165536 on", "");
	put("/etc/subuid", "bob:4294900000:60000\n", 0644);
	EXPECT(check_subuid, CHECK_PROBLEM, "/etc/subuid has no line for alice",
	       "sudoedit /etc/subuid  # no 65536 ids are free above the ranges there");
	EXPECT(check_subgid, CHECK_PROBLEM, "/etc/subgid has no line for alice",
	       "sudo usermod --add-subgids 100000-165535 alice");
	put("/etc/subgid", "1000:200000:65536\n", 0644);
	EXPECT(check_subgid, CHECK_OK, "65536 ids from 200000 on", "");
	host.uid = 0;
	EXPECT(check_subuid, CHECK_OK, "root needs none", "");
	end();
}

TEST(newuidmap)
{
	begin();
	EXPECT(check_newuidmap, CHECK_PROBLEM, "newuidmap is not installed", "sudo apt-get install uidmap");
	put("/etc/os-release", "ID=fedora\n", 0644);
	EXPECT(check_newuidmap, CHECK_PROBLEM, "newuidmap is not installed", "sudo dnf install shadow-utils");
	put("/usr/bin/newuidmap", "", 0755);
	EXPECT(check_newuidmap, CHECK_PROBLEM, "/usr/bin/newuidmap is neither setuid root nor has it file capabilities",
	       "sudo chown root:root /usr/bin/newuidmap && sudo chmod 4755 /usr/bin/newuidmap");
	says.mode = 04755;
	EXPECT(check_newuidmap, CHECK_PROBLEM, "newgidmap is not installed", "sudo dnf install shadow-utils");
	put("/usr/bin/newgidmap", "", 0755);
	EXPECT(check_newuidmap, CHECK_OK, "/usr/bin/newgidmap", "");
	says.owner = 1000;
	EXPECT(check_newuidmap, CHECK_PROBLEM, "/usr/bin/newuidmap is neither setuid root nor has it file capabilities",
	       "sudo chown root:root /usr/bin/newuidmap && sudo chmod 4755 /usr/bin/newuidmap");
	says.has_capability = true;
	says.capability = 7;                              /* CAP_SETUID: right for newuidmap only */
	EXPECT(check_newuidmap, CHECK_PROBLEM, "/usr/bin/newgidmap is neither setuid root nor has it file capabilities",
	       "sudo chown root:root /usr/bin/newgidmap && sudo chmod 4755 /usr/bin/newgidmap");
	says.owner = 0;
	says.fs_flags = ST_NOSUID;
	EXPECT(check_newuidmap, CHECK_PROBLEM, "/usr/bin/newuidmap is on a file system that is mounted nosuid",
	       "sudo mount -o remount,suid \"$(findmnt -no TARGET -T /usr/bin/newuidmap)\"");
	host.uid = 0;
	EXPECT(check_newuidmap, CHECK_OK, "root needs none", "");
	end();
}

TEST(no_new_privs)
{
	begin();
	EXPECT(check_no_new_privs, CHECK_OK, "not set for this process", "");
	says.no_new_privs = true;
	check_no_new_privs(&host, &f);
	ASSERT_EQ(f.status, CHECK_PROBLEM);
	ASSERT(f.fix.len > 0);
	host.uid = 0;
	EXPECT(check_no_new_privs, CHECK_OK, "not set for this process", "");
	end();
}

TEST(userns_limits)
{
	begin();
	EXPECT(check_sysctls, CHECK_PROBLEM, "this kernel has no user namespaces (CONFIG_USER_NS)",
	       "boot a kernel of your distribution");
	put("/proc/sys/user/max_user_namespaces", "0\n", 0644);
	EXPECT(check_sysctls, CHECK_PROBLEM, "user.max_user_namespaces is 0",
	       "echo user.max_user_namespaces=15000 | sudo tee -a /etc/sysctl.d/60-pterm.conf && "
	       "sudo sysctl -p /etc/sysctl.d/60-pterm.conf");
	put("/proc/sys/user/max_user_namespaces", "31000\n", 0644);
	EXPECT(check_sysctls, CHECK_OK, "user.max_user_namespaces is 31000", "");
	put("/proc/sys/kernel/unprivileged_userns_clone", "1\n", 0644);
	EXPECT(check_sysctls, CHECK_OK, "user.max_user_namespaces is 31000", "");
	put("/proc/sys/kernel/unprivileged_userns_clone", "0\n", 0644);
	EXPECT(check_sysctls, CHECK_PROBLEM, "kernel.unprivileged_userns_clone is 0",
	       "echo kernel.unprivileged_userns_clone=1 | sudo tee -a /etc/sysctl.d/60-pterm.conf && "
	       "sudo sysctl -p /etc/sysctl.d/60-pterm.conf");
	host.uid = 0;
	EXPECT(check_sysctls, CHECK_OK, "user.max_user_namespaces is 31000", "");
	end();
}

#define APPARMOR_FIX \
	"printf '%s\\n' 'abi <abi/4.0>,' 'include <tunables/global>' 'profile pterm-opt-libexec-pterm-pterm-supervisor " \
	"\"/opt/libexec/pterm/pterm-supervisor\" flags=(unconfined) {' 'userns,' '}' 'profile pterm-opt-bin-pterm " \
	"\"/opt/bin/pterm\" flags=(unconfined) {' 'userns,' '}' | sudo tee /etc/apparmor.d/pterm-doctor && " \
	"sudo apparmor_parser -r /etc/apparmor.d/pterm-doctor"

TEST(apparmor)
{
	begin();
	EXPECT(check_apparmor, CHECK_OK, "does not restrict user namespaces here", "");
	put("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "0\n", 0644);
	EXPECT(check_apparmor, CHECK_OK, "does not restrict user namespaces here", "");
	put("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1\n", 0644);
	put("/etc/apparmor.d/other", "profile x /usr/bin/x {\n userns,\n}\n", 0644);
	put("/etc/apparmor.d/half", "profile p /opt/bin/pterm {\n}\n", 0644);
	EXPECT(check_apparmor, CHECK_PROBLEM,
	       "AppArmor lets only programs with a profile make user namespaces, and /opt/bin/pterm has none", APPARMOR_FIX);
	/* a profile of the supervisor alone begins with the same letters as pterm's would */
	put("/etc/apparmor.d/pterm", "profile p \"/opt/bin/pterm-supervisor\" flags=(unconfined) {\n userns,\n}\n", 0644);
	EXPECT(check_apparmor, CHECK_PROBLEM,
	       "AppArmor lets only programs with a profile make user namespaces, and /opt/bin/pterm has none", APPARMOR_FIX);
	put("/etc/apparmor.d/pterm", "profile p \"/opt/bin/pterm\" {\n userns,\n}\n", 0644);
	EXPECT(check_apparmor, CHECK_PROBLEM, "AppArmor lets only programs with a profile make user namespaces, and "
	       "/opt/libexec/pterm/pterm-supervisor has none", APPARMOR_FIX);
	put("/etc/apparmor.d/more", "profile q /opt/libexec/pterm/pterm-supervisor flags=(unconfined) {\n userns,\n}\n", 0644);
	EXPECT(check_apparmor, CHECK_OK,
	       "profiles let /opt/bin/pterm and /opt/libexec/pterm/pterm-supervisor make user namespaces", "");
	host.uid = 0;
	EXPECT(check_apparmor, CHECK_OK, "does not restrict user namespaces here", "");
	end();
}

TEST(userns)
{
	begin();
	EXPECT(check_userns, CHECK_OK, "made one", "");
	says.userns = -EPERM;
	check_userns(&host, &f);
	ASSERT_EQ(f.status, CHECK_PROBLEM);
	ASSERT(strstr(f.found.buf, "chroot") == NULL);
	ASSERT(strstr(f.fix.buf, "seccomp=unconfined") != NULL);
	says.in_chroot = true;
	EXPECT(check_userns, CHECK_PROBLEM,
	       "making one is refused: we are inside a chroot, where the kernel allows none",
	       "enter the tree with pivot_root instead, for example: sudo systemd-nspawn -D DIRECTORY");
	says.userns = -ENOSPC;
	EXPECT(check_userns, CHECK_PROBLEM,
	       "making one fails: there are as many as user.max_user_namespaces allows, or too deep ones",
	       "echo user.max_user_namespaces=100000 | sudo tee -a /etc/sysctl.d/60-pterm.conf && "
	       "sudo sysctl -p /etc/sysctl.d/60-pterm.conf");
	says.userns = -EINVAL;
	EXPECT(check_userns, CHECK_PROBLEM, "making one fails: Invalid argument", "boot a kernel of your distribution");
	put("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1\n", 0644);
	EXPECT(check_userns, CHECK_PROBLEM, "making one is refused by AppArmor: see the row apparmor", "");
	end();
}

TEST(overlay)
{
	begin();
	EXPECT(check_overlay, CHECK_OK, "mounted one in /home/alice", "");
	says.overlay = -EINVAL;
	says.step = "mounting one";
	EXPECT(check_overlay, CHECK_PROBLEM, "mounting one in /home/alice fails: Invalid argument",
	       "sudo install -d -m 700 -o alice /var/lib/pterm-alice && export PTERM_STORE=/var/lib/pterm-alice");
	says.overlay = -ENODEV;
	EXPECT(check_overlay, CHECK_PROBLEM, "the kernel has no overlay file system",
	       "sudo modprobe overlay && echo overlay | sudo tee /etc/modules-load.d/overlay.conf");
	says.overlay = -EPERM;
	check_overlay(&host, &f);
	ASSERT_EQ(f.status, CHECK_PROBLEM);
	ASSERT_STREQ(f.fix.buf, "boot Linux 5.11 or later");
	says.step = "a user namespace for it";
	EXPECT(check_overlay, CHECK_PROBLEM, "not tried, because there is no user namespace for it: see the row userns", "");
	says.step = "making a directory";
	EXPECT(check_overlay, CHECK_PROBLEM, "not tried, because you cannot make files in /home/alice: see the row home", "");
	end();
}

#define STORE_FIX "sudo install -d -m 700 -o alice /var/lib/pterm-alice && export PTERM_STORE=/var/lib/pterm-alice"

TEST(home)
{
	static const struct { uint32_t type; const char *found; } unfit[] = {
		{ 0x6969, "/home/alice/.pachyterm is on NFS, which cannot hold what sessions need" },
		{ 0x01021997, "/home/alice/.pachyterm is on 9p (a Windows drive in WSL, or a folder shared with a virtual "
		              "machine), which cannot hold what sessions need" },
		{ 0x4d44, "/home/alice/.pachyterm is on FAT, which cannot hold what sessions need" },
		{ 0xff534d42, "/home/alice/.pachyterm is on SMB, which cannot hold what sessions need" },
	};

	begin();
	EXPECT(check_home, CHECK_OK, "/home/alice/.pachyterm", "");
	for (size_t i = 0; i < array_len(unfit); i++) {
		says.fs_type = unfit[i].type;
		EXPECT(check_home, CHECK_PROBLEM, unfit[i].found, STORE_FIX);
	}
	says.fs_type = 0xef53;
	says.files = -EOPNOTSUPP;
	says.step = "extended attributes";
	EXPECT(check_home, CHECK_PROBLEM, "the file system of /home/alice has no extended attributes: Operation not supported",
	       STORE_FIX);
	says.step = "sockets";
	says.env_store = "/mnt";
	EXPECT(check_home, CHECK_PROBLEM, "the file system of /home/alice has no sockets: Operation not supported",
	       "export PTERM_STORE=DIRECTORY  # one on a local file system (ext4, xfs, btrfs)");
	says.step = "making a file";
	says.files = -EACCES;
	EXPECT(check_home, CHECK_PROBLEM, "you cannot make files in /home/alice: Permission denied",
	       "sudo install -d -m 700 -o alice /home/alice/.pachyterm");
	says.files = -ENOSPC;
	EXPECT(check_home, CHECK_PROBLEM, "you cannot make files in /home/alice: No space left on device",
	       "df -h /home/alice  # then make room");
	end();
}

#define INSTALL_FIX "sudo make install  # in pterm's source directory"

TEST(config)
{
	begin();
	EXPECT(check_config, CHECK_OK, "the configuration can be read", "");
	put_dir("/home/alice/.pachyterm");
	put("/home/alice/.pachyterm/config.json", "{\"gc\": {\"kep\": 1}}", 0600);
	clear_finding();
	check_config(&host, &f);
	ASSERT_EQ(f.status, CHECK_PROBLEM);
	ASSERT(strstr(f.found.buf, "config.json:1:9: unknown key 'gc.kep': did you mean 'keep'?") != NULL);
	ASSERT_STREQ(f.fix.buf, "pterm config check  # and mend what it names");
}

TEST(libexec)
{
	begin();
	EXPECT(check_libexec, CHECK_PROBLEM,
	       "there is no pterm-supervisor in /opt/libexec/pterm: pterm is not installed as it was built", INSTALL_FIX);
	put("/opt/libexec/pterm/pterm-supervisor", "", 0755);
	put("/opt/libexec/pterm/pterm-init", "", 0644);   /* not executable */
	put("/opt/libexec/pterm/pterm-tree", "", 0755);
	EXPECT(check_libexec, CHECK_PROBLEM,
	       "there is no pterm-init in /opt/libexec/pterm: pterm is not installed as it was built", INSTALL_FIX);
	put("/opt/libexec/pterm/pterm-init", "", 0755);
	EXPECT(check_libexec, CHECK_PROBLEM,
	       "there is no /opt/share/pterm/seccomp.json: pterm is not installed as it was built", INSTALL_FIX);
	put("/opt/share/pterm/seccomp.json", "", 0644);
	EXPECT(check_libexec, CHECK_OK, "/opt/libexec/pterm", "");
	says.fs_flags = ST_NOEXEC;
	EXPECT(check_libexec, CHECK_PROBLEM, "the file system of /opt/libexec/pterm is mounted noexec",
	       "sudo mount -o remount,exec \"$(findmnt -no TARGET -T /opt/libexec/pterm)\"");
	end();
}

TEST(image)
{
	begin();
	EXPECT(check_image, CHECK_WARNING, "there is no /opt/share/pterm/default-image.tar: sessions need --image",
	       "sudo tools/make-default-image /opt/share/pterm/default-image.tar  # in pterm's source directory");
	says.env_image = "/x";
	EXPECT(check_image, CHECK_WARNING, "there is no /opt/share/pterm/default-image.tar: sessions need --image",
	       "unset PTERM_DEFAULT_IMAGE");
	put("/opt/share/pterm/default-image.tar", "", 0644);
	EXPECT(check_image, CHECK_OK, "/opt/share/pterm/default-image.tar", "");
	end();
}

TEST(tun)
{
	begin();
	EXPECT(check_tun, CHECK_OK, "/dev/net/tun can be opened", "");
	says.open = -ENOENT;
	EXPECT(check_tun, CHECK_WARNING, "there is no /dev/net/tun: sessions can use --network none or host only",
	       "sudo modprobe tun && echo tun | sudo tee /etc/modules-load.d/tun.conf");
	says.open = -EACCES;
	EXPECT(check_tun, CHECK_WARNING, "you may not open /dev/net/tun: sessions can use --network none or host only",
	       "sudo chmod 666 /dev/net/tun");
	host.uid = 0;
	says.open = 0;
	put("/dev/net/tun", "", 0600);
	EXPECT(check_tun, CHECK_WARNING, "only root may open /dev/net/tun, and root inside a session is another: sessions can "
	       "use --network none or host only", "chmod 666 /dev/net/tun");
	put("/dev/net/tun", "", 0666);
	EXPECT(check_tun, CHECK_OK, "/dev/net/tun can be opened", "");
	end();
}

TEST(network)
{
	begin();
	EXPECT(check_network, CHECK_WARNING,
	       "neither pasta nor slirp4netns is installed: sessions can use --network none or host only",
	       "sudo apt-get install passt");
	put("/etc/os-release", "ID=ubuntu\nVERSION_ID=\"22.04\"\n", 0644);
	EXPECT(check_network, CHECK_WARNING,
	       "neither pasta nor slirp4netns is installed: sessions can use --network none or host only",
	       "sudo apt-get install slirp4netns");
	put("/usr/bin/slirp4netns", "", 0755);
	EXPECT(check_network, CHECK_OK, "/usr/bin/slirp4netns", "");
	put("/usr/local/bin/pasta", "", 0644);            /* not executable */
	EXPECT(check_network, CHECK_OK, "/usr/bin/slirp4netns", "");
	put("/usr/local/bin/pasta", "", 0755);
	EXPECT(check_network, CHECK_OK, "/usr/local/bin/pasta", "");
	says.env_network = "slirp4netns";                /* as a session takes it */
	EXPECT(check_network, CHECK_OK, "/usr/bin/slirp4netns", "");
	says.env_network = "/opt/pasta";
	EXPECT(check_network, CHECK_WARNING, "'/opt/pasta', which $PTERM_NETWORK_PROGRAM names, is not installed",
	       "unset PTERM_NETWORK_PROGRAM");
	says.env_network = "/usr/bin/other";
	EXPECT(check_network, CHECK_WARNING, "$PTERM_NETWORK_PROGRAM is '/usr/bin/other': it must name pasta or slirp4netns",
	       "unset PTERM_NETWORK_PROGRAM");
	end();
}

#define MANAGER "/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service"
#define DELEGATE_FIX "sudo mkdir -p /etc/systemd/system/user@.service.d && printf '[Service]\\nDelegate=cpu cpuset io " \
	"memory pids\\n' | sudo tee /etc/systemd/system/user@.service.d/delegate.conf && sudo systemctl daemon-reload  # then " \
	"log in again"
#define NO_MANAGER \
	"you have no systemd manager of your own, which would delegate cgroups: limits cannot be used, all else works"
#define LINGER_FIX "sudo loginctl enable-linger alice  # or log in by ssh or at a terminal, and not with su"

TEST(cgroup_delegation)
{
	begin();
	put_dir("/sys/fs/cgroup");
	put_dir("/run/systemd/system");
	says.fs_type = 0x63677270;
	says.owner = 1000;
	EXPECT(check_cgroup, CHECK_WARNING, NO_MANAGER, LINGER_FIX);
	put(MANAGER "/cgroup.controllers", "memory pids\n", 0644);
	EXPECT(check_cgroup, CHECK_WARNING, "cpu is not delegated to you: the limits of that name cannot be used",
	       DELEGATE_FIX);
	put(MANAGER "/cgroup.controllers", "cpuset\n", 0644);
	EXPECT(check_cgroup, CHECK_WARNING,
	       "memory, cpu, pids are not delegated to you: the limits of that name cannot be used", DELEGATE_FIX);
	put(MANAGER "/cgroup.controllers", "cpuset cpu io memory pids\n", 0644);
	EXPECT(check_cgroup, CHECK_OK, "cgroup v2 with memory, cpu, pids", "");
	says.owner = 0;                                   /* it is not the caller's */
	EXPECT(check_cgroup, CHECK_WARNING, NO_MANAGER, LINGER_FIX);
	host.uid = 0;
	put("/sys/fs/cgroup/cgroup.controllers", "cpu memory pids\n", 0644);
	EXPECT(check_cgroup, CHECK_OK, "cgroup v2 with memory, cpu, pids", "");
	says.fs_flags = ST_RDONLY;
	EXPECT(check_cgroup, CHECK_WARNING, "/sys/fs/cgroup is mounted read-only: limits cannot be used, all else works", "");
	end();
}

TEST(cgroup_without_systemd)
{
	begin();
	put("/proc/self/cgroup", "0::/mine\n", 0644);
	put_dir("/sys/fs/cgroup");
	says.fs_type = 0x63677270;
	says.owner = 1000;
	EXPECT(check_cgroup, CHECK_WARNING, "no cgroup is delegated to you: limits cannot be used, all else works",
	       "as root: make a cgroup with the controllers memory, cpu and pids, chown it to alice, and start the shell in it");
	put("/sys/fs/cgroup/mine/cgroup.controllers", "cpu memory pids", 0644);
	EXPECT(check_cgroup, CHECK_OK, "cgroup v2 with memory, cpu, pids", "");
	end();
}

TEST(cgroup_v1)
{
	begin();
	put_dir("/sys/fs/cgroup");
	put("/proc/self/cgroup", "8:pids:/\n0::/\n", 0644);
	EXPECT(check_cgroup, CHECK_WARNING,
	       "this host uses cgroup v1 and v2 together (hybrid): limits cannot be used, all else works",
	       "boot with cgroup_no_v1=all and mount cgroup2 on /sys/fs/cgroup");
	put_dir("/run/systemd/system");
	EXPECT(check_cgroup, CHECK_WARNING,
	       "this host uses cgroup v1 and v2 together (hybrid): limits cannot be used, all else works",
	       "sudo sed -i 's/^GRUB_CMDLINE_LINUX=\"/&systemd.unified_cgroup_hierarchy=1 /' /etc/default/grub && "
	       "sudo update-grub  # then reboot");
	put("/proc/self/cgroup", "8:pids:/\n1:cpu:/\n", 0644);
	put("/etc/os-release", "ID=fedora\n", 0644);
	EXPECT(check_cgroup, CHECK_WARNING, "this host uses cgroup v1: limits cannot be used, all else works",
	       "sudo grubby --update-kernel=ALL --args=systemd.unified_cgroup_hierarchy=1  # then reboot");
	put("/proc/sys/kernel/osrelease", "5.15.90.1-microsoft-standard-WSL2\n", 0644);
	EXPECT(check_cgroup, CHECK_WARNING, "this host uses cgroup v1: limits cannot be used, all else works",
	       "add to %UserProfile%\\.wslconfig in Windows, below [wsl2]: kernelCommandLine = cgroup_no_v1=all; then: "
	       "wsl.exe --shutdown");
	end();
}

TEST(linger)
{
	begin();
	EXPECT(check_linger, CHECK_OK, "systemd does not run here, so a logout ends nothing", "");
	put_dir("/run/systemd/system");
	EXPECT(check_linger, CHECK_WARNING,
	       "off for alice: sessions with limits, and those started from a desktop terminal, end when you log out",
	       "sudo loginctl enable-linger alice");
	put("/proc/self/cgroup", "0::/user.slice/user-1000.slice/user@1000.service/app.slice/x.scope\n", 0644);
	EXPECT(check_linger, CHECK_WARNING,
	       "this terminal belongs to your user manager: sessions started here end when you log out",
	       "sudo loginctl enable-linger alice");
	put("/etc/systemd/logind.conf", "[Login]\n#KillUserProcesses=no\nKillUserProcesses=yes\n", 0644);
	EXPECT(check_linger, CHECK_WARNING, "KillUserProcesses=yes: every session ends when you log out",
	       "sudo loginctl enable-linger alice");
	put("/etc/systemd/logind.conf.d/10-no.conf", "[Login]\nKillUserProcesses=no\n", 0644);
	put("/usr/lib/systemd/logind.conf.d/90-yes.conf", "[Login]\nKillUserProcesses=yes\n", 0644);
	EXPECT(check_linger, CHECK_WARNING,
	       "this terminal belongs to your user manager: sessions started here end when you log out",
	       "sudo loginctl enable-linger alice");
	put("/var/lib/systemd/linger/alice", "", 0644);
	EXPECT(check_linger, CHECK_OK, "on for alice", "");
	host.uid = 0;
	EXPECT(check_linger, CHECK_OK, "root's processes outlive its logout", "");
	end();
}

TEST(runtime_dir)
{
	static const char fix[] = "unset XDG_RUNTIME_DIR  # or log in as alice instead of using su";

	begin();
	EXPECT(check_runtime_dir, CHECK_OK, "XDG_RUNTIME_DIR is not set: /home/alice/.pachyterm/run is used", "");
	put_dir("/dev/shm");
	says.fs_type = 0x01021994;                        /* tmpfs */
	EXPECT(check_runtime_dir, CHECK_OK, "XDG_RUNTIME_DIR is not set: /dev/shm/pterm-1000 is used", "");
	says.env_runtime_dir = "/run/user/1000";
	EXPECT(check_runtime_dir, CHECK_WARNING,
	       "XDG_RUNTIME_DIR is '/run/user/1000', which is no directory: /dev/shm/pterm-1000 is used", fix);
	put_dir("/run/user/1000");
	EXPECT(check_runtime_dir, CHECK_WARNING,
	       "XDG_RUNTIME_DIR is '/run/user/1000', which is not yours: /dev/shm/pterm-1000 is used", fix);
	says.owner = 1000;
	EXPECT(check_runtime_dir, CHECK_OK, "/run/user/1000/pterm", "");
	host.uid = 0;
	EXPECT(check_runtime_dir, CHECK_OK, "/run/pterm", "");
	end();
}

TEST(wsl)
{
	begin();
	put("/proc/sys/kernel/osrelease", "6.12.0-amd64\n", 0644);
	EXPECT(check_wsl, CHECK_OK, "this is not WSL", "");
	put("/proc/sys/kernel/osrelease", "4.4.0-19041-Microsoft\n", 0644);
	EXPECT(check_wsl, CHECK_PROBLEM, "this is WSL 1, which has no namespaces",
	       "wsl.exe --set-version DISTRIBUTION 2  # in Windows");
	put("/proc/sys/kernel/osrelease", "6.12.0-custom\n", 0644);
	put_dir("/run/WSL");
	EXPECT(check_wsl, CHECK_WARNING,
	       "this is WSL 2: it stops some seconds after its last window closes, and all sessions with it",
	       "wsl.exe --exec dbus-launch true  # in Windows; or keep one window open");
	end();
}

TEST(sudo)
{
	begin();
	EXPECT(check_sudo, CHECK_OK, "sudo does not work inside a session (no_new_privs): the first user there is root already",
	       "");
	end();
}

TEST(a_diagnosis_has_every_check_and_counts)
{
	size_t n = 0, sum = 0;
	struct diagnosis d;

	begin();
	doctor_run(&host, &d);
	for (; checks[n].name != NULL; n++) {
		ASSERT(d.findings.items[n].found.len > 0);
		if (d.findings.items[n].status == CHECK_PROBLEM)
			ASSERT(d.findings.items[n].fix.len > 0);
	}
	ASSERT_EQ(d.findings.len, n);
	for (size_t i = 0; i < CHECK_STATUS_COUNT; i++)
		sum += d.count[i];
	ASSERT_EQ(sum, n);
	ASSERT_EQ(d.count[CHECK_PROBLEM], 6);             /* runtime subuid subgid newuidmap userns-limits libexec */
	diagnosis_release(&d);
	end();
}
