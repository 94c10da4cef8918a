#include "cli/command.h"

#include "base/path.h"
#include "service/describe.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static int remove_one(const struct templates *t, const char *name, struct err *err)
{
	_free_ char *own = xasprintf("%s/%s.json", t->own, name);
	_free_ char *shipped = xasprintf("%s/%s.json", t->shipped, name);

	if (template_name_check(name, err) < 0)
		return -err->no;
	if (unlink(own) == 0)
		return 0;
	if (errno != ENOENT)
		return err_set(err, errno, "template", "cannot remove '%s': %m", own);
	if (path_exists(AT_FDCWD, shipped))
		return err_set(err, EPERM, "template",
		               "the template '%s' came with pterm and cannot be removed: one of yours with this "
		               "name is used instead", name);
	return err_set(err, ENOENT, "no-such-template",
	               "there is no template '%s': pterm template ls shows what there is", name);
}

static int run(void *options, struct arg_words *words, struct err *err)
{
	_cleanup_(house_close) struct house house;
	_templates_ t = { 0 };
	int r = 0;

	house_find(&house);
	templates_of(&house, &t);
	for (size_t i = 0; i < words->len && r == 0; i++)
		r = remove_one(&t, words->items[i], err);
	return r;
}

const struct command cmd_template_rm = {
	.name = "template rm",
	.args = "NAME...",
	.summary = "remove templates of yours",
	.details = "Sessions that were made from them stay as they are.",
	.group = GROUP_SESSIONS,
	.min_words = 1, .max_words = ANY_WORDS,
	.completes = "names:templates",
	.run = run,
};
