#include "service/describe.h"

#include "base/path.h"
#include "service/session.h"

#include <errno.h>
#include <sys/random.h>

/* --- templates --- */

void templates_of(const struct house *h, struct templates *ret)
{
	ret->own = path_join(h->home, "templates");
	ret->shipped = path_join(h->data, "templates");
	ret->dirs = (struct template_dirs){ .own = ret->own, .shipped = ret->shipped };
}

void templates_release(struct templates *t)
{
	free(t->own);
	free(t->shipped);
	*t = (struct templates){ 0 };
}

/* A word that stands nowhere else: what a person wrote must not be taken for it. It is a host name, too. */
static char *new_mark(void)
{
	uint64_t x;

	if (getrandom(&x, sizeof(x), 0) != (ssize_t)sizeof(x))
		abort();
	return xasprintf("m%016llx", (unsigned long long)x);
}

int templates_load(const struct templates *t, const char *ref, const struct strv *settings, struct template *ret,
                   char **ret_mark, struct err *err)
{
	_free_ char *path = NULL, *mark = new_mark(), *id = xasprintf("%si", mark), *name = xasprintf("%sn", mark);
	_json_tree_ *tree = template_read(&t->dirs, ref, &path, err);
	const struct template_context context = { .settings = settings, .variable = config_getenv,
	                                          .user = session_actor(),
	                                          .home = getenv("HOME") ? getenv("HOME") : "/", .session_id = id,
	                                          .session_name = name };
	int r;

	if (tree == NULL)
		return err && err->no ? -err->no : -EINVAL;
	r = template_resolve(tree, &context, err);
	if (r == 0)
		r = template_decode(tree, path, ret, err);
	if (r == 0)
		*ret_mark = TAKE(mark);
	return r;
}

/* --- what cannot be had yet --- */

/* The one place: whoever brings a part takes its row away. */
static int check_offered(const struct template *t, struct err *err)
{
	const struct { const char *key; bool is_there; } missing[] = {
		{ "model", t->model != NULL }, { "gpu", t->gpu != NULL },
	};

	for (size_t i = 0; i < array_len(missing); i++)
		if (missing[i].is_there)
			return err_set(err, ENOTSUP, "not-offered",
			               "the template '%s' asks for '%s', which this version of pterm cannot "
			               "give: take it out with \"%s\": null in a template that extends this one",
			               t->name, missing[i].key, missing[i].key);
	return 0;
}

/* --- putting one below another --- */

/* @below's come first, so that the later, which hold, are @own's. */
static void put_below(struct strv *own, const struct strv *below)
{
	struct strv both = { 0 };

	strv_copy(&both, below);
	for (size_t i = 0; i < own->len; i++)
		strv_push(&both, own->items[i]);
	strv_release(own);
	*own = both;
}

/* The part of a text that two entries of a list have in common when they are about the same. */
typedef const char *subject_fn(const char *text, size_t *ret_len);

static const char *subject_target(const char *text, size_t *ret_len)
{
	const char *colon = strchr(text, ':');

	text = colon ? colon + 1 : text;
	*ret_len = strcspn(text, ":");
	return text;
}

static const char *subject_first(const char *text, size_t *ret_len)
{
	*ret_len = strcspn(text, ":=");
	return text;
}

/* The same, but an entry of @below about something that @own has, too, is left out. */
static void put_others_below(struct strv *own, const struct strv *below, subject_fn *subject)
{
	_strv_ kept = { 0 };

	for (size_t i = 0; i < below->len; i++) {
		size_t n, m;
		const char *about = subject(below->items[i], &n);
		bool is_replaced = false;

		for (size_t k = 0; k < own->len; k++) {
			const char *other = subject(own->items[k], &m);

			is_replaced |= n == m && memcmp(about, other, n) == 0;
		}
		if (!is_replaced)
			strv_push(&kept, below->items[i]);
	}
	put_below(own, &kept);
}

static void take_text(const char **own, const char *below)
{
	if (*own == NULL)
		*own = below;
}

