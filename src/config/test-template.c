#include "config/template.h"

#include "base/fd.h"
#include "base/path.h"
#include "base/test.h"

#include <fcntl.h>
#include <sys/stat.h>

/* Two directories of templates, and the variables of the caller. */
static char top[64], own[80], shipped[80];
static const struct template_dirs dirs = { own, shipped };
static struct strv environment, settings;

static const char *variable(const char *name)
{
	for (size_t i = 0; i < environment.len; i++)
		if (strncmp(environment.items[i], name, strlen(name)) == 0 &&
		    environment.items[i][strlen(name)] == '=')
			return environment.items[i] + strlen(name) + 1;
	return NULL;
}

static const struct template_context context = { .settings = &settings, .variable = variable, .user = "ann",
                                                 .home = "/home/ann", .session_id = "@ID@",
                                                 .session_name = "@NAME@" };

static void begin(void)
{
	strv_release(&environment);
	strv_release(&settings);
	if (top[0] != '\0')
		ASSERT_OK(path_remove_tree(AT_FDCWD, top));
	strcpy(top, "/tmp/pterm-test-template.XXXXXX");
	ASSERT(mkdtemp(top) != NULL);
	snprintf(own, sizeof(own), "%s/own", top);
	snprintf(shipped, sizeof(shipped), "%s/shipped", top);
	ASSERT_EQ(mkdir(own, 0700), 0);
	ASSERT_EQ(mkdir(shipped, 0700), 0);
}

__attribute__((destructor)) static void end(void)
{
	if (top[0] != '\0')
		(void)path_remove_tree(AT_FDCWD, top);
}

static void put(const char *dir, const char *name, const char *text)
{
	_free_ char *path = xasprintf("%s/%s.json", dir, name);

	ASSERT_OK(file_write(AT_FDCWD, path, text, strlen(text), 0600));
}

/* The whole way. 0 or negative. */
static int load(const char *ref, struct template *ret, struct err *err)
{
	_free_ char *path = NULL;
	_json_tree_ *tree = template_read(&dirs, ref, &path, err);
	int r;

	if (tree == NULL)
		return -1;
	r = template_resolve(tree, &context, err);
	return r < 0 ? r : template_decode(tree, path, ret, err);
}

static void joined(const struct strv *v, char *out, size_t size)
{
	out[0] = '\0';
	for (size_t i = 0; i < v->len; i++)
		snprintf(out + strlen(out), size - strlen(out), "%s|", v->items[i]);
}

#define ASSERT_LIST(v, want) do { char list_[1024]; joined(&(v), list_, sizeof(list_)); ASSERT_STREQ(list_, want); } while (0)

static void assert_merges_to(const char *ref, const char *want)
{
	_err_ err = ERR_INIT;
	_json_tree_ *tree = template_read(&dirs, ref, NULL, &err);
	_str_ out = STR_INIT;

	if (tree == NULL)
		test_fail(__FILE__, __LINE__, "%s: %s", ref, err_msg(&err));
	json_tree_write(tree, &out);
	ASSERT_STREQ(out.buf, want);
}

/* Template t with this text is refused with a message that holds @want. */
static void assert_refused(const char *text, const char *want)
{
	_template_ t = { 0 };
	_err_ err = ERR_INIT;

	put(own, "t", text);
	if (load("t", &t, &err) >= 0)
		test_fail(__FILE__, __LINE__, "it is taken: %s", text);
	if (strstr(err_msg(&err), want) == NULL)
		test_fail(__FILE__, __LINE__, "'%s' is not in '%s'", want, err_msg(&err));
}

TEST(the_samples_of_the_requirements)
{
	_template_ python = { 0 }, games = { 0 }, monitor = { 0 };

	begin();
	put(own, "python-dev",
	    "{\n  \"name\": \"python-dev\",\n  \"image\": \"python:3.9-slim\",\n  \"command\": \"/bin/bash\",\n"
	    "  \"volumes\": [\"./workspace:/workspace\"],\n  \"environment\": {\"PYTHONPATH\": \"/workspace\"},\n"
	    "  \"working_dir\": \"/workspace\"\n}");
	put(own, "ascii-games",
	    "{\"name\": \"ascii-games\", \"image\": \"ubuntu:22.04\", \"command\": \"/bin/bash\", "
	    "\"packages\": [\"bastet\", \"ninvaders\", \"moon-buggy\"], \"interactive\": true}");
	put(own, "system-monitor",
	    "{\"name\": \"system-monitor\", \"image\": \"alpine:latest\", \"command\": \"htop\", "
	    "\"privileged\": false, \"readonly\": true}");
	ASSERT_OK(load("python-dev", &python, NULL));
	ASSERT_STREQ(python.name, "python-dev");
	ASSERT_STREQ(python.image, "python:3.9-slim");
	ASSERT_LIST(python.command, "/bin/bash|");
	ASSERT_LIST(python.volumes, "./workspace:/workspace|");
	ASSERT_LIST(python.environment, "PYTHONPATH=/workspace|");
	ASSERT_STREQ(python.working_dir, "/workspace");
	ASSERT_OK(load("ascii-games", &games, NULL));
	ASSERT_LIST(games.packages, "bastet|ninvaders|moon-buggy|");
	ASSERT(!games.is_background && !games.readonly);
	ASSERT_OK(load("system-monitor", &monitor, NULL));
	ASSERT_LIST(monitor.command, "htop|");
	ASSERT(monitor.readonly);
}

