#include "cli/command.h"

const struct command cmd_volume = {
	.name = "volume",
	.args = "COMMAND",
	.summary = "named volumes: files that outlive sessions",
	.details =
		"A volume is a directory that pterm keeps for you under a name. pterm new -v NAME:/path shows it in a session, and "
		"makes it when it is not there; it begins with what the image has at that path. Several sessions may use it at "
		"once, unless it was made for one (create --owner, or -v NAME:/path:owned). It stays when its sessions go, and "
		"cannot be removed while there is one that uses it, running or not.\n"
		"\n"
		"Owners inside are those that the container sees, and stay the same whatever user a later session runs as (-u).",
	.examples =
		"pterm new db -v dbdata:/var/lib/db -- ./db # made at first use\n"
		"pterm volume export dbdata | zstd >dbdata.tar.zst # a copy",
	.group = GROUP_HOST,
};
