#include "cli/images.h"
#include "service/images-prune.h"

struct options { bool force; };

static const struct arg_option rows[] = {
	{ 'f', "force", NULL, "take away the name although a session uses the image, which stays for it", ARG_FLAG,
	  offsetof(struct options, force) },
};

static int run(void *options, struct arg_words *words, struct err *err)
{
	const struct options *o = options;
	_house_ house = { 0 };
	int r = house_open(&house, err);

	for (size_t i = 0; i < words->len && r == 0; i++) {
		_cleanup_(images_pruned_release) struct images_pruned report = { 0 };

		r = images_remove(&house, words->items[i], o->force, &report, err);
	}
	return r;
}

const struct command cmd_image_rm = {
	.name = "image rm",
	.args = "IMAGE...",
	.summary = "remove images, and what only they need",
	.details =
		"An image with several names loses this one. What a session uses is not removed, whether the session runs or not: remove "
		"that first.",
	.examples = "pterm image rm debian:11",
	.group = GROUP_IMAGES,
	.parser = { rows, array_len(rows), 0 },
	.options_size = sizeof(struct options),
	.min_words = 1,
	.max_words = ANY_WORDS,
	.completes = "names:images",
	.run = run,
};
