/*
 * pterm with another table of commands: one of every shape, so that parsing, errors, help, manual pages and completion are
 * tested for all that a row can say. $MADE_UP_SESSIONS is what its `ls -o json` prints.
 */
#include "cli/command.h"
#include "cli/listing.h"

#include <errno.h>
#include <stdio.h>

struct all { bool flag; const char *file, *dir, *text; struct strv env; uint64_t count, size; int choice, form; };

static const char *const choices[] = { "no", "on-failure", "always", NULL };
static const struct arg_option all_options[] = {
	{ 'f', "flag", NULL, "a flag [in brackets]: it's here", ARG_FLAG, offsetof(struct all, flag) },
	{ 'h', "hostname", "NAME", "takes the letter of --help", ARG_STR, offsetof(struct all, text) },
	{ 0, "env-file", "FILE", "a file", ARG_STR, offsetof(struct all, file) },
	{ 'w', "workdir", "DIR", "a directory, with a help text that is so long that it has to be wrapped at the end of a "
	  "line and goes on below", ARG_STR, offsetof(struct all, dir) },
	{ 'e', "env", "KEY=VALUE", "several", ARG_STRV, offsetof(struct all, env) },
	{ 0, "count", "N", "a number", ARG_UINT, offsetof(struct all, count), .min = 1, .max = 9 },
	{ 0, "an-option-with-a-long-name", "SIZE", "a size", ARG_SIZE, offsetof(struct all, size) },
	{ 0, "restart", "POLICY", "no, on-failure or always", ARG_CHOICE, offsetof(struct all, choice), .choices = choices },
};

/* Prints what it was given, one a line. */
static int all_run(void *options, struct arg_words *words, struct err *err)
{
	const struct all *o = options;
	_str_ out = STR_INIT;

	str_addf(&out, "flag=%d hostname=%s restart=%s\n", o->flag, o->text ? o->text : "", choices[o->choice]);
	for (size_t i = 0; i < o->env.len; i++)
		str_addf(&out, "env %s\n", o->env.items[i]);
	for (size_t i = 0; i < words->len; i++)
		str_addf(&out, "word %s\n", words->items[i]);
	return command_print(&out, err);
}

static int fail_run(void *options, struct arg_words *words, struct err *err)
{
	if (words->len > 0 && str_eq(words->items[0], "bare"))
		return -ENOENT;
	return err_set(err, EIO, "made-up", "it \033[2Jfailed\nbadly: %m");
}

static int exit_run(void *options, struct arg_words *words, struct err *err)
{
	printf("by stdio\n");
	return atoi(words->items[0]);
}

static const struct arg_option ls_options[] = {
	LISTING_OPTION(struct all, form),
};

static int ls_run(void *options, struct arg_words *words, struct err *err)
{
	const struct all *o = options;
	const char *json = getenv("MADE_UP_SESSIONS");
	_str_ out = STR_INIT;

	if (json == NULL)
		return err_set(err, EIO, "made-up", "there is no list");
	str_adds(&out, json);
	return listing_print(o->form, &out, err);
}

static const struct command cmd_new = {
	.name = "new", .args = "[-- COMMAND...]", .summary = "start a session", .details = "One paragraph.\n\nAnother with a"
	" back\\slash, and some more words so that the line has to be wrapped somewhere.\n\n  kept as   it\n  .stands\n\n.dotted",
	.examples = "pterm new -f # with a flag\npterm new # a remark that is much too long to stand beside its command in "
	"eighty columns, so it stands above\npterm new -- sh",
	.parser = { all_options, array_len(all_options) }, .options_size = sizeof(struct all), .max_words = ANY_WORDS,
	.run = all_run,
};
static const struct command cmd_exec = {
	.name = "exec", .args = "SESSION COMMAND...", .summary = "run a command in a session",
	.parser = { all_options, array_len(all_options), 1 }, .options_size = sizeof(struct all), .min_words = 2,
	.max_words = ANY_WORDS, .completes = "session", .run = all_run,
};
static const struct command cmd_attach = {
	.name = "attach", .args = "SESSION", .summary = "connect this terminal to a session", .min_words = 1, .max_words = 1,
	.completes = "session", .run = all_run, .options_size = sizeof(struct all),
};
static const struct command cmd_rm = {
	.name = "rm", .args = "SESSION...", .summary = "remove sessions", .min_words = 1, .max_words = ANY_WORDS,
	.completes = "session?", .run = all_run, .options_size = sizeof(struct all),
};
static const struct command cmd_cp = {
	.name = "cp", .args = "FROM TO", .summary = "copy files in or out", .min_words = 2, .max_words = 2,
	.completes = "session:", .run = all_run, .options_size = sizeof(struct all),
};
static const struct command cmd_load = {
	.name = "load", .args = "FILE", .summary = "read a file", .max_words = 1, .completes = "file", .run = all_run,
	.options_size = sizeof(struct all), .group = GROUP_LOOK,
};
static const struct command cmd_ls = {
	.name = "ls", .summary = "list sessions", .parser = { ls_options, array_len(ls_options) },
	.options_size = sizeof(struct all), .run = ls_run, .group = GROUP_LOOK,
};
static const struct command cmd_fail = {
	.name = "fail", .args = "[bare]", .summary = "fail", .max_words = 1, .run = fail_run, .completes = "bare|other",
};
static const struct command cmd_exit = {
	.name = "exit", .args = "CODE", .summary = "print by stdio and exit", .min_words = 1, .max_words = 1, .run = exit_run,
};
static const struct command cmd_image = {
	.name = "image", .summary = "keep images", .details = "What a group is about.", .group = GROUP_LOOK,
	.examples = "pterm image pull x # get one",
};
static const struct command cmd_image_pull = {
	.name = "image pull", .args = "IMAGE", .summary = "get an image", .min_words = 1, .max_words = 1,
	.details = "Of a command in a group.", .examples = "pterm image pull y # another", .completes = "names:templates",
	.parser = { all_options, array_len(all_options) }, .options_size = sizeof(struct all), .run = all_run,
};
static const struct command cmd_image_ls = {
	.name = "image ls", .summary = "list images", .run = ls_run, .parser = { ls_options, array_len(ls_options) },
	.options_size = sizeof(struct all),
};
/* What completion asks for names of templates. */
static int names_run(void *options, struct arg_words *words, struct err *err)
{
	printf("first\n$(touch evil)\nsecond\n");
	return 0;
}
static const struct command cmd_template = {
	.name = "template", .summary = "keep templates", .group = GROUP_LOOK,
};
static const struct arg_option quiet_options[] = {
	{ 'q', "quiet", NULL, "only names", ARG_FLAG, offsetof(struct all, flag) },
};
static const struct command cmd_template_ls = {
	.name = "template ls", .summary = "list templates", .run = names_run,
	.parser = { quiet_options, array_len(quiet_options) }, .options_size = sizeof(struct all),
};

extern const struct command cmd_help, cmd_completion, cmd_complete, cmd_man;
const struct command *const commands[] = {
	&cmd_new, &cmd_exec, &cmd_attach, &cmd_rm, &cmd_cp, &cmd_load, &cmd_ls, &cmd_fail, &cmd_exit,
	&cmd_image, &cmd_image_pull, &cmd_image_ls, &cmd_template, &cmd_template_ls,
	&cmd_help, &cmd_completion, &cmd_complete, &cmd_man, NULL
};

int main(int argc, char **argv)
{
	return command_main(argc, argv);
}
