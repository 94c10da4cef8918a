#include "service/engines.h"

#include "base/list.h"
#include "supervisor/house.h"

void engine_list(struct engine_list *ret)
{
	_house_ house = { 0 };

	house_find(&house);
	for (size_t i = 0; engines[i] != NULL; i++) {
		struct engine_found e = { .ops = engines[i], .found = STR_INIT };

		if (e.ops->features & ENGINE_HIDDEN)
			continue;
		e.is_usable = e.ops->probe(house.libexec, &e.found) == 1;
		vec_push(ret, e);
	}
}

void engine_list_release(struct engine_list *l)
{
	for (size_t i = 0; i < l->len; i++)
		str_release(&l->items[i].found);
	vec_release(l);
}

void engine_json(const struct engine_found *e, struct json_writer *w)
{
	json_begin(w, NULL, '{');
	json_put_str(w, "name", e->ops->name);
	json_put_bool(w, "usable", e->is_usable);
	json_put_bool(w, "isolates", (e->ops->features & ENGINE_ISOLATES) != 0);
	json_put_str(w, "summary", e->ops->summary);
	json_put_str(w, "found", e->found.buf);
	json_end(w, '}');
}
