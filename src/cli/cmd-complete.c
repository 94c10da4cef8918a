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

/* What `pterm ls -o json` prints. */
static void list_sessions(struct str *ret)
{
	static const char *const argv[] = { "/proc/self/exe", "ls", "-o", "json", NULL };
	_fd_ from = -1;
	_fd_ to = -1;
	int pipes[2];
	pid_t pid;

	if (command_find("ls") == NULL || pipe2(pipes, O_CLOEXEC) < 0)
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

static int complete_run(void *options, struct arg_words *words, struct err *err)
{
	_str_ json = STR_INIT, out = STR_INIT;

	if (str_eq(words->items[0], "sessions")) {
		list_sessions(&json);
		complete_sessions(json.buf, &out);
	}
	(void)command_print(&out, err);
	return 0;
}

const struct command cmd_complete = {
	.name = "__complete",
	.args = "sessions",
	.summary = "print names for the completion scripts",
	.group = GROUP_HOST,
	.min_words = 1,
	.max_words = ANY_WORDS,
	.run = complete_run,
	.hidden = true,
};
