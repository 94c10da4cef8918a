#include "cli/command.h"
#include "service/volume.h"

#include <errno.h>
#include <stdio.h>

struct options { const char *owner; };

static const struct arg_option rows[] = {
	{ 0, "owner", "SESSION", "only the session of this name may use it", ARG_STR, offsetof(struct options, owner) },
};

static int run(void *options, struct arg_words *words, struct err *err)
{
	const struct options *o = options;
	_house_ house = { 0 };
	int r = 0;

	if (o->owner != NULL)
		r = name_check(o->owner, err);
	if (r == 0)
		r = house_open(&house, err);
	for (size_t i = 0; i < words->len && r == 0; i++)
		r = volume_create(&house, words->items[i], o->owner, err);
	return r;
}

const struct command cmd_volume_create = {
	.name = "volume create",
	.args = "NAME...",
	.summary = "make an empty volume",
	.details =
		"With --owner only a session of that name may use it: one that there is, or one that is still to be made. It stays "
		"when that session goes, and is there again for the next of that name.",
	.examples = "pterm volume create --owner db dbdata",
	.group = GROUP_HOST,
	.parser = { rows, array_len(rows), 0 },
	.options_size = sizeof(struct options),
	.min_words = 1, .max_words = ANY_WORDS,
	.run = run,
};
