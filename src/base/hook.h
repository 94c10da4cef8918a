/*
 * Kill points for the fault suite; in a normal build they are nothing. HOOK("name") looks at $PTERM_HOOK: "name=kill"
 * ends this process with SIGKILL there, "name=stop:FIFO" writes "name pid" into the fifo and stops it (SIGSTOP), so that a test
 * can kill whom it likes at exactly this moment and continue the rest; "name=hang:FIFO" holds the thread alone that comes there
 * for as long as nobody has the fifo open for writing, as a disk does that hangs. The kernel spares PID 1 of a container the signals
 * that it sends itself: pterm-init exits, or waits for SIGCONT, instead.
 */
#pragma once

#ifdef PTERM_HOOKS
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static inline void hook_at(const char *name)
{
	const char *want = getenv("PTERM_HOOK");
	const size_t n = strlen(name);
	char line[128];
	int fd;

	if (want == NULL || strncmp(want, name, n) != 0 || want[n] != '=')
		return;
	want += n + 1;
	if (strncmp(want, "stop:", 5) == 0) {
		sigset_t go, before;

		sigemptyset(&go);
		sigaddset(&go, SIGCONT);
		sigprocmask(SIG_BLOCK, &go, &before);
		fd = open(want + 5, O_WRONLY | O_CLOEXEC);
		if (fd >= 0) {
			const int len = snprintf(line, sizeof(line), "%s %d\n", name, (int)getpid());

			(void)!write(fd, line, (size_t)len);
			close(fd);
		}
		if (getpid() == 1)
			(void)sigwaitinfo(&go, NULL);
		else
			raise(SIGSTOP);
		sigprocmask(SIG_SETMASK, &before, NULL);
	} else if (strncmp(want, "hang:", 5) == 0) {
		close(open(want + 5, O_RDONLY | O_CLOEXEC));
	} else if (strcmp(want, "kill") == 0) {
		raise(SIGKILL);
		_exit(137);
	}
}
#define HOOK(name) hook_at(name)
#define HOOK_FORGET() unsetenv("PTERM_HOOK")            /* who takes over does not fall into the same hole */
#else
#define HOOK(name) ((void)0)
#define HOOK_FORGET() ((void)0)
#endif
