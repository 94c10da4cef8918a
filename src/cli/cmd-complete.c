/*
 * What the completion scripts ask: one name a line. It never fails and never complains, because it runs while
 * somebody types. Names that are no single plain word are left out: no shell has to quote them.
 */
#include "cli/cmd-complete.h"

#include "base/child.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/list.h"
#include "cli/command.h"

#include <ctype.h>
#include <fcntl.h>
#include <unistd.h>

struct named { char *id, *name; };
static const struct json_field named_fields[] = {
	{ "id", FIELD_STR, offsetof(struct named, id) },
	{ "name", FIELD_STR, offsetof(struct named, name) },
};
static const struct json_object named_object = JSON_OBJECT("a session", struct named, named_fields, false);

struct sessions { VEC(struct named) items; };
static const struct json_field sessions_fields[] = {
	{ "sessions", FIELD_OBJV, offsetof(struct sessions, items), .object = &named_object },
};
static const struct json_object sessions_object = JSON_OBJECT("a list of sessions", struct sessions, sessions_fields,
                                                             false);

static bool is_plain_word(const char *z)
{
	if (z == NULL || *z == '\0' || *z == '-')
		return false;
	for (; *z != '\0'; z++)
		if (!isascii((unsigned char)*z) || (!isalnum((unsigned char)*z) && strchr("._-+@", *z) == NULL))
			return false;
	return true;
}

void complete_sessions(const char *json, struct str *out)
{
	_str_ whole = STR_INIT;
	struct sessions s = { 0 };

	json += strspn(json, " \n");
	if (*json == '[')                                /* a bare list */
		str_addf(&whole, "{\"sessions\":%s}", json);
	else
		str_adds(&whole, json);
	(void)json_decode(whole.buf, whole.len, &sessions_object, &s, NULL);
	for (size_t i = 0; i < s.items.len; i++) {
		const struct named *n = &s.items.items[i];

		if (is_plain_word(n->name))
			str_addf(out, "%s\n", n->name);
		else if (is_plain_word(n->id))
			str_addf(out, "%s\n", n->id);
	}
	json_release(&sessions_object, &s);
}

/* What one of our own commands prints. */
static void output_of(const char *const *argv, struct str *ret)
{
	_fd_ from = -1;
	_fd_ to = -1;
	int pipes[2];
	pid_t pid;

	if (pipe2(pipes, O_CLOEXEC) < 0)
		return;
	from = pipes[0];
	to = pipes[1];
	const struct child c = { .argv = argv, .fds = &(struct child_fd){ to, STDOUT_FILENO }, .fd_count = 1,
	                         .dies_with_parent = true };

	if (child_start(&c, &pid, NULL) < 0)
		return;
	to = fd_close(to);
	(void)fd_slurp(from, 16 << 20, ret);
	from = fd_close(from);
	(void)child_wait(pid);
}

/* The lines of @text that are a plain word. */
static void add_plain_lines(char *text, struct str *out)
{
	for (char *end, *line = text; *line != '\0'; line = end) {
		end = line + strcspn(line, "\n");
		if (*end != '\0')
			*end++ = '\0';
		if (end - line > 8 && strncmp(end - 8, ":latest", 7) == 0)       /* an image's, which may be left away */
			end[-8] = '\0';
		if (is_plain_word(line))
			str_addf(out, "%s\n", line);
	}
}

#define OWN(...) (const char *const[]){ "/proc/self/exe", __VA_ARGS__, NULL }

/* Kinds of names, and which of our commands prints them, one a line. */
static const struct { const char *kind; const char *const *argv; } kinds[] = {
	{ "templates", OWN("template", "ls", "-q") },
	{ "volumes", OWN("volume", "ls", "-q") },
	{ "images", OWN("image", "ls", "-q") },
};

static int complete_run(void *options, struct arg_words *words, struct err *err)
{
	_str_ text = STR_INIT, out = STR_INIT;

	if (str_eq(words->items[0], "sessions")) {
		output_of(OWN("ls", "-o", "json"), &text);
		complete_sessions(text.buf, &out);
	}
	for (size_t i = 0; i < array_len(kinds); i++) {
		if (str_eq(words->items[0], kinds[i].kind)) {
			output_of(kinds[i].argv, &text);
			add_plain_lines(text.buf, &out);
		}
	}
	(void)command_print(&out, err);
	return 0;
}

const struct command cmd_complete = {
	.name = "__complete",
	.args = "KIND",
	.summary = "print names for the completion scripts",
	.group = GROUP_HOST,
	.min_words = 1,
	.max_words = ANY_WORDS,
	.is_for_repair = true,
	.run = complete_run,
	.hidden = true,
};
