#include "base/list.h"
#include "base/test.h"

struct item { int n; struct link link; };

TEST(removing_while_walking)
{
	struct item items[5];
	struct link head;
	int sum = 0, left = 0;

	link_init(&head);
	for (int i = 0; i < 5; i++) {
		items[i].n = i;
		link_add_tail(&head, &items[i].link);
	}
	link_each(struct item, it, &head, link) {
		sum += it->n;
		if (it->n % 2)
			link_remove(&it->link);
	}
	link_remove(&items[1].link);
	link_each(struct item, it, &head, link)
		left++;
	ASSERT_EQ(sum, 10);
	ASSERT_EQ(left, 3);
}

TEST(vectors_grow)
{
	VEC(int) v = { 0 };

	for (int i = 0; i < 100; i++)
		vec_push(&v, i * i);
	ASSERT_EQ(v.len, 100);
	ASSERT_EQ(v.items[99], 9801);
	vec_release(&v);
}
