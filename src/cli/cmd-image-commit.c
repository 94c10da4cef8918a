#include "cli/images.h"

#include "service/images-make.h"

#include <errno.h>

struct options { const char *message, *user, *workdir, *entrypoint; struct strv env, cmd; bool quiet; };

static const struct arg_option rows[] = {
	{ 'm', "message", "TEXT", "a comment for pterm image history", ARG_STR, offsetof(struct options, message) },
	{ 'u', "user", "USER", "who a session of it runs as", ARG_STR, offsetof(struct options, user) },
	{ 'w', "workdir", "DIR", "where its command starts", ARG_STR, offsetof(struct options, workdir) },
	{ 'e', "env", "KEY=VALUE", "a variable of its", ARG_STRV, offsetof(struct options, env) },
	{ 0, "entrypoint", "PROGRAM", "its entry point; empty: none", ARG_STR, offsetof(struct options, entrypoint) },
	{ 'q', "quiet", NULL, "say nothing but the image", ARG_FLAG, offsetof(struct options, quiet) },
};

static int run(void *options, struct arg_words *words, struct err *err)
{
	const struct options *o = options;
	struct images_changes changes = { .user = o->user, .workdir = o->workdir, .message = o->message, .env = o->env,
	                                  .has_entrypoint = o->entrypoint != NULL, .has_cmd = words->has_dashes };
	struct oci_descriptor d = { 0 };
	_house_ house = { 0 };
	int r;

	if (words->before_dashes != 2)
		return err_set(err, EINVAL, "usage", "say which session, and what the image is to be called: pterm image commit SESSION NAME");
	r = images_open(&house, o->quiet, err);
	if (o->entrypoint != NULL && *o->entrypoint != '\0')
		strv_push(&changes.entrypoint, o->entrypoint);
	for (size_t i = words->before_dashes; i < words->len; i++)
		strv_push(&changes.cmd, words->items[i]);
	if (r == 0)
		r = images_commit(&house, words->items[0], words->items[1], &changes, &d, err);
	if (r == 0)
		r = images_print(&d, err);
	oci_descriptor_release(&d);
	strv_release(&changes.entrypoint);
	strv_release(&changes.cmd);
	return r;
}

const struct command cmd_image_commit = {
	.name = "image commit",
	.args = "SESSION NAME [-- COMMAND...]",
	.summary = "make an image of what a session has written",
	.details =
		"The new image is the session's image and one more layer, with the files that the session has made, changed and removed. "
		"Volumes are no part of it. With a COMMAND that is what a session of the new image runs.",
	.examples = "pterm image commit work my-tools\npterm image commit -m 'with vim' -e EDITOR=vim work my-tools -- bash",
	.group = GROUP_IMAGES,
	.parser = { rows, array_len(rows), 0 },
	.options_size = sizeof(struct options),
	.min_words = 2,
	.max_words = ANY_WORDS,
	.completes = "session",
	.run = run,
};
