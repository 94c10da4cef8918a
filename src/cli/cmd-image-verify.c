#include "cli/image-parts.h"

struct options { int form; bool quiet; };

static const struct arg_option rows[] = {
	LISTING_OPTION(struct options, form),
	{ 'q', "quiet", NULL, "do not say how far it is", ARG_FLAG, offsetof(struct options, quiet) },
};

static int run(void *options, struct arg_words *words, struct err *err)
{
	const struct options *o = options;

	return image_parts_run(words, false, NULL, o->form, o->quiet, err);
}

const struct command cmd_image_verify = {
	.name = "image verify",
	.args = "[IMAGE...]",
	.summary = "check every byte of images, and of their unpacked layers",
	.details =
		"Blobs are compared with their digests, unpacked layers with the list that was made when they were unpacked: what is "
		"missing, changed or too many is named. Without an IMAGE all are checked. The exit code is 1 when something is damaged.\n"
		"\n"
		"Every start takes a short look at some files of each layer, and makes a layer anew that is damaged.",
	.examples = "pterm image verify\npterm image verify debian:12 -o json",
	.group = GROUP_IMAGES,
	.parser = { rows, array_len(rows), 0 },
	.options_size = sizeof(struct options),
	.max_words = ANY_WORDS,
	.completes = "names:images",
	.run = run,
};