TEST(every_key_has_its_value)
{
	_template_ t = { 0 };

	begin();
	put(own, "t", "{\"$schema\": \"x\", \"description\": \"d\", \"image\": \"i\", \"command\": [\"a b\", \"c\"], "
	    "\"environment\": {\"A\": 1, \"B\": true, \"C\": 1.5, \"D\": \"\"}, \"user\": \"u:g\", \"hostname\": \"h\", "
	    "\"tmpfs\": [\"/t:size=1m\"], \"secrets\": {\"s\": {\"file\": \"f\"}, \"e\": {\"environment\": \"V\"}}, "
	    "\"network\": \"private\", \"ports\": [8080, \"80:81\"], \"limits\": {\"memory\": \"1g\", \"cpus\": 0.5, \"pids\": 9}, "
	    "\"interactive\": false, \"restart\": \"on-failure:3\", \"labels\": {\"a/b\": \"c\"}, \"engine\": \"crun\", "
	    "\"model\": \"m\", \"gpu\": true, \"build\": {\"context\": \".\", \"args\": {\"X\": 1}}, "
	    "\"health\": {\"command\": \"probe -x\", \"interval\": 2.5, \"timeout\": \"1s\", \"retries\": 3, \"start_period\": \"1m\"}, "
	    "\"readiness\": {\"command\": [\"r\"]}}");
	ASSERT_OK(load("t", &t, NULL));
	ASSERT_STREQ(t.name, "t");
	ASSERT_LIST(t.command, "a b|c|");
	ASSERT_LIST(t.environment, "A=1|B=true|C=1.5|D=|");
	ASSERT_LIST(t.tmpfs, "/t:size=1m|");
	ASSERT_LIST(t.secrets, "s=f|e=env:V|");
	ASSERT_LIST(t.ports, "8080|80:81|");
	ASSERT_LIST(t.labels, "a/b=c|");
	ASSERT_EQ(t.memory_bytes, 1 << 30);
	ASSERT_STREQ(t.cpus, "0.5");
	ASSERT_EQ(t.pids, 9);
	ASSERT(t.is_background);
	ASSERT_STREQ(t.restart, "on-failure:3");
	ASSERT_STREQ(t.gpu, "true");
	ASSERT(t.build.is_there);
	ASSERT_LIST(t.build.arguments, "X=1|");
	ASSERT(t.build.context[0] == '/' && t.build.containerfile == NULL);
	ASSERT_LIST(t.health.command, "probe|-x|");
	ASSERT_EQ(t.health.interval_ms, 2500);
	ASSERT_EQ(t.health.start_period_ms, 60000);
	ASSERT_EQ(t.health.retries, 3);
	ASSERT(t.readiness.is_there);
}

TEST(what_extends_changes_what_is_below)
{
	begin();
	put(shipped, "base", "{\"name\": \"base\", \"description\": \"d\", \"image\": \"i\", \"command\": [\"a\"], "
	    "\"volumes\": [\"/a:/a\"], \"environment\": {\"A\": \"1\", \"B\": \"2\"}, \"limits\": {\"pids\": 1}, \"user\": \"root\"}");
	put(own, "middle",
	    "{\"extends\": \"base\", \"command\": [\"b\"], \"volumes\": [\"/b:/b\"], \"environment\": {\"B\": \"3\"}}");
	put(own, "top",
	    "{\"extends\": \"./middle.json\", \"environment\": {\"A\": null, \"C\": \"4\"}, \"user\": null, "
	    "\"limits\": {\"cpus\": 2}}");
	assert_merges_to("middle", "{\"image\":\"i\",\"command\":[\"b\"],\"volumes\":[\"/a:/a\",\"/b:/b\"],"
	                 "\"environment\":{\"A\":\"1\",\"B\":\"3\"},\"limits\":{\"pids\":1},\"user\":\"root\"}");
	assert_merges_to("top", "{\"image\":\"i\",\"command\":[\"b\"],\"volumes\":[\"/a:/a\",\"/b:/b\"],"
	                 "\"environment\":{\"B\":\"3\",\"C\":\"4\"},\"limits\":{\"pids\":1,\"cpus\":2}}");
}

