#include "cli/images.h"

#include "service/images-build.h"

#include <errno.h>

struct options { const char *file, *name, *target; struct strv args; };

static const struct arg_option rows[] = {
	{ 't', "tag", "NAME", "what the image is called", ARG_STR, offsetof(struct options, name) },
	{ 'f', "file", "FILE", "the Containerfile (Containerfile or Dockerfile in DIR)", ARG_STR, offsetof(struct options, file) },
	{ 0, "build-arg", "KEY=VALUE", "for ARG in the Containerfile", ARG_STRV, offsetof(struct options, args) },
	{ 0, "target", "STAGE", "the stage to stop at", ARG_STR, offsetof(struct options, target) },
};

static int run(void *options, struct arg_words *words, struct err *err)
{
	const struct options *o = options;
	struct images_build what = { .context = words->len > 0 ? words->items[0] : ".", .file = o->file, .name = o->name,
	                             .args = o->args, .target = o->target };
	struct oci_descriptor d = { 0 };
	_house_ house = { 0 };
	int r;

	if (o->name == NULL)
		return err_set(err, EINVAL, "usage", "say what the image is to be called: -t NAME");
	r = images_open(&house, false, err);
	if (r == 0)
		r = images_build(&house, &what, &d, err);
	if (r == 0)
		r = images_print(&d, err);
	oci_descriptor_release(&d);
	return r;
}

const struct command cmd_image_build = {
	.name = "image build",
	.args = "[DIR]",
	.summary = "build an image from a Containerfile",
	.details =
		"buildah builds it, in a user namespace with the ids of your sessions: also for root nothing of the build is root on this "
		"host. What FROM names is taken from pterm's store or pulled into it, as images/policy.json asks. DIR is what COPY and ADD "
		"take files from, the current directory unless it is given.\n"
		"\n"
		"pterm image update builds it again when a base has moved.",
	.examples = "pterm image build -t tools .\npterm image build -t tools -f tools.Containerfile --build-arg VERSION=2 .",
	.group = GROUP_IMAGES,
	.parser = { rows, array_len(rows), 0 },
	.options_size = sizeof(struct options),
	.max_words = 1,
	.completes = "file",
	.run = run,
};
