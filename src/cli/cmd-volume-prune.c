#include "cli/command.h"
#include "service/volume.h"

#include "base/units.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

struct options { bool force, owned; };

static const struct arg_option rows[] = {
	{ 'f', "force", NULL, "remove them: without it they are only named", ARG_FLAG, offsetof(struct options, force) },
	{ 0, "owned", NULL, "also those that were made for one session", ARG_FLAG, offsetof(struct options, owned) },
};

struct sum { uint64_t bytes; size_t count; bool failed; };

/* 0, or -errno: see @err. */
static int prune(const struct house *h, const struct options *o, const struct volume *v, struct str *out,
                 struct sum *sum, struct err *err)
{
	_volume_users_ users = { 0 };
	uint64_t bytes = 0;
	int r = volume_users(h, v->name, &users, err);

	if (r < 0 || users.len > 0 || (v->owner != NULL && !o->owned))
		return r;
	r = volume_size(h, v->name, &bytes, err);
	if (r == 0 && o->force)
		r = volume_remove(h, v->name, err);
	if (r == -ENOENT || r == -EBUSY)                 /* others were faster */
		return 0;
	if (r < 0)
		return r;
	str_addf(out, "%s\n", v->name);
	sum->bytes += bytes;
	sum->count++;
	return 0;
}

static int run(void *options, struct arg_words *words, struct err *err)
{
	const struct options *o = options;
	_house_ house = { 0 };
	_volume_list_ all = { 0 };
	_str_ out = STR_INIT, size = STR_INIT;
	struct sum sum = { 0 };
	int r = house_open(&house, err);

	if (r == 0)
		r = volume_all(&house, &all, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < all.len; i++) {
		_err_ why = ERR_INIT;

		if (prune(&house, o, &all.items[i], &out, &sum, &why) < 0) {
			fprintf(stderr, "pterm volume prune: %s\n", err_msg(&why));
			sum.failed = true;
		}
	}
	str_add_size(&size, sum.bytes);
	r = command_print(&out, err);
	if (r == 0 && sum.count == 0)
		fputs("pterm volume prune: there is nothing to remove\n", stderr);
	else if (r == 0)
		fprintf(stderr, o->force ? "pterm volume prune: removed %zu, %s\n" :
		        "pterm volume prune: would remove %zu, %s; -f does it\n", sum.count, size.buf);
	return r < 0 ? r : sum.failed ? EXIT_PTERM : 0;
}

const struct command cmd_volume_prune = {
	.name = "volume prune",
	.args = "",
	.summary = "remove the volumes that no session uses",
	.details =
		"Without -f nothing is removed: their names are printed, and what they occupy. A session that has ended and was not "
		"removed still uses its volumes. Volumes that were made for one session (create --owner) stay unless --owned is given.",
	.group = GROUP_HOST,
	.parser = { rows, array_len(rows), 0 },
	.options_size = sizeof(struct options),
	.run = run,
};
