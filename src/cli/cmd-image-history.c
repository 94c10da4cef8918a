#include "cli/images.h"
#include "cli/listing.h"

#include "base/units.h"
#include "image/layout.h"

struct options { int form; };

static const struct arg_option rows[] = { LISTING_OPTION(struct options, form) };

struct step { const struct oci_history *history; const struct oci_descriptor *layer; };

/* Steps in the order they were made; layers that no step tells of come as steps of their own. */
static void list_steps(const struct oci_config *c, const struct oci_document *m, struct step *ret, size_t *ret_len)
{
	size_t layer = 0, n = 0;

	for (size_t i = 0; i < c->history.len; i++)
		ret[n++] = (struct step){ &c->history.items[i], c->history.items[i].is_empty || layer >= m->layers.len ? NULL :
		                          &m->layers.items[layer++] };
	while (layer < m->layers.len)
		ret[n++] = (struct step){ NULL, &m->layers.items[layer++] };
	*ret_len = n;
}

static void add_table(const struct step *steps, size_t n, struct str *out)
{
	struct listing l;

	listing_begin(&l, "LAYER|SIZE|CREATED|STEP");
	for (size_t i = n; i-- > 0;) {
		const struct step *s = &steps[i];
		_str_ size = STR_INIT;

		if (s->layer != NULL)
			str_add_size(&size, (uint64_t)s->layer->size);
		listing_cellf(&l, "%.12s", s->layer ? digest_hex(s->layer->digest) : "");
		listing_cell(&l, size.buf);
		listing_cell(&l, s->history ? s->history->created : NULL);
		listing_cell(&l, s->history ? s->history->created_by : NULL);
	}
	listing_end(&l, out);
}

static void add_json(const struct step *steps, size_t n, struct str *out)
{
	struct json_writer w = JSON_WRITER(out);

	json_begin(&w, NULL, '[');
	for (size_t i = n; i-- > 0;) {
		json_begin(&w, NULL, '{');
		if (steps[i].layer != NULL) {
			json_put_str(&w, "digest", steps[i].layer->digest);
			json_put_int(&w, "bytes", steps[i].layer->size);
		}
		if (steps[i].history != NULL) {
			json_put_str(&w, "created", steps[i].history->created);
			json_put_str(&w, "created_by", steps[i].history->created_by);
			json_put_str(&w, "comment", steps[i].history->comment);
		}
		json_end(&w, '}');
	}
	json_end(&w, ']');
}

static int run(void *options, struct arg_words *words, struct err *err)
{
	const struct options *o = options;
	struct oci_descriptor d = { 0 };
	_oci_document_ manifest = { 0 };
	_oci_config_ config = { 0 };
	_house_ house = { 0 };
	_str_ out = STR_INIT;
	_free_ struct step *steps = NULL;
	struct image_store store;
	size_t n;
	int r = house_open(&house, err);

	if (r < 0)
		return r;
	store = images_store(&house);
	r = image_find(&store, words->items[0], &d, err);
	if (r == 0)
		r = layout_read_image(&store, d.digest, &manifest, &config, err);
	oci_descriptor_release(&d);
	if (r < 0)
		return r;
	steps = xcalloc(config.history.len + manifest.layers.len + 1, sizeof(*steps));
	list_steps(&config, &manifest, steps, &n);
	if (o->form == LISTING_JSON)
		add_json(steps, n, &out);
	else
		add_table(steps, n, &out);
	return listing_print(o->form, &out, err);
}

const struct command cmd_image_history = {
	.name = "image history",
	.args = "IMAGE",
	.summary = "the steps by which an image was made, the last first",
	.examples = "pterm image history debian:12",
	.group = GROUP_IMAGES,
	.parser = { rows, array_len(rows), 0 },
	.options_size = sizeof(struct options),
	.min_words = 1,
	.max_words = 1,
	.completes = "names:images",
	.run = run,
};
