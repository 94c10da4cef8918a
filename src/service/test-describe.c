#include "service/describe.h"

#include "base/test.h"

static const char *no_variable(const char *name) { return NULL; }

/* A template as its file would be, without parameters. */
static void decode(const char *text, struct template *ret)
{
	_json_tree_ *tree = json_tree_parse(text, strlen(text), "f", NULL);
	const struct template_context context = { .variable = no_variable, .user = "u", .home = "/" };
	_err_ err = ERR_INIT;

	ASSERT_OK(shape_check(tree, &template_shape, SHAPE_TEMPLATE, &err));
	ASSERT_OK(template_check(tree, &err));
	ASSERT_OK(template_resolve(tree, &context, &err));
	ASSERT_OK(template_decode(tree, "/d/t.json", ret, &err));
}

static void assert_list(const struct strv *v, const char *want)
{
	_str_ s = STR_INIT;

	for (size_t i = 0; i < v->len; i++)
		str_addf(&s, "%s|", v->items[i]);
	ASSERT_STREQ(s.buf, want);
}

/* The layer below knows no spec, and has names of its own. Another session's network is no default. */
TEST(networks_have_the_same_names_everywhere)
{
	const char *const *by_default = config_options[OPTION_network_default].shape->choices;
	size_t n = 0;

	for (; spec_networks[n] != NULL; n++) {
		_free_ char *text = xasprintf("{\"network\": \"%s%s\"}", spec_networks[n], n == NETWORK_SESSION ? ":other" : "");
		_template_ t = { 0 };
		_launch_ l = { 0 };

		decode(text, &t);
		ASSERT_OK(launch_use_template(&l, &t, NULL));
		ASSERT_EQ(l.network, (int)n);
		ASSERT(n == NETWORK_SESSION ? str_eq(l.network_session, "other") : l.network_session == NULL);
		if (n != NETWORK_SESSION)
			ASSERT_STREQ(by_default[n], spec_networks[n]);
	}
	ASSERT_EQ(n, 4);
	ASSERT(by_default[NETWORK_SESSION] == NULL);
}

TEST(what_a_launch_says_wins_over_its_template)
{
	static const char *const words[] = { "own" };
	_template_ t = { 0 };
	_launch_ l = { .image = "mine", .command = words, .command_len = 1, .pids = 3 };

	strv_push(&l.env, "A=own");
	strv_push(&l.volumes, "/own:/v:ro");
	strv_push(&l.ports, "80:1");
	strv_push(&l.secrets, "s=own");
	decode("{\"image\": \"i\", \"command\": \"c\", \"user\": \"u\", \"environment\": {\"A\": \"1\", \"B\": \"2\"}, \"network\": \"private\", "
	       "\"volumes\": [\"/a:/v\", \"/b:/w\"], \"ports\": [\"80:2\", 81], \"limits\": {\"pids\": 9, \"memory\": \"1k\"}, "
	       "\"secrets\": {\"s\": {\"file\": \"f\"}, \"z\": {\"file\": \"g\"}}, \"readonly\": true}", &t);
	ASSERT_OK(launch_use_template(&l, &t, NULL));
	ASSERT_STREQ(l.image, "mine");
	ASSERT_STREQ(l.user, "u");
	ASSERT_STREQ(l.command[0], "own");
	ASSERT_EQ(l.pids, 3);
	ASSERT_EQ(l.memory_bytes, 1024);
	ASSERT_EQ(l.network, NETWORK_PRIVATE);
	ASSERT(l.has_network && l.read_only);
	assert_list(&l.env, "A=1|B=2|A=own|");
	assert_list(&l.volumes, "/b:/w|/own:/v:ro|");
	assert_list(&l.ports, "81|80:1|");
	assert_list(&l.secrets, "z=g|s=own|");
}

TEST(the_configuration_is_asked_last)
{
	_config_ c = { 0 };
	_template_ t = { 0 };
	_launch_ l = { .may_fall_back = true }, asked = { .has_network = true, .network = NETWORK_HOST,
	                                                  .record_bytes = 5 };

	ASSERT_OK(config_load("/nonexistent", no_variable, &c, NULL));
	launch_use_config(&l, &c);
	ASSERT_EQ(l.network, NETWORK_NONE);
	ASSERT_EQ(l.record_bytes, 64 << 20);
	ASSERT_EQ(l.restart_first_ms, 100);
	ASSERT_EQ(l.restart_longest_ms, 60000);
	ASSERT(l.engine == NULL && l.cpus == NULL && l.may_fall_back);
	free(c.values[OPTION_network_default].text);
	free(c.values[OPTION_engine].text);
	c.values[OPTION_network_default] = (struct config_value){ .text = xstrdup("private"),
	                                                          .number = NETWORK_PRIVATE };
	c.values[OPTION_engine] = (struct config_value){ .text = xstrdup("crun") };
	launch_use_config(&asked, &c);
	ASSERT_EQ(asked.network, NETWORK_HOST);
	ASSERT_EQ(asked.record_bytes, 5);
	launch_use_config(&l, &c);
	ASSERT_EQ(l.network, NETWORK_PRIVATE);
	ASSERT_STREQ(l.engine, "crun");
	ASSERT(!l.may_fall_back);                /* somebody chose it */
}

TEST(what_cannot_be_had_yet_is_refused)
{
	_template_ t = { 0 };
	_launch_ l = { 0 };
	_err_ err = ERR_INIT;

	decode("{\"gpu\": true}", &t);
	ASSERT_EQ(launch_use_template(&l, &t, &err), -95);
	ASSERT(strstr(err_msg(&err), "the template 't' asks for 'gpu'") != NULL);
}
