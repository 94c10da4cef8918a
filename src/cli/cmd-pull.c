#include "cli/images.h"

const struct command cmd_pull = {
	.name = "pull",
	.args = "IMAGE...",
	.summary = "fetch images from their registries: the same as pterm image pull",
	.details = PULL_DETAILS,
	.examples = "pterm pull debian:12\npterm pull registry.example.com/team/tools:1.4",
	.group = GROUP_IMAGES,
	.parser = { pull_rows, PULL_ROWS, 0 },
	.options_size = sizeof(struct pull_options),
	.min_words = 1,
	.max_words = ANY_WORDS,
	.completes = "names:images",
	.run = images_run_pull,
};
