#include "cli/command.h"

const struct command cmd_image = {
	.name = "image",
	.summary = "images: fetch, make, list, check and remove them",
	.details =
		"Images are kept once, in an OCI image layout below pterm's store, and each of their layers is unpacked once for each "
		"kind of user and shared by all sessions. A session that names an image which is not here fetches it first.",
	.examples = "pterm image pull debian:12\npterm new --image debian:12\npterm image ls",
	.group = GROUP_IMAGES,
};
