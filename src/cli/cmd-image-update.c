#include "cli/images.h"
#include "cli/listing.h"
#include "cli/progress.h"

#include "service/images-build.h"

struct options { int form; struct remote_options remote; bool check, quiet; };

static const struct arg_option rows[] = {
	{ 0, "check", NULL, "only look: the exit code is 1 when something is newer there", ARG_FLAG,
	  offsetof(struct options, check) },
	LISTING_OPTION(struct options, form),
	REMOTE_OPTIONS(struct options, remote),
	{ 'q', "quiet", NULL, "do not say how far it is", ARG_FLAG, offsetof(struct options, quiet) },
};

static void add_table(const struct images_updates *u, struct str *out)
{
	struct listing l;

	listing_begin(&l, "IMAGE|STATE|WHY");
	for (size_t i = 0; i < u->all.len; i++) {
		listing_cell(&l, u->all.items[i].image);
		listing_cell(&l, images_freshness[u->all.items[i].state]);
		listing_cell(&l, u->all.items[i].why);
	}
	listing_end(&l, out);
}

static void add_json(const struct images_updates *u, struct str *out)
{
	struct json_writer w = JSON_WRITER(out);

	json_begin(&w, NULL, '[');
	for (size_t i = 0; i < u->all.len; i++) {
		json_begin(&w, NULL, '{');
		json_put_str(&w, "image", u->all.items[i].image);
		json_put_str(&w, "state", images_freshness[u->all.items[i].state]);
		json_put_str(&w, "why", u->all.items[i].why);
		json_end(&w, '}');
	}
	json_end(&w, ']');
}

static int run(void *options, struct arg_words *words, struct err *err)
{
	const struct options *o = options;
	const struct remote remote = images_remote(&o->remote);
	_cleanup_(images_updates_release) struct images_updates updates = { 0 };
	_house_ house = { 0 };
	_str_ out = STR_INIT;
	size_t moved = 0;
	int r = images_open(&house, o->quiet, err);

	if (r == 0)
		r = images_update(&house, words->items, words->len, o->check, &remote, &updates, err);
	progress_clear();
	if (r < 0)
		return r;
	for (size_t i = 0; i < updates.all.len; i++)
		moved += updates.all.items[i].state == IMAGES_MOVED;
	if (o->form == LISTING_JSON)
		add_json(&updates, &out);
	else
		add_table(&updates, &out);
	r = listing_print(o->form, &out, err);
	return r < 0 ? r : updates.failures > 0 ? EXIT_PTERM : moved > 0;
}

const struct command cmd_image_update = {
	.name = "image update",
	.args = "[IMAGE...]",
	.summary = "pull images whose tag has moved, build again those whose base has",
	.details =
		"Without an IMAGE all are looked at that came from a registry or were built here. Sessions that exist keep the image they "
		"were made from. For a timer: share/systemd/pterm-image-update.timer is an example.",
	.examples = "pterm image update --check # is anything newer?\npterm image update",
	.group = GROUP_IMAGES,
	.parser = { rows, array_len(rows), 0 },
	.options_size = sizeof(struct options),
	.max_words = ANY_WORDS,
	.completes = "names:images",
	.run = run,
};
