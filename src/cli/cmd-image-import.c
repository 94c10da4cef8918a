#include "cli/images.h"

#include <errno.h>

struct options { int kind; const char *which; bool quiet; };

static const struct arg_option rows[] = {
	{ 0, "format", "KIND", "auto (the default), oci, oci-archive, docker-archive or rootfs", ARG_CHOICE,
	  offsetof(struct options, kind), .choices = import_kinds },
	{ 0, "which", "NAME", "of several images in it, the one that it calls so", ARG_STR, offsetof(struct options, which) },
	{ 'q', "quiet", NULL, "say nothing but the image", ARG_FLAG, offsetof(struct options, quiet) },
};

static int run(void *options, struct arg_words *words, struct err *err)
{
	const struct options *o = options;
	struct oci_descriptor d = { 0 };
	_house_ house = { 0 };
	int r = images_open(&house, o->quiet, err);

	if (r == 0)
		r = images_import(&house, words->items[0], words->len > 1 ? words->items[1] : NULL, o->kind, o->which, &d, err);
	if (r == 0)
		r = images_print(&d, err);
	oci_descriptor_release(&d);
	return r;
}

const struct command cmd_image_import = {
	.name = "image import",
	.args = "FILE|DIR [NAME]",
	.summary = "take an image from a file or directory",
	.details =
		"Understood are an OCI image layout (a directory, or a tar of one), what docker save and podman save write, and the tar "
		"of a root file system, plain or compressed with gzip or zstd, as debootstrap, mmdebstrap and docker export make it. "
		"Without a NAME it gets the one that it has there, or else the file's.",
	.examples =
		"pterm image import rootfs.tar my-system\n"
		"pterm image import --which tools:2 saved.tar # one of several\n",
	.group = GROUP_IMAGES,
	.parser = { rows, array_len(rows), 0 },
	.options_size = sizeof(struct options),
	.min_words = 1,
	.max_words = 2,
	.completes = "file",
	.run = run,
};
