#include "event/hub.h"

#include "base/str.h"

struct sink { struct link link; event_fn *fn; void *data; uint64_t born; bool is_dead; };

static const char *const words[EVENT_COUNT] = {
#define EVENT(name, word, what) [EVENT_##name] = word,
#include "event/events.def"
#undef EVENT
};

const char *event_word(enum event_type type)
{
	return type < EVENT_COUNT ? words[type] : "unknown";
}

void hub_init(struct hub *h)
{
	*h = (struct hub){ 0 };
	link_init(&h->sinks);
}

struct sink *hub_join(struct hub *h, event_fn *fn, void *data)
{
	struct sink *s = xcalloc(1, sizeof(*s));

	*s = (struct sink){ .fn = fn, .data = data, .born = ++h->born };
	link_add_tail(&h->sinks, &s->link);
	return s;
}

static void sweep(struct hub *h)
{
	link_each(struct sink, s, &h->sinks, link) {
		if (s->is_dead) {
			link_remove(&s->link);
			free(s);
		}
	}
}

void hub_leave(struct hub *h, struct sink *s)
{
	if (s == NULL)
		return;
	s->is_dead = true;
	if (h->depth == 0)
		sweep(h);
}

void hub_fire(struct hub *h, const struct event *ev)
{
	const uint64_t newest = h->born;

	h->depth++;
	for (struct link *l = h->sinks.next; l != &h->sinks; l = l->next) {      /* nothing is freed while depth > 0 */
		struct sink *s = container_of(l, struct sink, link);

		if (!s->is_dead && s->born <= newest)
			s->fn(ev, s->data);
	}
	if (--h->depth == 0)
		sweep(h);
}

void hub_fini(struct hub *h)
{
	link_each(struct sink, s, &h->sinks, link)
		s->is_dead = true;
	if (h->depth == 0)
		sweep(h);
}
