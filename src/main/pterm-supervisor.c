/*
 * The supervisor process of one session. It is started by pterm with a control connection, the session's lock and its socket; by
 * hand it is of no use.
 */
#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "base/units.h"
#include "supervisor/supervisor.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CONTROL_FD = 3, LOCK_FD = 4, LISTEN_FD = 5 };

int main(int argc, char **argv)
{
	_house_ house = { 0 };
	_err_ err = ERR_INIT;

	if (argc != 2 || fcntl(CONTROL_FD, F_SETFD, FD_CLOEXEC) < 0 || fcntl(LOCK_FD, F_SETFD, FD_CLOEXEC) < 0 ||
	    fcntl(LISTEN_FD, F_SETFD, FD_CLOEXEC) < 0) {
		fputs("pterm-supervisor is started by pterm, not by hand: see pterm new\n", stderr);
		return 125;
	}
	log_open("pterm-supervisor");
	umask(077);
	if (house_open(&house, &err) < 0) {
		fprintf(stderr, "pterm-supervisor: %s\n", err_msg(&err));
		return 125;
	}
	return supervisor_run(&house, argv[1], CONTROL_FD, LOCK_FD, LISTEN_FD);
}
