/* What the container is told to be: the parts of config.json that confine it, and what a spec may and may not change. */
#include "base/fd.h"
#include "base/path.h"
#include "base/test.h"
#include "engine/crun/config.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static struct stage {
	char top[64];
	char *home, *store, *seccomp;
	struct place place;
	struct spec spec;
	struct container c;
	struct sandbox s;
} stage;

static void begin(void)
{
	_free_ char *text = NULL;

	stage = (struct stage){ .s = { .lower_tree = -1, .init_tree = -1, .lifeline = -1, .control = -1, .log = -1 } };
	snprintf(stage.top, sizeof(stage.top), "/tmp/pterm-test-XXXXXX");
	ASSERT(mkdtemp(stage.top) != NULL);
	stage.home = path_join(stage.top, "home");
	stage.store = path_join(stage.top, "store");
	stage.seccomp = path_join(stage.top, "seccomp.json");
	ASSERT_OK(mkdir(stage.home, 0700));
	ASSERT_OK(mkdir(stage.store, 0700));
	text = xstrdup("{\"defaultAction\":\"SCMP_ACT_ERRNO\"}");
	ASSERT_OK(file_write(AT_FDCWD, stage.seccomp, text, strlen(text), 0600));
	stage.place = (struct place){ .id = "0123456789ab", .home = stage.home, .store = stage.store, .runtime_dir = "/nonexistent/run",
	                              .init_program = "/opt/pterm-init", .seccomp_file = stage.seccomp };
	stage.spec = (struct spec){ .hostname = (char *)"box", .network = NETWORK_NONE };
	stage.c = (struct container){ .spec = &stage.spec, .place = &stage.place, .log_fd = -1 };
}

static void end(void)
{
	for (size_t i = 0; i < stage.s.files.len; i++)
		str_release(&stage.s.files.items[i].text);
	vec_release(&stage.s.files);
	vec_release(&stage.spec.volumes);
	vec_release(&stage.spec.tmpfs);
	ASSERT_OK(path_remove_tree(AT_FDCWD, stage.top));
	free(stage.home);
	free(stage.store);
	free(stage.seccomp);
}

static const char *file_text(const char *name)
{
	for (size_t i = 0; i < stage.s.files.len; i++)
		if (str_eq(stage.s.files.items[i].name, name))
			return stage.s.files.items[i].text.buf;
	test_fail(__FILE__, __LINE__, "there is no file '%s'", name);
}

static void write_config(void)
{
	_err_ err = ERR_INIT;

	if (config_write(&stage.s, &stage.c, &err) < 0)
		test_fail(__FILE__, __LINE__, "%s", err.msg);
}

static bool has(const char *text)
{
	return strstr(file_text("config.json"), text) != NULL;
}

static void assert_has(const char *text)
{
	if (!has(text))
		test_fail(__FILE__, __LINE__, "'%s' is not in %s", text, file_text("config.json"));
}

static void add_volume(const char *source, const char *target, bool read_only)
{
	vec_push(&stage.spec.volumes, ((struct spec_volume){ .source = (char *)source, .target = (char *)target, .read_only = read_only }));
}

/* --- */

TEST(every_container_is_confined)
{
	static const char *const sets[] = { "bounding", "effective", "permitted" };

	begin();
	write_config();
	for (size_t i = 0; i < array_len(sets); i++) {
		_free_ char *want = xasprintf("\"%s\":[\"CAP_CHOWN\",\"CAP_DAC_OVERRIDE\",\"CAP_FOWNER\",\"CAP_FSETID\",\"CAP_KILL\","
		                              "\"CAP_NET_BIND_SERVICE\",\"CAP_SETFCAP\",\"CAP_SETGID\",\"CAP_SETPCAP\","
		                              "\"CAP_SETUID\",\"CAP_SYS_CHROOT\"]", sets[i]);

		assert_has(want);
	}
	ASSERT(!has("CAP_SYS_ADMIN") && !has("\"ambient\"") && !has("\"inheritable\""));
	assert_has("\"noNewPrivileges\":true");
	assert_has("\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"mount\"},{\"type\":\"ipc\"},{\"type\":\"uts\"},"
	           "{\"type\":\"cgroup\"},{\"type\":\"network\"}]");
	assert_has("\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ERRNO\"}");
	assert_has("\"maskedPaths\":[\"/proc/acpi\",");
	ASSERT(has("\"/proc/kcore\"") && has("\"/proc/keys\"") && has("\"/sys/firmware\""));
	assert_has("\"readonlyPaths\":[\"/proc/bus\",\"/proc/fs\",\"/proc/irq\",\"/proc/sys\",\"/proc/sysrq-trigger\"]");
	assert_has("{\"destination\":\"/sys\",\"type\":\"sysfs\",\"source\":\"sysfs\",\"options\":[\"nosuid\",\"noexec\",\"nodev\",\"ro\"]}");
	assert_has("\"args\":[\"/dev/pterm-init\",\"0123456789ab\"]");
	assert_has("{\"destination\":\"/dev/pterm-init\",\"type\":\"bind\",\"source\":\"/opt/pterm-init\","
	           "\"options\":[\"bind\",\"ro\",\"nosuid\",\"nodev\"]}");
	ASSERT(!has("/sys/fs/cgroup"));          /* without limits there is none of its own to show */
	end();
}

