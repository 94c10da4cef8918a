/* What a probe's results mean. That they are run and killed is told by test/health.bats. */
#include "base/test.h"
#include "supervisor/health.h"

static const struct spec_probe health = { .kind = PROBE_HEALTH, .interval_ms = 30000, .retries = 3,
                                         .start_period_ms = 5000 };
static const struct spec_probe readiness = { .kind = PROBE_READINESS, .interval_ms = 10000, .retries = 2 };

/* A result, when it comes, and the state that it leads to. */
struct step { uint64_t age_ms; bool is_good; enum probe_state want; };

static void walk(const struct spec_probe *p, const struct step *steps, size_t n)
{
	enum probe_state state = PROBE_STARTING;
	int64_t failing = 0;

	for (size_t i = 0; i < n; i++) {
		state = probe_judge(p, state, steps[i].is_good, steps[i].age_ms, &failing);
		ASSERT_EQ(state, steps[i].want);
	}
}
#define WALK(probe, ...) walk(&(probe), (const struct step[]){ __VA_ARGS__ }, \
                              sizeof((const struct step[]){ __VA_ARGS__ }) / sizeof(struct step))

TEST(failures_in_a_row_make_it_unhealthy_and_one_success_makes_it_healthy)
{
	WALK(health, { 6000, false, PROBE_STARTING }, { 6001, false, PROBE_STARTING }, { 6002, false, PROBE_BAD },
	     { 6003, false, PROBE_BAD }, { 6004, true, PROBE_GOOD }, { 6005, false, PROBE_GOOD }, { 6006, false, PROBE_GOOD },
	     { 6007, true, PROBE_GOOD }, { 6008, false, PROBE_GOOD }, { 6009, false, PROBE_GOOD }, { 6010, false, PROBE_BAD });
}

TEST(failures_in_the_start_period_do_not_count_before_the_first_success)
{
	WALK(health, { 0, false, PROBE_STARTING }, { 1000, false, PROBE_STARTING }, { 2000, false, PROBE_STARTING },
	     { 4999, false, PROBE_STARTING }, { 5000, false, PROBE_STARTING }, { 5001, false, PROBE_STARTING },
	     { 5002, false, PROBE_BAD });
	WALK(health, { 0, true, PROBE_GOOD }, { 1, false, PROBE_GOOD }, { 2, false, PROBE_GOOD }, { 3, false, PROBE_BAD });
}

TEST(what_was_never_ready_is_not_unready)
{
	WALK(readiness, { 0, false, PROBE_STARTING }, { 1, false, PROBE_STARTING }, { 2, false, PROBE_STARTING },
	     { 3, true, PROBE_GOOD }, { 4, false, PROBE_GOOD }, { 5, false, PROBE_BAD }, { 6, true, PROBE_GOOD });
}

TEST(it_is_asked_soon_while_nothing_is_lost_by_a_failure)
{
	ASSERT_EQ(probe_pause_ms(&health, PROBE_STARTING, 4999), 1000);
	ASSERT_EQ(probe_pause_ms(&health, PROBE_STARTING, 5000), 30000);
	ASSERT_EQ(probe_pause_ms(&health, PROBE_GOOD, 0), 30000);
	ASSERT_EQ(probe_pause_ms(&readiness, PROBE_STARTING, 1000000), 1000);
	ASSERT_EQ(probe_pause_ms(&readiness, PROBE_BAD, 0), 10000);
	ASSERT_EQ(probe_pause_ms(&(struct spec_probe){ .kind = PROBE_READINESS, .interval_ms = 200 }, PROBE_STARTING, 0), 200);
}
