#include "base/test.h"

#include <setjmp.h>
#include <stdarg.h>
#include <time.h>

static struct test *tests;
static jmp_buf leave;
static const char *skip_reason;
static uint64_t rand_state;

enum { TEST_FAILED = 1, TEST_SKIPPED = 2 };

void test_register(struct test *t)
{
	struct test **at = &tests;

	while (*at != NULL)
		at = &(*at)->next;
	*at = t;
}

void test_fail(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s:%d: ", file, line);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	longjmp(leave, TEST_FAILED);
}

void test_skip(const char *why)
{
	skip_reason = why;
	longjmp(leave, TEST_SKIPPED);
}

uint64_t test_rand(void)
{
	rand_state ^= rand_state >> 12;
	rand_state ^= rand_state << 25;
	rand_state ^= rand_state >> 27;
	return rand_state * 0x2545F4914F6CDD1DULL;
}

static int is_wanted(const char *name, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], name) == 0)
			return 1;
	return argc < 2;
}

/* What is printed is TAP: Meson reads it, and test/tools/tally counts it. */
int main(int argc, char **argv)
{
	const char *given = getenv("TEST_SEED");
	const uint64_t seed = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL) * 2654435761u + 1;
	int count = 0, number = 0, failed = 0;

	for (struct test *t = tests; t != NULL; t = t->next)
		count += is_wanted(t->name, argc, argv);
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("# TEST_SEED=%llu\n1..%d\n", (unsigned long long)seed, count);
	for (struct test *t = tests; t != NULL; t = t->next) {
		if (!is_wanted(t->name, argc, argv))
			continue;
		rand_state = seed | 1;
		number++;
		switch (setjmp(leave)) {
		case 0:
			t->run();
			printf("ok %d - %s\n", number, t->name);
			break;
		case TEST_FAILED:
			printf("not ok %d - %s\n", number, t->name);
			failed++;
			break;
		case TEST_SKIPPED:
			printf("ok %d - %s # SKIP %s\n", number, t->name, skip_reason);
			break;
		}
	}
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
