/*
 * The editor works on a copy beside the template. What is there when it ends is checked and renamed into place; what is wrong
 * stays in the copy, and the template as it was.
 */
#include "cli/command.h"

#include "base/child.h"
#include "base/fd.h"
#include "base/path.h"
#include "config/words.h"
#include "service/describe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const char skeleton[] =
	"{\n"
	"  \"description\": \"\",\n"
	"  \"command\": \"/bin/sh\",\n"
	"  \"environment\": {},\n"
	"  \"volumes\": []\n"
	"}\n";

/* $VISUAL, $EDITOR or vi, as words: "code --wait" is two. */
static int find_editor(struct strv *ret, struct err *err)
{
	const char *given = getenv("VISUAL") ? getenv("VISUAL") : getenv("EDITOR");
	int r = words_split(given != NULL && *given != '\0' ? given : "vi", ret, err);

	if (r == 0 && ret->len == 0)
		r = err_set(err, EINVAL, "editor", "VISUAL and EDITOR name no program");
	return r < 0 ? err_wrap(err, "VISUAL or EDITOR") : 0;
}

static int run_editor(const char *path, struct err *err)
{
	_strv_ argv = { 0 };
	struct child c = { 0 };
	pid_t pid;
	int r = find_editor(&argv, err), status;

	if (r < 0)
		return r;
	strv_push(&argv, path);
	c.argv = (const char *const *)argv.items;
	r = child_start(&c, &pid, err);
	if (r < 0)
		return r;
	status = child_wait(pid);
	return status == 0 ? 0 : err_set(err, ECANCELED, "editor",
	                                 "'%s' ended with exit code %d: nothing was changed",
	                                 argv.items[0], child_exit_code(status));
}

/* The copy: what an earlier edit left, the template, or a beginning of one. 0 or -errno. */
static int prepare(const struct templates *t, const char *name, const char *copy, struct err *err)
{
	_free_ char *path = NULL;
	_str_ text = STR_INIT;
	int r;

	if (path_exists(AT_FDCWD, copy)) {
		fprintf(stderr, "pterm template edit: going on with what the last edit left in %s\n", copy);
		return 0;
	}
	path = template_find(&t->dirs, name, NULL);
	if (path == NULL)
		str_adds(&text, skeleton);
	r = path ? file_read(AT_FDCWD, path, JSON_TEXT_MAX, &text) : 0;
	if (r < 0)
		return err_set(err, -r, "template", "cannot read '%s': %m", path);
	r = file_write(AT_FDCWD, copy, text.buf, text.len, 0600);
	return r < 0 ? err_set(err, -r, "template", "cannot write '%s': %m", copy) : 0;
}

static int put_in_place(const struct templates *t, const char *name, const char *copy, struct err *err)
{
	_free_ char *path = xasprintf("%s/%s.json", t->own, name);
	_json_tree_ *tree = template_read(&t->dirs, copy, NULL, err);

	if (tree == NULL)
		return err_wrap(err,
		                "the template is as it was, and what you wrote stays in that file until the next edit");
	return rename(copy, path) == 0 ? 0 : err_set(err, errno, "template", "cannot write '%s': %m", path);
}

static int run(void *options, struct arg_words *words, struct err *err)
{
	const char *name = words->items[0];
	_house_ house = { 0 };
	_templates_ t = { 0 };
	_free_ char *copy = NULL;
	int r;

	if (template_name_check(name, err) < 0)
		return -err->no;
	r = house_open(&house, err);
	if (r < 0)
		return r;
	templates_of(&house, &t);
	r = path_mkdirs(t.own, 0700);
	if (r < 0)
		return err_set(err, -r, "template", "cannot make '%s': %m", t.own);
	copy = xasprintf("%s/.edit-%s.json", t.own, name);
	r = prepare(&t, name, copy, err);
	if (r == 0)
		r = run_editor(copy, err);
	return r < 0 ? r : put_in_place(&t, name, copy, err);
}

const struct command cmd_template_edit = {
	.name = "template edit",
	.args = "NAME",
	.summary = "make a template, or change one, in your editor",
	.details =
		"The editor is VISUAL, else EDITOR, else vi. When it ends the template is checked; one that is "
		"wrong does not take the place of the old one, and the next edit goes on with it. Of a template "
		"that came with pterm a copy of yours is made.",
	.group = GROUP_SESSIONS,
	.min_words = 1, .max_words = 1,
	.completes = "names:templates",
	.run = run,
};