TEST(lists_of_places_are_joined_and_the_later_holds)
{
	_template_ t = { 0 };

	begin();
	put(shipped, "base",
	    "{\"volumes\": [\"/a:/x\", \"/b:/y:ro\"], \"ports\": [80, \"81:1\"], \"tmpfs\": [\"/t:size=1m\"], "
	    "\"packages\": [\"p\", \"q\"]}");
	put(own, "t", "{\"extends\": \"base\", \"volumes\": [\"/c:/y\"], \"ports\": [\"80:2\"], \"tmpfs\": [\"/t\"], "
	    "\"packages\": [\"q\", \"r\"]}");
	ASSERT_OK(load("t", &t, NULL));
	ASSERT_LIST(t.volumes, "/a:/x|/c:/y|");
	ASSERT_LIST(t.ports, "81:1|80:2|");
	ASSERT_LIST(t.tmpfs, "/t|");
	ASSERT_LIST(t.packages, "p|q|r|");
}

TEST(an_own_template_may_extend_the_shipped_one_of_its_name)
{
	_template_ t = { 0 };

	begin();
	put(shipped, "t", "{\"image\": \"i\", \"command\": \"a\"}");
	put(own, "t", "{\"extends\": \"t\", \"command\": \"b\"}");
	ASSERT_OK(load("t", &t, NULL));
	ASSERT_STREQ(t.image, "i");
	ASSERT_LIST(t.command, "b|");
}

TEST(circles_are_named)
{
	begin();
	put(own, "a", "{\n \"extends\": \"b\"}");
	put(own, "b", "{\"extends\": \"./a.json\"}");
	assert_refused("{\"extends\": \"a\"}",
	               "own/b.json:1:13: 'extends': templates go round in a circle: t.json extends a.json "
	               "extends b.json extends a.json");
	assert_refused("{\"extends\": \"t\"}", "'extends': templates go round in a circle: t.json extends t.json");
	for (int i = 0; i < 20; i++) {
		_free_ char *name = xasprintf("c%d", i), *text = xasprintf("{\"extends\": \"c%d\"}", i + 1);

		put(own, name, text);
	}
	put(own, "c20", "{}");
	assert_refused("{\"extends\": \"c0\"}", "more than 16 templates extend each other");
	assert_refused("{\"extends\": \"c00\"}",
	               "t.json:1:13: 'extends': there is no template 'c00': did you mean 'c0'?");
	assert_refused("{\"extends\": \"./x.json\"}", "there is no template in a file");
	assert_refused("{\"extends\": \"${X}\"}", "'extends' can hold no parameters");
}

TEST(parameters_come_from_settings_then_the_environment)
{
	_template_ t = { 0 };

	begin();
	strv_push(&environment, "A=from environment");
	strv_push(&environment, "B=two words");
	strv_push(&settings, "A=set");
	strv_push(&settings, "PORT=8080");
	strv_push(&settings, "RO=true");
	put(own, "t",
	    "{\"command\": \"run ${B} '${A} x' $HOME $${A}\", \"ports\": [\"${PORT}:80\"], \"readonly\": \"${RO:-false}\", "
	    "\"limits\": {\"pids\": \"${PIDS:-7}\", \"memory\": \"${MEM:-1k}\", \"cpus\": \"${CPUS:-1.5}\"}, "
	    "\"environment\": {\"ID\": \"${session.id}/${session.name}\", \"U\": \"${user.name}:${user.home}\"}}");
	ASSERT_OK(load("t", &t, NULL));
	ASSERT_LIST(t.command, "run|two words|set x|$HOME|${A}|");
	ASSERT_LIST(t.ports, "8080:80|");
	ASSERT(t.readonly);
	ASSERT_EQ(t.pids, 7);
	ASSERT_EQ(t.memory_bytes, 1024);
	ASSERT_STREQ(t.cpus, "1.5");
	ASSERT_LIST(t.environment, "ID=@ID@/@NAME@|U=ann:/home/ann|");
}

