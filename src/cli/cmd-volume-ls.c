#include "cli/command.h"
#include "cli/listing.h"
#include "cli/volume-row.h"

#include "base/units.h"

#include <errno.h>

struct options { int form; bool quiet, unused; };

static const struct arg_option rows[] = {
	LISTING_OPTION(struct options, form),
	{ 'q', "quiet", NULL, "only the names", ARG_FLAG, offsetof(struct options, quiet) },
	{ 0, "unused", NULL, "only those that no session uses", ARG_FLAG, offsetof(struct options, unused) },
};

struct found { struct volume_row *items; size_t len, cap; };

static void found_release(struct found *f)
{
	for (size_t i = 0; i < f->len; i++)
		volume_row_release(&f->items[i]);
	vec_release(f);
}

static int find(const struct house *h, const struct options *o, const struct volume_list *all, struct found *ret,
                struct err *err)
{
	for (size_t i = 0; i < all->len; i++) {
		struct volume_row row;
		const int r = volume_row_read(h, &all->items[i], !o->quiet, &row, err);

		if (r == -ENOENT) {
			err_release(err);
			continue;
		}
		if (r < 0)
			return r;
		if (o->unused && row.users.len > 0)
			volume_row_release(&row);
		else
			vec_push(ret, row);
	}
	return 0;
}

static void add_table(const struct found *f, struct str *out)
{
	const uint64_t now = time_now_ms();
	struct listing l;

	listing_begin(&l, "NAME|SIZE|AGE|OWNER|SESSIONS");
	for (size_t i = 0; i < f->len; i++) {
		const struct volume_row *row = &f->items[i];
		const uint64_t made = (uint64_t)row->volume->created_ms;
		_str_ size = STR_INIT, age = STR_INIT, who = STR_INIT;

		str_add_size(&size, row->bytes);
		str_add_span(&age, now > made ? now - made : 0);
		volume_users_describe(&row->users, &who);
		listing_cell(&l, row->volume->name);
		listing_cell(&l, size.buf);
		listing_cell(&l, age.buf);
		listing_cell(&l, row->volume->owner);
		listing_cell(&l, who.buf);
	}
	listing_end(&l, out);
}

static void add_json(const struct found *f, struct str *out)
{
	struct json_writer w = JSON_WRITER(out);

	json_begin(&w, NULL, '[');
	for (size_t i = 0; i < f->len; i++)
		volume_row_put(&w, &f->items[i], NULL);
	json_end(&w, ']');
}

static int run(void *options, struct arg_words *words, struct err *err)
{
	const struct options *o = options;
	_house_ house = { 0 };
	_volume_list_ all = { 0 };
	_cleanup_(found_release) struct found found = { 0 };
	_str_ out = STR_INIT;
	int r = house_open(&house, err);

	if (r == 0)
		r = volume_all(&house, &all, err);
	if (r == 0)
		r = find(&house, o, &all, &found, err);
	if (r < 0)
		return r;
	if (o->quiet) {
		for (size_t i = 0; i < found.len; i++)
			str_addf(&out, "%s\n", found.items[i].volume->name);
		return command_print(&out, err);
	}
	if (o->form == LISTING_JSON)
		add_json(&found, &out);
	else
		add_table(&found, &out);
	return listing_print(o->form, &out, err);
}

const struct command cmd_volume_ls = {
	.name = "volume ls",
	.args = "",
	.summary = "list volumes, with their size and who uses them",
	.group = GROUP_HOST,
	.parser = { rows, array_len(rows), 0 },
	.options_size = sizeof(struct options),
	.run = run,
};
