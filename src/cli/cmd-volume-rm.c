#include "cli/command.h"
#include "service/volume.h"

#include <stdio.h>

static int run(void *options, struct arg_words *words, struct err *err)
{
	_house_ house = { 0 };
	int worst = house_open(&house, err);

	if (worst < 0)
		return worst;
	for (size_t i = 0; i < words->len; i++) {
		_err_ why = ERR_INIT;

		if (volume_remove(&house, words->items[i], &why) < 0) {
			fprintf(stderr, "pterm volume rm: %s\n", err_msg(&why));
			worst = EXIT_PTERM;
		}
	}
	return worst;
}

const struct command cmd_volume_rm = {
	.name = "volume rm",
	.args = "NAME...",
	.summary = "remove volumes, with all their files",
	.details = "One that a session uses, running or not, is not removed: remove that session first.",
	.group = GROUP_HOST,
	.min_words = 1, .max_words = ANY_WORDS,
	.completes = "names:volumes",
	.run = run,
};
