#include "cli/image-parts.h"
#include "cli/progress.h"

#include "service/images-check.h"

/* What is whole is only counted: of a damaged layer each file has a line. */
static void add_table(const struct images_parts *parts, struct str *out)
{
	struct listing l;
	size_t whole = 0;

	listing_begin(&l, "IMAGE|PART|STATE|WHY");
	for (size_t i = 0; i < parts->all.len; i++) {
		const struct images_part *p = &parts->all.items[i];
		_strv_ lines = { 0 };
		_free_ char *copy = xstrdup(p->why ? p->why : "");
		char *save = NULL;

		if (p->state == IMAGES_WHOLE) {
			whole++;
			continue;
		}
		for (char *line = strtok_r(copy, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
			listing_cell(&l, p->image);
			listing_cell(&l, p->what);
			listing_cell(&l, images_states[p->state]);
			listing_cell(&l, line);
		}
	}
	if (whole < parts->all.len)
		listing_end(&l, out);
	else
		strv_release(&l.cells);
	str_addf(out, "%zu of %zu parts are whole\n", whole, parts->all.len);
}

static void add_json(const struct images_parts *parts, struct str *out)
{
	struct json_writer w = JSON_WRITER(out);

	json_begin(&w, NULL, '[');
	for (size_t i = 0; i < parts->all.len; i++) {
		const struct images_part *p = &parts->all.items[i];

		json_begin(&w, NULL, '{');
		json_put_str(&w, "image", p->image);
		json_put_str(&w, "part", p->what);
		json_put_str(&w, "state", images_states[p->state]);
		json_put_str(&w, "why", p->why);
		json_end(&w, '}');
	}
	json_end(&w, ']');
}

int image_parts_run(const struct arg_words *words, bool mends, const struct remote *remote, int form, bool is_quiet,
                    struct err *err)
{
	_cleanup_(images_parts_release) struct images_parts parts = { 0 };
	_house_ house = { 0 };
	_str_ out = STR_INIT;
	int r = images_open(&house, is_quiet, err);

	if (r == 0)
		r = images_check(&house, words->items, words->len, mends, remote, &parts, err);
	progress_clear();
	if (r < 0)
		return r;
	if (form == LISTING_JSON)
		add_json(&parts, &out);
	else
		add_table(&parts, &out);
	r = listing_print(form, &out, err);
	return r < 0 ? r : parts.bad > 0;
}
