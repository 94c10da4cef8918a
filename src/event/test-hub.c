#include "base/test.h"
#include "event/hub.h"

struct ear { struct hub *hub; struct sink *own, *other; int heard; void (*then)(struct ear *); };

static void hear(const struct event *ev, void *data)
{
	struct ear *e = data;

	e->heard++;
	if (e->then != NULL)
		e->then(e);
}

static void leave(struct ear *e)
{
	hub_leave(e->hub, e->own);
}

static void throw_out_other(struct ear *e)
{
	hub_leave(e->hub, e->other);
	e->other = NULL;
}

static struct ear late;
static void invite(struct ear *e)
{
	if (late.own == NULL)
		late.own = hub_join(e->hub, hear, &late);
}

static void fire_again(struct ear *e)
{
	const struct event ev = { .type = EVENT_ended };

	if (e->heard == 1)
		hub_fire(e->hub, &ev);
}

TEST(sinks_come_and_go_during_a_dispatch)
{
	const struct event ev = { .type = EVENT_started };
	struct hub h;
	struct ear a = { .hub = &h, .then = leave }, b = { .hub = &h, .then = invite }, c = { .hub = &h },
	           d = { .hub = &h, .then = fire_again };

	late = (struct ear){ .hub = &h };
	hub_init(&h);
	a.own = hub_join(&h, hear, &a);
	b.own = hub_join(&h, hear, &b);
	c.own = hub_join(&h, hear, &c);
	hub_fire(&h, &ev);
	ASSERT_EQ(a.heard, 1);
	ASSERT_EQ(late.heard, 0);                /* who joins now waits for the next event */
	b.then = throw_out_other;
	b.other = c.own;
	hub_fire(&h, &ev);
	ASSERT_EQ(a.heard, 1);
	ASSERT_EQ(c.heard, 1);                   /* thrown out before its turn */
	ASSERT_EQ(late.heard, 1);
	d.own = hub_join(&h, hear, &d);
	hub_fire(&h, &ev);
	ASSERT_EQ(d.heard, 2);
	hub_fini(&h);
	ASSERT(link_empty(&h.sinks));
}

TEST(every_event_has_a_word_of_its_own)
{
	for (int i = 0; i < EVENT_COUNT; i++)
		for (int k = 0; k < i; k++)
			ASSERT(strcmp(event_word((enum event_type)i), event_word((enum event_type)k)) != 0);
}
