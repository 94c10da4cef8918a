#include "cli/images.h"
#include "service/images-make.h"

static int run(void *options, struct arg_words *words, struct err *err)
{
	_house_ house = { 0 };
	const int r = house_open(&house, err);

	return r < 0 ? r : images_tag(&house, words->items[0], words->items[1], err);
}

const struct command cmd_image_tag = {
	.name = "image tag",
	.args = "IMAGE NAME",
	.summary = "give an image one more name",
	.examples = "pterm image tag debian:12 base",
	.group = GROUP_IMAGES,
	.min_words = 2,
	.max_words = 2,
	.completes = "names:images",
	.run = run,
};
