#include "cli/images.h"
#include "service/images-make.h"

struct options { int kind; };

static const struct arg_option rows[] = {
	{ 0, "format", "KIND", "oci-archive (the default), docker-archive or oci (a directory)", ARG_CHOICE,
	  offsetof(struct options, kind), .choices = export_kinds },
};

static int run(void *options, struct arg_words *words, struct err *err)
{
	const struct options *o = options;
	_house_ house = { 0 };
	const int r = house_open(&house, err);

	return r < 0 ? r : images_export(&house, words->items[0], words->items[1], o->kind, err);
}

const struct command cmd_image_export = {
	.name = "image export",
	.args = "IMAGE FILE",
	.summary = "write an image to a file",
	.details = "The file can be taken in again with pterm image import, and by docker load or podman load.",
	.examples = "pterm image export debian:12 debian.tar",
	.group = GROUP_IMAGES,
	.parser = { rows, array_len(rows), 0 },
	.options_size = sizeof(struct options),
	.min_words = 2,
	.max_words = 2,
	.completes = "names:images",
	.run = run,
};
