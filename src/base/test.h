/*
 * Unit tests: TEST(name) { … } registers itself; ASSERT_* print both values and survive NDEBUG.
 * Each test-x.c is linked with test-main.c into one program per file; it runs all, or those named in argv.
 */
#pragma once

#include "base/macros.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct test { const char *name; void (*run)(void); struct test *next; };
void test_register(struct test *t);
_noreturn_ void test_fail(const char *file, int line, const char *fmt, ...) _printf_(3, 4);
_noreturn_ void test_skip(const char *why);               /* ends the running test as skipped */

#define TEST(n) \
	static void test_##n(void); \
	__attribute__((constructor)) static void register_##n(void) \
	{ \
		static struct test t = { .name = #n, .run = test_##n }; \
		test_register(&t); \
	} \
	static void test_##n(void)

#define ASSERT(c) do { if (!(c)) test_fail(__FILE__, __LINE__, "not true: %s", #c); } while (0)
#define ASSERT_EQ(a, b) do { \
	const long long a_ = (long long)(a), b_ = (long long)(b); \
	if (a_ != b_) test_fail(__FILE__, __LINE__, "%s is %lld, wanted %s, which is %lld", #a, a_, #b, b_); \
} while (0)
#define ASSERT_OK(r) do { const long long r_ = (long long)(r); \
	if (r_ < 0) test_fail(__FILE__, __LINE__, "%s failed: %lld (%s)", #r, r_, strerror((int)-r_)); } while (0)
#define ASSERT_STREQ(a, b) do { \
	const char *a_ = (a), *b_ = (b); \
	if (a_ == NULL || b_ == NULL || strcmp(a_, b_) != 0) \
		test_fail(__FILE__, __LINE__, "%s is \"%s\", wanted \"%s\"", #a, a_ ? a_ : "(null)", b_ ? b_ : "(null)"); \
} while (0)
#define ASSERT_MEMEQ(a, b, n) do { \
	if (memcmp((a), (b), (n)) != 0) test_fail(__FILE__, __LINE__, "%s and %s differ", #a, #b); } while (0)

/* A small generator with a printed seed ($TEST_SEED repeats a run): xorshift64*. */
uint64_t test_rand(void);
static inline uint64_t test_rand_below(uint64_t n) { return n ? test_rand() % n : 0; }