TEST(what_is_wrong_is_told_with_its_place)
{
	begin();
	assert_refused("{\"image\": \"x\",\n  \"comand\": 1}",
	               "t.json:2:3: unknown key 'comand': did you mean 'command'?");
	assert_refused("{\"command\": 1}",
	               "t.json:1:13: 'command' must be a command line, or a list of its words, not 1");
	assert_refused("{\"command\": []}", "'command' is empty");
	assert_refused("{\"command\": \"'x\"}", "'command': a ' has no end");
	assert_refused("{\"volumes\": [\"a:b\"]}",
	               "'volumes[0]' must be SOURCE:TARGET or SOURCE:TARGET:ro, not 'a:b'");
	assert_refused("{\"volumes\": \"a:/b\"}", "'volumes' must be a list of SOURCE:TARGET, not 'a:/b'");
	assert_refused("{\"environment\": {\"A=B\": \"x\"}}", "'A=B' cannot be a key of 'environment'");
	assert_refused("{\"environment\": {\"A\": []}}",
	               "'environment.A' must be a text, a number, true or false, not a list");
	assert_refused("{\"environment\": [\"A=B\"]}", "'environment' must be an object of variables, not a list");
	assert_refused("{\"working_dir\": \"x\"}", "'working_dir' must be an absolute path, not 'x'");
	assert_refused("{\"privileged\": true}", "t.json:1:16: 'privileged' is refused");
	assert_refused("{\"privileged\": \"${P:-true}\"}", "'privileged' is refused");
	assert_refused("{\"restart\": \"on-failure:0\"}", "'restart' must be one of no");
	assert_refused("{\"ports\": [0]}", "'ports[0]' must be a port, not 0");
	assert_refused("{\"limits\": {\"memory\": \"x\"}}",
	               "'limits.memory' must be a size such as 512m or 2g, not 'x'");
	assert_refused("{\"health\": {\"retries\": 2}}", "t.json:1:12: 'health' needs a 'command'");
	assert_refused("{\"secrets\": {\"a\": {}}}",
	               "t.json:1:14: the secret 'a' needs either 'file' or 'environment'");
	assert_refused("{\"secrets\": {\"../a\": {\"file\": \"x\"}}}", "'../a' cannot be a key of 'secrets'");
	assert_refused("{\"image\": \"${X}\"}",
	               "t.json:1:11: the parameter 'X' has no value: give one with --set X=VALUE");
	assert_refused("{\"image\": \"${X:?which one}\"}", "t.json:1:11: the parameter 'X' is needed: which one");
	assert_refused("{\"image\": \"${session.id}\"}", "'image' is needed before there is a session");
	assert_refused("{\"image\": \"${session.nam}\"}", "there is no parameter 'session.nam'");
	assert_refused("{\"image\": \"${X\"}", "t.json:1:11: a '${' has no '}'");
	assert_refused("{\"readonly\": \"${X:-maybe}\"}", "'readonly' must be true or false, not 'maybe'");
	assert_refused("{\"volumes\": [\"${X:-a}:b\"]}",
	               "'volumes[0]' must be SOURCE:TARGET or SOURCE:TARGET:ro, not 'a:b'");
	strv_push(&settings, "COLOR=red");
	assert_refused("{\"image\": \"${COLOUR:-x}\"}",
	               "--set: the template has no parameter 'COLOR': did you mean 'COLOUR'?");
}

TEST(the_own_one_wins_and_names_are_checked)
{
	_cleanup_(template_list_release) struct template_list all = { 0 };
	_err_ err = ERR_INIT;

	begin();
	put(shipped, "b", "{}");
	put(shipped, "a", "{}");
	put(own, "b", "{}");
	put(own, ".hidden", "{}");
	ASSERT_OK(template_list(&dirs, &all, NULL));
	ASSERT_EQ(all.items.len, 2);
	ASSERT_STREQ(all.items.items[0].name, "a");
	ASSERT(all.items.items[0].is_shipped && !all.items.items[1].is_shipped);
	ASSERT(template_find(&dirs, "..", &err) == NULL);
	ASSERT(strstr(err_msg(&err), "cannot be a template's name") != NULL);
}

TEST(the_schema_and_the_reference_tell_about_every_key)
{
	_str_ schema = STR_INIT, reference = STR_INIT;

	template_schema(&schema);
	template_reference(&reference);
	for (size_t i = 0; i < template_shape.count; i++) {
		_free_ char *key = xasprintf("\"%s\":{\"description\"", template_shape.fields[i].key);
		_free_ char *row = xasprintf("| `%s` |", template_shape.fields[i].key);

		ASSERT(strstr(schema.buf, key) != NULL);
		ASSERT(strstr(reference.buf, row) != NULL);
	}
	ASSERT(strstr(reference.buf, "| `secrets.NAME.file` |") != NULL);
}
