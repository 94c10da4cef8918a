#include "cli/each.h"

#include <errno.h>
#include <stdio.h>

static int one(const char *command, struct house *h, struct session *s, each_fn *fn, void *data)
{
	_err_ err = ERR_INIT;

	if (fn(h, s, data, &err) >= 0)
		return 0;
	fprintf(stderr, "pterm %s: %s\n", command, err_msg(&err));
	return EXIT_PTERM;
}

static int each_named(const char *command, struct house *h, const struct arg_words *words, bool any, each_fn *fn,
                      void *data)
{
	int code = 0;

	for (size_t i = 0; i < words->len; i++) {
		_session_ s = { 0 };
		_err_ err = ERR_INIT;

		if ((any ? session_find_any : session_find)(h, words->items[i], &s, &err) < 0) {
			fprintf(stderr, "pterm %s: %s\n", command, err_msg(&err));
			code = EXIT_PTERM;
		} else if (one(command, h, &s, fn, data) != 0) {
			code = EXIT_PTERM;
		}
	}
	return code;
}

static int each(const char *command, const struct arg_words *words, bool all, bool any, each_fn *fn, void *data,
                struct err *err)
{
	_house_ house = { 0 };
	_session_list_ list = { 0 };
	int r = house_open(&house, err), code = 0;

	if (r < 0)
		return r;
	if (!all && words->len == 0)
		return err_set(err, EINVAL, "bad-option", "which session? name one or more, or give --all");
	if (!all)
		return each_named(command, &house, words, any, fn, data);
	r = session_all(&house, &list, err);
	for (size_t i = 0; r == 0 && i < list.len; i++)
		if (!list.items[i].is_foreign && (any || !list.items[i].is_broken) &&
		    one(command, &house, &list.items[i], fn, data) != 0)
			code = EXIT_PTERM;
	return r < 0 ? r : code;
}

int each_session(const char *command, const struct arg_words *words, bool all, each_fn *fn, void *data, struct err *err)
{
	return each(command, words, all, false, fn, data, err);
}

int each_session_any(const char *command, const struct arg_words *words, bool all, each_fn *fn, void *data,
                     struct err *err)
{
	return each(command, words, all, true, fn, data, err);
}
