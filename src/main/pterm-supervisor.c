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

/* What the keeper, or the build before us, has put there. A descriptor that is not open is -1. */
static void find_handles(struct handles *h)
{
	h->leash = fcntl(ADOPT_LEASH_FD, F_SETFD, FD_CLOEXEC) < 0 ? -1 : ADOPT_LEASH_FD;
	for (int i = 0; i < HANDLE_COUNT; i++)
		h->fds[i] = fcntl(ADOPT_HANDLES_FD + i, F_SETFD, FD_CLOEXEC) < 0 ? -1 : ADOPT_HANDLES_FD + i;
}

static int go(const char *id, bool adopts)
{
	_house_ house = { 0 };
	_err_ err = ERR_INIT;
	struct handles handles;

	if (adopts)
		find_handles(&handles);                  /* before anything else is opened at these numbers */
	log_open("pterm-supervisor");
	umask(077);
	if (house_open(&house, &err) < 0) {
		fprintf(stderr, "pterm-supervisor: %s\n", err_msg(&err));
		return 125;
	}
	return adopts ? supervisor_adopt(&house, id, &handles)
	              : supervisor_run(&house, id, SUPERVISOR_CONTROL_FD, SUPERVISOR_LOCK_FD, SUPERVISOR_LISTEN_FD);
}

int main(int argc, char **argv)
{
	if (argc == 3 && str_eq(argv[1], "--adopt"))
		return go(argv[2], true);
	if (argc != 2 || fcntl(SUPERVISOR_CONTROL_FD, F_SETFD, FD_CLOEXEC) < 0 ||
	    fcntl(SUPERVISOR_LOCK_FD, F_SETFD, FD_CLOEXEC) < 0 || fcntl(SUPERVISOR_LISTEN_FD, F_SETFD, FD_CLOEXEC) < 0) {
		fputs("pterm-supervisor is started by pterm, not by hand: see pterm new\n", stderr);
		return 125;
	}
	return go(argv[1], false);
}
