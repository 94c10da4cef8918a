#include "cli/images.h"

const struct command cmd_image_pull = {
	.name = "image pull",
	.args = "IMAGE...",
	.summary = "fetch images from their registries",
	.details = PULL_DETAILS,
	.examples = "pterm image pull debian:12\npterm image pull --tls-verify=false localhost:5000/tools # a registry without TLS",
	.group = GROUP_IMAGES,
	.parser = { pull_rows, PULL_ROWS, 0 },
	.options_size = sizeof(struct pull_options),
	.min_words = 1,
	.max_words = ANY_WORDS,
	.completes = "names:images",
	.run = images_run_pull,
};
