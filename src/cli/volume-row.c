#include "cli/volume-row.h"

void volume_row_release(struct volume_row *r)
{
	volume_users_release(&r->users);
}

int volume_row_read(const struct house *h, const struct volume *v, bool measures, struct volume_row *ret,
                    struct err *err)
{
	_volume_row_ row = { .volume = v };
	int r = volume_users(h, v->name, &row.users, err);

	if (r == 0 && measures)
		r = volume_size(h, v->name, &row.bytes, err);
	if (r < 0)
		return r;
	*ret = row;
	row = (struct volume_row){ 0 };
	return 0;
}

void volume_row_put(struct json_writer *w, const struct volume_row *row, const char *path)
{
	json_begin(w, NULL, '{');
	json_put_str(w, "name", row->volume->name);
	json_put_str(w, "path", path);
	json_put_int(w, "bytes", (int64_t)row->bytes);
	json_put_int(w, "created_ms", row->volume->created_ms);
	json_put_str(w, "owner", row->volume->owner);
	json_begin(w, "sessions", '[');
	for (size_t i = 0; i < row->users.len; i++)
		json_put_str(w, NULL, row->users.items[i].name);
	json_end(w, ']');
	json_end(w, '}');
}