static void take_number(uint64_t *own, uint64_t below)
{
	if (*own == 0)
		*own = below;
}

/* One of @own takes the template's place as a whole; its command is the template's where only spans are given. */
static void take_probe(struct launch_probe *own, const struct template_probe *below)
{
	if (!below->is_there || own->command != NULL)
		return;
	own->argv = &below->command;
	take_number(&own->interval_ms, below->interval_ms);
	take_number(&own->timeout_ms, below->timeout_ms);
	take_number(&own->retries, below->retries);
	take_number(&own->start_period_ms, below->start_period_ms);
}

static int index_of(const char *const *names, const char *name)
{
	for (int i = 0; names[i] != NULL; i++)
		if (str_eq(names[i], name))
			return i;
	return -1;
}

/* "none", or "session:NAME": a template has been checked. */
static void take_network(struct launch *l, const char *text)
{
	const char *colon = strchr(text, ':');
	_free_ char *kind = colon ? xstrndup(text, (size_t)(colon - text)) : xstrdup(text);

	l->network = index_of(spec_networks, kind);
	l->network_session = colon ? colon + 1 : NULL;
	l->has_network = true;
}

int launch_use_template(struct launch *l, const struct template *t, struct err *err)
{
	const int r = check_offered(t, err);

	if (r < 0)
		return r;
	if (l->image == NULL && t->build.is_there) {
		l->build = (struct images_build){ .context = t->build.context, .file = t->build.containerfile };
		strv_copy(&l->build.args, &t->build.arguments);
	} else
		take_text(&l->image, t->image);
	take_text(&l->cwd, t->working_dir);
	take_text(&l->user, t->user);
	take_text(&l->hostname, t->hostname);
	take_text(&l->restart, l->remove_at_end ? NULL : t->restart);    /* --rm overrides it */
	take_text(&l->engine, t->engine);
	take_text(&l->cpus, t->cpus);
	take_number(&l->memory_bytes, t->memory_bytes);
	take_number(&l->pids, t->pids);
	l->read_only |= t->readonly;
	l->makes_sources = true;
	if (l->command_len == 0) {
		l->command = (const char *const *)t->command.items;
		l->command_len = t->command.len;
	}
	if (t->network != NULL && !l->has_network)
		take_network(l, t->network);
	put_below(&l->env, &t->environment);
	put_below(&l->labels, &t->labels);
	put_below(&l->packages, &t->packages);
	take_probe(&l->health, &t->health);
	take_probe(&l->readiness, &t->readiness);
	put_others_below(&l->volumes, &t->volumes, subject_target);
	put_others_below(&l->tmpfs, &t->tmpfs, subject_first);
	put_others_below(&l->ports, &t->ports, subject_first);
	put_others_below(&l->secrets, &t->secrets, subject_first);
	return 0;
}

void launch_use_config(struct launch *l, const struct config *c)
{
	if (!l->has_network)
		l->network = (int)config_number(c, OPTION_network_default, NETWORK_NONE);
	take_text(&l->engine, config_text(c, OPTION_engine));
	l->may_fall_back &= l->engine == NULL;   /* one that somebody chose is not quietly another */
	take_number(&l->memory_bytes, (uint64_t)config_number(c, OPTION_limits_memory, 0));
	take_number(&l->pids, (uint64_t)config_number(c, OPTION_limits_pids, 0));
	if (c->values[OPTION_limits_cpus].real > 0)
		take_text(&l->cpus, config_text(c, OPTION_limits_cpus));
	take_number(&l->record_bytes, (uint64_t)config_number(c, OPTION_recording_size, 0));
	l->record_input |= config_number(c, OPTION_recording_input, 0) != 0;
	l->restart_first_ms = (uint64_t)config_number(c, OPTION_restart_first_delay, 0);
	l->restart_longest_ms = (uint64_t)config_number(c, OPTION_restart_longest_delay, 0);
	l->restart_forgiven_ms = (uint64_t)config_number(c, OPTION_restart_forgiven_after, 0);
}
