/*
 * measure [--fifo PATH] [--pty] [--hang-up] [--as-it-ends] -- COMMAND...
 *
 * Runs COMMAND and prints four numbers: microseconds from just before it was forked until the first byte came, until the last one came,
 * until it ended, and how many bytes it printed. What is timed is the command alone; the program that starts this one is not.
 *
 *   --fifo PATH    the first byte is the one that something below COMMAND writes into this FIFO, not the first of its own output
 *   --pty          its input and output are a terminal; without it /dev/null and a pipe
 *   --hang-up      end it when the first byte has come: for commands that stay
 *   --as-it-ends   it prints nothing: there is no first byte
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { FIRST_BYTE_MS = 30000, CHUNK = 64 * 1024 };

struct options { const char *fifo; bool pty, hang_up, as_it_ends; };

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void die(const char *what)
{
	fprintf(stderr, "measure: %s: %s\n", what, strerror(errno));
	exit(125);
}

static void open_output(bool pty, int *ours, int *theirs)
{
	const struct winsize size = { .ws_row = 24, .ws_col = 80 };
	int pipes[2];

	if (!pty) {
		if (pipe2(pipes, O_CLOEXEC) < 0)
			die("pipe");
		*ours = pipes[0];
		*theirs = pipes[1];
		return;
	}
	*ours = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (*ours < 0 || grantpt(*ours) < 0 || unlockpt(*ours) < 0)
		die("terminal");
	*theirs = open(ptsname(*ours), O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (*theirs < 0 || ioctl(*theirs, TIOCSWINSZ, &size) < 0)
		die("terminal");
}

static pid_t start(char **argv, bool pty, int theirs)
{
	const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	const pid_t pid = fork();

	if (pid != 0)
		return pid;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)setsid();
	if (pty)
		(void)ioctl(theirs, TIOCSCTTY, 0);
	(void)dup2(pty ? theirs : null, 0);
	(void)dup2(theirs, 1);
	if (pty)
		(void)dup2(theirs, 2);
	execvp(argv[0], argv);
	_exit(127);
}

/* Wait for a byte on @fd; what the command prints meanwhile, on @output, is kept for the case that none comes. */
static bool await(int fd, int output)
{
	static char said[4096];
	const double deadline = now_us() + FIRST_BYTE_MS * 1e3;
	ssize_t n = 0;

	while (now_us() < deadline) {
		struct pollfd p[] = { { .fd = fd, .events = POLLIN }, { .fd = output, .events = POLLIN } };

		if (poll(p, 2, FIRST_BYTE_MS) < 0 && errno != EINTR)
			break;
		if (p[0].revents & POLLIN)
			return true;
		if (p[0].revents)
			break;
		if (p[1].revents) {
			n = read(output, said, sizeof(said) - 1);
			if (n > 0)
				said[n] = '\0';
			else if (fd == output)
				break;
			else
				output = -1;
		}
	}
	fprintf(stderr, "measure: no byte came: %s\n", said);
	return false;
}

int main(int argc, char **argv)
{
	static char buf[CHUNK];
	struct options o = { 0 };
	double began, first = 0, last = 0;
	int ours, theirs, byte, at = 1, status;
	unsigned long long bytes = 0;
	ssize_t n;
	pid_t pid;

	for (; at < argc && strcmp(argv[at], "--") != 0; at++) {
		o.pty |= strcmp(argv[at], "--pty") == 0;
		o.hang_up |= strcmp(argv[at], "--hang-up") == 0;
		o.as_it_ends |= strcmp(argv[at], "--as-it-ends") == 0;
		if (strcmp(argv[at], "--fifo") == 0 && at + 1 < argc)
			o.fifo = argv[++at];
	}
	if (at + 1 >= argc)
		return 2;
	open_output(o.pty, &ours, &theirs);
	byte = o.fifo ? open(o.fifo, O_RDWR | O_NONBLOCK | O_CLOEXEC) : ours;
	if (byte < 0)
		die(o.fifo);
	began = now_us();
	pid = start(argv + at + 1, o.pty, theirs);
	if (pid < 0)
		die("fork");
	close(theirs);
	if (!o.as_it_ends && !await(byte, o.fifo ? ours : -1)) {
		kill(pid, SIGKILL);
		return 125;
	}
	first = now_us();
	if (o.hang_up)
		kill(pid, SIGHUP);
	while ((n = read(ours, buf, sizeof(buf))) > 0)
		bytes += (unsigned long long)n;
	last = now_us();
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	printf("%.0f %.0f %.0f %llu\n", first - began, last - began, now_us() - began, bytes);
	return o.hang_up ? 0 : WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}
