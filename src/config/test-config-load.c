#include "config/config.h"

#include "base/fd.h"
#include "base/path.h"
#include "base/test.h"

#include <fcntl.h>
#include <stdlib.h>

/* A directory of its own, and the variables that a test sets. */
static struct strv variables;
static const char *variable(const char *name)
{
	for (size_t i = 0; i < variables.len; i++)
		if (strncmp(variables.items[i], name, strlen(name)) == 0 && variables.items[i][strlen(name)] == '=')
			return variables.items[i] + strlen(name) + 1;
	return NULL;
}

static char *make_dir(void)
{
	char *dir = xstrdup("/tmp/pterm-test-config.XXXXXX");

	ASSERT(mkdtemp(dir) != NULL);
	strv_release(&variables);
	return dir;
}

static void remove_dir(char **dir)
{
	(void)path_remove_tree(AT_FDCWD, *dir);
	free(*dir);
	strv_release(&variables);
}
#define _dir_ _cleanup_(remove_dir) char

static void write_config(const char *dir, const char *name, const char *text)
{
	_free_ char *path = path_join(dir, name);

	ASSERT_OK(file_write(AT_FDCWD, path, text, strlen(text), 0600));
}

/* A path in a message, without the directory. */
static const char *below(const char *dir, const char *message)
{
	ASSERT(str_starts(message, dir));
	return message + strlen(dir) + 1;
}

static void assert_bad(const char *text, const char *want)
{
	_dir_ *dir = make_dir();
	_config_ c = { 0 };
	_err_ err = ERR_INIT;

	write_config(dir, "config.json", text);
	ASSERT(config_load(dir, variable, &c, &err) < 0);
	ASSERT_STREQ(below(dir, err_msg(&err)), want);
	ASSERT(config_text(&c, OPTION_log_level) == NULL);
}

TEST(every_default_is_valid_and_every_key_once)
{
	_dir_ *dir = make_dir();
	_config_ c = { 0 };

	ASSERT_OK(config_load(dir, variable, &c, NULL));
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		/* set_value takes defaults on trust */
		if (config_options[i].fallback != NULL && (config_options[i].shape->type == SHAPE_STRING ||
		    config_options[i].shape->type == SHAPE_SIZE || config_options[i].shape->type == SHAPE_SPAN))
			ASSERT(shape_takes(config_options[i].shape, config_options[i].fallback));
		ASSERT_EQ(c.values[i].source, config_options[i].fallback ? SOURCE_DEFAULT : SOURCE_UNSET);
		ASSERT(str_starts(config_options[i].variable, "PTERM_"));
		for (size_t k = 0; k < i; k++)
			ASSERT(!str_eq(config_options[i].key, config_options[k].key) &&
			       !str_eq(config_options[i].variable, config_options[k].variable));
	}
	ASSERT_EQ(config_number(&c, OPTION_recording_size, 0), 64 << 20);
	ASSERT_EQ(config_number(&c, OPTION_gc_keep, -1), -1);
}

TEST(the_later_source_wins)
{
	_dir_ *dir = make_dir();
	_config_ c = { 0 };

	write_config(dir, "config.json", "{\n\t\"environment\": \"staging\",\n\t\"stop\": {\"timeout\": 1.5},\n"
	             "\t\"gc\": {\"keep\": 3, \"max_disk\": \"2g\"}, \"log\": {\"level\": \"info\"}\n}");
	write_config(dir, "config.staging.json", "{\"gc\": {\"keep\": 4}, \"recording\": {\"input\": true}}");
	write_config(dir, "config.production.json", "{\"gc\": {\"keep\": 5}}");
	strv_push(&variables, "PTERM_LOG=debug");
	ASSERT_OK(config_load(dir, variable, &c, NULL));
	ASSERT_EQ(config_number(&c, OPTION_stop_timeout, 0), 1500);
	ASSERT_STREQ(below(dir, c.values[OPTION_stop_timeout].origin), "config.json:3:22");
	ASSERT_EQ(config_number(&c, OPTION_gc_keep, 0), 4);
	ASSERT_STREQ(below(dir, c.values[OPTION_gc_keep].origin), "config.staging.json:1:17");
	ASSERT_EQ(config_number(&c, OPTION_recording_input, 0), 1);
	ASSERT_STREQ(config_text(&c, OPTION_log_level), "debug");
	ASSERT_STREQ(c.values[OPTION_log_level].origin, "PTERM_LOG");
	strv_push(&variables, "PTERM_ENV=production");
	ASSERT_OK(config_load(dir, variable, &c, NULL));
	ASSERT_EQ(config_number(&c, OPTION_gc_keep, 0), 5);
	ASSERT_EQ(config_number(&c, OPTION_recording_input, 0), 0);
}

