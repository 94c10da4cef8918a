#include "cli/command.h"
#include "cli/settings.h"

#include "base/near.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

bool command_is_group(const struct command *c)
{
	return c->run == NULL;
}

bool command_is_in(const struct command *c, const struct command *group)
{
	const char *space = strchr(c->name, ' ');

	if (group == NULL || space == NULL)
		return group == NULL && space == NULL;
	return strlen(group->name) == (size_t)(space - c->name) && str_starts(c->name, group->name);
}

const char *command_word(const struct command *c)
{
	const char *space = strchr(c->name, ' ');

	return space ? space + 1 : c->name;
}

static const struct command *find_in(const struct command *group, const char *word)
{
	for (size_t i = 0; commands[i] != NULL; i++)
		if (command_is_in(commands[i], group) && str_eq(command_word(commands[i]), word))
			return commands[i];
	return NULL;
}

const struct command *command_find(const char *const *words, size_t count, size_t *ret_words)
{
	const struct command *first = count > 0 ? find_in(NULL, words[0]) : NULL, *second = NULL;

	if (first != NULL && command_is_group(first) && count > 1)
		second = find_in(first, words[1]);
	*ret_words = second ? 2 : first ? 1 : 0;
	return second ? second : first;
}

const struct command *command_nearest(const char *word, const struct command *group)
{
	struct near near = near_to(word);

	for (size_t i = 0; commands[i] != NULL; i++)
		if (command_is_in(commands[i], group) && !commands[i]->hidden)
			near_offer(&near, command_word(commands[i]));
	return near.best ? find_in(group, near.best) : NULL;
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

/* What is there to find out what is wrong works whatever is wrong. */
static int load_settings(const struct command *c, struct err *err)
{
	const int r = settings_load(err);

	if (r < 0 && c->is_for_repair) {
		err_release(err);
		return 0;
	}
	return r;
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
			r = load_settings(c, err);
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

/* @word is no command of @group, or with NULL of pterm. */
static int unknown(const struct command *group, const char *word)
{
	const struct command *near = command_nearest(word, group);
	const char *name = group ? group->name : "", *space = group ? " " : "";
	_str_ text = STR_INIT;

	if (word[0] == '-')
		str_addf(&text, "unknown option '%s': 'pterm help%s%s' shows what there is", word, space, name);
	else if (near != NULL)
		str_addf(&text, "unknown command '%s%s%s': did you mean '%s'?", name, space, word, near->name);
	else
		str_addf(&text, "unknown command '%s%s%s': 'pterm help%s%s' lists them", name, space, word, space, name);
	print_error(NULL, text.buf);
	return EXIT_PTERM;
}

/* @argv: what follows a group's name, ending in NULL; no command of the group is the first. */
static int run_group(const struct command *c, char **argv, struct err *err)
{
	if (argv[0] != NULL && !str_eq(argv[0], "--help") && !str_eq(argv[0], "-h"))
		return unknown(c, argv[0]);
	return print_help(c, err);
}

int command_main(int argc, char **argv)
{
	static char *const help[] = { (char *)"help", NULL }, *const version[] = { (char *)"version", (char *)"--short", NULL };
	_err_ err = ERR_INIT;
	const struct command *c;
	size_t used;
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
	c = command_find((const char *const *)argv, (size_t)argc, &used);
	if (c == NULL)
		return unknown(NULL, argv[0]);
	if (command_is_group(c))
		r = run_group(c, argv + used, &err);
	else
		r = run_command(c, argc - (int)used + 1, argv + used - 1, &err);
	if (r >= 0)
		return r;
	if (err.no == 0)
		err.no = -r;
	print_error(c->name, err_msg(&err));
	return EXIT_PTERM;
}
