#include "cli/command.h"
#include "cli/settings.h"

#include "base/path.h"
#include "wire/home.h"

#include <fcntl.h>
#include <unistd.h>

/* One line: the file's name and "ok", or what is wrong. True: it is right. */
static bool check_one(const char *path, struct str *out)
{
	_err_ err = ERR_INIT;
	const bool ok = config_check(path, path, &err) == 0;
	_free_ char *shown = visible(ok ? path : err_msg(&err));

	str_addf(out, "%s%s\n", shown, ok ? ": ok" : "");
	return ok;
}

/* Nobody reads what was mistyped: say so. True: there is none. */
static bool check_variables(struct str *out)
{
	bool ok = true;

	for (char **e = environ; *e != NULL; e++) {
		_free_ char *name = xstrndup(*e, strcspn(*e, "=")), *shown = visible(name);
		const char *meant = config_meant_variable(name);

		if (meant == NULL)
			continue;
		str_addf(out, "%s: no option has this variable: did you mean %s?\n", shown, meant);
		ok = false;
	}
	return ok;
}

/* Every file that is there, of each environment, and then all of it as it holds now. */
static bool check_all(struct str *out)
{
	static const char *const names[] = { "config.json", "config.development.json", "config.staging.json",
	                                     "config.production.json" };
	_free_ char *home = home_find(NULL);
	_config_ c = { 0 };
	_err_ err = ERR_INIT;
	size_t found = 0;
	bool ok = true;

	for (size_t i = 0; i < array_len(names); i++) {
		_free_ char *path = path_join(home, names[i]);

		if (!path_exists(AT_FDCWD, path))
			continue;
		found++;
		ok &= check_one(path, out);
	}
	if (ok && config_load(home, config_getenv, &c, &err) < 0) {
		_free_ char *shown = visible(err_msg(&err));

		str_addf(out, "%s\n", shown);
		return false;
	}
	ok &= check_variables(out);
	if (found == 0)
		str_addf(out, "there is no config.json in %s: the defaults and the environment hold\n", home);
	return ok;
}

static int run(void *options, struct arg_words *words, struct err *err)
{
	_str_ out = STR_INIT;
	bool ok = true;
	int r;

	for (size_t i = 0; i < words->len; i++)
		ok &= check_one(words->items[i], &out);
	if (words->len == 0)
		ok = check_all(&out);
	r = command_print(&out, err);
	return r < 0 ? r : !ok;
}

const struct command cmd_config_check = {
	.name = "config check",
	.args = "[FILE...]",
	.summary = "check files of the configuration, or all of it",
	.details =
		"What is wrong is told with file, line, column, the key and what was expected, and the exit code is "
		"1. Without a FILE every file in $PTERM_HOME is checked, those of other environments too, and the "
		"variables.",
	.examples = "pterm config check new.json && mv new.json ~/.pachyterm/config.json",
	.group = GROUP_HOST,
	.max_words = ANY_WORDS,
	.completes = "file",
	.is_for_repair = true,
	.run = run,
};
