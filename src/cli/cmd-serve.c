#include "cli/command.h"

#include "base/path.h"
#include "service/serve.h"
#include "supervisor/house.h"

#include <errno.h>
#include <unistd.h>

/*
 * The daemon is another program, so that this one starts without its libraries. What was understood here is what it
 * is told.
 */
static int run(void *options, struct arg_words *words, struct err *err)
{
	_free_ char *program = NULL;
	_strv_ argv = { 0 };
	struct house house;

	house_find(&house);
	program = path_join(house.libexec, "ptermd");
	house_close(&house);
	strv_push(&argv, "ptermd");
	for (size_t i = 0; i < words->given_len; i++) {
		const struct arg_given *g = &words->given[i];

		if (g->value != NULL && g->option->type != ARG_FLAG)
			strv_pushf(&argv, "--%s=%s", g->option->name, g->value);
		else
			strv_pushf(&argv, "--%s", g->option->name);
	}
	execv(program, argv.items);
	return err_set(err, errno, "serve", "cannot start '%s': %m", program);
}

const struct command cmd_serve = {
	.name = "serve",
	.summary = "serve this home's sessions by HTTP and WebSocket",
	.details =
		"Until it is stopped (ctrl-c, TERM) it answers on 127.0.0.1 and on a Unix socket, serve.sock in $PTERM_HOME. It "
		"prints the address when it is ready, and what it does to stderr ($PTERM_LOG is err, warning, notice, info or "
		"debug). Sessions do not depend on it: it may be killed and started again at any moment.\n"
		"\n"
		"Who asks by TCP shows the token in $PTERM_HOME/serve.token, which is made at the first start: Authorization: "
		"Bearer TOKEN. On the Unix socket the kernel says who it is. An address that other machines can reach is refused "
		"without --insecure, since nothing is encrypted: put a proxy in front that speaks TLS.",
	.examples =
		"pterm serve\n"
		"pterm serve --listen 127.0.0.1:0 --base /pterm # behind a proxy",
	.group = GROUP_HOST,
	.parser = { serve_options, SERVE_OPTIONS_COUNT },
	.options_size = sizeof(struct serve_options),
	.run = run,
};
