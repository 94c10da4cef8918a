/*
 * The supervisor process of one session. It is started by pterm with a control connection, the session's lock and its
 * socket; by hand it is of no use.
 */
#include "base/log.h"
#include "supervisor/lock.h"
#include "supervisor/supervisor.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

int main(int argc, char **argv)
{
	_house_ house = { 0 };
	_err_ err = ERR_INIT;

	if (argc != 2 || fcntl(SUPERVISOR_CONTROL_FD, F_SETFD, FD_CLOEXEC) < 0 ||
	    fcntl(SUPERVISOR_LOCK_FD, F_SETFD, FD_CLOEXEC) < 0 || fcntl(SUPERVISOR_LISTEN_FD, F_SETFD, FD_CLOEXEC) < 0) {
		fputs("pterm-supervisor is started by pterm, not by hand: see pterm new\n", stderr);
		return 125;
	}
	log_open("pterm-supervisor");
	umask(077);
	if (house_open(&house, &err) < 0) {
		fprintf(stderr, "pterm-supervisor: %s\n", err_msg(&err));
		return 125;
	}
	return supervisor_run(&house, argv[1], SUPERVISOR_CONTROL_FD, SUPERVISOR_LOCK_FD, SUPERVISOR_LISTEN_FD);
}
