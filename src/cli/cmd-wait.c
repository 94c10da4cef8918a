#include "cli/listing.h"
#include "cli/open.h"

#include "base/units.h"
#include "service/wait.h"

#include <errno.h>
#include <stdio.h>

enum { EXIT_NEVER = 1, EXIT_TIMEOUT = 124 };     /* as timeout(1) has it */

struct options {
	struct strv texts, patterns;
	bool in_stream, for_exit, for_prompt, for_healthy, for_ready, has_idle, has_since, has_timeout;
	uint64_t idle_ms, since, timeout_ms;
	int form;
};

static const struct arg_option rows[] = {
	{ 0, "text", "STRING", "until the screen shows this text; may be given several times", ARG_STRV,
	  offsetof(struct options, texts) },
	{ 0, "regex", "REGEX", "until a line matches (POSIX extended regular expression)", ARG_STRV,
	  offsetof(struct options, patterns) },
	{ 0, "stream", NULL, "look for them in what is printed, without escape sequences, not on the screen", ARG_FLAG,
	  offsetof(struct options, in_stream) },
	{ 0, "idle", "SPAN", "until nothing was printed for so long", ARG_SPAN, offsetof(struct options, idle_ms),
	  .given = offsetof(struct options, has_idle) },
	{ 0, "prompt", NULL, "until the shell shows its prompt (where it marks it by OSC 133)", ARG_FLAG,
	  offsetof(struct options, for_prompt) },
	{ 0, "healthy", NULL, "until its health probe succeeds (new --health-cmd)", ARG_FLAG,
	  offsetof(struct options, for_healthy) },
	{ 0, "ready", NULL, "until its readiness probe succeeds (new --ready-cmd)", ARG_FLAG,
	  offsetof(struct options, for_ready) },
	{ 0, "exit", NULL, "until the session has ended", ARG_FLAG, offsetof(struct options, for_exit) },
	{ 0, "since", "POSITION", "what was printed from there on counts (send -o json tells it)", ARG_UINT,
	  offsetof(struct options, since), .max = INT64_MAX, .given = offsetof(struct options, has_since) },
	{ 't', "timeout", "SPAN", "give up after so long, with exit code 124", ARG_SPAN,
	  offsetof(struct options, timeout_ms), .given = offsetof(struct options, has_timeout) },
	LISTING_OPTION(struct options, form),
};

static const char *const events[] = { "text", "regex", "idle", "prompt", "healthy", "ready", "exit", "ended", "timeout" };

static int check(const struct options *o, struct err *err)
{
	const bool looks = o->texts.len > 0 || o->patterns.len > 0;

	for (size_t i = 0; i < o->texts.len; i++)
		if (o->texts.items[i][0] == '\0')
			return err_set(err, EINVAL, "usage", "--text: an empty text is always there");
	if (!looks && !o->has_idle && !o->for_exit && !o->for_prompt && !o->for_healthy && !o->for_ready)
		return err_set(err, EINVAL, "usage", "for what? Give --text, --regex, --idle, --prompt, --healthy, --ready or "
		               "--exit");
	if (o->in_stream && !looks)
		return err_set(err, EINVAL, "usage", "--stream says where --text and --regex look: give one of them");
	return 0;
}

static int print_json(const struct waited *w, struct err *err)
{
	_str_ out = STR_INIT;
	struct json_writer j = JSON_WRITER(&out);

	json_begin(&j, NULL, '{');
	json_put_str(&j, "event", events[w->event]);
	json_put_int(&j, "position", (int64_t)w->position);
	json_put_str(&j, "wanted", w->found.wanted);
	json_put_str(&j, "found", w->found.text);
	if (w->has_exit)
		json_put_int(&j, "exit_code", w->status.exit_code);
	json_end(&j, '}');
	return listing_print(LISTING_JSON, &out, err);
}

static void say_end(const struct session *s, const struct waited *w)
{
	_str_ why = STR_INIT;

	if (w->has_exit)
		status_describe(&w->status, &why);
	else
		str_adds(&why, "nobody knows how");
	fprintf(stderr, "pterm wait: session '%s' ended before (%s): it cannot happen any more\n", s->status.name, why.buf);
}

static int tell(const struct options *o, const struct session *s, const struct waited *w, struct err *err)
{
	const int r = o->form == LISTING_JSON ? print_json(w, err) : 0;

	if (r < 0)
		return r;
	if (w->event == WAIT_ENDED)
		say_end(s, w);
	else if (w->event == WAIT_TIMEOUT)
		fprintf(stderr, "pterm wait: it did not happen in session '%s' in this time\n", s->status.name);
	return w->event == WAIT_ENDED ? EXIT_NEVER : w->event == WAIT_TIMEOUT ? EXIT_TIMEOUT : 0;
}

static int run(void *options, struct arg_words *words, struct err *err)
{
	const struct options *o = options;
	_cleanup_(waited_release) struct waited waited = { 0 };
	struct waiting w = { .in_stream = o->in_stream, .for_exit = o->for_exit, .for_prompt = o->for_prompt,
	                     .for_healthy = o->for_healthy, .for_ready = o->for_ready,
	                     .since = o->has_since ? (int64_t)o->since : -1,
	                     .idle_ms = o->has_idle ? o->idle_ms : UINT64_MAX,
	                     .timeout_ms = o->has_timeout ? o->timeout_ms : UINT64_MAX };
	_house_ house = { 0 };
	_session_ s = { 0 };
	int r = check(o, err);

	if (r == 0)
		r = match_init(&w.match, &o->texts, &o->patterns, err);
	if (r < 0)
		return r;
	r = open_session(&house, words->items[0], &s, err);
	if (r == 0)
		r = session_wait(&s, &w, &waited, err);
	if (r == 0)
		r = tell(o, &s, &waited, err);
	match_release(&w.match);
	return r;
}

const struct command cmd_wait = {
	.name = "wait",
	.args = "SESSION",
	.summary = "wait until something happens in a session",
	.details =
		"Give one or several of --text, --regex, --idle, --prompt, --healthy, --ready and --exit: the first to happen ends the wait, with exit "
		"code 0, and -o json says which. Exit code 124: the time-out passed. Exit code 1: the session ended, and it cannot "
		"happen any more; with --exit that is 0, whatever the session's own exit code, which -o json tells.\n"
		"\n"
		"Texts are looked for on the screen, where lines that were wrapped are one, and what it shows already counts; with "
		"--since not before something was printed from there on. With --stream they are looked for in all that is printed "
		"from --since on, or from now on, so that what scrolls by is not missed.",
	.examples =
		"pterm wait build --text 'login:' --timeout 1m\n"
		"pterm wait build --idle 2s # until it is quiet\n"
		"pterm wait build --stream --regex '^[0-9]+ tests passed' --since 4711",
	.group = GROUP_SESSIONS,
	.parser = { rows, array_len(rows), 0 },
	.options_size = sizeof(struct options),
	.min_words = 1, .max_words = 1,
	.completes = "session",
	.run = run,
};
