#include "cli/images.h"

#include "base/units.h"
#include "service/images-prune.h"

struct options { bool all, dry_run; };

static const struct arg_option rows[] = {
	{ 'a', "all", NULL, "also every image that no session uses", ARG_FLAG, offsetof(struct options, all) },
	{ 'n', "dry-run", NULL, "only say what would be done", ARG_FLAG, offsetof(struct options, dry_run) },
};

static int run(void *options, struct arg_words *words, struct err *err)
{
	const struct options *o = options;
	_cleanup_(images_pruned_release) struct images_pruned report = { 0 };
	_house_ house = { 0 };
	_str_ out = STR_INIT;
	int r = house_open(&house, err);

	if (r == 0)
		r = images_prune(&house, o->all, o->dry_run, &report, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < report.images.len; i++)
		str_addf(&out, "%s %s\n", o->dry_run ? "would remove" : "removed", report.images.items[i]);
	str_addf(&out, "%zu images, %zu unpacked layers, %zu blobs, ", report.images.len, report.layers, report.blobs);
	str_add_size(&out, report.bytes);
	str_addf(&out, "%s\n", o->dry_run ? " would be freed" : " freed");
	return command_print(&out, err);
}

const struct command cmd_image_prune = {
	.name = "image prune",
	.args = "",
	.summary = "remove what no image and no session needs",
	.details =
		"That is images without a name, layers and blobs of no image, and what pulls left that were cut short. With --all it is "
		"also every image that no session uses, and the unpacked layers of tars that were named with --image.",
	.examples = "pterm image prune --all --dry-run",
	.group = GROUP_IMAGES,
	.parser = { rows, array_len(rows), 0 },
	.options_size = sizeof(struct options),
	.run = run,
};
