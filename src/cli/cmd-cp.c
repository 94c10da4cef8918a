#include "cli/open.h"

#include "service/copy.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

/* "session:path", or a path of the host: one without a colon, or with a slash before the first. */
struct side { char *session; const char *path; };

static void side_release(struct side *s)
{
	free(s->session);
}

static struct side parse_side(const char *text)
{
	const char *colon = strchr(text, ':');

	if (colon == NULL || colon == text || memchr(text, '/', (size_t)(colon - text)) != NULL)
		return (struct side){ NULL, text };
	return (struct side){ xstrndup(text, (size_t)(colon - text)), colon + 1 };
}

static int check(const struct side *from, const struct side *to, struct err *err)
{
	if (from->session != NULL && to->session != NULL)
		return err_set(err, EINVAL, "bad-option", "cp goes between this host and a session: copy to the host first, or pipe "
		               "pterm cp %s:PATH - into pterm cp - %s:DIR", from->session, to->session);
	if (from->session == NULL && to->session == NULL)
		return err_set(err, EINVAL, "bad-option", "neither is in a session: name one as SESSION:PATH");
	if ((from->session ? from : to)->path[0] == '\0')
		return err_set(err, EINVAL, "bad-option", "the path in the session is missing: %s:PATH",
		               from->session ? from->session : to->session);
	if (from->session != NULL && str_eq(to->path, "-") && isatty(STDOUT_FILENO))
		return err_set(err, EINVAL, "bad-option", "a tar archive is no sight for a terminal: pipe it, or name a file");
	return 0;
}

static int copy(const struct house *h, const struct session *s, const struct side *from, const struct side *to,
                struct err *err)
{
	if (from->session == NULL)
		return str_eq(from->path, "-") ? session_copy_in_tar(h, s, STDIN_FILENO, to->path, err)
		                               : session_copy_in(h, s, from->path, to->path, err);
	return str_eq(to->path, "-") ? session_copy_out_tar(h, s, from->path, STDOUT_FILENO, err)
	                             : session_copy_out(h, s, from->path, to->path, err);
}

static int run(void *options, struct arg_words *words, struct err *err)
{
	_cleanup_(side_release) struct side from = parse_side(words->items[0]);
	_cleanup_(side_release) struct side to = parse_side(words->items[1]);
	_house_ house = { 0 };
	_session_ s = { 0 };
	int r = check(&from, &to, err);

	if (r == 0)
		r = open_session(&house, from.session ? from.session : to.session, &s, err);
	if (r == 0)
		r = copy(&house, &s, &from, &to, err);
	if (r > 0)
		fprintf(stderr, "pterm cp: left out %d special file%s (devices, sockets, fifos)\n", r, r == 1 ? "" : "s");
	return r < 0 ? r : 0;
}

const struct command cmd_cp = {
	.name = "cp",
	.args = "[SESSION:]SRC [SESSION:]DST",
	.summary = "copy files and trees between this host and a running session",
	.details =
		"One of the two is in a session, from the root of its container; the other is on this host. A name with a slash before "
		"the colon is one of this host: ./a:b. With - in place of the host's path it is a tar archive, read from stdin "
		"or written to stdout.\n"
		"\n"
		"SRC is a file, a link as a link, or a directory with all below it; SRC/. is what is in the directory. DST that is a "
		"directory gets it inside. A link is never written through, and none leads out of the container. What is made in the "
		"session belongs to its user, what is made here to you; set-user-ID is dropped, and devices, sockets and fifos "
		"are left out.",
	.examples =
		"pterm cp build:/work/report.pdf . # out\n"
		"pterm cp src build:/work/ # in, as /work/src\n"
		"pterm cp build:/etc - | tar t # as a stream",
	.group = GROUP_SESSIONS,
	.min_words = 2, .max_words = 2,
	.completes = "session:",
	.run = run,
};
