#include "cli/settings.h"

#include "wire/home.h"

static struct config loaded;

static const char *no_variable(const char *name)
{
	return NULL;
}

int settings_load(struct err *err)
{
	_free_ char *home = home_find(NULL);
	const int r = config_load(home, config_getenv, &loaded, err);

	if (r == 0)
		config_pass_on(&loaded);
	return r;
}

const struct config *settings(void)
{
	if (loaded.values[OPTION_recording_size].text == NULL)
		(void)config_load("/nonexistent", no_variable, &loaded, NULL);
	return &loaded;
}

uint64_t settings_stop_ms(bool is_given, uint64_t given_ms)
{
	return is_given ? given_ms : (uint64_t)config_number(settings(), OPTION_stop_timeout, 0);
}
