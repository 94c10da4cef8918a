#include "engine/engine.h"

#define ENGINE(name) extern const struct engine_ops engine_##name;
#include "engine/engines.def"
#undef ENGINE

const struct engine_ops *const engines[] = {
#define ENGINE(name) &engine_##name,
#include "engine/engines.def"
#undef ENGINE
	NULL,
};

const struct engine_ops *engine_find(const char *name)
{
	for (size_t i = 0; engines[i] != NULL; i++)
		if (str_eq(engines[i]->name, name))
			return engines[i];
	return NULL;
}
