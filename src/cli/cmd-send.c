#include "cli/listing.h"
#include "cli/open.h"

#include "base/fd.h"
#include "base/list.h"
#include "service/terminal.h"
#include "term/key-encode.h"

#include <errno.h>
#include <unistd.h>

struct options { struct strv keys; bool enter, paste; int form; };

static const struct arg_option rows[] = {
	{ 'k', "key", "NAME", "press a key: up, f5, ctrl-c, alt-x, shift-tab, enter, escape", ARG_STRV,
	  offsetof(struct options, keys) },
	{ 'e', "enter", NULL, "press enter, at this place", ARG_FLAG, offsetof(struct options, enter) },
	{ 0, "paste", NULL, "paste the texts: bracketed where the program asked for it, without control characters",
	  ARG_FLAG, offsetof(struct options, paste) },
	LISTING_OPTION(struct options, form),
};

/* What is to be typed, in order. */
struct typing { struct terminal_items items; struct str input; };

static void typing_release(struct typing *t)
{
	vec_release(&t->items.list);
	str_release(&t->input);
}

static int read_input(struct typing *t, struct err *err)
{
	const int r = fd_slurp(STDIN_FILENO, TERMINAL_SEND_MAX, &t->input);

	if (r == -EFBIG)
		return err_set(err, EFBIG, "input-large", "standard input has more than %d bytes, too many to be typed: pterm cp "
		               "copies files", TERMINAL_SEND_MAX);
	return r < 0 ? err_set(err, -r, "stdin", "cannot read standard input: %m") : 0;
}

/* Words and options as they were given, the session's name aside. */
static int collect(struct typing *t, const struct arg_words *words, struct err *err)
{
	bool has_name = false, reads = false;
	int r = 0;

	for (size_t i = 0; r == 0 && i < words->given_len; i++) {
		const struct arg_given *g = &words->given[i];

		if (g->option == NULL && !has_name) {
			has_name = true;
		} else if (g->option == NULL && str_eq(g->value, "-") && !reads) {
			reads = true;
			vec_push(&t->items.list, ((struct terminal_item){ 0 }));       /* filled when the input is there */
			r = read_input(t, err);
		} else if (g->option == NULL) {
			vec_push(&t->items.list, ((struct terminal_item){ .text = g->value, .n = strlen(g->value) }));
		} else if (str_eq(g->option->name, "key")) {
			vec_push(&t->items.list, ((struct terminal_item){ .key = g->value }));
		} else if (str_eq(g->option->name, "enter")) {
			vec_push(&t->items.list, ((struct terminal_item){ .key = "enter" }));
		}
	}
	if (r == 0 && t->items.list.len == 0) {
		vec_push(&t->items.list, ((struct terminal_item){ 0 }));
		r = read_input(t, err);
	}
	for (size_t i = 0; i < t->items.list.len; i++)
		if (t->items.list.items[i].key == NULL && t->items.list.items[i].text == NULL)
			t->items.list.items[i] = (struct terminal_item){ .text = t->input.buf, .n = t->input.len };
	return r;
}

/* A name that is wrong is said before anything is asked of the session, or read. */
static int check_keys(const struct strv *keys, struct err *err)
{
	_cleanup_(screen_freep) struct screen *s = screen_new(1, 1, NULL, NULL);
	_str_ out = STR_INIT;
	int r = 0;

	for (size_t i = 0; r == 0 && i < keys->len; i++)
		r = key_encode(s, keys->items[i], &out, err);
	return r < 0 ? err_wrap(err, "--key") : 0;
}

static int print_position(uint64_t position, struct err *err)
{
	_str_ out = STR_INIT;
	struct json_writer w = JSON_WRITER(&out);

	json_begin(&w, NULL, '{');
	json_put_int(&w, "position", (int64_t)position);
	json_end(&w, '}');
	return listing_print(LISTING_JSON, &out, err);
}

static int run(void *options, struct arg_words *words, struct err *err)
{
	const struct options *o = options;
	_cleanup_(typing_release) struct typing t = { .input = STR_INIT, .items = { .pastes = o->paste } };
	_house_ house = { 0 };
	_session_ s = { 0 };
	uint64_t position;
	int r = check_keys(&o->keys, err);

	if (r == 0)
		r = open_session(&house, words->items[0], &s, err);
	if (r == 0)
		r = collect(&t, words, err);
	if (r == 0)
		r = terminal_send(&s, terminal_encode_items, &t.items, &position, err);
	return r < 0 || o->form != LISTING_JSON ? r : print_position(position, err);
}

const struct command cmd_send = {
	.name = "send",
	.args = "SESSION [TEXT...]",
	.summary = "type into a session",
	.details =
		"Texts, keys and --enter are typed in the order in which they are given, with nothing between them. A text is sent "
		"as it is, and - stands for what comes on standard input, which is also read when nothing else is given.\n"
		"\n"
		"A key is what a terminal would send for it, by the modes in force: a program that asked for application cursor "
		"keys gets them. A name is any of ctrl- alt- shift- super- and a character, or up down left right home end insert "
		"delete pageup pagedown f1 to f20 enter tab backspace escape space, or kp0 to kp9 kp-enter kp-plus and so on.\n"
		"\n"
		"With -o json it tells the position before the sending, for wait --since. A text that begins with a dash stands "
		"behind --.",
	.examples =
		"pterm send build make --enter\n"
		"pterm send edit --key escape :wq --enter\n"
		"pterm send --paste edit - <letter # as if pasted",
	.group = GROUP_SESSIONS,
	.parser = { rows, array_len(rows), 0 },
	.options_size = sizeof(struct options),
	.min_words = 1, .max_words = ANY_WORDS,
	.completes = "session",
	.run = run,
};
