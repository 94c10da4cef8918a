#include "cli/images.h"
#include "cli/listing.h"

#include "base/units.h"
#include "image/inventory.h"

struct options { int form; bool quiet, disk; };

static const struct arg_option rows[] = {
	LISTING_OPTION(struct options, form),
	{ 'q', "quiet", NULL, "only the names", ARG_FLAG, offsetof(struct options, quiet) },
	{ 0, "disk", NULL, "what all of them take together, shared layers once", ARG_FLAG, offsetof(struct options, disk) },
};

static void cell_size(struct listing *l, uint64_t bytes)
{
	_str_ text = STR_INIT;

	str_add_size(&text, bytes);
	listing_cell(l, text.buf);
}

static void cell_age(struct listing *l, const char *taken)
{
	const uint64_t now = time_now_ms();
	_str_ text = STR_INIT;
	uint64_t then;

	if (taken != NULL && parse_instant_ms(taken, now, &then) == 0)
		str_add_span(&text, now > then ? now - then : 0);
	listing_cell(l, text.buf);
}

static void add_table(const struct inventory *v, struct str *out)
{
	struct listing l;

	listing_begin(&l, "NAME|DIGEST|AGE|LAYERS|SIZE|SHARED|SIGNED BY");
	for (size_t i = 0; i < v->images.len; i++) {
		const struct inventory_image *image = &v->images.items[i];
		uint64_t shared;
		const uint64_t size = inventory_size(v, image, &shared);

		listing_cell(&l, image->d.notes.name);
		listing_cellf(&l, "%.12s", digest_hex(image->d.digest));
		cell_age(&l, image->d.notes.taken);
		if (image->damage != NULL)
			listing_cell(&l, "damaged");
		else
			listing_cellf(&l, "%zu", image->manifest.layers.len);
		cell_size(&l, size);
		cell_size(&l, shared);
		listing_cell(&l, image->d.notes.signed_by);
	}
	listing_end(&l, out);
}

static void add_json(const struct inventory *v, struct str *out)
{
	struct json_writer w = JSON_WRITER(out);

	json_begin(&w, NULL, '[');
	for (size_t i = 0; i < v->images.len; i++) {
		const struct inventory_image *image = &v->images.items[i];
		uint64_t shared;
		const uint64_t size = inventory_size(v, image, &shared);

		json_begin(&w, NULL, '{');
		json_put_str(&w, "name", image->d.notes.name);
		json_put_str(&w, "digest", image->d.digest);
		json_put_str(&w, "taken", image->d.notes.taken);
		json_put_int(&w, "layers", (int64_t)image->manifest.layers.len);
		json_put_int(&w, "bytes", (int64_t)size);
		json_put_int(&w, "shared_bytes", (int64_t)shared);
		json_put_str(&w, "signed_by", image->d.notes.signed_by);
		json_put_str(&w, "damage", image->damage);
		json_end(&w, '}');
	}
	json_end(&w, ']');
}

static void add_disk(const struct inventory_total *total, int form, struct str *out)
{
	struct json_writer w = JSON_WRITER(out);
	struct listing l;

	if (form == LISTING_JSON) {
		json_begin(&w, NULL, '{');
		json_put_int(&w, "blob_bytes", (int64_t)total->blobs);
		json_put_int(&w, "layer_bytes", (int64_t)total->layers);
		json_end(&w, '}');
		return;
	}
	listing_begin(&l, "WHAT|SIZE");
	listing_cell(&l, "as they came (blobs)");
	cell_size(&l, total->blobs);
	listing_cell(&l, "unpacked layers");
	cell_size(&l, total->layers);
	listing_end(&l, out);
}

static int run(void *options, struct arg_words *words, struct err *err)
{
	const struct options *o = options;
	_house_ house = { 0 };
	_inventory_ v = { 0 };
	_str_ out = STR_INIT;
	struct image_store store;
	int r = house_open(&house, err);

	if (r < 0)
		return r;
	store = images_store(&house);
	r = inventory_read(&store, &v, err);
	if (r < 0)
		return r;
	if (o->disk) {
		const struct inventory_total total = inventory_total(&store, &v);

		add_disk(&total, o->form, &out);
	} else if (o->quiet) {
		for (size_t i = 0; i < v.images.len; i++)
			str_addf(&out, "%s\n", image_called(&v.images.items[i].d));
		return command_print(&out, err);
	} else if (o->form == LISTING_JSON) {
		add_json(&v, &out);
	} else {
		add_table(&v, &out);
	}
	return listing_print(o->form, &out, err);
}

const struct command cmd_image_ls = {
	.name = "image ls",
	.args = "",
	.summary = "list the images that are here",
	.details =
		"SIZE is what an image takes on disk, as it came and unpacked; SHARED is the part of it that other images use as well. "
		"An image without a name had one that another image has by now: pterm image prune removes it.",
	.examples = "pterm image ls\npterm image ls --disk # all together",
	.group = GROUP_IMAGES,
	.parser = { rows, array_len(rows), 0 },
	.options_size = sizeof(struct options),
	.run = run,
};
