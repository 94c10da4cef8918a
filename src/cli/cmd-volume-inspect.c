#include "cli/command.h"
#include "cli/listing.h"
#include "cli/volume-row.h"

#include "base/units.h"

struct options { int form; };

static const struct arg_option rows[] = { LISTING_OPTION(struct options, form) };

static void add(struct listing *l, const char *what, const char *value)
{
	listing_cell(l, what);
	listing_cell(l, value);
}

static void add_table(const struct volume_row *row, const char *path, struct str *out)
{
	const uint64_t now = time_now_ms(), made = (uint64_t)row->volume->created_ms;
	_str_ size = STR_INIT, age = STR_INIT;
	struct listing l;

	str_add_size(&size, row->bytes);
	str_add_span(&age, now > made ? now - made : 0);
	listing_begin(&l, "WHAT|VALUE");
	add(&l, "name", row->volume->name);
	add(&l, "files", path);
	add(&l, "size", size.buf);
	add(&l, "age", age.buf);
	add(&l, "owner", row->volume->owner ? row->volume->owner : "none: every session may use it");
	for (size_t i = 0; i < row->users.len; i++) {
		const struct volume_user *user = &row->users.items[i];
		_free_ char *text = xasprintf("%s, %s", user->name, user->is_alive ? "running" : "ended");

		add(&l, "used by", text);
	}
	listing_end(&l, out);
}

static int run(void *options, struct arg_words *words, struct err *err)
{
	const struct options *o = options;
	_house_ house = { 0 };
	_volume_ volume = { 0 };
	_volume_row_ row = { 0 };
	_free_ char *path = NULL;
	_str_ out = STR_INIT;
	struct json_writer w = JSON_WRITER(&out);
	int r = house_open(&house, err);

	if (r == 0)
		r = volume_find(&house, words->items[0], &volume, err);
	if (r == 0)
		r = volume_row_read(&house, &volume, true, &row, err);
	if (r < 0)
		return r;
	path = volume_path(&house, volume.name);
	if (o->form == LISTING_JSON)
		volume_row_put(&w, &row, path);
	else
		add_table(&row, path, &out);
	return listing_print(o->form, &out, err);
}

const struct command cmd_volume_inspect = {
	.name = "volume inspect",
	.args = "NAME",
	.summary = "tell all about a volume",
	.group = GROUP_HOST,
	.parser = { rows, array_len(rows), 0 },
	.options_size = sizeof(struct options),
	.min_words = 1, .max_words = 1,
	.completes = "names:volumes",
	.run = run,
};
