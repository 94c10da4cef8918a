#include "cli/command.h"

#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

const struct command *command_find(const char *name)
{
	for (size_t i = 0; commands[i] != NULL; i++)
		if (str_eq(commands[i]->name, name))
			return commands[i];
	return NULL;
}

/* Edits (insert, delete, replace, swap two neighbours) from @a to @b, both short; more than @limit is limit + 1. */
static size_t distance(const char *a, const char *b, size_t limit)
{
	enum { LONGEST = 32 };
	size_t d[LONGEST + 1][LONGEST + 1];
	const size_t n = strlen(a), m = strlen(b);

	if (n > LONGEST || m > LONGEST)
		return limit + 1;
	for (size_t i = 0; i <= n; i++) {
		for (size_t j = 0; j <= m; j++) {
			if (i == 0 || j == 0) {
				d[i][j] = i + j;
				continue;
			}
			d[i][j] = min_size(d[i - 1][j - 1] + (a[i - 1] != b[j - 1]),
			                   min_size(d[i - 1][j], d[i][j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				d[i][j] = min_size(d[i][j], d[i - 2][j - 2] + 1);
		}
	}
	return min_size(d[n][m], limit + 1);
}

const struct command *command_nearest(const char *name)
{
	const size_t limit = strlen(name) < 4 ? 1 : 2;
	const struct command *best = NULL;
	size_t least = limit + 1;

	for (size_t i = 0; commands[i] != NULL; i++) {
		const struct command *c = commands[i];
		size_t d = distance(name, c->name, limit);

		if (strlen(name) >= 2 && str_starts(c->name, name))
			d = min_size(d, 1);
		if (!c->hidden && d < least) {
			least = d;
			best = c;
		}
	}
	return best;
}

void command_parser(const struct command *c, struct arg_parser *ret)
{
	const size_t n = c->parser.count;
	struct arg_option *options = xcalloc(n + 1, sizeof(*options));
	char letter = 'h';

	for (size_t i = 0; i < n; i++) {
		options[i] = c->parser.options[i];
		if (options[i].letter == 'h')
			letter = '\0';
	}
	options[n] = (struct arg_option){ letter, "help", NULL, "show this help", ARG_FLAG, c->options_size };
	*ret = (struct arg_parser){ .options = options, .count = n + 1, .stop_after = c->parser.stop_after };
}

static int write_stdout(const char *p, size_t n)
{
	while (n > 0) {
		const ssize_t w = write(STDOUT_FILENO, p, n);

		if (w >= 0) {
			p += w;
			n -= (size_t)w;
		} else if (errno == EAGAIN) {            /* another program left our terminal non-blocking */
			(void)poll(&(struct pollfd){ .fd = STDOUT_FILENO, .events = POLLOUT }, 1, -1);
		} else if (errno != EINTR) {
			return -errno;
		}
	}
	return 0;
}

static int output_failed(int no, struct err *err)
{
	return no == EPIPE ? 0 : err_set(err, no, "stdout", "cannot write to standard output: %m");
}

int command_print(const struct str *out, struct err *err)
{
	int r;

	if (fflush(stdout) != 0)
		return output_failed(errno, err);
	r = write_stdout(out->buf, out->len);
	return r < 0 ? output_failed(-r, err) : 0;
}

static void print_error(const char *name, const char *message)
{
	_free_ char *shown = visible(message);
	_str_ line = STR_INIT;

	str_addf(&line, "pterm%s%s: %s\n", name ? " " : "", name ? name : "", shown);
	(void)!write(STDERR_FILENO, line.buf, line.len);
}

static int check_words(const struct command *c, const struct arg_words *w, struct err *err)
{
	if (w->len > c->max_words) {
		_free_ char *shown = visible(w->items[c->max_words]);

		return err_set(err, EINVAL, "usage", "'%s' is one word too many: see pterm %s --help", shown, c->name);
	}
	if (w->len < c->min_words)
		return err_set(err, EINVAL, "usage", "something is missing: pterm %s %s", c->name, c->args ? c->args : "");
	return 0;
}

static int print_help(const struct command *c, struct err *err)
{
	_str_ out = STR_INIT;

	command_help(c, &out);
	return command_print(&out, err);
}

static void release_options(const struct arg_parser *p, char *options)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->options[i].type == ARG_STRV)
			strv_release((struct strv *)(options + p->options[i].offset));
	free(options);
}

/* @argv[0] is the command's name. */
static int run_command(const struct command *c, int argc, char **argv, struct err *err)
{
	struct arg_words words = { 0 };
	struct arg_parser parser;
	char *options = xcalloc(1, c->options_size + sizeof(bool));
	int r;

	command_parser(c, &parser);
	r = args_parse(&parser, argc, argv, options, &words, err);
	if (r == 0 && *(bool *)(options + c->options_size)) {
		r = print_help(c, err);
	} else if (r == 0) {
		r = check_words(c, &words, err);
		if (r == 0)
			r = c->run(options, &words, err);
	}
	release_options(&parser, options);
	free((void *)parser.options);
	arg_words_release(&words);
	if (r < 0)
		return r;
	return fflush(stdout) != 0 && output_failed(errno, err) < 0 ? -err->no : r;
}

/* Descriptors 0 to 2 are open, so that no file of ours takes their place; a closed pipe is an error, not a death. */
static void prepare_process(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			(void)!open("/dev/null", O_RDWR);        /* takes the lowest number, which is fd */
	signal(SIGPIPE, SIG_IGN);
	if (setlocale(LC_CTYPE, "") == NULL || MB_CUR_MAX == 1)
		(void)setlocale(LC_CTYPE, "C.UTF-8");            /* names are UTF-8 whatever $LANG says */
}

static int unknown(const char *word)
{
	const struct command *near = command_nearest(word);
	_str_ text = STR_INIT;

	if (word[0] == '-')
		str_addf(&text, "unknown option '%s': 'pterm help' shows what there is", word);
	else if (near != NULL)
		str_addf(&text, "unknown command '%s': did you mean '%s'?", word, near->name);
	else
		str_addf(&text, "unknown command '%s': 'pterm help' lists them", word);
	print_error(NULL, text.buf);
	return EXIT_PTERM;
}

int command_main(int argc, char **argv)
{
	static char *const help[] = { (char *)"help", NULL }, *const version[] = { (char *)"version", (char *)"--short", NULL };
	_err_ err = ERR_INIT;
	const struct command *c;
	int r;

	prepare_process();
	argc--;
	argv++;
	if (argc <= 0 || str_eq(argv[0], "--help") || str_eq(argv[0], "-h")) {
		argc = 1;
		argv = (char **)help;
	} else if (str_eq(argv[0], "--version")) {
		argc = 2;
		argv = (char **)version;
	}
	c = command_find(argv[0]);
	if (c == NULL)
		return unknown(argv[0]);
	r = run_command(c, argc, argv, &err);
	if (r >= 0)
		return r;
	if (err.no == 0)
		err.no = -r;
	print_error(c->name, err_msg(&err));
	return EXIT_PTERM;
}
