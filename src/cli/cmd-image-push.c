#include "cli/images.h"
#include "cli/progress.h"
#include "service/images-make.h"

struct options { struct remote_options remote; bool quiet; };

static const struct arg_option rows[] = {
	REMOTE_OPTIONS(struct options, remote),
	{ 'q', "quiet", NULL, "say nothing", ARG_FLAG, offsetof(struct options, quiet) },
};

static int run(void *options, struct arg_words *words, struct err *err)
{
	const struct options *o = options;
	const struct remote remote = images_remote(&o->remote);
	_house_ house = { 0 };
	int r = images_open(&house, o->quiet, err);

	if (r == 0)
		r = images_push(&house, words->items[0], words->len > 1 ? words->items[1] : NULL, &remote, err);
	progress_clear();
	return r;
}

const struct command cmd_image_push = {
	.name = "image push",
	.args = "IMAGE [NAME]",
	.summary = "send an image to a registry",
	.details = "Without a NAME it goes to the registry that the image's own name says.",
	.examples = "pterm image push tools registry.example.com/team/tools:1.5",
	.group = GROUP_IMAGES,
	.parser = { rows, array_len(rows), 0 },
	.options_size = sizeof(struct options),
	.min_words = 1,
	.max_words = 2,
	.completes = "names:images",
	.run = run,
};
