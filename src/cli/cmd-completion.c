#include "cli/completion.h"

#include <errno.h>

static const struct { const char *name; void (*write)(struct str *out); } shells[] = {
	{ "bash", completion_bash },
	{ "zsh", completion_zsh },
	{ "fish", completion_fish },
};

static int completion_run(void *options, struct arg_words *words, struct err *err)
{
	_str_ out = STR_INIT;

	for (size_t i = 0; i < array_len(shells); i++) {
		if (str_eq(shells[i].name, words->items[0])) {
			shells[i].write(&out);
			return command_print(&out, err);
		}
	}
	return err_set(err, EINVAL, "usage", "there is no completion for '%s': only for bash, zsh and fish", words->items[0]);
}

const struct command cmd_completion = {
	.name = "completion",
	.args = "bash|zsh|fish",
	.summary = "print a script that completes pterm's commands in a shell",
	.details = "'make install' puts the scripts where the shells look for them. To use one without an installation, load "
	           "it when the shell starts, as the examples show. Names of sessions are completed too.",
	.examples = "source <(pterm completion bash) # in ~/.bashrc\n"
	            "source <(pterm completion zsh) # in ~/.zshrc, after compinit\n"
	            "pterm completion fish | source # in ~/.config/fish/config.fish",
	.group = GROUP_HOST,
	.min_words = 1,
	.max_words = 1,
	.completes = "bash|zsh|fish",
	.is_for_repair = true,
	.run = completion_run,
};
