#include "service/usage.h"

#include "base/units.h"

enum { ANSWER_MS = 10000 };

void usage_list_release(struct usage_list *l)
{
	for (size_t i = 0; i < l->len; i++) {
		free(l->items[i].id);
		free(l->items[i].name);
	}
	vec_release(l);
}

int usage_ask(const struct session *s, struct usage *ret, struct err *err)
{
	struct message_usage m = { 0 };
	_conn_ c = { 0 };
	struct frame f;
	int r = session_connect(s, &c, err);

	if (r < 0)
		return r;
	r = conn_send(&c, MESSAGE_USAGE, NULL, 0, NULL, 0);
	if (r < 0)
		return err_set(err, -r, "connection", "cannot talk to the supervisor of session '%s': %m", s->status.name);
	r = conn_expect(&c, MESSAGE_USAGE_IS, &f, ANSWER_MS, err);
	if (r < 0)
		return r;
	r = json_decode(f.data, f.len, &message_usage_object, &m, err);
	frame_close_fds(&f);
	if (r < 0)
		return r;
	*ret = (struct usage){ .id = xstrdup(s->id), .name = xstrdup(s->status.name), .cpu_ns = (uint64_t)m.cpu_ns,
	                       .memory_bytes = (uint64_t)m.memory_bytes, .memory_max = (uint64_t)m.memory_max,
	                       .pids = (uint64_t)m.pids, .taken_ns = time_mono_ns() };
	json_release(&message_usage_object, &m);
	return 0;
}

static const struct usage *find(const struct usage_list *l, const char *id)
{
	for (size_t i = 0; i < l->len; i++)
		if (str_eq(l->items[i].id, id))
			return &l->items[i];
	return NULL;
}

void usage_compare(const struct usage_list *before, struct usage_list *now)
{
	for (size_t i = 0; i < now->len; i++) {
		struct usage *u = &now->items[i];
		const struct usage *old = find(before, u->id);

		/* less than before: what used it has ended, or it was started anew */
		if (old != NULL && u->taken_ns > old->taken_ns && u->cpu_ns >= old->cpu_ns)
			u->cpu_percent = 100.0 * (double)(u->cpu_ns - old->cpu_ns) / (double)(u->taken_ns - old->taken_ns);
	}
}
