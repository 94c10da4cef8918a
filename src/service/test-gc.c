#include "service/gc.h"

#include "base/test.h"

/* Three sessions that ended 1, 2 and 3 s ago, of 10, 20 and 5 bytes. */
TEST(what_goes_by_which_policy)
{
	static const struct { struct gc_policy p; enum gc_reason want[3]; } t[] = {
		{ { 0 }, { GC_STAYS, GC_STAYS, GC_STAYS } },
		{ { .has_keep_for = true, .keep_for_ms = 2000 }, { GC_STAYS, GC_STAYS, GC_AGE } },
		{ { .has_keep_for = true, .keep_for_ms = 0 }, { GC_AGE, GC_AGE, GC_AGE } },
		{ { .has_keep = true, .keep = 0 }, { GC_NUMBER, GC_NUMBER, GC_NUMBER } },
		{ { .has_keep = true, .keep = 2 }, { GC_STAYS, GC_STAYS, GC_NUMBER } },
		{ { .has_keep = true, .keep = 3 }, { GC_STAYS, GC_STAYS, GC_STAYS } },
		{ { .has_max_disk = true, .max_disk = 35 }, { GC_STAYS, GC_STAYS, GC_STAYS } },
		/* the last would fit, but is older than one that does not */
		{ { .has_max_disk = true, .max_disk = 15 }, { GC_STAYS, GC_DISK, GC_DISK } },
		{ { .has_max_disk = true, .max_disk = 0 }, { GC_DISK, GC_DISK, GC_DISK } },
		{ { .has_keep = true, .keep = 1, .has_keep_for = true, .keep_for_ms = 2500 }, { GC_STAYS, GC_NUMBER, GC_AGE } },
	};

	for (size_t i = 0; i < array_len(t); i++) {
		struct gc_candidate c[] = { { 9000, 10, GC_STAYS }, { 8000, 20, GC_STAYS }, { 7000, 5, GC_STAYS } };

		gc_choose(&t[i].p, 10000, c, array_len(c));
		for (size_t k = 0; k < array_len(c); k++)
			ASSERT_EQ(c[k].reason, t[i].want[k]);
	}
}

/* A clock that was set back makes nothing old. */
TEST(ended_in_the_future)
{
	const struct gc_policy p = { .has_keep_for = true, .keep_for_ms = 1000 };
	struct gc_candidate c = { .ended_ms = 99999 };

	gc_choose(&p, 10000, &c, 1);
	ASSERT_EQ(c.reason, GC_STAYS);
}