TEST(errors_name_the_place_the_key_and_what_was_expected)
{
	assert_bad("{\n  \"gc\": {\n    \"kep\": 3 }}",
	           "config.json:3:5: unknown key 'gc.kep': did you mean 'keep'?");
	assert_bad("{\"recoding\": {}}", "config.json:1:2: unknown key 'recoding': did you mean 'recording'?");
	assert_bad("{\"xyzzy\": 1}", "config.json:1:2: unknown key 'xyzzy'");
	assert_bad("{\"gc\": {\"keep\": -1}}",
	           "config.json:1:17: 'gc.keep' must be a whole number of at least 0, not -1");
	assert_bad("{\"limits\": {\"memory\": \"lots\"}}",
	           "config.json:1:23: 'limits.memory' must be a size such as 512m or 2g, not 'lots'");
	assert_bad("{\"limits\": {\"memory\": \"0x10\"}}",
	           "config.json:1:23: 'limits.memory' must be a size such as 512m or 2g, not '0x10'");
	assert_bad("{\"stop\": {\"timeout\": \"10 s\"}}",
	           "config.json:1:22: 'stop.timeout' must be a span of time such as 10s, 5m or 7d, not '10 s'");
	assert_bad("{\"network\": \"none\"}", "config.json:1:13: 'network' must be an object, not 'none'");
	assert_bad("{\"network\": {\"default\": \"nat\"}}",
	           "config.json:1:25: 'network.default' must be one of none, private, host, not 'nat'");
	assert_bad("{\"limits\": {\"pids\": 5000000}}",
	           "config.json:1:21: 'limits.pids' must be a whole number from 0 to 4194304, not 5000000");
	assert_bad("{\"store\": \"relative\"}", "config.json:1:11: 'store' must be an absolute path, not 'relative'");
	assert_bad("[]", "config.json:1:1: it must be an object, not a list");
	assert_bad("{\"gc\": null}", "config.json:1:8: 'gc' must be an object, not null");
}

TEST(an_environment_file_cannot_choose_the_environment)
{
	_dir_ *dir = make_dir();
	_config_ c = { 0 };
	_err_ err = ERR_INIT;

	write_config(dir, "config.staging.json", "{\"environment\": \"production\"}");
	strv_push(&variables, "PTERM_ENV=staging");
	ASSERT(config_load(dir, variable, &c, &err) < 0);
	ASSERT(strstr(err_msg(&err), "config.staging.json:1:2: 'environment' chooses this file") != NULL);
}

TEST(a_bad_variable_is_named)
{
	static const struct { const char *variable, *want; } t[] = {
		{ "PTERM_ENV=prod",
		  "PTERM_ENV: 'environment' must be one of development, staging, production, not 'prod'" },
		{ "PTERM_RECORDING_INPUT=maybe",
		  "PTERM_RECORDING_INPUT: 'recording.input' must be true or false, not 'maybe'" },
		{ "PTERM_LIMITS_CPUS=nan",
		  "PTERM_LIMITS_CPUS: 'limits.cpus' must be a number from 0 to 100000, not 'nan'" },
		{ "PTERM_GC_KEEP=1x", "PTERM_GC_KEEP: 'gc.keep' must be a whole number of at least 0, not '1x'" },
		{ "PTERM_STORE=\033[2J", "PTERM_STORE: 'store' must be an absolute path, not '\\e[2J'" },
	};

	for (size_t i = 0; i < array_len(t); i++) {
		_dir_ *dir = make_dir();
		_config_ c = { 0 };
		_err_ err = ERR_INIT;

		strv_push(&variables, t[i].variable);
		ASSERT(config_load(dir, variable, &c, &err) < 0);
		ASSERT_STREQ(err_msg(&err), t[i].want);
	}
}

TEST(what_was_loaded_stays_when_the_next_is_bad)
{
	_dir_ *dir = make_dir();
	_config_ c = { 0 };

	write_config(dir, "config.json", "{\"gc\": {\"keep\": 7}}");
	ASSERT_OK(config_load(dir, variable, &c, NULL));
	write_config(dir, "config.json", "{\"gc\": {\"keep\": ");
	ASSERT(config_load(dir, variable, &c, NULL) < 0);
	ASSERT_EQ(config_number(&c, OPTION_gc_keep, 0), 7);
}

TEST(the_schema_and_the_reference_tell_about_every_option)
{
	_str_ schema = STR_INIT, reference = STR_INIT;

	config_schema(&schema);
	config_reference(&reference);
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		const char *dot = strchr(config_options[i].key, '.');
		_free_ char *key = xasprintf("\"%s\":{\"description\"", dot ? dot + 1 : config_options[i].key);
		_free_ char *row = xasprintf("| `%s` | `%s` |", config_options[i].key, config_options[i].variable);

		ASSERT(strstr(schema.buf, key) != NULL);
		ASSERT(strstr(reference.buf, row) != NULL);
	}
}
