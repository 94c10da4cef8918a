#include "service/usage.h"

#include "base/test.h"

TEST(cpu_is_what_was_used_between_two_samples)
{
	struct usage old[] = { { .id = (char *)"a", .cpu_ns = 1000, .taken_ns = 10000 },
	                       { .id = (char *)"b", .cpu_ns = 5000, .taken_ns = 10000 } };
	struct usage new[] = { { .id = (char *)"b", .cpu_ns = 100, .taken_ns = 12000 },
	                       { .id = (char *)"a", .cpu_ns = 4000, .taken_ns = 12000 },
	                       { .id = (char *)"c", .cpu_ns = 4000, .taken_ns = 12000 } };
	const struct usage_list before = { old, array_len(old), 0 };
	struct usage_list now = { new, array_len(new), 0 };

	usage_compare(&before, &now);
	ASSERT_EQ(new[0].cpu_percent, 0);
	ASSERT_EQ(new[1].cpu_percent, 150);
	ASSERT_EQ(new[2].cpu_percent, 0);
}
