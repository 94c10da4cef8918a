#include "cli/command.h"
#include "service/volume.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

struct options { const char *output; };

static const struct arg_option rows[] = {
	{ 'o', "output", "FILE", "write there instead of stdout", ARG_STR, offsetof(struct options, output) },
};

static int run(void *options, struct arg_words *words, struct err *err)
{
	const struct options *o = options;
	_house_ house = { 0 };
	_volume_ volume = { 0 };
	_fd_ file = -1;
	struct stat st;
	int r = house_open(&house, err);

	if (r == 0)
		r = volume_find(&house, words->items[0], &volume, err);
	if (r < 0)
		return r;
	if (o->output == NULL && isatty(STDOUT_FILENO))
		return err_set(err, EINVAL, "bad-option", "a tar archive is no sight for a terminal: pipe it, or name a file (-o)");
	if (o->output != NULL)
		file = open(o->output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (o->output != NULL && file < 0)
		return err_set(err, errno, "export", "cannot write '%s': %m", o->output);
	r = volume_export(&house, volume.name, file >= 0 ? file : STDOUT_FILENO, err);
	if (r > 0)
		fprintf(stderr, "pterm volume export: left out %d special file%s (devices, sockets)\n", r, r == 1 ? "" : "s");
	if (r < 0 && file >= 0 && fstat(file, &st) == 0 && S_ISREG(st.st_mode))  /* a device stays */
		(void)unlink(o->output);
	return r < 0 ? r : 0;
}

const struct command cmd_volume_export = {
	.name = "volume export",
	.args = "NAME",
	.summary = "write what is in a volume as a tar archive",
	.details =
		"Owners are the numbers that containers see. What sessions write meanwhile may be in it or not: stop them where that "
		"matters.",
	.examples = "pterm volume export dbdata | zstd >dbdata.tar.zst",
	.group = GROUP_HOST,
	.parser = { rows, array_len(rows), 0 },
	.options_size = sizeof(struct options),
	.min_words = 1, .max_words = 1,
	.completes = "names:volumes",
	.run = run,
};
