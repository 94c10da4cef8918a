#include "cli/command.h"
#include "service/volume.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static int run(void *options, struct arg_words *words, struct err *err)
{
	const char *from = words->len > 1 && !str_eq(words->items[1], "-") ? words->items[1] : NULL;
	_house_ house = { 0 };
	_fd_ file = -1;
	int r = house_open(&house, err);

	if (r < 0)
		return r;
	if (from == NULL && isatty(STDIN_FILENO))
		return err_set(err, EINVAL, "bad-option", "a tar archive is expected from stdin, which is a terminal: pipe it, or "
		               "name a file");
	if (from != NULL)
		file = open(from, O_RDONLY | O_CLOEXEC);
	if (from != NULL && file < 0)
		return err_set(err, errno, "import", "cannot read '%s': %m", from);
	r = volume_import(&house, words->items[0], file >= 0 ? file : STDIN_FILENO, err);
	if (r > 0)
		fprintf(stderr, "pterm volume import: left out %d special file%s (devices)\n", r, r == 1 ? "" : "s");
	return r < 0 ? r : 0;
}

const struct command cmd_volume_import = {
	.name = "volume import",
	.args = "NAME [FILE]",
	.summary = "put what is in a tar archive into a volume",
	.details =
		"From FILE, or from stdin; compressed by gzip, bzip2, xz, zstd, or not. The volume is made when it is not there; else "
		"the files are added to what it holds, and replace those of the same names. Owners are the numbers in the archive.",
	.examples = "pterm volume import dbdata dbdata.tar.zst",
	.group = GROUP_HOST,
	.min_words = 1, .max_words = 2,
	.completes = "names:volumes",
	.run = run,
};
