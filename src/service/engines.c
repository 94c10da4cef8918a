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
