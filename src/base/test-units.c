#include "base/units.h"
#include "base/test.h"

#include <errno.h>

TEST(sizes)
{
	static const struct { const char *in; int want; uint64_t bytes; } t[] = {
		{ "0", 0, 0 }, { "512", 0, 512 }, { "512k", 0, 524288 }, { "1.5g", 0, 1610612736 }, { "64MiB", 0, 67108864 },
		{ "10B", 0, 10 }, { "", -EINVAL, 0 }, { "m", -EINVAL, 0 }, { "-1", -EINVAL, 0 }, { "1x", -EINVAL, 0 },
		{ "1kk", -EINVAL, 0 }, { "99999999999t", -EINVAL, 0 },
	};

	for (size_t i = 0; i < array_len(t); i++) {
		uint64_t v = 0;

		ASSERT_EQ(parse_size(t[i].in, &v), t[i].want);
		ASSERT_EQ(v, t[i].bytes);
	}
}

TEST(spans)
{
	static const struct { const char *in; int want; uint64_t ms; } t[] = {
		{ "90", 0, 90000 }, { "1m30s", 0, 90000 }, { "250ms", 0, 250 }, { "7d", 0, 604800000 }, { "0", 0, 0 },
		{ "", -EINVAL, 0 }, { "s", -EINVAL, 0 }, { "1y", -EINVAL, 0 }, { "1s2", -EINVAL, 0 }, { "-1s", -EINVAL, 0 },
	};

	for (size_t i = 0; i < array_len(t); i++) {
		uint64_t v = 0;

		ASSERT_EQ(parse_span_ms(t[i].in, &v), t[i].want);
		ASSERT_EQ(v, t[i].ms);
	}
}

TEST(instants_there_and_back)
{
	static const struct { const char *in; int want; uint64_t ms; } t[] = {
		{ "2026-11-22T15:04:05.123Z", 0, 1795359845123 }, { "2026-11-22T16:04:05+01:00", 0, 1795359845000 },
		{ "2026-11-22", 0, 1795305600000 }, { "1970-01-01", 0, 0 }, { "yesterday", -EINVAL, 0 },
		{ "2026-11-22T15", -EINVAL, 0 },
	};
	uint64_t v;

	for (size_t i = 0; i < array_len(t); i++) {
		v = 0;
		ASSERT_EQ(parse_instant_ms(t[i].in, 0, &v), t[i].want);
		ASSERT_EQ(v, t[i].ms);
	}
	ASSERT_OK(parse_instant_ms("10s", 60000, &v));
	ASSERT_EQ(v, 50000);
	_str_ s = STR_INIT;
	str_add_instant(&s, 1795359845123);
	ASSERT_STREQ(s.buf, "2026-11-22T15:04:05.123Z");
}
