#include "base/log.h"
#include "cli/command.h"

int main(int argc, char **argv)
{
	log_open("pterm");
	return command_main(argc, argv);
}
