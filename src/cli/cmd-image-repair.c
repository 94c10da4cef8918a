#include "cli/image-parts.h"

struct options { int form; struct remote_options remote; bool quiet; };

static const struct arg_option rows[] = {
	LISTING_OPTION(struct options, form),
	REMOTE_OPTIONS(struct options, remote),
	{ 'q', "quiet", NULL, "do not say how far it is", ARG_FLAG, offsetof(struct options, quiet) },
};

static int run(void *options, struct arg_words *words, struct err *err)
{
	const struct options *o = options;
	const struct remote remote = images_remote(&o->remote);

	return image_parts_run(words, true, &remote, o->form, o->quiet, err);
}

const struct command cmd_image_repair = {
	.name = "image repair",
	.args = "[IMAGE...]",
	.summary = "make anew what pterm image verify finds damaged",
	.details =
		"A layer is unpacked again from its blob; a blob is fetched again from where the image was pulled. Sessions that run keep "
		"the files that they have. The exit code is 1 when something could not be mended.",
	.examples = "pterm image repair debian:12",
	.group = GROUP_IMAGES,
	.parser = { rows, array_len(rows), 0 },
	.options_size = sizeof(struct options),
	.max_words = ANY_WORDS,
	.completes = "names:images",
	.run = run,
};