TEST(what_a_spec_changes)
{
	begin();
	stage.spec.read_only = true;
	stage.spec.memory_bytes = 1 << 20;
	stage.spec.network = NETWORK_HOST;
	vec_push(&stage.spec.tmpfs, ((struct spec_tmpfs){ (char *)"/scratch", (char *)"size=1m,noexec" }));
	vec_push(&stage.spec.tmpfs, ((struct spec_tmpfs){ (char *)"/plain", NULL }));
	stage.spec.ssh_agent = (char *)"/run/agent";
	write_config();
	assert_has("\"root\":{\"path\":\"rootfs\",\"readonly\":true}");
	assert_has("\"destination\":\"/sys/fs/cgroup\"");
	ASSERT(!has("{\"type\":\"network\"}"));
	assert_has("{\"destination\":\"/sys\",\"type\":\"none\",\"source\":\"/sys\","
	           "\"options\":[\"rbind\",\"nosuid\",\"noexec\",\"nodev\",\"ro\"]}");
	assert_has("{\"destination\":\"/scratch\",\"type\":\"tmpfs\",\"source\":\"tmpfs\","
	           "\"options\":[\"nosuid\",\"nodev\",\"size=1m\",\"noexec\"]}");
	assert_has("\"destination\":\"/plain\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"nosuid\",\"nodev\"]}");
	assert_has("\"source\":\"/run/agent\"");
	end();
}

TEST(names_are_data)
{
	begin();
	add_volume("/tmp/a \"quoted\",ro\n", "/in/\"},{\"destination\":\"/proc", true);
	write_config();
	assert_has("{\"destination\":\"/in/\\\"},{\\\"destination\\\":\\\"/proc\",\"type\":\"bind\","
	           "\"source\":\"/tmp/a \\\"quoted\\\",ro\\n\",\"options\":[\"rbind\",\"rprivate\",\"nosuid\",\"nodev\",\"ro\"]}");
	end();
}

/* @target is hidden by an empty file system, behind the volume that would show it. */
static void assert_hidden(const char *target)
{
	_free_ char *mask = xasprintf("{\"destination\":\"%s\",\"type\":\"tmpfs\",\"source\":\"hidden\","
	                              "\"options\":[\"ro\",\"nosuid\",\"nodev\",\"noexec\",\"size=4k\",\"mode=000\"]}", target);
	const char *config = file_text("config.json"), *hidden = strstr(config, mask);

	assert_has(mask);
	ASSERT(strstr(config, "\"rbind\"") < hidden);
}

TEST(our_own_files_are_hidden_from_volumes)
{
	_free_ char *store_inside = NULL, *home_inside = NULL, *link = NULL;

	begin();
	add_volume(stage.top, "/top", false);
	write_config();
	assert_hidden("/top/home");
	assert_hidden("/top/store");
	end();

	begin();                                 /* the whole file system */
	add_volume("/", "/host", false);
	home_inside = xasprintf("/host%s", stage.home);
	store_inside = xasprintf("/host%s", stage.store);
	write_config();
	assert_hidden(home_inside);
	assert_hidden(store_inside);
	end();

	begin();                                 /* where $PTERM_HOME leads to, not what it is called */
	link = path_join(stage.top, "link");
	ASSERT_OK(symlink(stage.home, link));
	stage.place.home = link;
	add_volume(stage.top, "/top", false);
	write_config();
	assert_hidden("/top/home");
	end();
}

TEST(a_volume_beside_them_is_not_touched)
{
	_free_ char *beside = NULL;

	begin();
	beside = xasprintf("%s/home-of-another", stage.top);     /* the same letters in front */
	ASSERT_OK(mkdir(beside, 0700));
	add_volume(beside, "/beside", false);
	write_config();
	ASSERT(!has("\"hidden\""));
	end();
}

TEST(files_of_the_network)
{
	begin();
	write_config();
	ASSERT_STREQ(file_text("hosts"),
	             "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n127.0.1.1\tbox\n");
	ASSERT_STREQ(file_text("hostname"), "box\n");
	ASSERT(strstr(file_text("resolv.conf"), "nameserver") == NULL);
	end();
	begin();
	stage.spec.network = NETWORK_HOST;
	write_config();
	_str_ host = STR_INIT;

	(void)file_read(AT_FDCWD, "/etc/resolv.conf", 64 * 1024, &host);
	ASSERT_STREQ(file_text("resolv.conf"), host.buf);
	end();
}

TEST(without_a_filter_nothing_is_started)
{
	_err_ err = ERR_INIT;

	begin();
	ASSERT_OK(unlink(stage.seccomp));
	ASSERT_EQ(config_write(&stage.s, &stage.c, &err), -ENOENT);
	ASSERT(strstr(err.msg, stage.seccomp) != NULL);
	for (size_t i = 0; i < stage.s.files.len; i++)
		ASSERT(!str_eq(stage.s.files.items[i].name, "config.json"));
	end();
}
