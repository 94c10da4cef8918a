/*
 * A session from another program, with libpterm: print what it prints, type into it, give it another size.
 *
 *     follow-session [--since POSITION] [--size ROWSxCOLS] [--type TEXT] SESSION
 *
 *     cc -o follow-session follow-session.c $(pkg-config --cflags --libs pterm)
 *
 * It sleeps in poll, as a program does that has other things to wait for, and ends with the session.
 */
#include <inttypes.h>
#include <poll.h>
#include <pterm/session.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct options { const char *session, *type; int64_t since; bool has_size; unsigned rows, cols; };

static bool parse(int argc, char **argv, struct options *o)
{
	*o = (struct options){ .since = PTERM_RECENT };
	for (int i = 1; i < argc; i++) {
		if (i + 1 < argc && strcmp(argv[i], "--since") == 0)
			o->since = strtoll(argv[++i], NULL, 10);
		else if (i + 1 < argc && strcmp(argv[i], "--type") == 0)
			o->type = argv[++i];
		else if (i + 1 < argc && strcmp(argv[i], "--size") == 0)
			o->has_size = sscanf(argv[++i], "%ux%u", &o->rows, &o->cols) == 2;
		else if (argv[i][0] != '-' && o->session == NULL)
			o->session = argv[i];
		else
			return false;
	}
	return o->session != NULL;
}

static int failed(const struct pterm_session *s)
{
	fprintf(stderr, "follow-session: %s\n", pterm_error(s));
	return EXIT_FAILURE;
}

/* Until the session has ended and all is read. */
static int follow(struct pterm_session *s)
{
	static char data[64 * 1024];
	uint64_t lost;
	ssize_t n;

	for (;;) {
		n = pterm_read(s, data, sizeof(data), &lost);
		if (n < 0)
			return failed(s);
		if (lost > 0) {
			fprintf(stderr, "%" PRIu64 " bytes are not kept any more\n", lost);
		} else if (n == 0 && pterm_has_ended(s)) {
			break;
		} else if (n == 0) {             /* the descriptors of your own program stand beside this one */
			struct pollfd p = { .fd = pterm_fd(s), .events = POLLIN };

			fflush(stdout);
			(void)poll(&p, 1, -1);
		}
		if (n > 0 && fwrite(data, (size_t)n, 1, stdout) != 1)
			return EXIT_FAILURE;
	}
	fprintf(stderr, "ended with exit code %d\n", pterm_exit_code(s));
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct pterm_session *s = pterm_new();
	struct options o;
	unsigned rows, cols;
	int r = 0;

	if (!parse(argc, argv, &o)) {
		fprintf(stderr, "usage: follow-session [--since POSITION] [--size ROWSxCOLS] [--type TEXT] SESSION\n");
		r = 2;
	} else if (pterm_open(s, NULL, o.session, o.since, 0) < 0) {
		r = failed(s);
	} else if (o.has_size && pterm_resize(s, o.rows, o.cols) < 0) {
		r = failed(s);
	} else if (o.type != NULL && pterm_input(s, o.type, strlen(o.type)) < (ssize_t)strlen(o.type)) {
		r = failed(s);
	} else {
		if (pterm_size(s, &rows, &cols) == 0)
			fprintf(stderr, "%u rows, %u columns\n", rows, cols);
		r = follow(s);
	}
	pterm_free(s);
	return r;
}
